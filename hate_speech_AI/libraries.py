"""Which libraries are installed."""

import platform
from importlib.metadata import PackageNotFoundError, version

_NAMES = ("emoji", "numpy", "onnxruntime", "scipy", "scikit-learn", "stemming", "tokenizers")


def list_libraries() -> dict[str, str]:
    """Return the versions of Python and of those libraries of a training that are installed: serving needs only some."""
    versions = {"python": platform.python_version()}
    for name in _NAMES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
