"""What the images and dev.yml hold."""

import importlib.util
import re
from pathlib import Path

import stemming.porter2
import yaml

from hate_speech.environment import DEFAULTS

from .service import ROOT

COMPOSE = yaml.safe_load((ROOT / "dev.yml").read_text())
OWN_SERVICES = ("web", "worker", "beat", "bootstrap")


def named(service: str) -> set[str]:
    """Return the settings that a container is given, those too that come as a file."""
    return {entry.partition("=")[0].removesuffix("_FILE") for entry in COMPOSE["services"][service]["environment"]}


def test_every_setting_reaches_every_container():
    expected = set(DEFAULTS)
    for service in OWN_SERVICES:
        assert named(service) == expected, service


def test_a_setting_that_is_unset_stays_unset():
    # `${NAME:-}` would hand on an empty value, which is not the default.
    for service in OWN_SERVICES:
        for entry in COMPOSE["services"][service]["environment"]:
            assert not re.search(r"\$\{\w+:?-?\}", entry), entry


def test_an_upgrade_builds_what_is_checked_out():
    for service in OWN_SERVICES:
        assert COMPOSE["services"][service]["build"]
        assert COMPOSE["services"][service]["pull_policy"] == "build"


def test_the_web_image_takes_its_releases_from_the_requirements():
    pinned = set(re.findall(r"^([A-Za-z0-9.\[\]_-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    lines = (ROOT / "docker/web-packages.txt").read_text().splitlines()
    packages = {line for line in lines if not line.startswith("#")}
    assert packages <= pinned
    assert not packages & {"scikit-learn", "scipy", "pandas", "matplotlib", "mastodon.py"}


def test_packages_without_a_wheel_are_compiled_when_they_are_installed():
    assert Path(importlib.util.cache_from_source(stemming.porter2.__file__)).exists()
