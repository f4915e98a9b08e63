"""The WSGI application that gunicorn serves."""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from .start import check_start, note_database, prepare_process, refuse_foreign_store

try:
    # NumPy's idle threads spin and take a core from the encoder's threads: with them a list of texts took twice as long.
    prepare_process(blas_threads=1)
    django_application = get_wsgi_application()
    check_start()
    refuse_foreign_store()
    note_database()
except ImproperlyConfigured as error:
    print(f"The service cannot start: {error}", file=sys.stderr)
    sys.exit(3)  # at this status gunicorn ends; at others it would start the process again, for ever

# After Django is set up: they read its settings, and one opens the model store.
from api.access.callers import keep_callers_fresh
from api.web.door import add_door
from api.web.prefix import mount
from hate_speech_AI.core import classifier
from hate_speech_AI.text.language import load_identifier

application = mount(add_door(django_application), settings.FORCE_SCRIPT_NAME)
# Load the version and the languages now, not with the first request.
classifier.follow()
load_identifier()
keep_callers_fresh()
