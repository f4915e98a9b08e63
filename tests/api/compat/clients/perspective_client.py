"""peRspective; arguments: the service's URL, a good key, a wrong one, one of a single request a minute."""

import json
import sys
from urllib.error import HTTPError

from perspective import PerspectiveAPI

url, good, wrong, slow = sys.argv[1:]
HATEFUL = "All women are worthless and disgusting."


def client(key: str) -> PerspectiveAPI:
    client = PerspectiveAPI(key)
    client.api_client.url = url + "/v1alpha1/{endpoint}"
    return client


def error_of(key: str, text: str) -> list:
    try:
        client(key).score(text, ["IDENTITY_ATTACK"])
    except HTTPError as error:
        said = json.loads(error.read())["error"]
        return [type(error).__name__, error.code, said["status"]]


print(
    json.dumps(
        {
            "hate": [
                client(key).score(text, ["IDENTITY_ATTACK"])["IDENTITY_ATTACK"]
                for key, text in ((good, "Good morning"), (good, HATEFUL), (slow, HATEFUL))
            ],
            "feedback": client(good).suggest_score(
                "A ferry of peRspective",
                {"IDENTITY_ATTACK": {"summaryScore": {"value": 0.0}}},
                client_token="perspective",
                community_id="clients",
            ),
            "errors": [error_of(good, " "), error_of(wrong, "a"), error_of(slow, "a")],
        }
    )
)
