from __future__ import annotations

import datetime
from types import SimpleNamespace

from gunicorn.config import Config

from auditapp.access_log import MaskingLogger


def test_the_secret_of_a_login_link_is_in_no_line_of_the_log() -> None:
    request = SimpleNamespace(headers=[("REFERER", "http://h/login/link/s3cret?next=/")])
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/login/link/s3cret?next=/", "PATH_INFO": "/login/link/s3cret", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_REFERER": "http://h/login/link/s3cret"}
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    atoms = MaskingLogger(Config()).atoms(response, request, environ, datetime.timedelta(seconds=1))
    line = Config().access_log_format % MaskingLogger(Config()).atoms_wrapper_class(atoms)
    assert "s3cret" not in line
    assert line.count("/login/link/***") == 2
    assert "?next=/" in line
