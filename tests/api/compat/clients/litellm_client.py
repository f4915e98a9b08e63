"""LiteLLM; arguments: the service's URL, a good key, a wrong one, one of a single request a minute."""

import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet for prices

import litellm
import openai

url, good, wrong, slow = sys.argv[1:]
HATEFUL = "All women are worthless and disgusting."


def moderation(key: str, asked, **more):
    return litellm.moderation(asked, model="openai/omni-moderation-latest", api_base=f"{url}/v1", api_key=key, **more)


def error_of(key: str, asked) -> list:
    # Its own client waits as long as Retry-After says, and asks again.
    impatient = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    try:
        moderation(key, asked, client=impatient)
    except openai.APIStatusError as error:  # LiteLLM's own are subclasses
        return [type(error).__name__, error.status_code]


results = moderation(good, ["Good morning", HATEFUL]).results
one = moderation(slow, HATEFUL).results
print(
    json.dumps(
        {
            "hate": [result.category_scores["hate"] for result in [*results, *one]],
            "errors": [error_of(good, []), error_of(wrong, "a"), error_of(slow, "a")],
        },
    )
)
