from django.urls import path

from .views import HomeView, ReportView

urlpatterns = [
    path("", HomeView.as_view(), name="home"),
    path("models/<str:version>/report", ReportView.as_view(), name="report"),
]
