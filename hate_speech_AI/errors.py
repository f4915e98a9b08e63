"""What can go wrong in the classifier: one exception per cause, each with a message that says what to do."""


class HateSpeechError(Exception):
    """Base of every error that this package raises on purpose."""


class ModelMissingError(HateSpeechError):
    """No version has been trained and activated yet."""


class IncompatibleVersionError(HateSpeechError):
    """A version on disk was written in a format, or by an engine, that this code does not read."""


class CorruptVersionError(HateSpeechError):
    """A version's files are not what its manifest says they are."""


class NotEnoughDataError(HateSpeechError):
    """The labelled rows cannot train a classifier."""
