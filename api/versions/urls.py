from django.urls import path

from . import views

urlpatterns = [
    path("score", views.GetScoreView.as_view(), name="score"),
    path("score/history", views.ScoreHistoryView.as_view(), name="score-history"),
    path("models", views.ModelVersionsView.as_view(), name="models"),
    path("models/<str:version>", views.ModelVersionView.as_view(), name="model"),
    path("models/<str:version>/activate", views.ActivateView.as_view(), name="activate"),
    path("reviewed/influence", views.InfluenceView.as_view(), name="influence"),
    path("reviewed/withdraw", views.WithdrawView.as_view(), name="withdraw"),
    path("train", views.TrainView.as_view(), name="train"),
    path("train/<int:run>", views.TrainingRunView.as_view(), name="training-run"),
]
