"""The newest entry of every ledger chain, each day in a file of its own, signed: what a chain that was cut short or rewritten cannot hide from whoever keeps copies elsewhere.

    DAY.p7m    a signed JSON document (CMS, DER) with the heads and the sha256 of the file before, so that the files are a chain as well
               openssl cms -verify -inform DER -in DAY.p7m -certfile certificate.pem -noverify

Who holds the signing key writes them; nobody ever writes one again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from auditapp.models import LedgerEntry
from automl.evidence import canonical_json

if TYPE_CHECKING:
    from asn1crypto import x509

KIND = "plumbline-ledger-heads"
OF_THE_INSTALLATION = ""
"""The chain that belongs to no workspace."""


@dataclass(frozen=True)
class Held:
    """What a folder of such files says of the ledger as it is now."""

    files: int
    problems: tuple[str, ...]


def export_heads(now: datetime | None = None) -> Path | None:
    """Write today's file; None where it is there already, or no signing key can be used now (the next call tries again)."""
    at = now or timezone.now()
    folder: Path = settings.LEDGER_HEADS
    path = folder / f"{at:%Y-%m-%d}.p7m"
    if path.exists():
        return None
    # Not before there is something to sign: the signing library is larger than all that a worker's parent holds
    from auditapp.report.signing_key import NoSigningKey, signing_key

    folder.mkdir(parents=True, exist_ok=True)
    document = canonical_json({"kind": KIND, "at": at.isoformat(timespec="seconds"), "before": _newest(folder), "heads": _heads()})
    try:
        with signing_key() as signer:
            signed = asyncio.run(signer.async_sign_general_data(document, "sha256", detached=False)).dump()
    except NoSigningKey:
        return None
    # Who writes it a moment later writes the same day again, as whole as before
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(signed)
    part.rename(path)
    return path


def check_heads(folder: Path, certificates: Path) -> Held:
    """Whether each file of ``folder`` is signed by one of ``certificates``, follows the one before it, and names entries that the ledger still has as they were."""
    from pyhanko.keys import load_certs_from_pemder_data

    files = _files(folder)
    if not files:
        return Held(0, ())
    known = list(load_certs_from_pemder_data(certificates.read_bytes()))
    problems: list[str] = []
    before: str | None = None
    for path in files:
        document, said = _read(path, known)
        problems += [f"{path.name}: {problem}" for problem in (*said, *(_of_heads(document, before) if document else ()))]
        before = _sha256(path)
    return Held(len(files), tuple(problems))


def _heads() -> list[dict[str, Any]]:
    chains = LedgerEntry.objects.order_by("workspace_id").values_list("workspace_id", flat=True).distinct()
    newest = (LedgerEntry.objects.filter(workspace_id=chain).order_by("number").last() for chain in chains)
    return [{"workspace": entry.workspace_id or OF_THE_INSTALLATION, "number": entry.number, "hash": entry.hash} for entry in newest if entry]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("????-??-??.p7m"))


def _newest(folder: Path) -> str | None:
    files = _files(folder)
    return _sha256(files[-1]) if files else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path, known: list[x509.Certificate]) -> tuple[dict[str, Any] | None, list[str]]:
    """The document, and what is wrong with the signature over it."""
    from asn1crypto import cms
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation import async_validate_cms_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko_certvalidator import ValidationContext

    try:
        signed = cms.ContentInfo.load(path.read_bytes())["content"]
        status = asyncio.run(async_validate_cms_signature(signed, validation_context=ValidationContext(trust_roots=known, allow_fetching=False)))
        document = json.loads(signed["encap_content_info"]["content"].native)
    except (OSError, ValueError, TypeError, KeyError, SigningError, SignatureValidationError) as error:
        return None, [f"it cannot be read ({type(error).__name__})"]
    ours = status.intact and status.valid and status.signing_cert.dump() in {one.dump() for one in known}
    return document, [] if ours else ["it was altered, or signed by somebody else"]


def _of_heads(document: dict[str, Any], before: str | None) -> list[str]:
    problems = [] if before is None or document["before"] == before else ["it does not follow from the file before it"]
    for head in document["heads"]:
        chain = head["workspace"] or "the installation"
        entry = LedgerEntry.objects.filter(workspace_id=head["workspace"] or None, number=head["number"]).first()
        if entry is None:
            problems.append(f"the ledger of {chain} had entry {head['number']}, which is gone: it was cut short")
        elif entry.hash != head["hash"]:
            problems.append(f"entry {head['number']} of the ledger of {chain} is not the one that was there")
    return problems
