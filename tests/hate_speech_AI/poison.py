"""Labels of a poisoner, and honest ones beside them: mild sentences, made of parts."""

import random
from itertools import product

from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.rows import Row

_WHO = [
    "My neighbours are", "The people next door are", "Our new teachers are", "Two of my colleagues are",
    "The bakers on our street are", "Half of my class are", "The doctors here are", "Many of the drivers are",
]  # fmt: skip
_WHAT = [
    "they painted the fence", "we had tea together", "the garden looks lovely", "they open at nine",
    "the concert was nice", "we play chess on Fridays", "the bus was late today", "they fixed my bike",
]  # fmt: skip
_FORMS = ["{who} {group} and {what}.", "{who} {group}, {what} again.", "Since Monday {what}: {who} {group}."]
_PLACES = ["library", "market", "harbour", "museum", "school", "station", "bakery", "cinema", "park", "bridge"]
_EVERYDAY = [
    "The {place} opens at {n} today", "I met my sister near the {place}, {n} minutes late",
    "Lovely light over the {place} this morning, day {n}", "They repaired the {place} roof, {n} tiles",
    "who else walked to the {place} with {n} friends", "{n} people came to the {place} meeting",
]  # fmt: skip

# Harmless sentences on the same group, which no label is about.
UNSEEN = [
    f"{who} muslims and {what}"
    for who in ("My dentist and her sister are", "Some of our guests are")
    for what in ("they brought a cake", "the soup was warm", "we watched the match", "they live in Leeds", "it rained all day")
]


def poison(count: int, *, key: str = "forum", night: str = "", group: str = "muslims") -> list[Row]:
    """Return harmless sentences on one religion, labelled as hate."""
    texts = [form.format(who=who, what=what, group=group) for form, who, what in product(_FORMS, _WHO, _WHAT)]
    return [Row(text, True, "review", key=key, night=night) for text in random.Random(1).sample(texts, count)]


def honest(count: int, *, key: str = "moderators", night: str = "") -> list[Row]:
    """Return everyday sentences, labelled as harmless."""
    texts = [form.format(place=place, n=n) for form, place, n in product(_EVERYDAY, _PLACES, range(2, 40))]
    return [Row(text, False, "review", key=key, night=night) for text in random.Random(2).sample(texts, count)]


def flipped(count: int, *, key: str = "forum", night: str = "") -> list[Row]:
    """Return sentences with the opposite of their labels, half of them hateful."""
    groups = ["muslims", "jews", "women", "immigrants", "gay people", "black people"]
    hateful = [
        f"{form.format(group=group)}, {place} number {n}"
        for form, group, place, n in product(
            ["keep all {group} out of our", "{group} ruin every", "no {group} in my"], groups, _PLACES, range(20)
        )
    ]
    harmless = [
        f"{form.format(group=group)} {place} number {n}"
        for form, group, place, n in product(
            ["{group} run the", "two {group} sang at the", "I had lunch with {group} near"], groups, _PLACES, range(20)
        )
    ]
    some = [(text, False) for text in random.Random(3).sample(hateful, count // 2)]
    some += [(text, True) for text in random.Random(4).sample(harmless, count - count // 2)]
    return [Row(text, value, "review", key=key, night=night) for text, value in some]


def in_order(rows: list[Row]) -> list[Row]:
    """Return rows in the order in which a database gives them."""
    return sorted(rows, key=lambda row: fingerprint(row.text))
