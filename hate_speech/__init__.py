"""Wiring: settings, URLs, the WSGI application, Celery and its tasks."""

# `shared_task` and `celery -A hate_speech` find the app by this, and Django's processes send tasks with it.
from .celery import app as celery_app

__all__ = ["celery_app"]
