"""gunicorn's access log without secrets: the path of a link that opens something is one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

_SECRET = re.compile(r"((?:/|%2F)(?:login(?:/|%2F)link|invitations|shared|password(?:/|%2F)new|account(?:/|%2F)email)(?:/|%2F))[^/?&\s]+", re.IGNORECASE)


class MaskingLogger(Logger):
    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        """What a line of the log is made of, each text masked."""
        return {name: _SECRET.sub(r"\1***", value) if isinstance(value, str) else value for name, value in super().atoms(resp, req, environ, request_time).items()}
