#!/usr/bin/env python
"""Django's command line for this project: `python manage.py help` lists the commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error

from hate_speech.faults import describe_database_fault
from hate_speech.start import prepare_process, warn_of_another_database

if __name__ == "__main__":
    try:
        if any(argument.encode(errors="ignore").decode() != argument for argument in sys.argv):
            sys.exit("An argument is not UTF-8.")
        prepare_process()
        warn_of_another_database()
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except Error as error:
        sys.exit(describe_database_fault(error))
    except BrokenPipeError:  # who reads has read enough, such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # as the shell says it of a process that SIGPIPE ended
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "api", "hate_speech", "hate_speech_AI"):
            raise  # ours: a fault
        sys.exit(
            f"This needs the package {error.name}, which is not installed here. Web's image lacks what only commands need:"
            " run it in the worker, `docker compose exec worker python manage.py ...`."
        )
