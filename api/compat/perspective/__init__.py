"""Perspective's API `v1alpha1`, as Google's client and others use it."""
