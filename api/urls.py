"""The real paths; api.web.middleware lets each be written with a trailing slash too."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from .compat import openai
from .compat.perspective import request as perspective
from .versions import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("", include("api.verdicts.urls")),
    path("reviewed", views.AddReviewedTweetManuallyView.as_view(), name="reviewed"),
    path("score", views.GetScoreView.as_view(), name="score"),
    path("score/history", views.ScoreHistoryView.as_view(), name="score-history"),
    path("models", views.ModelVersionsView.as_view(), name="models"),
    path("models/<str:version>", views.ModelVersionView.as_view(), name="model"),
    path("models/<str:version>/activate", views.ActivateView.as_view(), name="activate"),
    path("models/<str:version>/report", views.ReportView.as_view(), name="report"),
    path("train", views.TrainView.as_view(), name="train"),
    path("train/<int:run>", views.TrainingRunView.as_view(), name="training-run"),
    path("healthz", views.HealthView.as_view(), name="healthz"),
    path("readyz", views.ReadinessView.as_view(), name="readyz"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("v1/moderations", openai.ModerationsView.as_view(), name="moderations"),
    path("v1alpha1/comments:analyze", perspective.AnalyzeView.as_view(), name="analyze"),
    path("v1alpha1/comments:suggestscore", perspective.SuggestScoreView.as_view(), name="suggestscore"),
    path("$discovery/rest", perspective.DiscoveryView.as_view(), name="discovery"),
]
