"""Django looks for admin pages here; each room has its own. `python manage.py createsuperuser` makes the first account."""

import api.access.admin
import api.labels.admin  # noqa: F401
