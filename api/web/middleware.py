"""The guard of all requests, before any view."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from .door import REFUSAL
from .exceptions import make_error_response, make_invalid_response
from .forms import find_form_faults

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_ADMIN = "/admin/"
_SAFE_METHODS = frozenset(["GET", "HEAD", "OPTIONS", "TRACE"])
# Load balancers and containers ask these by IP address, which is not in ALLOWED_HOSTS.
_PROBES = frozenset(["/healthz", "/healthz/", "/readyz", "/readyz/"])
# What proxies add to the requests that they hand on, beside X-Forwarded-....
_PROXY_HEADERS = frozenset(
    f"HTTP_{name}"
    for name in (
        *("FORWARDED", "VIA", "CDN_LOOP", "X_REAL_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "X_ORIGINAL_FORWARDED_FOR"),
        *("X_ORIGINAL_HOST", "X_ORIGINAL_URL", "X_PROXYUSER_IP", "X_ENVOY_EXTERNAL_ADDRESS", "X_AZURE_CLIENTIP"),
        *("TRUE_CLIENT_IP", "CF_CONNECTING_IP", "CF_RAY", "FASTLY_CLIENT_IP", "FLY_CLIENT_IP", "X_APPENGINE_USER_IP"),
        *("X_AMZ_CF_ID", "X_ARR_LOG_ID", "X_NGINX_PROXY", "X_SCHEME", "X_HTTPS"),
    )
)


def refuse_proxied_requests(get_response: GetResponse) -> GetResponse:
    """Return the middleware of open access, which refuses what came through a proxy: it may come from another machine."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # Joined: to look at each name by itself would take three times as long.
        is_proxied = not _PROXY_HEADERS.isdisjoint(request.META) or "HTTP_X_FORWARDED" in " ".join(request.META)
        if is_proxied and not (request.method in _SAFE_METHODS and request.path_info in _PROBES):
            return make_error_response(request, 403, _OPEN_BEHIND_PROXY, "open_access_behind_proxy")
        return get_response(request)

    return middleware


_OPEN_BEHIND_PROXY = (
    "This request came through a proxy, but the service is set up for this machine only, without keys."
    ' Behind a proxy it needs keys: see "Putting it on a server" in docs/run.md.'
)


def guard_requests(get_response: GetResponse) -> GetResponse:
    """Return the middleware that refuses what no view may see, removes a trailing slash, and adds the X-RateLimit headers."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if refused := _refuse(request):
            return refused
        path = request.path_info
        # The admin's own addresses end in a slash.
        if not path.startswith(_ADMIN):
            if len(path) > 1 and path[-1] == "/":
                request.path_info = path[:-1]
                request.path = request.path[:-1]
            if request.method == "OPTIONS" and (answer := _describe_methods(request.path_info)):
                return answer
        response = get_response(request)
        if rate := request.META.get("api.rate"):
            for name, figure in zip(("Limit", "Remaining", "Reset"), rate, strict=True):
                response[f"X-RateLimit-{name}"] = str(figure)
        return response

    middleware.process_exception = _refuse_overflow  # type: ignore[attr-defined]  # where Django looks for it
    return middleware


def _refuse_overflow(request: HttpRequest, error: Exception) -> HttpResponseBase | None:
    """Refuse a number that no date and no database takes, such as the year 99999 in a filter of the admin."""
    if isinstance(error, OverflowError):
        return make_invalid_response(request, "query", "A number is out of range.")
    return None


def _refuse(request: HttpRequest) -> HttpResponseBase | None:
    """Return the refusal of a request that the door refused, or that has another host, another site, or a bad form."""
    if refusal := request.META.get(REFUSAL):
        status, message, code = refusal
        return make_invalid_response(request, code, message) if status == 400 else make_error_response(request, *refusal)
    is_safe = request.method in _SAFE_METHODS
    if not (is_safe and request.path_info in _PROBES):
        try:
            request.get_host()
        except DisallowedHost:
            # Not raised: Django would log a traceback for each scanner.
            return make_invalid_response(request, "Host", "This name is not in ALLOWED_HOSTS.")
    if not is_safe:
        if _is_from_another_site(request):
            return make_error_response(
                request, 403, "Requests from another site are refused; CORS_ALLOWED_ORIGINS lists the allowed ones.", "cross_site"
            )
        for field, messages in find_form_faults(request).items():
            return make_invalid_response(request, field, messages[0])
    return None


def _describe_methods(path: str) -> HttpResponse | None:
    """Return the answer to OPTIONS: the methods that a view of the API takes; `None` for what is no such view."""
    try:
        view = getattr(resolve(path).func, "cls", None)
    except Resolver404:
        return None
    if view is None:
        return None
    methods = [method for method in view.http_method_names if hasattr(view, method)]
    return HttpResponse(headers={"Allow": ", ".join(sorted({*methods, *(["head"] if "get" in methods else [])})).upper()})


def _is_from_another_site(request: HttpRequest) -> bool:
    """Return whether a page of another origin sent this, by the browser's headers; origins in the CORS list are allowed.

    Any web page can post a form to 127.0.0.1; CORS only keeps it from reading the answer.
    """
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return request.META.get("HTTP_SEC_FETCH_SITE", "none") not in ("same-origin", "none")
    try:
        is_own = urlsplit(origin).netloc == request.get_host()
    except ValueError:  # such as an unclosed bracket
        return True
    return not (is_own or origin in settings.CORS_ALLOWED_ORIGINS)
