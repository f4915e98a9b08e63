import sys
import time

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from api.management.describing import describe_labels
from api.management.progress import show_progress
from api.versions import selectors, services
from api.versions.models import TrainingRun
from api.versions.trainings import queue_training
from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError
from hate_speech_AI.evaluation.metrics import format_table
from hate_speech_AI.manifest import GateVerdict, Manifest

_POLL_SECONDS = 0.3
_HINT_AFTER_SECONDS = 15


class Command(BaseCommand):
    help = (
        "Queue a training for the Celery workers. If one is queued or running, no second one is added. On a fresh installation it"
        " first activates the shipped version, or imports the starter tweets for an engine without one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", action="store_true", help="wait until the training is finished, and print the score")

    def handle(self, *, wait: bool, **options: object) -> None:
        try:
            starters = services.bootstrap_engine()
        except HateSpeechError as error:
            raise CommandError(str(error)) from error
        if starters["new"]:
            self.stdout.write(f"{starters['new']} starter tweets imported.")
        run, is_new = queue_training()
        if is_new:
            self.stdout.write(f"Training run {run.pk} is queued.")
        else:
            self.stdout.write(f"Training run {run.pk} is already {run.stage}: joined.")
        if wait:
            self._follow_run(run.pk)

    def _follow_run(self, run_id: int) -> None:
        run = self._wait_for_run(run_id)
        if run.outcome == run.Outcome.FAILED:
            raise CommandError(f"Training run {run.pk} failed: {run.error}")
        if run.outcome == run.Outcome.UNCHANGED:
            self.stdout.write(f"Nothing changed since version {run.version} was trained: no new version.")
        manifest = classifier.store.manifest(run.version)
        self._show_score(manifest)
        if run.outcome == run.Outcome.HELD_BACK:
            self.stdout.write(
                "It passed the gate, but another version is pinned. After `manage.py models unpin` the next training can promote."
            )
        if run.outcome != run.Outcome.UNCHANGED and manifest.get("set_aside"):
            self._show_set_aside(manifest)
        if run.outcome == run.Outcome.REFUSED:
            self._show_refusal(run.version, manifest["gate"])

    def _wait_for_run(self, run_id: int) -> TrainingRun:
        """Show the progress of the run until it is finished, and return it."""
        began = time.monotonic()
        is_hinted = False
        with show_progress(desc="queued", unit=" tweets") as bar:
            while not (run := selectors.list_runs().get(pk=run_id)).is_finished:
                bar.total = run.rows_total or None
                bar.n = run.rows_read
                bar.set_description(run.stage)
                is_waiting = run.stage == run.Stage.QUEUED or run.lease_until < timezone.now()
                if is_waiting and not is_hinted and time.monotonic() - began > _HINT_AFTER_SECONDS:
                    bar.write(
                        "No worker does it. Is the service running? `make run` or `docker compose up` starts it.", file=sys.stderr
                    )
                    is_hinted = True
                time.sleep(_POLL_SECONDS)
        return run

    def _show_score(self, manifest: Manifest) -> None:
        score = manifest["score"]
        figures = score["slices"][score["of"]]
        evaluated = "held-out tweets" if score["of"] == "held_out" else "texts of the shipped evaluation set"
        self.stdout.write(format_table({**manifest["by_source"], "all": figures}))
        self.stdout.write(
            f"Version {manifest['version']}: score {score['score']:.3f} (F1 of the hate class on {figures['n']:,} {evaluated}),"
            f" trained on {score['trained_on']:,}."
        )

    def _show_set_aside(self, manifest: Manifest) -> None:
        groups = "\n".join(f"  {describe_labels({**group})}" for group in manifest["set_aside"])
        self.stdout.write(
            f"With these labels the gate refused it, so the training set them aside and learned the rest:\n{groups}\n"
            "If they are right, `python manage.py labels restore` brings them back."
        )

    def _show_refusal(self, version: str, gate: GateVerdict) -> None:
        reasons = "\n".join(f"  {reason}" for reason in gate["reasons"])
        most = "\n".join(
            f"  {describe_labels(group)}" for group in selectors.list_versions().get(name=version).most_new_labels[:3]
        )
        self.stdout.write(
            f"The gate refused it, and {gate['rival']} stays active:\n{reasons}\n"
            f"Most labels since then came from:\n{most}\n"
            f"To activate it all the same: python manage.py models activate {version}"
        )
