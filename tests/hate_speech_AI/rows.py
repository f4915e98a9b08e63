"""A toy corpus: mild sentences, enough of both labels on every side."""

from hate_speech_AI.training.rows import Row

_PLACES = ["town", "school", "street", "country", "park", "office", "house", "team", "club", "shop", "bus", "city"]
_HATE = ["I hate {group} in my {place}", "{group} ruin this {place} #out", "keep {group} away from our {place}"]
_OTHER = [
    "I love the {place} by the river",
    "what a lovely {place} @user",
    "the {place} is closed today",
    "{group} run a {place}",
]
_GROUPS = ["groupa people", "groupb people", "groupc people"]


def toy_rows() -> list[Row]:
    rows = [
        Row(pattern.format(group=group, place=place), is_hate_speech, "toy")
        for is_hate_speech, patterns in ((True, _HATE), (False, _OTHER))
        for pattern in patterns
        for group in _GROUPS
        for place in _PLACES
    ]
    return list({row.text: row for row in rows}.values())
