"""Which release is running."""

import re
import subprocess

import yaml

from hate_speech.release import read_commit, read_version

from ..service import ROOT

COMMIT = "5c0ffee5c0ffee5c0ffee5c0ffee5c0ffee5c0ff"


def test_the_version_is_three_numbers_and_the_changelog_knows_it():
    version = read_version(ROOT)
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_commit_is_the_one_that_git_names(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet")
    assert read_commit(tmp_path) == "", "no commit yet"
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    commit = git("rev-parse", "HEAD")
    assert read_commit(tmp_path) == commit[:12]
    git("pack-refs", "--all")
    assert read_commit(tmp_path) == commit[:12]
    git("worktree", "add", "--quiet", "beside")
    assert read_commit(tmp_path / "beside") == commit[:12]
    git("checkout", "--quiet", "--detach")
    assert read_commit(tmp_path) == commit[:12]


def test_outside_a_checkout_there_is_no_commit(tmp_path):
    assert read_commit(tmp_path) == ""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("nothing that git writes\n")
    assert read_commit(tmp_path) == ""


def test_the_schema_and_the_home_page_name_the_release(client, settings):
    about = yaml.safe_load(client.get("/schema").content)["info"]
    assert (about["version"], about["x-commit"]) == (settings.VERSION, settings.COMMIT)
    settings.COMMIT = "5c0ffee5c0ff"
    assert f"Release {settings.VERSION}, commit 5c0ffee5c0ff" in client.get("/").content.decode()
