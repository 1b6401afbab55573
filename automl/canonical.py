"""The bytes of a document and the digest of an evidence document. Apart from its types, which take longer to load than a report takes to be checked."""

from __future__ import annotations

import hashlib
import json
from typing import Any

OF_ITS_NUMBER = ("audit_number", "sha256")
"""Members of the plan that count each look at the audit part: a repetition is the next one, and the plan's sha256 covers its number."""

TIMED = ("fit_seconds", "predict_us_per_row")
"""Of a candidate on the leaderboard."""


def canonical_json(document: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: the bytes that are hashed, stored and attached."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_of(document: dict[str, Any]) -> str:
    """sha256 of the canonical JSON of what two runs of the same inputs have in common."""
    return hashlib.sha256(canonical_json(repeatable_part(document))).hexdigest()


def measured_digest_of(document: dict[str, Any]) -> str:
    """The same but for the number of the audit: a repetition that comes to the same results has this digest, and never that of `digest_of`."""
    part = repeatable_part(document)
    part["plan"] = {key: value for key, value in part["plan"].items() if key not in OF_ITS_NUMBER}
    return hashlib.sha256(canonical_json(part)).hexdigest()


def repeatable_part(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what differs between two runs of the same inputs: /digest, /run, times, hardware and installed files."""
    stripped = {key: value for key, value in document.items() if key not in ("digest", "run")}
    provenance = dict(stripped["provenance"])
    for key in ("started_at", "finished_at", "year_later", "hardware", "seconds", "packages"):
        provenance.pop(key, None)
    stripped["provenance"] = provenance
    search = stripped.get("search")
    if isinstance(search, dict) and "trials" in search:
        search = {key: value for key, value in search.items() if key != "seconds"}
        search["trials"] = [{key: value for key, value in trial.items() if key != "seconds"} for trial in search["trials"]]
        if "leaderboard" in search:
            search["leaderboard"] = [{key: value for key, value in row.items() if key not in TIMED} for row in search["leaderboard"]]
        stripped["search"] = search
    return stripped
