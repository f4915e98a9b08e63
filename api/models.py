"""Django looks for models here; each room has its own."""

import api.access.models
import api.labels.models  # noqa: F401
