"""Bodies of forms: read once, before anything else reads them, and refused if something is wrong with them."""

import re
from collections.abc import Sequence

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest

from .strings import find_faults, read_quoted

_QUOTED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_ROW = re.compile("[0-9]{1,18}")  # no database has more rows


def find_form_faults(request: HttpRequest) -> dict[str, list[str]]:
    """Return what is wrong with a request's form, as an error of its field or of the `body`; empty if nothing is.

    Django would replace what is not UTF-8, and look up any codec that the headers of a part name.
    """
    if request.method != "POST" or request.content_type not in (_QUOTED, _MULTIPART):
        return {}
    try:
        if request.content_type == _QUOTED:
            read_quoted(request.body)
        else:
            request.body.decode("utf-8")
        fields: dict[str, Sequence[object]] = {**dict(request.POST.lists()), **dict(request.FILES.lists())}
    except Exception:
        # The body is the cause, whatever was raised: Django's parser of parts raises errors of many kinds.
        return {"body": ["The form cannot be read. It must be UTF-8, with the boundary that Content-Type names."]}
    # The admin looks rows up by what its lists send, and fails at anything but their numbers.
    if not all(_ROW.fullmatch(row) for row in request.POST.getlist(ACTION_CHECKBOX_NAME)):
        return {ACTION_CHECKBOX_NAME: ["This is no row's number."]}
    return find_faults({name: values[0] if len(values) == 1 else values for name, values in fields.items()})
