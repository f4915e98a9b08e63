"""Labels taken out of training and brought back: by service, command and admin."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from api.labels.models import Label
from api.labels.selectors import filter_labels, find_withdrawn_labels, stream_labelled_rows
from api.labels.services import add_review, exclude_labels, import_labels, restore_labels

pytestmark = pytest.mark.django_db


def review(text, is_hate_speech, **changes):
    add_review(text=text, is_hate_speech=is_hate_speech)
    if changes:
        label = Label.objects.order_by("-id").first()
        Label.objects.filter(pk=label.pk).update(**changes)


def rows():
    return {row.text: (row.value, row.source) for row in stream_labelled_rows()}


def test_the_label_before_becomes_current_again():
    import_labels(rows=[("a", True), ("b", False)], source="import:x")
    review("a", False)
    review("c", True)
    assert rows() == {"a": (False, "review"), "b": (False, "import:x"), "c": (True, "review")}
    assert exclude_labels(filter_labels(source="review")) == 2
    assert rows() == {"a": (True, "import:x"), "b": (False, "import:x")}
    assert Label.objects.count() == 4


def test_restore_undoes_it():
    import_labels(rows=[("a", True)], source="import:x")
    review("a", False)
    before = rows()
    exclude_labels(filter_labels(source="review"))
    assert restore_labels(filter_labels(source="review")) == 1
    assert rows() == before
    assert not Label.objects.exclude(set_aside_at=None).exists()


def test_doing_it_twice_changes_nothing():
    review("a", True)
    exclude_labels(filter_labels(source="review"))
    moment = Label.objects.get().set_aside_at
    assert exclude_labels(filter_labels(source="review")) == 0
    assert Label.objects.get().set_aside_at == moment


def test_an_earlier_review_outranks_a_later_import_here_too():
    review("a", True)
    review("a", False, key="k")
    exclude_labels(filter_labels(key="k"))
    assert rows() == {"a": (True, "review")}


def test_a_review_after_it_counts():
    review("a", True)
    exclude_labels(filter_labels(source="review"))
    review("a", True)
    assert rows() == {"a": (True, "review")}
    restore_labels(filter_labels(source="review"))
    assert Label.objects.filter(is_current=True).count() == 1


def test_many_labels_in_batches():
    import_labels(rows=[(f"text {number}", True) for number in range(1300)], source="import:x")
    assert exclude_labels(filter_labels(source="import:x")) == 1300
    assert rows() == {}
    assert restore_labels(filter_labels(source="import:x")) == 1300
    assert len(rows()) == 1300


def test_what_was_taken_out_is_withdrawn_unless_somebody_else_says_it():
    review("a", True)
    review("b", True)
    exclude_labels(filter_labels(source="review"))
    review("b", True)
    assert {label for _, label in find_withdrawn_labels()} == {True}
    assert len(find_withdrawn_labels()) == 1


def test_the_command_picks_by_source_key_and_time(capsys):
    hour = timedelta(hours=1)
    now = timezone.now()
    review("a", True, key="one", created_at=now - 5 * hour)
    review("b", True, key="two", created_at=now - 3 * hour)
    review("c", True, key="one", created_at=now - 1 * hour)
    call_command("labels", "set_aside", key="one", since=now - 4 * hour)
    assert "1 label set aside" in capsys.readouterr().out
    assert set(rows()) == {"a", "b"}
    call_command("labels", "restore", since=now - 9 * hour, until=now)
    assert set(rows()) == {"a", "b", "c"}
    call_command("labels", "set_aside", "--until", f"{now - 4 * hour:%Y-%m-%dT%H:%M:%S}")
    assert set(rows()) == {"b", "c"}


def test_the_command_wants_to_know_which():
    with pytest.raises(CommandError, match="--source"):
        call_command("labels", "set_aside")
    with pytest.raises(CommandError, match="since"):
        call_command("labels", "set_aside", "--since", "yesterday")
