"""The endpoint of reviews."""

from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from ..access.authentication import describe_origin
from ..access.permissions import Scope, require_scope
from . import schema
from .serializers import ReviewedTweetInputSerializer
from .services import add_review


class AddReviewedTweetManuallyView(GenericAPIView):
    """Record what a person says of a text; the next training learns from it."""

    permission_classes = [require_scope(Scope.REVIEW)]
    serializer_class = ReviewedTweetInputSerializer

    @schema.reviewed
    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        said = {"text": serializer.validated_data["tweet"], "is_hate_speech": serializer.validated_data["is_hate_speech"]}
        add_review(**said, **describe_origin(request))
        if request.auth and not request.auth.is_trusted:
            return Response({"detail": "Kept for a moderator to accept"})
        return Response({"detail": "Tweet added to the database correctly"})
