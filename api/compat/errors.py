"""Errors in the dialects' own shapes. `ERROR_SHAPES` in the settings says below which paths they are used."""

from rest_framework.exceptions import APIException

# google.rpc.Code of an HTTP status, as Google's APIs write it.
_GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_PERSPECTIVE_ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"


class CompatError(APIException):
    """A request that a dialect refuses.

    Parameters
    ----------
    message : str
    code : str
        For programs: Perspective's `errorType`, or `code` of OpenAI's format.
    about : dict, optional
        Further fields of the error in that format.
    """

    status_code = 400

    def __init__(self, message: str, code: str, about: dict[str, object] | None = None):
        super().__init__(message, code)
        self.about = about or {}


def shape_openai_error(status: int, message: str, code: str, about: dict[str, object]) -> tuple[int, dict[str, object]]:
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return status, {"error": {"message": message, "type": kind, "param": about.get("param"), "code": code}}


def shape_perspective_error(status: int, message: str, code: str, about: dict[str, object]) -> tuple[int, dict[str, object]]:
    details: dict[str, object] | None = None
    if status == 401:  # in Google's APIs an invalid key is an invalid argument
        status, message = 400, "API key not valid. Please pass a valid API key."
        details = {"@type": _ERROR_INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    elif status == 429:
        details = {"@type": _ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com"}
    elif status == 400:
        details = {"@type": _PERSPECTIVE_ERROR, "errorType": code if code.isupper() else "INVALID_REQUEST"}
        details |= {name: value for name, value in about.items() if name != "param"}  # a field of OpenAI's errors
    error = {"code": status, "message": message, "status": _GOOGLE_STATUS.get(status, "INVALID_ARGUMENT")}
    return status, {"error": error | ({"details": [details]} if details else {})}
