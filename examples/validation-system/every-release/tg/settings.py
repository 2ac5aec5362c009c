"""Settings of the project; everything about the host comes from the environment."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from tg import environment, log

environment.load()
BASE_DIR = environment.BASE_DIR


def database(url):
    if not url:
        raise ImproperlyConfigured("DATABASE_URL is not set")
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": 2, **dict(parse_qsl(parts.query))},
        "CONN_MAX_AGE": None,  # a health check once a minute must not pay for a new session each time
        "CONN_HEALTH_CHECKS": True,
    }


SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-the-loopback")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,tg.example.org").split(",")
ROOT_URLCONF = "tg.urls"
WSGI_APPLICATION = "tg.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static_files"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "characters",
    "game",
    "monitoring",
]
# The API has no login and no cookies, so only the admin needs the protection of forms: its views bring their own.
MIDDLEWARE = [
    "tg.middleware.answer_errors",
    "tg.middleware.close_for_maintenance",
    "tg.middleware.time_pages",
    "tg.middleware.strike",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
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

REDIS_URL = os.environ.get("REDIS_URL")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
        }
    }

BUILD_ID = environment.build_id()
MAINTENANCE_FLAG = environment.path("MAINTENANCE_FLAG")
INSIDE_PORT = os.environ.get("INSIDE_PORT")
FAULT_FILE = environment.path("TG_FAULT")
LOGGING = log.configuration(environment.path("LOG_DIR"))
