"""Wiring: settings, URLs, the WSGI application, Celery and its tasks."""

# So that `shared_task` and `celery -A hate_speech` find the app, and Django's processes send through it.
from .celery import app as celery_app

__all__ = ["celery_app"]
