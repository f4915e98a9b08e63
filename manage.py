#!/usr/bin/env python
"""Django's command line for this project: `python manage.py help` lists the commands."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from hate_speech.start import prepare_process

if __name__ == "__main__":
    try:
        prepare_process()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)
