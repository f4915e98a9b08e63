from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.management.describing import describe_labels
from api.versions import selectors, services
from api.web.words import count
from hate_speech_AI.core import classifier
from hate_speech_AI.errors import HateSpeechError
from hate_speech_AI.store import Pointer


class Command(BaseCommand):
    help = (
        "List the model versions, activate one by hand, go back to the previous one, unpin, or delete old ones; or adopt a model"
        " store in place of the one that the database belongs to."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|activate|rollback|unpin|prune|adopt")
        actions.add_parser("list", help="show the versions, newest first")
        activate = actions.add_parser("activate", help="activate this version; unless it is the newest, it is pinned")
        activate.add_argument("version")
        actions.add_parser("rollback", help="activate the version that was active before, and pin it")
        actions.add_parser("unpin", help="let the next version that passes the gate replace the active one")
        actions.add_parser("prune", help="delete all but the last ten and those active in the last 90 days")
        actions.add_parser("adopt", help="let the database belong to this data folder, since the one before is lost")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(**options)
        except HateSpeechError as error:
            raise CommandError(str(error)) from error

    def _list(self, **options: object) -> None:
        services.record_versions()
        pointer = classifier.pointer()
        for version in selectors.list_versions():
            marks = []
            if pointer and version.name == pointer.version:
                marks.append("active, pinned" if pointer.is_pinned else "active")
            if version.pruned_at:
                marks.append("pruned")
            figures = f"score {version.score['score']:.3f}  {version.get_outcome_display():<9}"
            self.stdout.write(f"{version.name}  {figures}  {', '.join(marks)}".rstrip())
            for reason in version.gate["reasons"]:
                self.stdout.write(f"    {reason}")
            for group in version.set_aside:
                self.stdout.write(f"    set aside: {describe_labels(group)}")
            for group in version.withdrawn:
                self.stdout.write(f"    withdrawn: {describe_labels(group)}")

    def _activate(self, *, version: str, **options: object) -> None:
        self._show_pointer(services.activate_version(name=version))

    def _rollback(self, **options: object) -> None:
        services.record_versions()
        previous = selectors.find_previous_version()
        if previous is None:
            raise CommandError("There is no version to go back to.")
        self._show_pointer(services.activate_version(name=previous))

    def _unpin(self, **options: object) -> None:
        self._show_pointer(services.unpin_version())

    def _prune(self, **options: object) -> None:
        pruned = services.prune_versions()
        self.stdout.write(f"{count(len(pruned), 'version')} deleted.")

    def _adopt(self, **options: object) -> None:
        services.adopt_store()
        self.stdout.write(f"The database belongs to {classifier.store.root} now.")

    def _show_pointer(self, pointer: Pointer | None) -> None:
        if pointer is None:
            raise CommandError("There is no version yet.")
        pinned = " and pinned: `models unpin` lets newer ones replace it" if pointer.is_pinned else ""
        self.stdout.write(f"Version {pointer.version} is active{pinned}.")
