"""The errors of the classifier: one exception per cause. Each message says what to do."""


class HateSpeechError(Exception):
    """Base of every error that this package raises on purpose."""


class ModelMissingError(HateSpeechError):
    """No version has been trained and activated yet."""


class NoExplanationError(HateSpeechError):
    """The active version's engine cannot explain its verdicts."""


class TooManyTokensError(HateSpeechError):
    """The texts of one request have more tokens together than its budget allows."""


class DeadlineError(HateSpeechError):
    """The deadline of a request passed before all its texts were judged."""


class AbandonedError(HateSpeechError):
    """The client that asked is gone."""


class PretrainedError(HateSpeechError):
    """A file of the shipped encoder or head is missing, or is not the one that was shipped."""


class NotEnoughDataError(HateSpeechError):
    """The labelled rows are too few, or all of one label."""


class ForgettingError(HateSpeechError):
    """So much was withdrawn at once that only a training can take it out of the model."""


class ForeignStoreError(HateSpeechError):
    """The database belongs to another model store."""


class VersionError(HateSpeechError):
    """Base of the errors that keep one version from being served. The version before it is served on."""


class VersionMissingError(VersionError):
    """The store has no such version, or it has been pruned."""


class IncompleteVersionError(VersionError):
    """The version's folder has no manifest. Its writing was interrupted or goes on."""


class IncompatibleVersionError(VersionError):
    """The version was written in a format that this release does not read."""


class ForeignEngineError(VersionError):
    """The version was written by another engine than the one of this store."""


class ForeignEncoderError(VersionError):
    """The version's head was trained for another encoder than the shipped one."""


class ChecksumError(VersionError):
    """A file of the version is missing, or is not the one that was written."""


class CorruptVersionError(VersionError):
    """The version's manifest or arrays have wrong types, shapes or values."""
