"""The discovery document, from which Google's client builds its methods."""

_STRING: dict[str, object] = {"type": "string"}
_NUMBER: dict[str, object] = {"type": "number", "format": "float"}
_INTEGER: dict[str, object] = {"type": "integer", "format": "int32"}
_FLAG: dict[str, object] = {"type": "boolean"}


def _ref(name: str) -> dict[str, object]:
    return {"$ref": name}


def _list(items: dict[str, object]) -> dict[str, object]:
    return {"type": "array", "items": items}


def _map(values: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": values}


_SCHEMAS = {
    "TextEntry": {"text": _STRING, "type": _STRING},
    "ArticleAndParentComment": {"article": _ref("TextEntry"), "parentComment": _ref("TextEntry")},
    "Context": {"entries": _list(_ref("TextEntry")), "articleAndParentComment": _ref("ArticleAndParentComment")},
    "AttributeParameters": {"scoreType": _STRING, "scoreThreshold": _NUMBER},
    "Score": {"value": _NUMBER, "type": _STRING},
    "SpanScore": {"begin": _INTEGER, "end": _INTEGER, "score": _ref("Score")},
    "AttributeScores": {"summaryScore": _ref("Score"), "spanScores": _list(_ref("SpanScore"))},
    "AnalyzeCommentRequest": {
        "comment": _ref("TextEntry"),
        "context": _ref("Context"),
        "requestedAttributes": _map(_ref("AttributeParameters")),
        "languages": _list(_STRING),
        "doNotStore": _FLAG,
        "dropUnsupportedAttributes": _FLAG,
        "spanAnnotations": _FLAG,
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    "AnalyzeCommentResponse": {
        "attributeScores": _map(_ref("AttributeScores")),
        "languages": _list(_STRING),
        "detectedLanguages": _list(_STRING),
        "clientToken": _STRING,
    },
    "SuggestCommentScoreRequest": {
        "comment": _ref("TextEntry"),
        "context": _ref("Context"),
        "attributeScores": _map(_ref("AttributeScores")),
        "languages": _list(_STRING),
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    "SuggestCommentScoreResponse": {
        "detectedLanguages": _list(_STRING),
        "requestedLanguages": _list(_STRING),
        "clientToken": _STRING,
    },
}
# Google's clients may add these to the URL of any call.
_PARAMETERS = ("alt", "callback", "fields", "key", "prettyPrint", "quotaUser")


def describe_discovery(root: str) -> dict[str, object]:
    """Return the discovery document; `root` is the URL before the paths of the methods."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "version": "v1alpha1",
        "title": "Hate speech detector, in Perspective's format",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "servicePath": "",
        "basePath": "",
        "batchPath": "batch",
        "parameters": {name: {"type": "string", "location": "query"} for name in _PARAMETERS},
        "schemas": {
            name: {"id": name, "type": "object", "properties": properties} for name, properties in sorted(_SCHEMAS.items())
        },
        "resources": {
            "comments": {
                "methods": {
                    "analyze": _describe_method("analyze", "AnalyzeComment"),
                    "suggestscore": _describe_method("suggestscore", "SuggestCommentScore"),
                }
            }
        },
    }


def _describe_method(name: str, message: str) -> dict[str, object]:
    path = f"v1alpha1/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}",
        "path": path,
        "flatPath": path,
        "httpMethod": "POST",
        "parameters": {},
        "parameterOrder": [],
        "request": _ref(f"{message}Request"),
        "response": _ref(f"{message}Response"),
    }
