"""The files that travel inside a report: found in the PDF's tree of embedded files, by their names."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # names of attachments are known in processes that never read a PDF
    from pyhanko.pdf_utils.reader import PdfFileReader

EVIDENCE_NAME = "evidence.json"
EXPORT_NAME = "export.json"
"""What a document for others prints, in place of the evidence, which holds more than such a document may show."""
MAX_NODES = 1_000
MAX_FILES = 100


def attached_file(reader: PdfFileReader, name: str) -> bytes | None:
    """Bytes of the embedded file ``name``, decompressed; None where the PDF has none. Damage raises pyHanko's PdfError."""
    return next((data() for found, data in _attached(reader.root) if found == name), None)


def attached_files(reader: PdfFileReader, revision: int | None = None) -> dict[str, bytes]:
    """The embedded files by their names, decompressed; no more than MAX_FILES of them, which is more than any report of ours has. ``revision``: as they were at that one of the file (default: now).
    Damage raises pyHanko's PdfError."""
    root = reader.root if revision is None else reader.get_historical_root(revision)
    return {name: data() for name, data in itertools.islice(_attached(root), MAX_FILES)}


def _attached(root: Any) -> Iterator[tuple[str, Callable[[], bytes]]]:
    names = root.get("/Names")
    tree = names.get("/EmbeddedFiles") if names is not None else None
    nodes = [tree] if tree is not None else []
    # Bounded: a hostile tree may point back at itself
    for _ in range(MAX_NODES):
        if not nodes:
            return
        node = nodes.pop()
        pairs = list(node.get("/Names", ()))
        for key, specification in zip(pairs[::2], pairs[1::2], strict=False):
            yield _text(key), partial(_bytes_of, specification)
        nodes.extend(kid.get_object() for kid in node.get("/Kids", ()))


def _bytes_of(specification: Any) -> bytes:
    return bytes(specification.get_object()["/EF"]["/F"].data)


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)
