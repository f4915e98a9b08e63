"""The path below which a proxy hands the service's requests on."""

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def mount(application: Application, prefix: str) -> Application:
    """Return the application as it is reached below `prefix`; "" is the root.

    Requests come with the prefix, or without it where the proxy takes it off, as probes do that ask the service itself.
    """
    if not prefix:
        return application

    def mounted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == prefix or path.startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path[len(prefix) :] or "/"
        return application(environ, start_response)

    return mounted
