"""Where people reach this installation: links in mails and on terminals begin with it."""

from __future__ import annotations

import os

from django.conf import settings
from django.http import HttpRequest


def public_address(request: HttpRequest | None = None) -> str:
    """Without a slash at its end. Where no setting says it: as the request came in, else this machine's own port."""
    said = str(settings.ENVIRONMENT.public_url).rstrip("/")
    if said:
        return said
    if request is not None:
        return request.build_absolute_uri("/").rstrip("/")
    return f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
