"""The WSGI application that gunicorn serves."""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from api.web.door import add_door
from api.web.prefix import mount

from .start import check_start, note_database, prepare_process

try:
    # NumPy's idle threads spin and take a core from the encoder's threads: with them a list of texts took twice as long.
    prepare_process(blas_threads=1)
    application = mount(add_door(get_wsgi_application()), settings.FORCE_SCRIPT_NAME)
    check_start()
    note_database()
except ImproperlyConfigured as error:
    print(f"The service cannot start: {error}", file=sys.stderr)
    sys.exit(3)  # at this status gunicorn ends; at others it would start the process again, for ever

# After Django is set up, which opens the model store.
from api.access.callers import keep_callers_fresh
from hate_speech_AI.core import classifier

# Load the version now, not with the first request.
classifier.follow()
keep_callers_fresh()
