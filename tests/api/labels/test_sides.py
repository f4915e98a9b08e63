"""Nobody outside can tell, or choose, on which side a text falls."""

from collections import Counter
from importlib import import_module

import pytest
from django.apps import apps

from api.labels.models import Installation, Label, Tweet
from api.labels.selectors import stream_labelled_rows
from api.labels.services import import_labels
from api.labels.sides import assign_sides
from hate_speech_AI.text import fingerprint
from hate_speech_AI.training.progress import run_to_end
from hate_speech_AI.training.rows import Row, choose_side, read_split

pytestmark = pytest.mark.django_db

TEXTS = [f"the tram to stop number {number} was late" for number in range(2000)]


def add_tweets():
    import_labels(rows=[(text, False) for text in TEXTS], source="import:a")


def find_sides() -> dict[str, str]:
    return dict(Tweet.objects.values_list("fingerprint", "side"))


def test_the_sides_have_their_shares():
    add_tweets()
    assign_sides()
    shares = Counter(find_sides().values())
    assert shares["held_out"] / len(TEXTS) == pytest.approx(0.2, abs=0.04)
    assert shares["threshold"] / len(TEXTS) == pytest.approx(0.08, abs=0.03)
    assert sum(shares.values()) == shares["held_out"] + shares["threshold"] + shares["fit"]


def test_texts_chosen_for_the_public_rule_fall_on_every_side():
    chosen = [text for text in TEXTS if choose_side(fingerprint(text)) == "fit"]
    import_labels(rows=[(text, True) for text in chosen], source="import:a")
    assign_sides()
    assert Counter(find_sides().values())["held_out"] > len(chosen) / 10


def test_each_installation_has_sides_of_its_own():
    add_tweets()
    assign_sides()
    before = find_sides()
    Tweet.objects.update(side="")
    assign_sides()
    assert find_sides() == before
    Tweet.objects.update(side="")
    Installation.objects.all().delete()
    assign_sides()
    assert find_sides() != before


def test_a_side_is_kept_whatever_the_secret():
    add_tweets()
    assign_sides()
    before = find_sides()
    Installation.objects.all().delete()
    import_labels(rows=[("one more", False)], source="import:a")
    assign_sides()
    assert before.items() < find_sides().items()


def test_tweets_of_an_earlier_release_keep_the_side_that_they_had():
    add_tweets()
    import_module("api.migrations.0005_sides_and_held_back_labels").keep_sides(apps, None)
    before = find_sides()
    assert before == {fingerprint(text): choose_side(fingerprint(text)) for text in TEXTS}
    assign_sides()
    assert find_sides() == before


def test_a_training_takes_the_stored_side():
    add_tweets()
    assign_sides()
    split = run_to_end(read_split(stream_labelled_rows()))
    held_out = {fingerprint(row.text) for row in split.list_side("held_out")}
    assert held_out == {digest for digest, side in find_sides().items() if side == "held_out"}


def test_a_row_says_where_it_comes_from():
    add_tweets()
    label = Label.objects.select_related("tweet").order_by("tweet__fingerprint").first()
    Label.objects.filter(id=label.id).update(key="shop")
    row = next(stream_labelled_rows())
    assert row == Row(label.tweet.text, False, "import:a", key="shop", night=f"{label.created_at:%Y-%m-%d}")
