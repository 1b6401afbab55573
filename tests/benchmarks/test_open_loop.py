"""The client of the load benchmark: calls come however the answers do, and none is lost or counted twice."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.benchmarks.open_loop import Answer, Stream, play, quantile


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        fresh = self.headers.get("If-None-Match") != '"1"'
        self.send_response(200 if fresh else 304)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "4" if fresh else "0")
        self.end_headers()
        self.wfile.write(b"body" if fresh else b"")
        # Without a word, as servers do with what was idle for some seconds
        self.close_connection = self.path == "/closes"

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("path", ["/", "/closes"])
def test_each_call_is_answered_once_over_connections_kept_or_closed(port: int, path: str) -> None:
    known: dict[str, str] = {}
    stream = Stream("poll", 100, lambda: (path, {"If-None-Match": known.get(path, "")}), lambda path, status, etag: known.__setitem__(path, etag))
    play(port, [stream], 0.2)
    assert stream.statuses().total() == 20
    assert set(stream.statuses()) == {200, 304}
    assert known == {path: '"1"'}


def test_where_nobody_answers_the_call_is_counted_as_such(port: int) -> None:
    stream = Stream("nobody", 20, lambda: ("/", {}))
    play(1, [stream], 0.1)
    assert stream.statuses() == {0: 2}


def test_quantiles_are_of_what_happened() -> None:
    assert [quantile([3.0, 1.0, 2.0], share) for share in (0, 0.5, 0.95, 1)] == [1.0, 2.0, 3.0, 3.0]
    assert Stream("", 1, lambda: ("", {}), answers=[Answer(0, 0.2, 200), Answer(0, 0.1, 200)]).at(0.5) == 0.2
