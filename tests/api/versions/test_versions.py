"""The rows of versions, set against the model store, on the test database."""

import json
import os
import shutil
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from api.labels.models import Label
from api.labels.services import add_review
from api.versions.models import Activation, ModelVersion, TrainingRun
from api.versions.selectors import find_previous_version
from api.versions.services import activate_version, bootstrap_engine, prune_versions, record_versions
from api.versions.trainings import request_training, run_training
from hate_speech_AI.errors import VersionMissingError

pytestmark = pytest.mark.django_db(transaction=True)


def copy_version(store, day: int) -> str:
    """Make a version of an earlier day out of the first."""
    first = store.versions()[-1]
    name = f"2026{day // 28 + 1:02}{day % 28 + 1:02}T010000Z-{day:08x}"
    shutil.copytree(store.root / first, store.root / name)
    path = store.root / name / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": name}))
    return name


def edit_manifest(store, name: str, **changes) -> None:
    path = store.root / name / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def train() -> TrainingRun:
    run, _ = request_training()
    run_training(run_id=run.pk)
    run.refresh_from_db()
    return run


def test_a_folder_without_a_row_gets_one(store):
    record_versions()
    version = ModelVersion.objects.get()
    assert version.name == store.active()
    assert version.outcome == "promoted"
    assert [activation.by for activation in version.activations.all()] == ["gate"]
    record_versions()
    assert (ModelVersion.objects.count(), Activation.objects.count()) == (1, 1)


def test_a_row_without_a_folder_is_marked(store):
    name = copy_version(store, 1)
    record_versions()
    shutil.rmtree(store.root / name)
    record_versions()
    assert ModelVersion.objects.get(name=name).pruned_at
    with pytest.raises(VersionMissingError):
        activate_version(name=name)


def test_a_half_written_folder_is_removed_after_an_hour(store, caplog):
    half = store.root / "20260101T000000Z-00000000"
    half.mkdir()
    os.utime(half, (time.time() - 4000,) * 2)
    record_versions()
    assert not half.exists()
    assert "never finished" in caplog.text


def test_a_foreign_version_is_left_out_with_a_reason(store, caplog):
    name = copy_version(store, 1)
    path = store.root / name / "manifest.json"
    path.write_text(path.read_text().replace('"engine": "linear"', '"engine": "other"'))
    record_versions()
    assert not ModelVersion.objects.filter(name=name).exists()
    assert "'other'" in caplog.text


def test_pruning_keeps_the_last_ten_and_what_was_active_in_90_days(store):
    active = store.active()
    old = [copy_version(store, day) for day in range(14)]
    record_versions()
    lately, long_ago = old[0], old[1]
    for name, days in ((long_ago, 200), (old[2], 150), (lately, 30), (active, 1)):
        row = Activation.objects.create(version=ModelVersion.objects.get(name=name), by="gate")
        Activation.objects.filter(pk=row.pk).update(activated_at=timezone.now() - timedelta(days=days))
    Activation.objects.filter(activated_at__gt=timezone.now() - timedelta(hours=1)).delete()
    pruned = prune_versions()
    # old[2] was still the active one 90 days ago; the last ten are old[5:] and the active one.
    assert pruned == [long_ago, *old[3:5]]
    assert store.versions() == [lately, old[2], *old[5:], active]
    assert ModelVersion.objects.filter(pruned_at=None).count() == 12
    assert prune_versions() == []


def test_the_night_prunes(store, monkeypatch):
    from hate_speech.tasks import auto_first_train_model

    called = []
    monkeypatch.setattr("api.versions.services.prune_versions", lambda: called.append(True))
    bootstrap_engine()
    auto_first_train_model()
    assert called


def test_nothing_changed_means_no_new_version(store):
    bootstrap_engine()
    run = train()
    assert (run.outcome, run.version) == ("unchanged", store.active())
    add_review(text="one more", is_hate_speech=False)
    assert train().outcome in ("promoted", "refused")
    assert train().outcome == "unchanged"


def test_a_review_that_agrees_with_an_import_is_a_change(store):
    bootstrap_engine()
    label = Label.objects.first()
    add_review(text=label.tweet.text, is_hate_speech=label.value)
    assert train().outcome != "unchanged"


def test_a_version_that_passed_and_was_never_activated_is_activated(store):
    # As after a worker that died between saving and activating.
    first = store.active()
    bootstrap_engine()
    add_review(text="one more walk by the sea", is_hate_speech=False)
    second = train().version
    assert store.active() == second
    store.activate(first)
    Activation.objects.filter(version__name=second).delete()
    run = train()
    assert (run.outcome, run.version) == ("promoted", second)
    assert store.active() == second


def test_a_refusal_keeps_the_active_version_and_says_what_brought_most_labels(store):
    bootstrap_engine()
    first = store.active()
    record_versions()
    labels = list(Label.objects.select_related("tweet"))
    for label in labels:
        add_review(text=label.tweet.text, is_hate_speech=not label.value)
    run = train()
    assert run.outcome == "refused"
    assert store.active() == first
    version = ModelVersion.objects.get(name=run.version)
    assert version.gate["reasons"]
    most = version.most_new_labels[0]
    assert (most["source"], most["key"], most["labels"]) == ("review", "", len(labels))
    assert most["hour"].startswith(f"{timezone.now():%Y-%m-%dT%H}")

    # By hand it can be activated all the same, and that is written down.
    activate_version(name=run.version)
    assert store.active() == run.version
    assert version.activations.get().by == "hand"


def test_the_active_version_can_be_pinned_while_a_newer_one_exists(store):
    first, second = store.active(), copy_version(store, 310)
    record_versions()
    assert first < second
    assert activate_version(name=first) == (first, True)
    assert store.pointer() == (first, True)
    assert [(row.by, row.is_pinned) for row in Activation.objects.order_by("id")] == [("gate", False), ("hand", True)]
    # The same again changes nothing.
    activate_version(name=first)
    assert Activation.objects.count() == 2


def test_pruning_keeps_the_anchor(store):
    anchor = copy_version(store, 0)
    copies = [copy_version(store, day) for day in range(1, 14)]
    edit_manifest(store, store.active(), gate={"passed": True, "rival": copies[-1], "anchor": anchor, "reasons": []})
    record_versions()
    assert anchor not in prune_versions()
    assert anchor in store.versions()


def test_a_broken_pointer_is_mended_by_an_activation(store):
    name = store.active()
    (store.root / "active").write_text("nonsense")
    assert activate_version(name=name).version == name


def test_a_training_mends_a_broken_pointer(store):
    (store.root / "active").write_text("nonsense")
    bootstrap_engine()
    run = train()
    assert run.outcome == "promoted"
    assert store.active() == run.version


def test_rollback_goes_to_what_was_active_before(store):
    first = store.active()
    second = copy_version(store, 3)
    activate_version(name=second)
    assert find_previous_version() == first
    activate_version(name=first)
    assert find_previous_version() == second
    call_command("models", "rollback")
    assert store.pointer() == (second, True)
