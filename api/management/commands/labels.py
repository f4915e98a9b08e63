from datetime import datetime

from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.labels import selectors, services
from api.management.arguments import moment
from api.web.words import count

_ACTIONS = {"set_aside": services.exclude_labels, "restore": services.restore_labels}


class Command(BaseCommand):
    help = (
        "Exclude labels from training (set_aside), or restore them (restore). Excluded labels stay in the history. The label that"
        " each tweet had before becomes current again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=list(_ACTIONS))
        parser.add_argument("--source", default="", help="such as review, or import:my_tweets.csv")
        parser.add_argument("--key", default="", help="the API key that they came with")
        parser.add_argument("--since", type=moment, metavar="T", help="labels from this time on, such as 2026-01-31T13:00 (UTC)")
        parser.add_argument("--until", type=moment, metavar="T", help="labels before this time")

    def handle(
        self, *, action: str, source: str, key: str, since: datetime | None, until: datetime | None, **options: object
    ) -> None:
        if not (source or key or since or until):
            raise CommandError("Say which labels: --source, --key, --since, --until, or several of them.")
        found = _ACTIONS[action](selectors.filter_labels(source=source, key=key, since=since, until=until))
        done = "set aside" if action == "set_aside" else "restored"
        self.stdout.write(
            f"{count(found, 'label')} {done}. The next training takes it into account: python manage.py exec_train --wait"
        )
