"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application

from .start import prepare_process

# NumPy's idle threads spin and take a core from the encoder's threads: with them a list of texts took twice as long.
prepare_process(blas_threads=1)
django_application = get_wsgi_application()

# After Django is set up: they read its settings, and the first opens the model store.
from api.web.door import add_door  # noqa: E402
from hate_speech_AI.core import classifier  # noqa: E402

application = add_door(django_application)

# Load the version now, not with the first request.
classifier.follow()
