"""The second step: codes of an app, each once, and recovery codes."""

from __future__ import annotations

from typing import Any

from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from auditapp.models import LedgerEntry, RecoveryCode
from auditapp.people import second_step


def code(user: Any) -> str:
    """What the app shows."""
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key):06d}"


def actions() -> list[str]:
    return list(LedgerEntry.objects.filter(action__startswith="second_step").values_list("action", flat=True))


def forget_time(user: Any) -> None:
    """As if the next code of the app had come, and the pause after wrong ones were over."""
    TOTPDevice.objects.filter(user=user).update(last_t=-1, throttling_failure_count=0, throttling_failure_timestamp=None)


def test_it_is_on_only_when_the_app_has_shown_that_it_has_the_secret(analyst: Any, workspace: Any) -> None:
    assert second_step.setup(analyst) is None
    second_step.begin(analyst)
    setup = second_step.setup(analyst)
    assert setup is not None
    assert setup.key in setup.address
    assert setup.address.startswith("otpauth://totp/")
    assert second_step.confirm(analyst, "000000") is None
    assert not second_step.is_on(analyst)
    forget_time(analyst)
    codes = second_step.confirm(analyst, code(analyst))
    assert codes is not None
    assert (len(set(codes)), len(codes[0])) == (10, 27)
    assert second_step.is_on(analyst)
    assert second_step.setup(analyst) is None  # the secret is not shown again
    assert not any(shown.replace("-", "") in str(list(RecoveryCode.objects.values())) for shown in codes)
    second_step.begin(analyst)
    assert second_step.setup(analyst) is None
    assert actions() == ["second_step.on"]


def test_a_code_works_once_and_after_wrong_ones_there_is_a_pause(analyst: Any, workspace: Any) -> None:
    second_step.begin(analyst)
    second_step.confirm(analyst, code(analyst))
    assert not second_step.check(analyst, code(analyst))  # used to confirm
    forget_time(analyst)
    assert second_step.wait(analyst) == 0
    assert second_step.check(analyst, f" {code(analyst)[:3]} {code(analyst)[3:]} ")
    forget_time(analyst)
    wrong = f"{(int(code(analyst)) + 1) % 10**6:06d}"
    for _ in range(3):
        second_step.check(analyst, wrong)
        TOTPDevice.objects.filter(user=analyst).update(throttling_failure_timestamp=None)
    second_step.check(analyst, wrong)
    assert second_step.wait(analyst) > 1
    assert not second_step.check(analyst, code(analyst))


def test_a_recovery_code_stands_in_once_and_new_ones_end_the_old(analyst: Any, workspace: Any, django_user_model: Any) -> None:
    second_step.begin(analyst)
    first, second, *_rest = second_step.confirm(analyst, code(analyst)) or []
    assert not second_step.check(django_user_model.objects.create_user("eve"), first)
    assert second_step.check(analyst, first.upper())
    assert not second_step.check(analyst, first)
    assert second_step.renew_codes(analyst)
    assert not second_step.check(analyst, second)
    assert second_step.switch_off(analyst, "user:ada")
    assert not second_step.switch_off(analyst, "user:ada")
    assert RecoveryCode.objects.count() == 0
    assert actions() == ["second_step.on", "second_step.recovery_code_used", "second_step.codes_renewed", "second_step.off"]
