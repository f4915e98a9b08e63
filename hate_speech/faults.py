"""What is said of an exception where its message might quote a tweet."""

import traceback
from pathlib import Path

from django.db import DataError, Error, IntegrityError

from .environment import BASE_DIR


def describe_place(error: BaseException) -> str:
    """Return an exception's type, and the line of ours that it came from: "KeyError at api/labels/recording.py:57"."""
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if BASE_DIR in Path(frame.filename).parents and "site-packages" not in frame.filename]
    for frame in reversed(ours or frames):
        return f"{name} at {frame.filename.removeprefix(f'{BASE_DIR}/')}:{frame.lineno}"
    return name


def describe_database_fault(error: Error) -> str:
    """Return in one line why the database cannot be used. The messages of some errors hold values of rows: of these, the type."""
    lines = [] if isinstance(error, (DataError, IntegrityError)) else str(error).splitlines()
    return f"The database cannot be used: {lines[0] if lines else describe_place(error)}"
