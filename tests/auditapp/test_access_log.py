from __future__ import annotations

import datetime
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from auditapp.access_log import MaskingLogger


@pytest.mark.parametrize("path", ["/login/link/", "/invitations/", "/password/new/", "/shared/", "/settings/account/email/"])
def test_the_secret_of_a_link_is_in_no_line_of_the_log(path: str) -> None:
    request = SimpleNamespace(headers=[("REFERER", f"http://h{path}s3cret?next=/")])
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": f"{path}s3cret?next=/", "PATH_INFO": f"{path}s3cret", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_REFERER": f"http://h/login?next={path.replace('/', '%2F')}s3cret&x=1"}
    response = SimpleNamespace(status="200 OK", sent=1, headers=[])
    atoms = MaskingLogger(Config()).atoms(response, request, environ, datetime.timedelta(seconds=1))
    line = Config().access_log_format % MaskingLogger(Config()).atoms_wrapper_class(atoms)
    assert "s3cret" not in line
    assert line.count("***") == 2
    assert "?next=/" in line
