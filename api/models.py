"""Django looks for models here; each room has its own."""

import api.labels.models  # noqa: F401
