#!/usr/bin/env python
"""Django's command line for this project: `python manage.py help` lists the commands."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error

from hate_speech.faults import describe_database_fault
from hate_speech.start import prepare_process

if __name__ == "__main__":
    try:
        prepare_process()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    try:
        execute_from_command_line(sys.argv)
    except Error as error:
        sys.exit(describe_database_fault(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "api", "hate_speech", "hate_speech_AI"):
            raise  # ours: a fault
        sys.exit(
            f"This needs the package {error.name}, which is not installed here. Web's image lacks what only commands need:"
            " run it in the worker, `docker compose exec worker python manage.py ...`."
        )
