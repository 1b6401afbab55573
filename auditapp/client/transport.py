"""How the client speaks: one connection a call, errors as `ProblemError`, files as multipart forms. Standard library and pydantic only."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import BaseModel

_Document = TypeVar("_Document", bound=BaseModel)

File = Path | BinaryIO | bytes
"""What can be uploaded."""


class ProblemError(Exception):
    """The service refused the call. `status`, `type`, `detail`, `errors` and `request_id` are those of the problem document."""

    def __init__(self, status: int, document: dict[str, Any], retry_after: int | None = None) -> None:
        super().__init__(f"{status}: {document.get('detail') or document.get('title') or 'no problem document'}")
        self.status, self.document, self.retry_after = status, document, retry_after
        self.type: str = document.get("type", "about:blank").rpartition("#")[2]
        self.detail: str = document.get("detail", "")
        self.errors: list[dict[str, str]] = document.get("errors", [])
        self.request_id: str = document.get("request_id", "")


class Transport:
    def __init__(self, url: str, token: str, *, timeout: float = 60) -> None:
        """``url``: of the service, such as https://audit.example.org."""
        self._url, self._token, self._timeout = url.rstrip("/"), token, timeout

    def every(self, page: Any) -> Iterator[Any]:
        """The items of this page of a list and of all after it."""
        while True:
            yield from page.items
            if page.next is None:
                return
            following = urllib.parse.urlsplit(page.next)  # of its address, only what stands behind the host: the token goes nowhere else
            page = type(page).model_validate_json(self._call("GET", f"{following.path}?{following.query}"))

    def _call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, document: BaseModel | Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None, headers: Mapping[str, str | None] | None = None,
    ) -> bytes:
        """The body of the answer; raises ProblemError."""
        url = self._url + path
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        if asked:
            url += "?" + urllib.parse.urlencode(asked)
        sent = {"Authorization": f"Bearer {self._token}", **{name: value for name, value in (headers or {}).items() if value is not None}}
        body = None
        if document is not None:
            body, sent["Content-Type"] = json.dumps(_plain(document)).encode(), "application/json"
        if form is not None:
            body, sent["Content-Type"] = _multipart(form)
        request = urllib.request.Request(url, data=body, headers=sent, method=method)  # noqa: S310 - the caller names the service
        try:
            with _opener.open(request, timeout=self._timeout) as answer:
                read: bytes = answer.read()
                return read
        except urllib.error.HTTPError as error:
            with error:
                raise _problem(error) from None

    def _read(self, model: type[_Document], body: bytes) -> _Document:
        return model.model_validate_json(body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere."""

    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _part(of_path: object) -> str:
    return urllib.parse.quote(str(of_path), safe="")


def _problem(error: urllib.error.HTTPError) -> ProblemError:
    try:
        document = json.loads(error.read())
    except ValueError:
        document = {}
    wait = error.headers.get("Retry-After", "")
    return ProblemError(error.code, document if isinstance(document, dict) else {}, int(wait) if wait.isdigit() else None)


def _plain(document: BaseModel | Mapping[str, Any]) -> Any:
    """Only what was said: what was not has its default in the service."""
    return document.model_dump(mode="json", exclude_unset=True) if isinstance(document, BaseModel) else document


def _multipart(fields: Mapping[str, Any]) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        if value is None:
            continue
        disposition = f'form-data; name="{name}"'
        if isinstance(value, Path | bytes) or hasattr(value, "read"):
            filename = urllib.parse.quote(Path(str(getattr(value, "name", "file"))).name, safe=" ")
            disposition += f'; filename="{filename}"'
            content = value.read_bytes() if isinstance(value, Path) else value if isinstance(value, bytes) else value.read()
        else:
            content = (value if isinstance(value, str) else json.dumps(_plain(value))).encode()
        parts.append(f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
