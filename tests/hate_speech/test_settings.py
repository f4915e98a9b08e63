import subprocess
import sys
import threading

from hate_speech.secret import make_secret, read_secret

from ..service import ROOT


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "new" / "secret_key"
    assert read_secret(path) == ""
    make_secret(path)
    key = read_secret(path)
    assert len(key) >= 50
    make_secret(path)
    assert read_secret(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_get_one_key(tmp_path):
    path = str(tmp_path / "key")
    code = (
        "from pathlib import Path; from hate_speech.secret import make_secret, read_secret;"
        f" path = Path({path!r}); make_secret(path); print(read_secret(path))"
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


def test_importing_the_settings_writes_nothing(tmp_path):
    folder = tmp_path / "var"
    environment = {"HATE_SPEECH_DATA_DIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    code = "import os; before = dict(os.environ); import hate_speech.settings; print(set(os.environ) - set(before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'DJANGO_SETTINGS_MODULE'}"
    assert not folder.exists()


def test_migrations_are_complete(new_service):
    done = new_service().manage("makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout


def test_a_command_says_which_package_it_lacks(tmp_path):
    # Web's image has no mastodon.
    code = (
        "import runpy, sys; sys.modules['mastodon'] = None;"
        "sys.argv = ['manage.py', 'import_feed', 'http://127.0.0.1:9/api/v1/timelines/public'];"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    environment = {"HATE_SPEECH_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs the package mastodon" in done.stderr
    assert "docker compose exec worker" in done.stderr
    assert "Traceback" not in done.stderr
