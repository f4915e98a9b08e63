"""What a start on a server needs: `manage.py check --deploy` and the start scripts ask."""

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security, deploy=True)
def check_server(app_configs, **kwargs) -> list[Error]:
    """Refuse, where keys are asked for, what only a run on one's own machine may leave to the defaults."""
    if settings.OPEN_ACCESS:
        return []
    missing = [f"{name} is not set" for name in settings.NOT_SET]
    if settings.DEBUG:
        missing.append("DEBUG is on")
    if not missing:
        return []
    return [
        Error(
            f"Without open access the service is on a server, and there {' and '.join(missing)}:"
            ' see "Putting it on a server" in docs/run.md.',
            id="api.E001",
        )
    ]
