"""The evidence that travels inside a report: found by its name in the PDF's tree of embedded files."""

from __future__ import annotations

from typing import Any

from pyhanko.pdf_utils.reader import PdfFileReader

EVIDENCE_NAME = "evidence.json"
MAX_NODES = 1_000


def attached_file(reader: PdfFileReader, name: str) -> bytes | None:
    """Bytes of the embedded file ``name``, decompressed; None where the PDF has none. Damage raises pyHanko's PdfError."""
    names = reader.root.get("/Names")
    tree = names.get("/EmbeddedFiles") if names is not None else None
    nodes = [tree] if tree is not None else []
    # Bounded: a hostile tree may point back at itself
    for _ in range(MAX_NODES):
        if not nodes:
            return None
        node = nodes.pop()
        pairs = list(node.get("/Names", ()))
        for key, specification in zip(pairs[::2], pairs[1::2], strict=False):
            if _text(key) == name:
                data: bytes = specification.get_object()["/EF"]["/F"].data
                return data
        nodes.extend(kid.get_object() for kid in node.get("/Kids", ()))
    return None


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)
