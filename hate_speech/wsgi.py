"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application

from .start import prepare_process

# NumPy's threads wait for the next product busily, and would take a core from the encoder's: a list took twice as long.
prepare_process(blas_threads=1)
application = get_wsgi_application()

from hate_speech_AI.core import classifier  # noqa: E402  (after the set-up, which tells it where the model store is)

# Loaded before the first request comes, not by it.
classifier.follow()
