"""The folder under which an embedded Plumbline keeps everything: made on first use, private to its owner.

`prepare_home` leaves a home in which every command works: secret key, signing certificate, migrated database, the user `demo` in a
workspace of its own. It needs no Redis, is safe when two first commands start at once, and costs a few milliseconds when all is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DEMO_USER = "demo"
DEMO_WORKSPACE = "Demo"


class HomeUnusable(Exception):
    """The home cannot be worked in; the text is one sentence for the person who chose it."""


def read_or_make_secret_key(home: Path) -> str:
    """Django's secret key from ``home/secret_key``; made once, mode 0600. Two first starts at once agree on one key."""
    path = home / "secret_key"
    make_private(home)
    if not path.exists():
        # Written in full beside it and linked into place: no reader ever sees an empty key
        draft = home / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # somebody else was first: theirs is the key
            os.link(draft, path)
        draft.unlink()
    try:
        return path.read_text().strip()
    except OSError as error:
        raise HomeUnusable(f"The secret key {path} cannot be read: {error.strerror}") from error


def make_private(folder: Path) -> None:
    """Make ``folder`` (mode 0700) if it is absent; raises HomeUnusable in one sentence when it cannot be made or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise HomeUnusable(f"PLUMBLINE_HOME {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise HomeUnusable(f"PLUMBLINE_HOME {folder} cannot be written by this user; choose another folder or change its owner")


def prepare_home() -> None:
    """Leave settings.HOME ready for any command. In production only the folders: database and keys are given, and `migrate` is a step of its own.

    Django must be set up. Raises HomeUnusable with one sentence.
    """
    from django.conf import settings

    make_private(settings.HOME)
    for name in ("storage", "staging"):
        make_private(settings.HOME / name)
    if settings.PRODUCTION:
        return
    wanted = _fingerprint()
    if _prepared(settings.HOME, wanted):
        return
    with _only_one(settings.HOME):
        if _prepared(settings.HOME, wanted):
            return
        _make_signing_identity()
        _migrate()
        _make_demo()
        _remember(settings.HOME, wanted)


def _fingerprint() -> str:
    """Changes whenever preparing has something to do: another database, another migration."""
    from django.apps import apps
    from django.conf import settings

    database = settings.DATABASES["default"]
    parts = [str(database[key]) for key in ("ENGINE", "NAME") if key in database] + [str(database.get("HOST", "")), str(database.get("PORT", ""))]
    for app in apps.get_app_configs():
        parts += sorted(f"{app.label}.{path.stem}" for path in Path(app.path).glob("migrations/[0-9]*.py"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _prepared(home: Path, wanted: str) -> bool:
    from django.conf import settings

    database = settings.DATABASES["default"]
    # SQLite makes an empty file of a name that somebody only looked at
    if "sqlite3" in database["ENGINE"] and not (Path(database["NAME"]).exists() and Path(database["NAME"]).stat().st_size):
        return False
    if _key_is_ours() and not Path(settings.SIGNING_CERTIFICATE).exists():
        return False
    try:
        return (home / ".prepared").read_text() == wanted
    except FileNotFoundError:
        return False


def _remember(home: Path, wanted: str) -> None:
    draft = home / ".prepared.draft"
    draft.write_text(wanted)
    draft.replace(home / ".prepared")


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    with open(home / ".preparing", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _key_is_ours() -> bool:
    """Whether the signing key is the home's own; one that was brought by settings is never made or touched."""
    from django.conf import settings

    return Path(settings.SIGNING_KEY).parent == settings.HOME / "signing"


def _make_signing_identity() -> None:
    from django.conf import settings

    from auditapp.signing_identity import ensure_signing_identity

    if _key_is_ours():
        ensure_signing_identity(settings.HOME / "signing")


def _migrate() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        # Before SQLite makes it: a home that was there already may be open to others
        with suppress(FileExistsError):
            os.close(os.open(database["NAME"], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise HomeUnusable(f"The database could not be prepared: {str(error).strip().splitlines()[0]}") from error


def _make_demo() -> None:
    """The user `demo`, without a password (a one-time link logs in), owner of a workspace of its own."""
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from auditapp.models import Membership, Workspace

    with transaction.atomic():
        user, made = get_user_model().objects.get_or_create(username=DEMO_USER)
        if made:
            user.set_unusable_password()
            user.save()
        if not Membership.objects.filter(user=user).exists():
            workspace = Workspace.objects.create(name=DEMO_WORKSPACE)
            Membership.objects.create(workspace=workspace, user=user, role=Membership.Role.OWNER)
