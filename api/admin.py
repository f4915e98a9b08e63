"""Django looks for admin pages here; each room has its own. `python manage.py createsuperuser` makes the first account."""

import api.access.admin
import api.labels.admin
import api.review_queue.admin
import api.versions.admin  # noqa: F401
