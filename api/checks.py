"""System checks of a server: `manage.py check --deploy` and the start scripts run them."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security, deploy=True)
def check_server(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[Error]:
    """Refuse to start without open access while a setting is missing that only a local run may leave at its default."""
    if settings.OPEN_ACCESS:
        return []
    missing = [f"{name} is not set" for name in settings.NOT_SET]
    if settings.DEBUG:
        missing.append("DEBUG is on")
    if not missing:
        return []
    return [
        Error(
            f"Without open access the service counts as a server, but {' and '.join(missing)}."
            ' See "Putting it on a server" in docs/run.md.',
            id="api.E001",
        )
    ]
