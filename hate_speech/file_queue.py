"""The file queue: a kombu transport whose messages are files, each seen whole or not at all.

kombu's own filesystem transport writes a message in place. A reader may come between `open` and `write`, and a full disk leaves
empty files; either ends the worker. Here a message is written aside and renamed, and one that cannot be read is set aside. Where
messages go is kept in each process's memory, since Celery declares its queues before it sends: there is no table to damage.
"""

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)


class Channel(virtual.Channel):
    """Reads and writes messages in the folder of the transport option `folder`."""

    @property
    def _folder(self) -> Path:
        client: Any = self.connection.client
        return Path(client.transport_options["folder"])

    def _find_messages(self, queue: str) -> Iterator[Path]:
        """Yield the files of the messages of `queue`, oldest first. A name that begins with a dot belongs to one process."""
        for path in sorted(self._folder.iterdir()):
            if path.name.partition(".")[2] == f"{queue}.msg":
                yield path

    def _put(self, queue: str, message: dict[str, Any], **kwargs: object) -> None:
        # With the ending of kombu's names, so that what an earlier release left is read too; in the order in which they were put.
        path = self._folder / f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        aside = path.with_name(f".{path.name}")
        try:
            aside.write_text(dumps(message), "utf-8")
            aside.replace(path)
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            raise ChannelError(f"No message can be written to {self._folder}: {error.strerror}.") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        for path in self._find_messages(queue):
            claimed = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
            try:
                path.rename(claimed)
            except FileNotFoundError:
                continue  # another worker was faster
            try:
                payload = self._read_message(claimed)
            except Exception as error:  # whatever is wrong with it: no message is worth a worker
                aside = claimed.rename(path.with_name(f"{path.name}.unreadable"))
                logger.error("A message of the queue cannot be read (%s). It is set aside: %s", type(error).__name__, aside)
                continue
            claimed.unlink()
            return payload
        raise Empty

    def _read_message(self, path: Path) -> dict[str, Any]:
        """Return the message at `path`. Raise if Celery could not take it."""
        payload: dict[str, Any] = loads(path.read_text("utf-8"))
        message = self.Message(payload, channel=self)
        message.headers["id"], message.headers["task"], message.decode()
        return payload

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._find_messages(queue))

    def _purge(self, queue: str) -> int:
        count = 0
        for path in self._find_messages(queue):
            with suppress(FileNotFoundError):
                path.unlink()
                count += 1
        return count


class Transport(virtual.Transport):
    """The transport of `filesystem://`; `hate_speech.celery` names it to kombu."""

    Channel = Channel
    # The worker connects again after these: the disk may come back.
    connection_errors = (*virtual.Transport.connection_errors, OSError)
    # One state for all connections of a process, as kombu's transports of one machine have.
    _state = virtual.BrokerState()
    default_port = 0
    driver_type = driver_name = "filesystem"

    def __init__(self, client: Any, **kwargs: Any):
        super().__init__(client, **kwargs)
        self.state = self._state

    def driver_version(self) -> str:
        return "N/A"
