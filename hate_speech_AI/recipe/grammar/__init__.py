"""Labelled texts made from sentences and frames that were written for this project: both sides of each form of speech."""

from .rows import FORMS, SOURCE, make_rows

__all__ = ["FORMS", "SOURCE", "make_rows"]
