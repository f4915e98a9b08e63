from django.apps import AppConfig
from django.conf import settings


class ApiConfig(AppConfig):
    name = "api"

    def ready(self):
        from django.core.cache import cache

        from hate_speech_AI.core import classifier, open_store
        from hate_speech_AI.engines.encoder.session import set_threads

        from . import checks  # noqa: F401  (registers them)

        set_threads(settings.ENCODER_THREADS)
        classifier.use(open_store(settings.ENGINE, settings.DATA_DIR), cache)
