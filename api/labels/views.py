"""The endpoint /reviewed."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..access.callers import describe_origin
from ..access.permissions import Scope, require_scope
from . import schema
from .serializers import ReviewedTweetInputSerializer
from .services import add_review


class AddReviewedTweetManuallyView(APIView):
    """Record a person's decision on a text; the next training learns from it."""

    permission_classes = [require_scope(Scope.REVIEW)]
    serializer_class = ReviewedTweetInputSerializer

    @schema.reviewed
    def post(self, request: Request) -> Response:
        serializer = ReviewedTweetInputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        counts = add_review(
            text=fields["tweet"],
            is_hate_speech=fields["is_hate_speech"],
            labels=fields.get("labels", {}),
            **describe_origin(request),
        )
        return Response({"detail": "Tweet added to the database correctly" if counts else "Kept for a moderator to accept"})
