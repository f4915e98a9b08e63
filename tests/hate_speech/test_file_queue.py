"""The file queue on a full disk, with broken files in it, and under load."""

import resource
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import ChannelError

from hate_speech.celery import app  # names the transport to kombu

from ..service import wait_until


@contextmanager
def open_queue(folder: Path):
    connection = Connection("filesystem://", transport_options={"folder": str(folder), "polling_interval": 0.01})
    with connection, connection.SimpleQueue("celery") as queue:
        yield queue


def put(queue, number: int) -> None:
    queue.put([[number], {}, {}], headers={"id": str(number), "task": "a.task"})


def get(queue) -> int:
    message = queue.get(timeout=5)
    message.ack()
    return message.payload[0][0]


@contextmanager
def no_space():
    """Let no file of this process grow, as on a full disk: opening one works, writing to it fails."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_the_project_uses_it():
    with app.connection_for_write() as connection:
        assert type(connection.transport).__module__ == "hate_speech.file_queue"


def test_a_full_disk_leaves_no_half_message(tmp_path):
    with open_queue(tmp_path) as queue:
        put(queue, 1)
        with no_space(), pytest.raises(ChannelError):
            put(queue, 2)
        assert len([*tmp_path.iterdir()]) == 1
        put(queue, 3)
        assert [get(queue), get(queue)] == [1, 3]


def test_a_message_is_seen_whole_or_not_at_all(tmp_path):
    with open_queue(tmp_path) as reader:

        def write() -> None:
            with open_queue(tmp_path) as queue:
                for number in range(300):
                    put(queue, number)

        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        found = [get(reader) for _ in range(900)]
        for writer in writers:
            writer.join()
    assert sorted(found) == sorted([*range(300)] * 3)


WHOLE = (
    '{"body": "W1tdLCB7fSwge31d", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"id": "1"},'
    ' "properties": {"body_encoding": "base64", "delivery_info": {"exchange": "", "routing_key": "celery"}, "delivery_tag": "1"}}'
)


@pytest.mark.embedded
def test_what_cannot_be_read_is_set_aside_and_kills_no_worker(service):
    broken = {
        "empty": "",
        "half": WHOLE[: len(WHOLE) // 2],
        "bytes": "\udcff",
        "list": "[]",
        "nothing": "{}",
        "no-task": WHOLE,
        "no-body": WHOLE.replace("W1tdLCB7fSwge31d", "!"),
        "no-base": WHOLE.replace("base64", "base1"),
        "no-json": WHOLE.replace("application/json", "application/x-python-serialize"),
        "no-headers": WHOLE.replace('{"id": "1"}', "1"),
    }
    messages = service.folder / "queue" / "messages"
    for name, text in broken.items():
        (messages / f"0_{name}.celery.msg").write_bytes(text.encode(errors="surrogateescape"))
    service.train_a_new_version()
    assert service.processes["worker"].poll() is None
    wait_until(lambda: len([*messages.glob("*.unreadable")]) == len(broken))
    log = service.log("worker")
    assert all(f"0_{name}.celery.msg.unreadable" in log for name in broken)
    assert "Unrecoverable" not in log
    for path in messages.glob("*.unreadable"):
        path.unlink()
