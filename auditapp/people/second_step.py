"""The second step of a login, for those who want one: a code from an app on their phone (TOTP), or a recovery code once.

It comes after whatever opened the first door: password or link. Tokens have no second step; they are made by somebody who is logged in.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import segno
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from auditapp import ledger
from auditapp.access import hashed, workspace_of
from auditapp.models import RecoveryCode

CODES = 10
_CODE_BYTES = 15
"""120 bits, so that a plain hash is enough."""


@dataclass(frozen=True)
class Setup:
    """What the app needs: ``key`` to be typed, ``address`` to be opened on the phone itself, ``picture`` to be looked at by its camera."""

    key: str
    address: str
    picture: str
    """The path of an SVG whose units are the picture's squares."""
    size: int


def is_on(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def begin(user: User) -> None:
    """A new secret, which opens nothing before `confirm`; one that was begun before is thrown away."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        if not is_on(user):
            TOTPDevice.objects.create(user=user, name="app", confirmed=False)


def setup(user: User) -> Setup | None:
    """What was begun; None where nothing was. A confirmed secret is never shown again."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None:
        return None
    rows = segno.make(device.config_url, error="m", micro=False).matrix
    squares = "".join(f"M{x + 4} {y + 4}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return Setup(base64.b32encode(device.bin_key).decode(), device.config_url, squares, len(rows) + 8)


def confirm(user: User, code: str) -> list[str] | None:
    """On from now, if ``code`` shows that the app has the secret: the recovery codes, which are shown once. None for a wrong code."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token(code):
        return None
    with transaction.atomic():
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        codes = _new_codes(user)
        ledger.append(workspace_of(user), ledger.actor_of(user), "second_step.on", f"user:{user.pk}", {})
    return codes


def check(user: User, code: str) -> bool:
    """Whether ``code`` is the app's present one, not used yet, or a recovery code, which is then spent. After wrong ones nothing is right for some seconds: `wait`."""
    text = "".join(code.split()).replace("-", "").lower()
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    if device is None:
        return False
    if text.isdigit():
        return bool(device.verify_token(text))
    with transaction.atomic():
        spent, _rows = RecoveryCode.objects.filter(user=user, sha256=hashed(text)).delete()
        if spent:
            ledger.append(workspace_of(user), ledger.actor_of(user), "second_step.recovery_code_used", f"user:{user.pk}", {"left": user.recovery_codes.count()})
    return bool(spent)


def wait(user: User) -> int:
    """Seconds until a code of the app is looked at again; 0: now."""
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    allowed, why = device.verify_is_allowed() if device is not None else (True, None)
    if allowed or why is None:
        return 0
    until = cast(datetime, why["locked_until"])
    return max(1, round((until.astimezone(UTC) - timezone.now()).total_seconds()))


def renew_codes(user: User) -> list[str]:
    """New recovery codes; the old ones open nothing any more."""
    with transaction.atomic():
        codes = _new_codes(user)
        ledger.append(workspace_of(user), ledger.actor_of(user), "second_step.codes_renewed", f"user:{user.pk}", {})
    return codes


def switch_off(user: User, actor: str) -> bool:
    with transaction.atomic():
        was_on = is_on(user)
        TOTPDevice.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        if was_on:
            ledger.append(workspace_of(user), actor, "second_step.off", f"user:{user.pk}", {})
    return was_on


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower() for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(sha256=hashed(code), user=user) for code in codes)
    return ["-".join(code[at:at + 6] for at in range(0, len(code), 6)) for code in codes]
