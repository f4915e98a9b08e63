"""The headers of every answer with verdicts, of the service's own routes and of the dialects."""

from hate_speech_AI.core import Prediction


def name_version(predictions: list[Prediction]) -> dict[str, str]:
    """Return the header that names the version of these verdicts. The dialects have no field for it."""
    return {"X-Model-Version": predictions[0].version}
