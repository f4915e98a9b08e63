from collections.abc import Callable
from datetime import datetime

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from api.labels import selectors, services
from api.labels.models import Label
from api.management.arguments import moment
from api.versions.withdrawals import withdraw_reviews
from api.web.words import count

_NEXT = "The next training takes it into account: python manage.py exec_train --wait"
# What each action does, what it says then, and what comes after it.
_ACTIONS: dict[str, tuple[Callable[[QuerySet[Label]], int], str, str]] = {
    "set_aside": (services.exclude_labels, "set aside", _NEXT),
    "withdraw": (withdraw_reviews, "withdrawn", "No answer uses them from now on. The model is without them within a minute."),
    "restore": (services.restore_labels, "restored", _NEXT),
}


class Command(BaseCommand):
    help = (
        "Exclude labels from training (set_aside), also take reviews out of the active version now (withdraw), or restore them"
        " (restore). Excluded labels stay in the history. The label that each tweet had before becomes current again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=list(_ACTIONS))
        parser.add_argument("--text", default="", help="the text that they label")
        parser.add_argument("--source", default="", help="such as review, or import:my_tweets.csv")
        parser.add_argument("--key", default="", help="the API key that they came with")
        parser.add_argument("--since", type=moment, metavar="T", help="labels from this time on, such as 2026-01-31T13:00 (UTC)")
        parser.add_argument("--until", type=moment, metavar="T", help="labels before this time")

    def handle(
        self,
        *,
        action: str,
        text: str,
        source: str,
        key: str,
        since: datetime | None,
        until: datetime | None,
        **options: object,
    ) -> None:
        if not (text or source or key or since or until):
            raise CommandError("Say which labels: --text, --source, --key, --since, --until, or several of them.")
        act, done, after = _ACTIONS[action]
        found = act(selectors.filter_labels(text=text, source=source, key=key, since=since, until=until))
        self.stdout.write(f"{count(found, 'label')} {done}. {after}")
