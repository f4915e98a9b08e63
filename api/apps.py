from django.apps import AppConfig
from django.conf import settings


class ApiConfig(AppConfig):
    name = "api"

    def ready(self) -> None:
        from django.core.cache import cache

        from hate_speech_AI.core import classifier, store_of

        from . import checks  # noqa: F401  (registers them)

        classifier.use(store_of(settings.ENGINE, settings.DATA_DIR), cache)
