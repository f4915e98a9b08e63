"""Google's API client; arguments: the service's URL, a good key, a wrong one, one of a single request a minute."""

import json
import sys

from googleapiclient import discovery, errors

url, good, wrong, slow = sys.argv[1:]
HATEFUL = "All women are worthless and disgusting."


def comments(key: str):
    document = f"{url}/$discovery/rest?version=v1alpha1"
    return discovery.build(
        "commentanalyzer", "v1alpha1", developerKey=key, discoveryServiceUrl=document, static_discovery=False
    ).comments()


def analyze(key: str, text: str) -> float:
    body = {"comment": {"text": text}, "requestedAttributes": {"IDENTITY_ATTACK": {}}}
    return comments(key).analyze(body=body).execute()["attributeScores"]["IDENTITY_ATTACK"]["summaryScore"]["value"]


def error_of(key: str, text: str) -> list:
    try:
        analyze(key, text)
    except errors.HttpError as error:
        return [type(error).__name__, error.resp.status, error.reason]


suggested = comments(good).suggestscore(
    body={
        "comment": {"text": "A ferry of Google's client"},
        "attributeScores": {"IDENTITY_ATTACK": {"summaryScore": {"value": 0}}},
        "communityId": "clients",
        "clientToken": "google",
    }
)
print(
    json.dumps(
        {
            "hate": [analyze(good, "Good morning"), analyze(good, HATEFUL), analyze(slow, HATEFUL)],
            "feedback": suggested.execute(),
            "errors": [error_of(good, ""), error_of(wrong, "a"), error_of(slow, "a")],
        }
    )
)
