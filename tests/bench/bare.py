"""The reference for /predict: a bare Django REST framework view with the same serializer, and nothing else."""

from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)

import django  # noqa: E402

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.generics import GenericAPIView  # noqa: E402
from rest_framework.response import Response  # noqa: E402

from api.verdicts.serializers import TweetInputSerializer  # noqa: E402


class BareView(GenericAPIView):
    serializer_class = TweetInputSerializer

    def post(self, request):
        self.get_serializer(data=request.data).is_valid(raise_exception=True)
        return Response({"is_hate_speech": False})


urlpatterns = [path("predict", BareView.as_view())]
application = get_wsgi_application()
