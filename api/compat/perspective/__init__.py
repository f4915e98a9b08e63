"""Perspective's `v1alpha1`, as Google's client and others send it."""
