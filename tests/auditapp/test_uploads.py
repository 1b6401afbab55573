"""Bodies that are too large, announced or not, against a real gunicorn: refused soon, seen by the client, nothing kept in memory or on disk."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from auditapp import uploads

pytestmark = pytest.mark.slow

MIB = 2**20


def _curl(server: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        ["curl", "-sS", "-m", "60", "-H", f"Authorization: Bearer {server.token}", "-w", "\n%{http_code}", *arguments], capture_output=True, text=True, check=False)
    body, _, status = done.stdout.rpartition("\n")
    assert done.returncode == 0, done.stderr
    return int(status), json.loads(body)


def _sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def _passing_files(server: Any) -> list[Path]:
    return [path for path in (server.home / "storage").rglob("*") if path.is_file() and "sha256" not in path.parts]


@pytest.fixture
def gigabyte(tmp_path: Path) -> Path:
    return _sparse(tmp_path / "big.csv", 1024 * MIB)


@pytest.mark.parametrize("form", [[], ["-H", "Transfer-Encoding: chunked"]], ids=["announced", "chunked"])
def test_t23_a_gigabyte_is_refused_and_the_process_does_not_grow(form: list[str], gigabyte: Path, web_server: Any) -> None:
    before = web_server.resident_bytes()
    status, problem = _curl(web_server, *form, "-F", f"file=@{gigabyte}", f"{web_server.url}/datasets")
    assert (status, problem["status"], problem["title"]) == (413, 413, "Too large")
    assert web_server.resident_bytes() - before < 50 * MIB
    assert _passing_files(web_server) == []


def test_the_refusal_names_the_limit(gigabyte: Path, web_server: Any) -> None:
    _, problem = _curl(web_server, "-F", f"file=@{gigabyte}", f"{web_server.url}/datasets")
    assert problem["detail"] == "The limit for a file is 104,857,600 bytes (100 MiB)."


def test_a_file_one_byte_over_the_limit_is_refused_and_one_at_the_limit_is_stored(tmp_path: Path, web_server: Any) -> None:
    status, problem = _curl(web_server, "-F", f"file=@{_sparse(tmp_path / 'over.csv', 100 * MIB + 1)}", f"{web_server.url}/datasets")
    assert (status, problem["title"]) == (413, "Too large")
    before = web_server.resident_bytes()
    status, dataset = _curl(web_server, "-F", f"file=@{_sparse(tmp_path / 'at.csv', 100 * MIB)}", f"{web_server.url}/datasets")
    assert (status, dataset["bytes"]) == (201, 100 * MIB)
    assert web_server.resident_bytes() - before < 50 * MIB
    assert _passing_files(web_server) == []


def test_a_body_that_does_not_announce_its_length_is_read(tmp_path: Path, web_server: Any) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    status, dataset = _curl(web_server, "-H", "Transfer-Encoding: chunked", "-F", f"file=@{table}", f"{web_server.url}/datasets")
    assert (status, dataset["bytes"]) == (201, 8)


@pytest.mark.parametrize("chunked", [False, True])
def test_t40_json_of_100_mb_is_refused(chunked: bool, tmp_path: Path, web_server: Any) -> None:
    big = tmp_path / "big.json"
    big.write_bytes(b'{"dataset": "' + b"x" * 100_000_000 + b'"}')
    form = ["-H", "Transfer-Encoding: chunked"] if chunked else []
    status, problem = _curl(web_server, *form, "-H", "Content-Type: application/json", "--data-binary", f"@{big}", f"{web_server.url}/runs")
    assert (status, problem["title"]) == (413, "Too large")


def test_t24_an_upload_cut_off_leaves_nothing(web_server: Any) -> None:
    before = web_server.script("from auditapp.models import Dataset; print(Dataset.objects.count())")
    head = (
        f"POST /api/v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {web_server.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 50000000\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n')
    with socket.create_connection(("127.0.0.1", web_server.port)) as connection:
        connection.sendall(head.encode() + b"a,b\n" * 1_000_000)
    for _ in range(50):
        if not _passing_files(web_server):
            break
        time.sleep(0.1)
    assert _passing_files(web_server) == []
    assert web_server.script("from auditapp.models import Dataset; print(Dataset.objects.count())") == before


def _announced_only(server: Any, length: int, token: str | None) -> int:
    """The status that is answered to the headers alone; not one byte of the body is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("POST", "/api/v1/datasets")
    if token:
        connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_what_is_announced_as_too_large_is_refused_before_it_is_sent(web_server: Any) -> None:
    assert _announced_only(web_server, 1024 * MIB, web_server.token) == 413


def test_a_page_refuses_in_words_too(web_server: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10)
    connection.putrequest("POST", "/verify")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(1024 * MIB))
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert (response.status, response.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert "The limit for a file is 104,857,600 bytes (100 MiB)." in text
    assert response.headers["Content-Security-Policy"]


def test_a_page_reads_a_large_form_only_for_who_is_logged_in(web_server: Any) -> None:
    """The cookie and field that forged forms lack are looked for in the form itself: 500 MiB a stranger, for nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10)
    connection.putrequest("POST", "/login")
    for name, value in (("Cookie", f"csrftoken={'a' * 32}"), ("Content-Type", "multipart/form-data; boundary=x"), ("Content-Length", str(90 * MIB))):
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == 413
    assert "Log in first. The limit for a file is 67,108,864 bytes (64 MiB)." in text


def _stalled(server: Any, announced: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall((
        f"POST /verify HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken={'a' * 32}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {announced}\r\n\r\n--x\r\n").encode())
    return connection


@pytest.mark.parametrize("announced", [500_000, 1024 * MIB], ids=["taken", "refused"])
def test_t22_slow_clients_take_no_page_from_others(announced: int, web_server: Any) -> None:
    slow = []
    for _ in range(64):
        slow.append(_stalled(web_server, announced))
        time.sleep(0.05)  # so that both processes get their share
    try:
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{web_server.port}/login", timeout=10) as answer:
            assert answer.status == 200
        assert time.monotonic() - began < 5
        if announced < MIB:
            status, problem = _curl(web_server, "-F", "pdf=@/etc/hostname", f"{web_server.url}/verify")
            assert (status, problem["title"]) == (503, "Not available now")
        assert "Traceback" not in (web_server.home / "web.log").read_text(errors="replace")
    finally:
        for connection in slow:
            connection.close()


def test_a_body_that_does_not_come_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        arrival = uploads._Arrival(stream, 1_000, ours)
        theirs.sendall(b"the beginning")
        began = time.monotonic()
        assert arrival.read(1_000) == b"the beginning"
        assert time.monotonic() - began < 5
        arrival.over()
    taken = [uploads._places.acquire(blocking=False) for _ in range(uploads.BODIES_AT_ONCE + 1)]
    assert taken == [True] * uploads.BODIES_AT_ONCE + [False]
    for _ in range(uploads.BODIES_AT_ONCE):
        uploads._places.release()


def test_a_client_that_sends_everything_first_still_hears_the_answer(web_server: Any) -> None:
    """Closing the connection under it would be a reset, and the reason would be lost. More than sockets hold, and quickly sent on a busy machine too."""
    with closing(http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=30)) as connection:
        connection.request("POST", "/api/v1/runs", body=b"x" * (32 * MIB), headers={
            "Authorization": f"Bearer {web_server.token}", "Content-Type": "application/json"})
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["title"]) == (413, "Too large")


def test_without_a_token_no_byte_of_the_body_is_read(web_server: Any) -> None:
    assert _announced_only(web_server, 99 * MIB, None) == 401
