"""Install pinned requirements into a virtual environment and show the progress: the Makefile calls this.

    python3 docker/install.py ENVIRONMENT REQUIREMENTS

It uses only the standard library, and syntax that an old Python can parse: it must be able to say that Python is too old.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

NEEDED = (3, 11)


def main(environment: Path, requirements: Path) -> None:
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit("Python 3.11 or newer is needed; this is " + found + ". Name another: PYTHON=/path/to/python3 make run")
    began = time.monotonic()
    create_environment(environment)
    names = read_names(requirements)
    print(f"Installing {len(names)} packages into {environment}. The first time this takes a minute or more.", flush=True)
    run_pip(environment, requirements, len(names))
    megabytes = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file()) / 1e6
    print(f"Installed in {time.monotonic() - began:.0f} s; {environment} holds {megabytes:.0f} MB.", flush=True)


def create_environment(environment: Path) -> None:
    if (environment / "bin" / "pip").exists():
        return
    environment.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if subprocess.run([sys.executable, "-m", "venv", str(environment)], check=False).returncode:
        shutil.rmtree(environment, ignore_errors=True)
        sys.exit("Python cannot make a virtual environment. On Debian: apt-get install python3-venv")


def read_names(requirements: Path) -> set[str]:
    """Return the names of the packages that a requirements file pins."""
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", requirements.read_text("utf-8"), re.MULTILINE))


def run_pip(environment: Path, requirements: Path, count: int) -> None:
    """Install, with pip's own progress on a terminal and a line for every tenth package elsewhere."""
    command = [str(environment / "bin" / "pip"), "install", "--disable-pip-version-check", "--requirement", str(requirements)]
    # pip passes this variable on to the setup.py of a package without a wheel, which would then not compile the package. Every
    # process would compile it again; and where warnings are errors, a compiler warning would make its import fail.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if sys.stdout.isatty():
        status = subprocess.run(command, env=variables, check=False).returncode
    else:
        with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as pip:
            done = 0
            for line in pip.stdout:
                done += line.startswith(("Collecting ", "Processing ", "Requirement already satisfied: "))
                if line.startswith(("Collecting ", "Processing ")) and done % 10 == 0:
                    print(f"  {done} of {count} fetched", flush=True)
                if line.startswith("Installing collected packages"):
                    print("  unpacking", flush=True)
        status = pip.returncode
    if status:
        sys.exit("The installation failed; pip says why above. Run the same command to try again.")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run the same command to continue the installation.")
