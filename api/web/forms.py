"""Bodies of forms: read once, before anything else reads them, and refused if something is wrong with them."""

from collections.abc import Sequence

from django.http import HttpRequest

from .strings import find_faults, read_quoted

_QUOTED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


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
    return find_faults({name: values[0] if len(values) == 1 else values for name, values in fields.items()})
