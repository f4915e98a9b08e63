"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application

from .start import prepare_process

# NumPy's idle threads spin and take a core from the encoder's threads: with them a list of texts took twice as long.
prepare_process(blas_threads=1)
application = get_wsgi_application()

from hate_speech_AI.core import classifier  # noqa: E402  (after Django is set up, which opens the model store)
from hate_speech_AI.text.language import load_identifier  # noqa: E402

# Load the version and the languages now, not with the first request.
classifier.follow()
load_identifier()
