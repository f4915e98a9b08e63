"""What can go wrong in the classifier: one exception per cause, each with a message that says what to do."""


class HateSpeechError(Exception):
    """Base of every error that this package raises on purpose."""


class ModelMissingError(HateSpeechError):
    """No version has been trained and activated yet."""


class NoExplanationError(HateSpeechError):
    """The active version's engine cannot explain its verdicts."""


class PretrainedError(HateSpeechError):
    """A file of the shipped encoder or head is missing, or is not the one that was shipped."""


class NotEnoughDataError(HateSpeechError):
    """The labelled rows cannot train a classifier."""


class VersionError(HateSpeechError):
    """Base of what keeps one version from being served; the version before it goes on serving."""


class VersionMissingError(VersionError):
    """There is no such version in the store, or it has been pruned."""


class IncompleteVersionError(VersionError):
    """The version's folder has no manifest: its writing was cut off, or it is being written."""


class IncompatibleVersionError(VersionError):
    """The version was written in a format that this code does not read."""


class ForeignEngineError(VersionError):
    """The version is of an engine that this code does not have."""


class ForeignEncoderError(VersionError):
    """The version's head was made for another encoder than the one that is shipped."""


class ChecksumError(VersionError):
    """A file of the version is missing, or is not the one that was written."""


class CorruptVersionError(VersionError):
    """The version's manifest or arrays are not of the types and shapes that they must have."""
