from django.urls import path

from . import openai
from .perspective import views as perspective

urlpatterns = [
    path("v1/moderations", openai.ModerationsView.as_view(), name="moderations"),
    path("v1/models", openai.ModelsView.as_view(), name="openai-models"),
    path("v1/models/<str:model>", openai.ModelView.as_view(), name="openai-model"),
    path("v1alpha1/comments:analyze", perspective.AnalyzeView.as_view(), name="analyze"),
    path("v1alpha1/comments:suggestscore", perspective.SuggestScoreView.as_view(), name="suggestscore"),
    path("$discovery/rest", perspective.DiscoveryView.as_view(), name="discovery"),
]
