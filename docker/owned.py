"""One service a data folder. A start locks its folder, and so does each of its processes; each ends with its parent.

    python docker/owned.py SIGNAL COMMAND...

runs COMMAND under the folder's lock, and sends it SIGNAL when its parent dies, however that dies.
"""

import ctypes
import fcntl
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def open_lock(data_dir: Path) -> int:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(data_dir / "service.lock", os.O_RDWR | os.O_CREAT, 0o600)


def take_folder(data_dir: Path) -> int:
    """Lock the folder for a service that starts, and return the descriptor; stop with a message if another one runs."""
    try:
        lock = open_lock(data_dir)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"A service runs on HATE_SPEECH_DATA_DIR={data_dir} already, or is just ending. Give each a folder of its own.")
    except OSError as error:
        sys.exit(f"HATE_SPEECH_DATA_DIR={data_dir} cannot be written to: {error.strerror}.")
    return lock


def share_folder(lock: int) -> None:
    """Let the service's own processes hold the lock beside this one. The folder stays taken until all have ended."""
    fcntl.flock(lock, fcntl.LOCK_SH)


def main(name: str, *command: str) -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.Signals[name])
    if os.getppid() != parent:
        sys.exit(1)  # it died meanwhile
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from hate_speech.environment import read_data_dir

    lock = open_lock(read_data_dir())
    share_folder(lock)
    os.set_inheritable(lock, True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
