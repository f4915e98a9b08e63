import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from api.versions.services import verify_store
from hate_speech_AI.errors import ForeignStoreError

# Any number will do, as long as nobody else takes it in this database.
_LOCK = 4_806_301_742


class Command(BaseCommand):
    help = (
        "Prepare a start: migrate the database, and check that it belongs to the model store. Processes that start at once wait"
        " for one another."
    )

    def handle(self, **options: object) -> None:
        with _hold_lock():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                call_command("migrate", verbosity=0)  # it takes half a second even with nothing to do
        try:
            verify_store()
        except ForeignStoreError as error:
            raise CommandError(str(error)) from error


@contextmanager
def _hold_lock() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            yield
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    else:
        with Path(f"{connection.settings_dict['NAME']}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
