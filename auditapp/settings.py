"""Django's settings, read from the environment. Two profiles, the same code: "embedded" (SQLite, a Redis of its own, files under var/)
and "production" (PostgreSQL, Redis, an object store), which refuses to start on weak settings."""

from __future__ import annotations

import urllib.parse
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import psutil
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from auditapp.embedded.redis_socket import redis_socket

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """Every setting there is, each with a default for the embedded profile. Names are upper-cased and prefixed: PLUMBLINE_RUN_MEMORY."""

    model_config = SettingsConfigDict(env_prefix="PLUMBLINE_", env_file=".env", extra="ignore")

    profile: Literal["embedded", "production"] = "embedded"
    """production refuses to start on weak settings."""
    home: Path = BASE_DIR / "var"
    """The folder under which an embedded installation keeps everything; in production only files that pass through, and stored files where no object store is named."""
    secret_key: str = ""
    """At least 50 random characters: sessions, and the secrets of webhooks, are made from it. The embedded profile makes one."""
    debug: bool = False
    """For developers only; production refuses it."""
    allowed_hosts: str = "127.0.0.1,localhost,[::1]"
    """The names that people type into the browser, comma-separated."""
    public_url: str = ""
    """Where people reach this installation, such as https://audit.example.org; reports then name the page that checks a copy, with a QR code."""
    database_url: str = ""
    """postgresql://user:password@host:5432/name; empty: SQLite under the home."""
    redis_url: str = ""
    """redis://...; empty: the embedded profile's own."""
    storage_url: str = ""
    """Empty: files under the home; s3://bucket?endpoint=...: an object store."""
    signing_key: str = ""
    """The P-256 or RSA key that signs reports: a PEM or PKCS#12 file, or the address of one on a token (pkcs11:token=NAME;object=KEY?module-path=LIBRARY). Only the worker that takes runs needs
    it. Empty: one that the embedded profile makes."""
    signing_passphrase: str = ""
    """Of that file, or the PIN of the token; where the key is."""
    signing_certificate: Path | None = None
    """PEM of its certificate first, then any others that reports of this installation may be signed by (former ones)."""
    timestamp_url: str = ""
    """An RFC 3161 time stamp authority; empty: reports carry the time of this machine's clock."""
    authorities: Path | None = None
    """PEM of the root certificates, and those between, of whoever issued the time stamp authority's certificate and the signing one. Time stamps of others are then a problem of a report."""
    signature_level: Literal["", "B-LTA"] = ""
    """The PAdES level of signatures. Empty: B-T with a time stamp authority, else B-B. B-LTA puts into the file what it takes to check it after its certificates have ended, and a time stamp over that."""
    signature_at_least: Literal["", "B-T", "B-B"] = ""
    """The lowest PAdES level at which a report is signed where that one cannot be had; it prints its level, and why it is less. Empty: no less, the report waits."""
    image_digest: str = ""
    """sha256:... of the image that this installation runs from, which no process can see from inside; evidence records it. Empty: none is recorded."""
    ledger_heads: Path | None = None
    """The folder for the signed file of each day with the newest entry of every ledger; copies belong elsewhere. Empty: ledger-heads under the home."""
    trusted_proxies: int = Field(0, ge=0, le=5)
    """How many proxies stand in front; their X-Forwarded headers are believed."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    mail_url: str = ""
    """smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465, smtp+plain://host:25 (a relay beside this machine). Empty: the embedded
    profile writes mails to files under the home, production sends none and its pages say so."""
    mail_from: str = "plumbline@localhost"
    """Whom mails come from."""

    # Leases and sweeps (auditapp.runs)
    lease_seconds: float = 60
    """A worker that has not been heard of for so long has lost its run."""
    beat_seconds: float = 15
    """How often a worker says that it lives."""
    sweep_seconds: float = 15
    """How often what was lost is looked for."""
    ring_again_seconds: float = 30
    """A run that nobody has taken for so long is told of again."""
    max_attempts: int = 2
    """How often a run may lose its worker before it has failed."""

    # Limits of a run's child process
    run_memory: int = min(8 * 2**30, psutil.virtual_memory().total // 2)
    """Bytes that a run and its children may use."""
    run_seconds: float = 6 * 3600
    """A run that takes longer has failed."""
    profile_seconds: float = 600
    """A table is read within this time or refused."""
    run_threads: int = psutil.cpu_count(logical=True) or 1
    """Threads of a run that names none."""
    run_niceness: int = Field(10, ge=0, le=19)
    """How much later than pages and calls on the same machine a run is served (as nice says it); 0 where workers have machines of their own."""

    # Limits of a table, shown on the form and repeated in the refusal
    upload_bytes: int = 500 * 2**20
    """Bytes of an uploaded table."""
    table_rows: int = 2_000_000
    table_columns: int = 2_000
    table_groups: int = 50
    """Groups of one sensitive attribute."""
    runs_queued: int = 20
    """Runs of a workspace that may wait."""
    readings_queued: int = Field(50, ge=1)
    """Readings of a workspace's tables that may wait; each is a process of some seconds on a worker that all workspaces share."""
    workspace_tables: int = Field(1_000, ge=1)
    """Tables that a workspace may keep."""
    workspace_bytes: int = Field(50 * 2**30, ge=1)
    """Bytes that they may take together."""

    calls_a_minute: int = Field(6_000, ge=0)
    """Of one token to the REST interface; 0: as many as it likes. Answers 304 are not counted."""
    webhook_networks: str = ""
    """Inside networks that webhooks may be sent to, comma-separated (10.20.0.0/16,127.0.0.0/8), also without TLS; empty: none."""
    webhook_seconds: float = Field(10, gt=0, le=60)
    """How long a webhook's receiver may take to answer."""

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        for part in filter(None, (part.strip() for part in text.split(","))):
            ip_network(part)
        return text


def _environment() -> Environment:
    try:
        return Environment()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ImproperlyConfigured(f"PLUMBLINE_{'_'.join(map(str, first['loc'])).upper()} is {first['input']!r}: {first['msg']}") from error


ENVIRONMENT = _environment()
PRODUCTION = ENVIRONMENT.profile == "production"
HOME = ENVIRONMENT.home.resolve()

DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = [host.strip() for host in ENVIRONMENT.allowed_hosts.split(",") if host.strip()]


def _secret_key() -> str:
    if ENVIRONMENT.secret_key:
        return ENVIRONMENT.secret_key
    if PRODUCTION:
        raise ImproperlyConfigured("PLUMBLINE_SECRET_KEY is not set; production does not start without one")
    from auditapp.home import read_or_make_secret_key

    return read_or_make_secret_key(HOME)


SECRET_KEY = _secret_key()


def _database() -> dict[str, Any]:
    if not ENVIRONMENT.database_url:
        return {
            "ENGINE": "django.db.backends.sqlite3", "NAME": HOME / "db.sqlite3",
            # Measured: opening it takes a millisecond of the processor, half of what a poll costs
            "CONN_MAX_AGE": 60,
            # Measured: without IMMEDIATE, read-then-write transactions of several processes are lost
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"},
        }
    url = urllib.parse.urlsplit(ENVIRONMENT.database_url)
    if url.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"PLUMBLINE_DATABASE_URL begins with {url.scheme}://; postgresql:// is needed")
    query = dict(urllib.parse.parse_qsl(url.query))
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": url.path.lstrip("/"), "USER": urllib.parse.unquote(url.username or ""),
        "PASSWORD": urllib.parse.unquote(url.password or ""), "HOST": query.pop("host", url.hostname or ""), "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": {"connect_timeout": 5, **query},
    }


DATABASES = {"default": _database()}
REDIS_URL = ENVIRONMENT.redis_url or f"redis+socket://{redis_socket(HOME)}"

if PRODUCTION:
    _weak = [
        (DEBUG, "PLUMBLINE_DEBUG is on"),
        (len(SECRET_KEY) < 50, "PLUMBLINE_SECRET_KEY is shorter than 50 characters"),
        (not ENVIRONMENT.database_url, "PLUMBLINE_DATABASE_URL is not set (SQLite is for the embedded profile)"),
        (not ENVIRONMENT.redis_url, "PLUMBLINE_REDIS_URL is not set (the embedded Redis is for the embedded profile)"),
        ("*" in ALLOWED_HOSTS or not ALLOWED_HOSTS, "PLUMBLINE_ALLOWED_HOSTS must name the hosts"),
    ]
    for _is_weak, _why in _weak:
        if _is_weak:
            raise ImproperlyConfigured(f"{_why}; production does not start on it")

INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    "django.contrib.humanize", "axes", "csp", "django_otp", "django_otp.plugins.otp_totp", "auditapp", "workers",
]
MIDDLEWARE = [
    "auditapp.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "auditapp.compression.CompressedPages",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "auditapp.languages.chosen.PageLanguage",  # before whatever refuses in words
    "auditapp.crowd.CrowdControl",
    "auditapp.rate_limits.RateLimitHeaders",
    "auditapp.problems.ProblemAnswers",
    "auditapp.uploads.BodyLimits",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "auditapp.views.errors.DatabaseAnswers",
]
ROOT_URLCONF = "auditapp.urls"
WSGI_APPLICATION = "auditapp.wsgi.application"
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"], "APP_DIRS": False,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ],
        "builtins": ["auditapp.templatetags.audit", "auditapp.templatetags.folds"],
    },
}]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "auditapp.people.guessing.Handler"
AXES_LOCKOUT_CALLABLE = "auditapp.views.sign_in.locked_out"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a flat list means OR: anybody could lock the owner out
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # a refused guess is not looked at: it neither counts nor prolongs a pause
AXES_IPWARE_PROXY_COUNT = ENVIRONMENT.trusted_proxies or None
AXES_IPWARE_META_PRECEDENCE_ORDER = ["HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"] if ENVIRONMENT.trusted_proxies else ["REMOTE_ADDR"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
OTP_TOTP_ISSUER = "Plumbline"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

MAIL_SERVER = bool(ENVIRONMENT.mail_url)
"""Whether a mail reaches anybody: where it does not, links are shown to whoever may hand them on."""


def _mail(address: str) -> dict[str, Any]:
    if not address:
        return {"EMAIL_BACKEND": f"django.core.mail.backends.{'dummy' if PRODUCTION else 'filebased'}.EmailBackend", "EMAIL_FILE_PATH": HOME / "mail"}
    url = urllib.parse.urlsplit(address)
    if url.scheme not in ("smtp", "smtps", "smtp+plain") or not url.hostname:
        raise ImproperlyConfigured(f"PLUMBLINE_MAIL_URL begins with {url.scheme}://; smtp://HOST, smtps://HOST or smtp+plain://HOST is needed")
    return {
        "EMAIL_HOST": url.hostname, "EMAIL_PORT": url.port or {"smtp": 587, "smtps": 465, "smtp+plain": 25}[url.scheme],
        "EMAIL_HOST_USER": urllib.parse.unquote(url.username or ""), "EMAIL_HOST_PASSWORD": urllib.parse.unquote(url.password or ""),
        "EMAIL_USE_TLS": url.scheme == "smtp", "EMAIL_USE_SSL": url.scheme == "smtps",
    }


globals().update(_mail(ENVIRONMENT.mail_url))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.mail_from
EMAIL_TIMEOUT = 10

CONTENT_SECURITY_POLICY = {"DIRECTIVES": {
    "default-src": [NONE], "script-src": [SELF], "style-src": [SELF], "img-src": [SELF], "font-src": [SELF], "connect-src": [SELF],
    "form-action": [SELF], "frame-ancestors": [NONE], "base-uri": [NONE],
}}
CSRF_FAILURE_VIEW = "auditapp.views.errors.csrf_failed"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "auditapp.people.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by the container's health check, without TLS
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.trusted_proxies else None
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "auditapp" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # served from where they lie: no collecting step before the first start
STATICFILES_DIRS = [BASE_DIR / "auditapp" / "static"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Uploads stream to a temporary file next to their storage; anything else that is posted is small
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_HANDLERS = ["auditapp.uploads.CappedUpload"]
STORAGE_ROOT = HOME / "storage"
STORAGE_URL = ENVIRONMENT.storage_url
STAGING_ROOT = HOME / "staging"

LEASE_SECONDS = ENVIRONMENT.lease_seconds
BEAT_SECONDS = ENVIRONMENT.beat_seconds
SWEEP_SECONDS = ENVIRONMENT.sweep_seconds
RING_AGAIN_SECONDS = ENVIRONMENT.ring_again_seconds
MAX_ATTEMPTS = ENVIRONMENT.max_attempts
RUN_MEMORY = ENVIRONMENT.run_memory
RUN_SECONDS = ENVIRONMENT.run_seconds
PROFILE_SECONDS = ENVIRONMENT.profile_seconds
RUN_THREADS = ENVIRONMENT.run_threads
RUN_NICENESS = ENVIRONMENT.run_niceness
UPLOAD_BYTES = ENVIRONMENT.upload_bytes
TABLE_ROWS = ENVIRONMENT.table_rows
TABLE_COLUMNS = ENVIRONMENT.table_columns
TABLE_GROUPS = ENVIRONMENT.table_groups
RUNS_QUEUED = ENVIRONMENT.runs_queued
READINGS_QUEUED = ENVIRONMENT.readings_queued
WORKSPACE_TABLES = ENVIRONMENT.workspace_tables
WORKSPACE_BYTES = ENVIRONMENT.workspace_bytes
CALLS_A_MINUTE = ENVIRONMENT.calls_a_minute
WEBHOOK_NETWORKS = ENVIRONMENT.webhook_networks
WEBHOOK_SECONDS = ENVIRONMENT.webhook_seconds
SIGNING_KEY: str | Path = ENVIRONMENT.signing_key or HOME / "signing" / "key.pem"
SIGNING_CERTIFICATE = ENVIRONMENT.signing_certificate or HOME / "signing" / "certificate.pem"
SIGNING_PASSPHRASE = ENVIRONMENT.signing_passphrase
LEDGER_HEADS = ENVIRONMENT.ledger_heads or HOME / "ledger-heads"
TIMESTAMP_URL = ENVIRONMENT.timestamp_url
AUTHORITIES = ENVIRONMENT.authorities
SIGNATURE_LEVEL = ENVIRONMENT.signature_level
SIGNATURE_AT_LEAST = ENVIRONMENT.signature_at_least
VERIFY_URL = f"{ENVIRONMENT.public_url.rstrip('/')}/verify" if ENVIRONMENT.public_url else ""
"""What a report names as the place to have a copy checked; empty where nobody outside could open it."""

LOGGING = {
    "version": 1, "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "auditapp.request_ids.InLogRecords"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.log_level},
    "loggers": {"axes": {"level": "WARNING"}},
}
