from django.urls import path

from .views import PredictHateSpeechView

urlpatterns = [path("predict", PredictHateSpeechView.as_view(), name="predict")]
