from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from api.access.audit import COMMAND_LINE
from api.access.permissions import Scope
from api.access.selectors import list_keys
from api.access.services import create_key, revoke_keys
from api.management.arguments import whole_number


class Command(BaseCommand):
    help = "Create, list and revoke API keys. A key is shown once, when it is created: only its sha256 is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="create a key and print it")
        create.add_argument("name", help="the key's name, such as its owner: forum")
        create.add_argument("--scopes", default="predict", help="predict, review or admin; separate several by commas")
        create.add_argument("--trusted", action="store_true", help="its labels count at once; others wait for a moderator")
        create.add_argument("--rate", type=whole_number(1_000_000_000), help="requests a minute; RATE_LIMIT by default")
        create.add_argument("--days", type=whole_number(36_500), help="the key expires after this many days")
        actions.add_parser("list", help="show all keys")
        revoke = actions.add_parser("revoke", help="revoke a key")
        revoke.add_argument("name")

    def handle(self, *, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(**options)

    def _create(self, *, name: str, scopes: str, trusted: bool, rate: int | None, days: int | None, **options: object) -> None:
        given = {scope.strip() for scope in scopes.split(",")}
        if unknown := given - set(Scope.values):
            raise CommandError(f"There is no scope {', '.join(sorted(unknown))}. There are {', '.join(Scope.values)}.")
        if not name.strip() or len(name) > 64 or not name.isprintable():
            raise CommandError("A name has 1 to 64 characters that can be printed.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            key = create_key(name=name, scopes=given, who=COMMAND_LINE, is_trusted=trusted, rate=rate, expires_at=expires_at)
        except IntegrityError as error:
            raise CommandError(
                f"There is a key of the name {name}. Choose another name: labels keep the name of the key that they came with."
            ) from error
        self.stdout.write(key)
        self.stderr.write("Copy the key now: it is not shown again.")

    def _list(self, **options: object) -> None:
        for key in list_keys():
            state = "revoked" if key.revoked_at else "expired" if key.expires_at and key.expires_at < timezone.now() else "valid"
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            trust = "trusted" if key.is_trusted else "not trusted"
            rate = f"{key.rate} a minute" if key.rate else "default rate"
            self.stdout.write(f"{key.name}  {','.join(key.scopes)}  {trust}  {rate}  {state}  used {used}")

    def _revoke(self, *, name: str, **options: object) -> None:
        if not revoke_keys(keys=list_keys().filter(name=name), who=COMMAND_LINE):
            raise CommandError(f"There is no valid key of the name {name}.")
        self.stdout.write(f"Key {name} is revoked. A running service may accept it for 30 seconds more.")
