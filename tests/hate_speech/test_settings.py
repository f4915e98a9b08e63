import subprocess
import sys
import threading

from hate_speech.secret import read_or_make_secret

from ..service import ROOT


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "new" / "secret_key"
    key = read_or_make_secret(path)
    assert len(key) >= 50
    assert read_or_make_secret(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_get_one_key(tmp_path):
    path = str(tmp_path / "key")
    code = (
        f"from pathlib import Path; from hate_speech.secret import read_or_make_secret;print(read_or_make_secret(Path({path!r})))"
    )
    keys = []

    def start():
        keys.append(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout)

    starters = [threading.Thread(target=start) for _ in range(6)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(set(keys)) == 1


def test_migrations_are_complete(new_service):
    done = new_service().manage("makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout
