"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hate_speech.settings")

application = get_wsgi_application()

from hate_speech_AI.core import classifier  # noqa: E402  (after the set-up, which tells it where the model store is)

# Loaded before the first request comes, not by it.
classifier.follow()
