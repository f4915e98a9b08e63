"""What a training sets aside is stored, named and brought back. The training itself is another test's matter."""

import pytest

from api.access.models import AuditEntry
from api.labels.models import Label
from api.labels.selectors import digest_rows, find_ids_of, stream_labelled_rows
from api.labels.services import add_review, import_labels, restore_labels, set_aside_labels
from api.versions import trainings
from api.versions.models import Activation, ModelVersion
from api.versions.serializers import TrainingRunSerializer, VersionSerializer
from api.versions.services import bootstrap_engine
from hate_speech_AI.training.rows import Row

from .test_versions import edit_manifest, train

pytestmark = pytest.mark.django_db(transaction=True)

GROUP = {"source": "review", "key": "forum", "night": "2026-01-01", "labels": 1}


def find_rows(text: str) -> list[Row]:
    return [row for row in stream_labelled_rows() if row.text == text]


def test_the_rows_without_a_label_have_the_one_before_it():
    import_labels(rows=[("a walk", False), ("a run", False)], source="import:a")
    add_review(text="a walk", is_hate_speech=True, key="forum")
    add_review(text="a swim", is_hate_speech=True, key="forum")
    bad = [row for row in stream_labelled_rows() if row.key == "forum"]
    assert len(bad) == 2
    before = list(stream_labelled_rows())
    without = list(stream_labelled_rows(find_ids_of(bad)))
    assert {(row.text, row.value, row.source) for row in without} == {
        ("a walk", False, "import:a"),
        ("a run", False, "import:a"),
    }
    # It is what the training after it reads.
    assert list(stream_labelled_rows()) == before
    set_aside_labels(find_ids_of(bad), version="v")
    assert list(stream_labelled_rows()) == without


def test_a_label_that_was_changed_meanwhile_is_left_alone():
    add_review(text="a walk", is_hate_speech=True, key="forum")
    bad = list(stream_labelled_rows())
    add_review(text="a walk", is_hate_speech=False, key="moderators")
    assert find_ids_of(bad) == []


def test_what_is_restored_is_never_set_aside_again():
    add_review(text="a walk", is_hate_speech=True, key="forum")
    [row] = find_rows("a walk")
    assert not row.is_settled
    digest = digest_rows()
    set_aside_labels(find_ids_of([row]), version="v")
    assert find_rows("a walk") == []
    label = Label.objects.get()
    assert (label.set_aside_by, label.is_current) == ("v", False)
    restore_labels(Label.objects.filter(key="forum"))
    assert [row.is_settled for row in find_rows("a walk")] == [True]
    assert digest_rows() == digest


def test_a_later_review_replaces_what_was_set_aside():
    add_review(text="a walk", is_hate_speech=True, key="forum")
    set_aside_labels(find_ids_of(find_rows("a walk")), version="v")
    add_review(text="a walk", is_hate_speech=False, key="moderators")
    assert [(row.value, row.key, row.is_settled) for row in find_rows("a walk")] == [(False, "moderators", False)]


def test_what_a_training_sets_aside_is_stored_and_named(store, monkeypatch):
    bootstrap_engine()
    [version] = store.versions()
    add_review(text="a walk", is_hate_speech=True, key="forum")
    edit_manifest(store, version, set_aside=[GROUP])

    class SettingAside(trainings.Training):
        def run(self):
            self.version = version
            self.set_aside = [row for row in self._rows if row.text == "a walk"]
            yield from ()

    Activation.objects.all().delete()
    ModelVersion.objects.all().delete()
    monkeypatch.setattr(trainings, "Training", SettingAside)
    run = train()
    assert run.version == version
    assert find_rows("a walk") == []
    assert [(entry.who, entry.subject) for entry in AuditEntry.objects.filter(what="set aside")] == [
        ("gate", "1 labels of review by key forum")
    ]
    row = ModelVersion.objects.get(name=version)
    assert VersionSerializer(row, context={"pointer": None}).data["set_aside"] == [GROUP]
    assert TrainingRunSerializer(run).data["set_aside"] == [GROUP]
