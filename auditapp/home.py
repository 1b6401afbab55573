"""The folder under which an embedded Plumbline keeps everything: made on first use, private to its owner."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make_secret_key(home: Path) -> str:
    """Django's secret key from ``home/secret_key``; made once, mode 0600. Two first starts at once agree on one key."""
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(64))
    return path.read_text().strip()
