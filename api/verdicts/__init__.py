"""Verdicts: whether a text is hate speech."""
