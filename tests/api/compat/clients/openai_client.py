"""OpenAI's Python client; arguments: the service's URL, a good key, a wrong one, one of a single request a minute."""

import json
import sys

import openai

url, good, wrong, slow = sys.argv[1:]
HATEFUL = "All women are worthless and disgusting."


def client(key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def error_of(key: str, asked) -> list:
    try:
        client(key).moderations.create(input=asked)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.type, error.param, error.code]


results = client(good).moderations.create(input=["Good morning", HATEFUL], model="omni-moderation-latest").results
one = client(slow).moderations.create(input=HATEFUL).results
print(
    json.dumps(
        {
            "hate": [result.category_scores.hate for result in [*results, *one]],
            "errors": [error_of(good, []), error_of(wrong, "a"), error_of(slow, "a")],
        }
    )
)
