"""Django looks for models here; each room has its own."""

import api.access.models
import api.labels.models
import api.review_queue.models
import api.versions.models  # noqa: F401
