"""What the images and dev.yml hold."""

import importlib.util
import re
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_is_hardened(name):
    container = COMPOSE["services"][name]
    assert container["read_only"] is True
    assert any(entry.startswith("/tmp:") for entry in container["tmpfs"])
    assert container["cap_drop"] == ["ALL"]
    assert set(container.get("cap_add", ())) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert not container.get("cap_add") or name not in OWN_SERVICES
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["mem_limit"]
    assert container["pids_limit"] > 0
    assert set(container["logging"]["options"]) == {"max-size", "max-file"}
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(container)


def test_no_password_is_an_argument():
    """Every account of a machine can read the arguments of its processes."""
    for path in (ROOT / "docker").glob("start*"):
        for line in path.read_text().splitlines():
            words = line.split()
            assert not (words[:1] == ["exec"] and "pass" in line), f"{path.name}: {line}"


def test_an_image_can_be_pinned_by_its_digest():
    bases = re.findall(r"^FROM (\S+)", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE)
    stages = set(re.findall(r" AS (\S+)$", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE))
    assert set(bases) - stages == {"${PYTHON_IMAGE}"}
    for service in COMPOSE["services"].values():
        assert "build" in service or re.fullmatch(r"\$\{\w+_IMAGE:-\S+\}", service["image"])
        assert service.get("build", {"args": ["PYTHON_IMAGE"]})["args"] == ["PYTHON_IMAGE"]


def read_pins(name: str) -> dict[str, list[str]]:
    """Return the releases that a requirements file pins, by package; there may be one for each Python."""
    pins: dict[str, list[str]] = {}
    for package, release in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
        pins.setdefault(package, []).append(release)
    return pins


def read_names(name: str) -> set[str]:
    """Return the packages that a file names for `make lock`, as the pins write them."""
    names = re.findall(r"^([A-Za-z0-9._-]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {re.sub(r"[._-]+", "-", package).lower() for package in names if not package.startswith("-")}


LOCKED = {
    "requirements.txt": "requirements.in",
    "docker/web-requirements.txt": "docker/web-packages.txt",
    "tests/requirements.txt": "tests/requirements.in",
    "docs/requirements.txt": "docs/requirements.in",
    "docker/audit-requirements.txt": "docker/audit-requirements.in",
}


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_is_pinned_with_hashes(name):
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in (ROOT / name).read_text(), "an index is named"
    assert read_names(LOCKED[name]) <= read_pins(name).keys(), "run make lock"


@pytest.mark.parametrize("name", ["docker/web-requirements.txt", "tests/requirements.txt", "docs/requirements.txt"])
def test_a_package_has_one_release_in_all_environments(name):
    everywhere = read_pins("requirements.txt")
    for package, releases in read_pins(name).items():
        assert releases == everywhere.get(package, releases), package


def test_the_web_image_lacks_what_only_trainings_need():
    assert not read_pins("docker/web-requirements.txt").keys() & {"scikit-learn", "scipy", "pandas", "matplotlib", "mastodon-py"}


def test_packages_without_a_wheel_are_compiled_when_they_are_installed():
    assert Path(importlib.util.cache_from_source(stemming.porter2.__file__)).exists()
