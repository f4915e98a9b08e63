"""Settings. What differs between installations comes from the environment; docs/settings.md lists the variables.

The import writes nothing: `start.prepare_process` makes the folder and the key.
"""

import zoneinfo

from celery.schedules import crontab

from .celery import app as celery_app  # noqa: F401  (Django's processes send tasks with it)
from .connections import read_broker, read_database, read_redis
from .environment import (
    BASE_DIR,
    find_signs_of_a_server,
    is_set,
    read_choice,
    read_data_dir,
    read_flag,
    read_hosts,
    read_limit,
    read_matching,
    read_number,
    read_origins,
    read_prefix,
    read_share,
    read_text,
    read_web_processes,
)
from .release import read_commit, read_version
from .secret import is_weak, read_secret

VERSION, COMMIT = read_version(BASE_DIR), read_commit(BASE_DIR)
DATA_DIR = read_data_dir()

ENGINE = read_choice("HATE_SPEECH_ENGINE", ("encoder", "linear"), "encoder or linear")
# How many threads the encoder may use for a list of texts; 0 is one for each core.
ENCODER_THREADS = read_number("HATE_SPEECH_THREADS", range(257), "a number from 0 to 256")
UNSUPPORTED_LANGUAGES = read_choice("UNSUPPORTED_LANGUAGES", ("judge", "refuse"), "judge or refuse")

DEBUG = read_flag("DEBUG")
SECRET_KEY = read_text("SECRET_KEY") or read_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = read_hosts("ALLOWED_HOSTS")

# What api.checks asks before a start.
NOT_SET = [name for name in ("SECRET_KEY", "ALLOWED_HOSTS") if not is_set(name)]
HAS_WEAK_KEY = is_weak(SECRET_KEY)
SIGNS_OF_A_SERVER = find_signs_of_a_server()

# Whether requests need no key: api.checks says when it may be. docker/run_local.py and dev.yml set it, for this machine only.
OPEN_ACCESS = read_flag("HATE_SPEECH_OPEN_ACCESS")
# Requests a minute for each key, or for each address without a key.
RATE_LIMIT = read_limit("RATE_LIMIT", 0 if OPEN_ACCESS else 600, "requests a minute")
# The same in tokens, of which the encoder reads the texts. English has one for four characters.
TOKEN_RATE_LIMIT = read_limit("TOKEN_RATE_LIMIT", 0 if OPEN_ACCESS else 600_000, "tokens a minute")
# How many labels a trusted key may store in a day, and of texts with how many characters. An untrusted key may store a tenth.
DAILY_ROWS = read_limit("DAILY_ROWS", 0 if OPEN_ACCESS else 20_000, "labels a day")
DAILY_CHARACTERS = read_limit("DAILY_CHARACTERS", 0 if OPEN_ACCESS else 20_000_000, "characters a day")
# In how many seconds the texts of a request have to be judged.
ANSWER_SECONDS = read_number("ANSWER_SECONDS", range(3601), "from 0 to 3600, and 0 for no limit")
# How many of our own proxies are in front of the service. Each adds the address that it saw to X-Forwarded-For.
PROXIES = read_number("PROXIES", range(11), "a number from 0 to 10")
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# On a server the admin is served over TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not OPEN_ACCESS
# Where a proxy hands on one path of its site. Always set, so that no header of a request says it.
FORCE_SCRIPT_NAME = read_prefix("URL_PREFIX")
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{FORCE_SCRIPT_NAME}/"
# The proxy sends HSTS. A redirect to https would break clients that do not follow redirects.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
# The admin's middlewares are not in MIDDLEWARE by name: api.web.sessions applies them below SESSION_PATHS.
SILENCED_SYSTEM_CHECKS += ["admin.E408", "admin.E409", "admin.E410"]
# gunicorn's own variable. Without Redis each process allows its share of the rate.
WEB_CONCURRENCY = read_web_processes()

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
if OPEN_ACCESS:
    MIDDLEWARE.insert(1, "api.web.middleware.refuse_proxied_requests")
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
STATIC_URL = f"{FORCE_SCRIPT_NAME}/static/"
WHITENOISE_USE_FINDERS = True

# --- database ---
_database = read_database()
DATABASES = {"default": _database}
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # A transaction takes the write lock at its beginning, so two writers wait for each other instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # WAL: readers are not blocked by a writer. FULL: a posted review survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;",
    }
elif _database["ENGINE"] == "django.db.backends.postgresql":
    # Seconds until a connection counts as failed, and milliseconds until one that was cut does: the system's own take minutes.
    _database["OPTIONS"] = {"connect_timeout": 3, "tcp_user_timeout": 10_000} | _database.get("OPTIONS", {})
_database["CONN_MAX_AGE"] = 600
_database["CONN_HEALTH_CHECKS"] = True

# --- cache: scores, as JSON: data from a shared place must not execute code, as a pickle could ---
REDIS_URL = read_redis()
REDIS_KEY_PREFIX = read_matching("REDIS_KEY_PREFIX", r"[\w:./-]+", "letters, figures and :./-_")
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
CELERY_BROKER_URL = read_broker()
# Celery takes the variable CELERY_BROKER_URL as it is before the setting of that name, but not before these.
CELERY_BROKER_READ_URL = CELERY_BROKER_WRITE_URL = CELERY_BROKER_URL
CELERY_TIMEZONE = read_choice(
    "CELERY_TIMEZONE", zoneinfo.available_timezones(), "the name of a time zone, such as Europe/Warsaw or UTC"
)
_training_hour = read_number("TRAINING_HOUR", range(24), "an hour from 0 to 23")
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
CELERY_BEAT_SCHEDULER = "hate_speech.beat:BeatingScheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(DATA_DIR / "queue" / "messages"), "polling_interval": 0.2}
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
    "forgetting": read_share("GATE_FORGETTING"),
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
    "/v1/moderations": "api.compat.errors.shape_openai_error",
    "/v1/models": "api.compat.errors.shape_openai_error",
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
    "SERVERS": [{"url": FORCE_SCRIPT_NAME}] if FORCE_SCRIPT_NAME else [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "api.web.openapi.require_bodies"],
    "ENUM_NAME_OVERRIDES": {
        "VersionOutcome": ["promoted", "refused", "held_back"],
        "TrainingOutcome": ["", "promoted", "refused", "held_back", "unchanged", "failed"],
    },
}
CORS_ALLOWED_ORIGINS = read_origins("CORS_ALLOWED_ORIGINS")
if CORS_ALLOWED_ORIGINS:
    # Before the guard, so that allowed origins can read its refusals too. Not installed if no origin is allowed.
    MIDDLEWARE.insert(1, "corsheaders.middleware.CorsMiddleware")
# What pages may send: keys in any of their headers, and what OpenAI's client adds to each call.
CORS_ALLOW_HEADERS = (
    *("accept", "authorization", "content-type", "user-agent", "x-requested-with", "x-api-key", "x-goog-api-key"),
    *("idempotency-key", "openai-beta", "openai-organization", "openai-project"),
    *(
        f"x-stainless-{name}"
        for name in (
            *("arch", "async", "custom-poll-interval", "helper-method", "lang", "os", "package-version", "poll-helper"),
            *("raw-response", "read-timeout", "retry-count", "runtime", "runtime-version", "stream-helper", "timeout"),
        )
    ),
)
CORS_EXPOSE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Model-Version")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- logs: never a tweet's text ---
LOG_LEVEL = read_matching(
    "LOG_LEVEL", "(?i:DEBUG|INFO|WARNING|ERROR|CRITICAL)", "a level: DEBUG, INFO, WARNING, ERROR or CRITICAL"
).upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "hate_speech.logs.FormatterWithoutValues",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "filters": {"faults": {"()": "hate_speech.logs.OnlyFaults"}, "sweeps": {"()": "hate_speech.logs.QuietSweeps"}},
    # On the handler: a filter of a logger would not see what the loggers below it say.
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["faults", "sweeps"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"django": {"handlers": [], "propagate": True}},
}
