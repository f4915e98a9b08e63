"""The libraries that a training uses, and their installed versions."""

import platform
from importlib.metadata import PackageNotFoundError, version

_NAMES = ("emoji", "numpy", "onnxruntime", "scipy", "scikit-learn", "stemming", "tokenizers")


def list_libraries() -> dict[str, str]:
    """Return the version of Python and of each of these libraries that is installed. A process that only serves lacks some."""
    versions = {"python": platform.python_version()}
    for name in _NAMES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
