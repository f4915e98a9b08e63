"""Settings. All that differs between installations comes from the environment; README.md lists the variables."""

import logging
import os
import tempfile
import zoneinfo
from pathlib import Path

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from .secret import read_or_make_secret

BASE_DIR = Path(__file__).resolve().parent.parent

# Every variable is declared here, with its type and default; a test holds README.md's table to this list. With _FILE at its end
# each may name a file that holds the value instead.
env = environ.FileAwareEnv(
    SECRET_KEY=(str, ""),
    DEBUG=(bool, False),
    ALLOWED_HOSTS=(list, ["localhost", "127.0.0.1", "[::1]"]),
    CORS_ALLOWED_ORIGINS=(list, []),
    DATABASE_URL=(str, ""),
    REDIS_URL=(str, ""),
    REDIS_KEY_PREFIX=(str, "hate_speech:"),
    CELERY_BROKER_URL=(str, ""),
    CELERY_TIMEZONE=(str, "Europe/Warsaw"),
    TRAINING_HOUR=(int, 1),
    HATE_SPEECH_DATA_DIR=(str, str(BASE_DIR / "var")),
    HATE_SPEECH_ENGINE=(str, "encoder"),
    HATE_SPEECH_THREADS=(int, 0),
    HATE_SPEECH_OPEN_ACCESS=(bool, False),
    RATE_LIMIT=(int, -1),
    PROXIES=(int, 0),
    GATE_F1_LOSS=(float, 0.005),
    GATE_GROUP_LOSS=(float, 0.04),
    GATE_GAP_GROWTH=(float, 0.04),
    GATE_REVIEW_LOSS=(float, 0.02),
    FEEDS_FROM_PRIVATE_ADDRESSES=(bool, False),
    LOG_LEVEL=(str, "INFO"),
)


def _one_of(variable: str, value, allowed, described: str):
    """Return `value` if it is allowed; else stop the start, naming the variable and what it takes."""
    if value not in allowed:
        raise ImproperlyConfigured(f"{variable}={value!r} is not valid. It takes {described}.")
    return value


def _number(variable: str) -> int:
    try:
        return env(variable)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} takes a whole number: {error}") from error


def _share(variable: str) -> float:
    try:
        value = env(variable)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} takes a number: {error}") from error
    if not 0 <= value <= 1:
        raise ImproperlyConfigured(f"{variable}={value!r} is not valid. It takes a share from 0 to 1, such as 0.04 for 4 points.")
    return value


def _flag(variable: str) -> bool:
    spelled = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    value = env.str(variable, default="false").lower()
    return spelled[_one_of(variable, value, spelled, "true or false")]


# Database, queue, models and key: everything that is written stays below this folder.
DATA_DIR = Path(env("HATE_SPEECH_DATA_DIR")).absolute()
try:
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # the posts in it are nobody else's
    tempfile.TemporaryFile(dir=DATA_DIR).close()
except OSError as error:
    raise ImproperlyConfigured(f"HATE_SPEECH_DATA_DIR={DATA_DIR} cannot be written to: {error.strerror}.") from error
ENGINE = _one_of("HATE_SPEECH_ENGINE", env("HATE_SPEECH_ENGINE"), ("encoder", "linear"), "encoder or linear")
# How many threads the encoder may use in a process; 0 is one for each core.
ENCODER_THREADS = _one_of("HATE_SPEECH_THREADS", _number("HATE_SPEECH_THREADS"), range(257), "a number from 0 to 256")

DEBUG = _flag("DEBUG")
SECRET_KEY = env("SECRET_KEY") or read_or_make_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env("ALLOWED_HOSTS")
# What a server has to be told; api.checks refuses its start without.
NOT_SET = [name for name in ("SECRET_KEY", "ALLOWED_HOSTS") if not env.str(name, default="")]

# Whether whoever reaches the service needs no key. True in the local run and in dev.yml, which listen on this machine only.
OPEN_ACCESS = _flag("HATE_SPEECH_OPEN_ACCESS")
# Requests a minute of a key, or of an address that shows none; 0 is no limit.
RATE_LIMIT = _number("RATE_LIMIT")
if RATE_LIMIT < 0:
    RATE_LIMIT = 0 if OPEN_ACCESS else 600
# How many of our own proxies stand before the service, each adding the address that it saw.
PROXIES = _one_of("PROXIES", _number("PROXIES"), range(11), "a number from 0 to 10")
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# On a server the admin is behind TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not OPEN_ACCESS
# HSTS is for the proxy to send, and a redirect to https would break the clients that send once and follow nothing.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
# gunicorn's own variable: without Redis each of its processes allows its share of the rate.
WEB_CONCURRENCY = int(os.environ.get("WEB_CONCURRENCY", "2"))

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
    "api.middleware.guard_requests",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.middleware.AdminSessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "api.middleware.AdminAuthenticationMiddleware",
    "api.middleware.AdminMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
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

# Swagger's files come out of its package, through WhiteNoise: nothing to collect, no foreign host.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

# --- database ---
DATABASES = {"default": env.db_url_config(env("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # A write begins by taking the write lock, so that two writers queue instead of failing in the middle.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Readers go on while one writes. FULL: a posted review survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;",
    }
_database["CONN_MAX_AGE"] = 600
_database["CONN_HEALTH_CHECKS"] = True

# --- cache: scores. JSON, since what is read from a shared place must not execute ---
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
                # Losing Redis costs speed, never an answer.
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
CELERY_TIMEZONE = _one_of(
    "CELERY_TIMEZONE",
    env("CELERY_TIMEZONE"),
    zoneinfo.available_timezones(),
    "the name of a time zone, such as Europe/Warsaw or UTC",
)
_training_hour = _one_of("TRAINING_HOUR", _number("TRAINING_HOUR"), range(24), "an hour from 0 to 23")
CELERY_BEAT_SCHEDULE = {
    "auto_first_train_model": {
        "task": "hate_speech.tasks.auto_first_train_model",
        "schedule": crontab(hour=_training_hour, minute=0),
    },
    # A training whose worker was killed, or whose message was lost, is queued again: its row decides, not the broker.
    "queue_stalled_trainings": {
        "task": "hate_speech.tasks.queue_stalled_trainings",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
}
# In memory: the persistent scheduler keeps a pickle, and a night missed while everything was off is made up for by the
# training of the next start.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
if CELERY_BROKER_URL.startswith("filesystem://"):
    _queue = DATA_DIR / "queue"
    for _folder in (_queue / "messages", _queue / "control"):
        _folder.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "messages"),
        "data_folder_out": str(_queue / "messages"),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.2,
    }
    # It has no fanout worth the name, which remote control needs.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
elif CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": REDIS_KEY_PREFIX, "socket_connect_timeout": 2}

# --- model versions ---
# How much worse than the active version a candidate may be, in shares of 1; names as in hate_speech_AI.evaluation.gate.Limits.
GATE_LIMITS = {
    "f1_loss": _share("GATE_F1_LOSS"),
    "group_loss": _share("GATE_GROUP_LOSS"),
    "gap_growth": _share("GATE_GAP_GROWTH"),
    "review_loss": _share("GATE_REVIEW_LOSS"),
}
# Where the reports' pictures keep what they know of the fonts.
os.environ.setdefault("MPLCONFIGDIR", str(DATA_DIR / "matplotlib"))

# --- feeds ---
FEEDS_FROM_PRIVATE_ADDRESSES = _flag("FEEDS_FROM_PRIVATE_ADDRESSES")

# --- the API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.KeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.Rate"],
    # Closed by default: each view that is open says so.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PARSER_CLASSES": [
        "api.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.negotiation.AlwaysFirstRenderer",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Pages",
    "EXCEPTION_HANDLER": "api.exceptions.handle_exception",
    "NON_FIELD_ERRORS_KEY": "body",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hate speech detector",
    "DESCRIPTION": (
        "Tells whether a short text is hate speech, learns from the people who review it, and says how good it is."
        " It reads English only."
    ),
    "VERSION": "1.0.0",
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
    # Before the guard, so that what the guard refuses reaches an allowed origin readable; not at all where none is allowed.
    MIDDLEWARE.insert(1, "corsheaders.middleware.CorsMiddleware")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- logs: never a tweet's text ---
LOG_LEVEL = _one_of(
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
