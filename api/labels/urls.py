from django.urls import path

from .views import AddReviewedTweetManuallyView

urlpatterns = [path("reviewed", AddReviewedTweetManuallyView.as_view(), name="reviewed")]
