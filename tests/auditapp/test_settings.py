"""Settings that are more than a name for a variable."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from auditapp.settings import _mail


@pytest.mark.parametrize(("address", "said"), [
    ("smtp://ada:p%40ss@mail.example.org", ("mail.example.org", 587, "ada", "p@ss", True, False)),
    ("smtps://ada:x@mail.example.org", ("mail.example.org", 465, "ada", "x", False, True)),
    ("smtp+plain://relay:2525", ("relay", 2525, "", "", False, False)),
])
def test_a_mail_server_in_one_address(address: str, said: tuple[object, ...]) -> None:
    read = _mail(address)
    assert tuple(read[f"EMAIL_{name}"] for name in ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")) == said


@pytest.mark.parametrize("address", ["ftp://mail.example.org", "mail.example.org", "smtp://"])
def test_what_is_no_mail_server_is_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_MAIL_URL begins with"):
        _mail(address)
