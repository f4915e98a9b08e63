"""Settings. What differs between installations comes from the environment; docs/settings.md lists the variables.

The import writes nothing: `start.prepare_process` makes the folder and the key.
"""

import logging
import zoneinfo

from celery.schedules import crontab

from .environment import BASE_DIR, DATA_DIR, env, read_flag, read_number, read_share, require_one_of
from .release import read_commit, read_version
from .secret import read_secret

VERSION, COMMIT = read_version(BASE_DIR), read_commit(BASE_DIR)

ENGINE = require_one_of("HATE_SPEECH_ENGINE", env("HATE_SPEECH_ENGINE"), ("encoder", "linear"), "encoder or linear")
# How many threads the encoder may use for a list of texts; 0 is one for each core.
ENCODER_THREADS = require_one_of("HATE_SPEECH_THREADS", read_number("HATE_SPEECH_THREADS"), range(257), "a number from 0 to 256")

# What is done with a request whose texts are not English.
UNSUPPORTED_LANGUAGES = require_one_of(
    "UNSUPPORTED_LANGUAGES", env("UNSUPPORTED_LANGUAGES"), ("judge", "refuse"), "judge or refuse"
)

DEBUG = read_flag("DEBUG")
SECRET_KEY = env("SECRET_KEY") or read_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env("ALLOWED_HOSTS")
# A server must set these; api.checks refuses to start without them.
NOT_SET = [name for name in ("SECRET_KEY", "ALLOWED_HOSTS") if not env.str(name, default="")]

# Whether requests need no key. True in the local run and in dev.yml, which listen on this machine only.
OPEN_ACCESS = read_flag("HATE_SPEECH_OPEN_ACCESS")
# Requests a minute for each key, or for each address without a key; 0 is no limit.
RATE_LIMIT = read_number("RATE_LIMIT")
if RATE_LIMIT < 0:
    RATE_LIMIT = 0 if OPEN_ACCESS else 600
# How many of our own proxies are in front of the service. Each adds the address that it saw to X-Forwarded-For.
PROXIES = require_one_of("PROXIES", read_number("PROXIES"), range(11), "a number from 0 to 10")
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# On a server the admin is served over TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not OPEN_ACCESS
# The proxy sends HSTS. A redirect to https would break clients that do not follow redirects.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
# The admin's middlewares are not in MIDDLEWARE by name: api.web.sessions applies them below SESSION_PATHS.
SILENCED_SYSTEM_CHECKS += ["admin.E408", "admin.E409", "admin.E410"]
# gunicorn's own variable. Without Redis each process allows its share of the rate.
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", default=2)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "api.web.middleware.guard_requests",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.web.sessions.add_sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# People log in below these paths. Other requests have no session.
SESSION_PATHS = ("/admin/",)
ROOT_URLCONF = "hate_speech.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "hate_speech.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# WhiteNoise serves Swagger's files from its package: there is nothing to collect, and no other host is asked.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# --- database ---
DATABASES = {"default": env.db_url_config(env("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # A transaction takes the write lock at its beginning, so two writers wait for each other instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # WAL: readers are not blocked by a writer. FULL: a posted review survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;",
    }
_database["CONN_MAX_AGE"] = 600
_database["CONN_HEALTH_CHECKS"] = True

# --- cache: scores, as JSON: data from a shared place must not execute code, as a pickle could ---
REDIS_URL = env("REDIS_URL")
REDIS_KEY_PREFIX = env("REDIS_KEY_PREFIX")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_KEY_PREFIX + "cache",
            "OPTIONS": {
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
                # Without Redis the service is slower but still answers.
                "IGNORE_EXCEPTIONS": True,
                "SOCKET_CONNECT_TIMEOUT": 0.5,
                "SOCKET_TIMEOUT": 0.5,
            },
        }
    }
    DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Celery ---
CELERY_BROKER_URL = env("CELERY_BROKER_URL") or REDIS_URL or "filesystem://localhost"
CELERY_TIMEZONE = require_one_of(
    "CELERY_TIMEZONE",
    env("CELERY_TIMEZONE"),
    zoneinfo.available_timezones(),
    "the name of a time zone, such as Europe/Warsaw or UTC",
)
_training_hour = require_one_of("TRAINING_HOUR", read_number("TRAINING_HOUR"), range(24), "an hour from 0 to 23")
CELERY_BEAT_SCHEDULE = {
    "auto_first_train_model": {
        "task": "hate_speech.tasks.auto_first_train_model",
        "schedule": crontab(hour=_training_hour, minute=0),
    },
    # Queues a training again whose worker was killed or whose message was lost. Its row decides, not the broker.
    "queue_stalled_trainings": {
        "task": "hate_speech.tasks.queue_stalled_trainings",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
}
# In memory: the persistent scheduler writes a pickle. If a night was missed while everything was off, the training at the next
# start makes up for it.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "queue" / "messages"),
        "data_folder_out": str(DATA_DIR / "queue" / "messages"),
        "control_folder": str(DATA_DIR / "queue" / "control"),
        "polling_interval": 0.2,
    }
    # Remote control needs a fanout, which this transport does not really have.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
elif CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": REDIS_KEY_PREFIX, "socket_connect_timeout": 2}

# --- model versions ---
# How much worse than the active version a candidate may be, as shares of 1; names as in hate_speech_AI.evaluation.gate.Limits.
GATE_LIMITS = {
    "f1_loss": read_share("GATE_F1_LOSS"),
    "group_loss": read_share("GATE_GROUP_LOSS"),
    "gap_growth": read_share("GATE_GAP_GROWTH"),
    "review_loss": read_share("GATE_REVIEW_LOSS"),
}

# --- feeds ---
FEEDS_FROM_PRIVATE_ADDRESSES = read_flag("FEEDS_FROM_PRIVATE_ADDRESSES")

# --- the API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.access.authentication.KeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["api.access.throttling.RateThrottle"],
    # Closed by default: an open view has to say so.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PARSER_CLASSES": [
        "api.web.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.web.negotiation.AlwaysFirstRenderer",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "api.web.pagination.Pages",
    "EXCEPTION_HANDLER": "api.web.exceptions.handle_exception",
    "NON_FIELD_ERRORS_KEY": "body",
}
# Below these paths errors have the shape of the dialect.
ERROR_SHAPES = {
    "/v1/": "api.compat.errors.shape_openai_error",
    "/v1alpha1/": "api.compat.errors.shape_perspective_error",
    "/$discovery/": "api.compat.errors.shape_perspective_error",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hate speech detector",
    "DESCRIPTION": (
        "Decides whether a short text is hate speech, learns from people's reviews, and measures how good it is."
        " It reads English only."
    ),
    "VERSION": VERSION,
    "EXTENSIONS_INFO": {"x-commit": COMMIT},
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "VersionOutcome": ["promoted", "refused", "held_back"],
        "TrainingOutcome": ["", "promoted", "refused", "held_back", "unchanged", "failed"],
    },
}
CORS_ALLOWED_ORIGINS = env("CORS_ALLOWED_ORIGINS")
if CORS_ALLOWED_ORIGINS:
    # Before the guard, so that allowed origins can read its refusals too. Not installed if no origin is allowed.
    MIDDLEWARE.insert(1, "corsheaders.middleware.CorsMiddleware")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- logs: never a tweet's text ---
LOG_LEVEL = require_one_of(
    "LOG_LEVEL", env("LOG_LEVEL").upper(), logging.getLevelNamesMapping(), "a level: DEBUG, INFO, WARNING or ERROR"
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"faults": {"()": "hate_speech.logs.OnlyFaults"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.request": {"filters": ["faults"]},
    },
}
