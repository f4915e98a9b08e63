"""Labelled rows in, candidate version out."""
