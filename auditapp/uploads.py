"""How a request's body may come in: refused early when it is announced as too large, cut off while streaming when it is not announced or does not come, never held in memory.

`CappedUpload` is Django's upload handler for pages and REST alike; `BodyLimits` is the middleware before it.
"""

from __future__ import annotations

import hashlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from auditapp import storage
from auditapp.languages.chosen import numbers
from auditapp.problems import API_PREFIX, problem_response

ENVELOPE_BYTES = 2**20
"""What boundaries and the other fields of a form may need around the file."""

UNANNOUNCED_BYTES = 64 * 2**20
"""The most that is read of a body without a Content-Length; larger ones must announce themselves, so that they can be refused before they are sent."""

STRANGERS_BYTES = UNANNOUNCED_BYTES + ENVELOPE_BYTES
"""The largest form that a page reads for somebody who is not logged in: a report to be verified."""

PATIENCE_SECONDS = 60.0
LEAST_BYTES_A_SECOND = 2**15
"""A body may take this long and what its size needs at this pace; then its connection is cut."""

BODIES_AT_ONCE = 6
"""Of the eight threads of a web process (Procfile, Dockerfile): however slowly bodies come, two threads are left for those who only look."""

PLACE_SECONDS = 0.25
DRAIN_SECONDS = 2.0
_CHUNK = 2**16


class CappedUpload(FileUploadHandler):
    """Streams a file to a nameless temporary file beside its storage: it takes no memory, and vanishes with the process whatever ends it."""

    receiving: IO[bytes] | None = None
    """The file that is being received."""
    is_full: storage.StorageFull | None = None
    """Why it could not be: there is no room for it."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.close()
        self.receiving = nameless_file()
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self.receiving is not None
        self.size += len(raw_data)
        if self.size > settings.UPLOAD_BYTES + ENVELOPE_BYTES:
            raise RequestDataTooBig(too_large_sentence(settings.UPLOAD_BYTES))
        with self._room():
            self.receiving.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        assert self.receiving is not None
        with self._room():
            self.receiving.seek(0)  # what it still held back is written now
        whole = UploadedFile(self.receiving, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra)
        self.receiving = None  # from here on the request closes it
        return whole

    def close(self) -> None:
        """Let go of a file that will not be completed."""
        if self.receiving is not None:
            with suppress(OSError):  # closing writes what was held back, where there is room
                self.receiving.close()
            self.receiving = None

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            with storage.full_disk_named():
                yield
        except storage.StorageFull as full:
            self.is_full = full
            raise

    upload_interrupted = close


def passing_through() -> Path:
    """The folder, beside the storage, for files that live as long as a request."""
    folder = Path(settings.STORAGE_ROOT) / "passing"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def nameless_file() -> IO[bytes]:
    """A file without a name: a process that dies leaves nothing behind. Whoever asks for it closes it."""
    return tempfile.TemporaryFile(dir=passing_through())


def too_large_sentence(limit: int) -> str:
    return _("The limit for a file is %(bytes)s bytes (%(mib)s MiB).") % {"bytes": numbers(f"{limit:,}"), "mib": numbers(f"{limit / 2**20:,.0f}")}


def file_sha256(file: UploadedFile) -> str:
    """sha256 of the upload; leaves it at its beginning."""
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


class BodyLimits:
    """Middleware: answers 413 from the headers alone. Without it a refused gigabyte would first be read to its end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_form = request.META.get("CONTENT_TYPE", "").startswith("multipart/")
        limit = settings.UPLOAD_BYTES + ENVELOPE_BYTES if is_form else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            body = _read_unannounced(request, min(limit, UNANNOUNCED_BYTES))
            response = self._answer(request, is_form)
            return _drained(request, response) if body is not None and body.left < 0 and isinstance(response, HttpResponse) else response
        if _announced(request) > limit:
            return _refuse(request, too_large_sentence(settings.UPLOAD_BYTES if is_form else limit))
        connection, length = _connection(request), _announced(request)
        if connection is None or not length:
            return self._answer(request, is_form)
        arrival = _Arrival(request._stream, length, connection)
        request._stream = arrival  # type: ignore[assignment]
        try:
            response = self._answer(request, is_form)
        finally:
            arrival.over()
        if arrival.found_no_place:
            _hang_up(connection)
            return _busy(request)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        """The protection against forged forms reads a page's whole form before the page can ask who sends it."""
        is_page_form = request.content_type == "multipart/form-data" and not request.path_info.startswith(API_PREFIX)
        if is_page_form and _announced(request) > STRANGERS_BYTES and not request.user.is_authenticated:
            return _refuse(request, _("Log in first. ") + too_large_sentence(UNANNOUNCED_BYTES))
        return None

    def _answer(self, request: HttpRequest, is_form: bool) -> HttpResponseBase:
        response = self.get_response(request)
        if is_form:
            # Django closes what was received whole; a body that breaks off in the middle leaves the rest to us
            for handler in request.upload_handlers:
                if isinstance(handler, CappedUpload):
                    handler.close()
                    if handler.is_full and not request.path_info.startswith(API_PREFIX):
                        # A page's form is read before there is a page that could say so
                        response = _page(507, _("There is no room left to store this"), f"{handler.is_full}.".capitalize())
        return response


_places = threading.BoundedSemaphore(BODIES_AT_ONCE)


class _NoPlace(OSError):
    """Raised to whoever begins to read: a broken connection to Django, which says so in one line. What is answered is `_busy`."""


class _Arrival:
    """The body of a request: from the first read to its last byte it has one of a few places, and as much time as its size excuses."""

    def __init__(self, stream: Any, length: int, connection: socket.socket) -> None:
        self._stream, self._left = stream, length
        self._state: Literal["not begun", "coming", "over"] = "not begun"
        self._cut = threading.Timer(PATIENCE_SECONDS + length / LEAST_BYTES_A_SECOND, _hang_up, [connection])
        self._cut.daemon = True
        self.found_no_place = False

    def read(self, size: int = -1) -> bytes:
        self._begin()
        return self._counted(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        self._begin()
        return self._counted(self._stream.readline(size))

    def close(self) -> None:
        self.over()

    def over(self) -> None:
        if self._state == "coming":
            self._cut.cancel()
            _places.release()
        self._state = "over"

    def _begin(self) -> None:
        if self._state != "not begun":
            return
        # Bodies that are there already give their places back at once; it is worth waiting a moment for one
        if not _places.acquire(timeout=PLACE_SECONDS):
            self.found_no_place = True
            raise _NoPlace
        self._state = "coming"
        self._cut.start()

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if not data or self._left <= 0:
            self.over()
        return data


def _hang_up(connection: socket.socket) -> None:
    """Whoever waits for more of the body gets its end."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _connection(request: HttpRequest) -> socket.socket | None:
    return request.environ.get("gunicorn.socket") if isinstance(request, WSGIRequest) else None


def _announced(request: HttpRequest) -> int:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _read_unannounced(request: HttpRequest, limit: int) -> _Ended | None:
    """Django takes a body without Content-Length for empty. gunicorn ends such a stream properly, so it can be read up to a limit: the stream that does so, None where there is none."""
    if isinstance(request, WSGIRequest) and request.environ.get("wsgi.input_terminated"):
        # The stubs ask for a BytesIO; Django only reads
        ended = _Ended(request.environ["wsgi.input"], limit)
        request._stream = LimitedStream(ended, limit + 1)  # type: ignore[assignment,arg-type]
        request.META["CONTENT_LENGTH"] = str(limit)
        return ended
    return None


class _Ended:
    """A stream that refuses to go on past ``limit`` bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream, self.left = stream, limit

    def read(self, size: int = -1) -> bytes:
        return self._counted(self.stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self.stream.readline(size))

    def _counted(self, data: bytes) -> bytes:
        self.left -= len(data)
        if self.left < 0:
            raise RequestDataTooBig("A body without Content-Length is read only up to a limit; announce its length.")
        return data


def _busy(request: HttpRequest) -> HttpResponseBase:
    if request.path_info.startswith(API_PREFIX):
        return problem_response("unavailable", headers={"Retry-After": "5"})
    answer = _page(503, _("Too much is being sent at once"), _("Nothing was changed. Try again in a moment."))
    answer["Retry-After"] = "5"
    return answer


def _page(status: int, heading: str, text: str) -> HttpResponse:
    # Here, because the pages stand on this module
    from auditapp.views.errors import error_page

    return error_page(status, heading, text)


def _refuse(request: HttpRequest, sentence: str) -> HttpResponseBase:
    answer = problem_response("too-large", sentence) if request.path_info.startswith(API_PREFIX) else _page(413, _("The file is too large"), sentence)
    return _drained(request, answer)


def _drained(request: HttpRequest, answer: HttpResponse) -> HttpResponseBase:
    """The same answer to a request whose body is still on the way."""
    response = StreamingHttpResponse(_said_then_drained(answer.content, request), status=answer.status_code, headers=dict(answer.items()))
    # Not another request on this connection: its body would be taken for it
    response["Content-Length"], response["Connection"] = str(len(answer.content)), "close"
    return response


def _said_then_drained(text: bytes, request: HttpRequest) -> Iterator[bytes]:
    """The answer, then for a moment what the client is still sending: closing at once would reset the connection before the answer is read.

    Where too many bodies are on their way already, the answer alone.
    """
    yield text
    connection = _connection(request)
    if connection is None:
        return
    if _places.acquire(blocking=False):
        connection.settimeout(DRAIN_SECONDS)
        until = time.monotonic() + DRAIN_SECONDS
        try:
            # Not the request's own stream, which may have refused to go on
            while time.monotonic() < until and request.META["wsgi.input"].read(_CHUNK):
                pass
        except OSError:
            pass
        finally:
            _places.release()
    # gunicorn would wait for the rest of the body, on one of its threads
    _hang_up(connection)
