"""Where the embedded Redis listens: a unix socket that only its owner reaches, never a TCP port."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.parse
from pathlib import Path

LONGEST_SOCKET_PATH = 107
"""Linux's sockaddr_un holds 108 bytes, one of them the closing zero."""


def redis_socket(home: Path) -> Path:
    """``home/redis/redis.sock``, or, where that is longer than a socket's path may be or would need quoting in a URL, a short one of this
    user's own in the temporary folder."""
    path = home / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and urllib.parse.quote(str(path)) == str(path):
        return path
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"plumbline-{os.getuid()}-{short}" / "redis.sock"
