"""Wiring: settings, URLs, the WSGI application, Celery and its tasks."""

from .start import select_settings

# Here, since every way in imports this package first. Nothing heavy is imported: gunicorn's configuration reads settings too.
select_settings()
