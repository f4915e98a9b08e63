from django.apps import AppConfig
from django.conf import settings


class ApiConfig(AppConfig):
    name = "api"

    def ready(self):
        from django.core.cache import cache

        from hate_speech_AI.core import classifier
        from hate_speech_AI.store import ModelStore

        classifier.use(ModelStore(settings.MODEL_STORE), cache)
