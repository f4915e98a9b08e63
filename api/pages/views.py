"""The pages: views that answer with HTML."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from hate_speech_AI.core import classifier

from ..access.permissions import Scope, require_scope


@extend_schema(exclude=True)
class HomeView(APIView):
    """Show the home page, on which people try the service."""

    permission_classes = [AllowAny]
    authentication_classes = throttle_classes = ()

    def get(self, request: Request) -> HttpResponse:
        context = {
            "explains": classifier.store.engine.can_explain,
            "is_open": settings.OPEN_ACCESS,
            "version": settings.VERSION,
            "commit": settings.COMMIT,
        }
        response = render(request, "api/home.html", context)
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
            " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        return response


@extend_schema(exclude=True)
class ReportView(APIView):
    """Show the report of a version, a page without scripts."""

    permission_classes = [require_scope(Scope.ADMIN)]

    def get(self, request: Request, version: str) -> HttpResponse:
        # It quotes texts of strangers, so it is sandboxed and may load nothing.
        return HttpResponse(
            classifier.store.report(version),
            headers={"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"},
        )
