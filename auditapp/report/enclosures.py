"""What travels inside a report beside the evidence: its tables as CSV, the configuration, the libraries, and a list of digests that `sha256sum -c` reads.

Everything here is made from the evidence and from what the report prints, so the same evidence gives the same bytes. No person's row is among it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from auditapp.law_status import FILE as LAW_STATUS
from auditapp.report.blocks import flat
from auditapp.report.render import Attachment
from auditapp.report.verify import MANIFEST_NAME
from automl.evidence import Evidence, canonical_json


def enclosures(evidence: Evidence, data: Mapping[str, Any], others: Sequence[Attachment]) -> list[Attachment]:
    """``others`` with what is made here and, last, the manifest of them all. ``data``: `report_data`'s output."""
    made = [
        *others,
        Attachment("tables.csv", _tables(data), "text/csv", "data", "Every table of the report, one row a cell, as printed"),
        Attachment("config.json", canonical_json(evidence.spec.model_dump(mode="json")), "application/json", "supplement", "The configuration of the run, defaults filled in; its SHA-256 stands in section 17"),
        Attachment(LAW_STATUS.name, LAW_STATUS.read_bytes(), "application/json", "supplement", "What was known of the laws that section 16 names, and when it was looked up"),
        Attachment("lock.txt", _lock(evidence), "text/plain", "supplement", "The versions of code, Python and installed packages that the run recorded, with the digests of their files' lists"),
    ]
    listed = "".join(f"{hashlib.sha256(one.data).hexdigest()}  {one.name}\n" for one in sorted(made, key=lambda one: one.name))
    return [*made, Attachment(MANIFEST_NAME, listed.encode(), "text/plain", "supplement", "SHA-256 of every other attachment, as sha256sum writes it")]


def _tables(data: Mapping[str, Any]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "table", "caption", "row", "column", "value"))
    table = 0
    for section in data["sections"]:
        for block in flat(section["blocks"]):
            if block["kind"] != "table":
                continue
            table += 1
            for number, row in enumerate(block["rows"], start=1):
                writer.writerows((section["number"], table, _safe(block["caption"]), number, _safe(column), _safe(_text(cell, block["reasons"]))) for column, cell in zip(block["columns"], row, strict=True))
    return out.getvalue().encode(errors="backslashreplace")


def _text(cell: str | Mapping[str, str], reasons: Mapping[str, str]) -> str:
    if not isinstance(cell, str):
        return f"section {cell['page_of']}"
    # On paper the reason stands below the table, by its letter
    return {f"not measured ({letter})": f"not measured: {reason}" for letter, reason in reasons.items()}.get(cell, cell)


def _safe(text: str) -> str:
    # A spreadsheet would take a name of the data that begins so for a formula
    return f"'{text}" if text[:1] in ("=", "@", "\t", "\r") or (text[:1] in ("+", "-") and not text[1:2].isdigit()) else text


def _lock(evidence: Evidence) -> bytes:
    provenance = evidence.provenance
    head = f"# plumbline {provenance.code_version}\n# python {provenance.python}\n"
    if provenance.packages is not None:
        return (head + "".join(provenance.packages.lines)).encode(errors="backslashreplace")
    return (head + "".join(f"{name}=={version}\n" for name, version in sorted(provenance.libraries.items()))).encode(errors="backslashreplace")
