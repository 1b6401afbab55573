"""What lets a signature be checked after its certificates have ended: chains up to authorities that the operator names, what these say of revoked certificates, and time stamps over all of it.

PAdES calls it B-LT with such data inside the file, and B-LTA with a time stamp over the file that holds them. No Django: the child that verifies has none.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import x509

if TYPE_CHECKING:
    from pyhanko.sign.validation.dss import DocumentSecurityStore
    from pyhanko_certvalidator import ValidationContext

FETCH_SECONDS = 15


@dataclass(frozen=True)
class Authorities:
    """Who issued the certificates of signers and of time stamps: ``roots`` are trusted by themselves, ``others`` stand between."""

    roots: tuple[x509.Certificate, ...] = ()
    others: tuple[x509.Certificate, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.roots)


NOBODY = Authorities()


def authorities_in(pem: bytes) -> Authorities:
    """The certificates of a PEM file. Raises ValueError where it is none, or holds no root."""
    from pyhanko.keys import load_certs_from_pemder_data

    found = list(load_certs_from_pemder_data(pem))
    authorities = Authorities(tuple(one for one in found if one.subject == one.issuer), tuple(one for one in found if one.subject != one.issuer))
    if not authorities:
        raise ValueError("no root certificate in it")
    return authorities


def context_for_signing(authorities: Authorities) -> ValidationContext:
    """Asks the authorities, at the addresses in their own certificates, whether a certificate was revoked; one of which nobody says so is refused."""
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.fetchers.requests_fetchers import RequestsFetcherBackend

    return ValidationContext(
        trust_roots=list(authorities.roots), other_certs=authorities.others, allow_fetching=True, revocation_mode="require", fetcher_backend=RequestsFetcherBackend(FETCH_SECONDS))


def context_for_stamps(authorities: Authorities, dss: DocumentSecurityStore | None, at: datetime.datetime | None, *, revocation: str = "soft-fail") -> ValidationContext:
    """Whether a certificate led to the authorities at ``at`` (None: now), with the data inside the file and nothing else."""
    from pyhanko_certvalidator import ValidationContext

    arguments: dict[str, Any] = {"trust_roots": list(authorities.roots), "other_certs": list(authorities.others), "allow_fetching": False, "revocation_mode": revocation}
    if at is not None:
        arguments["moment"] = at
    return ValidationContext(**arguments) if dss is None else dss.as_validation_context(arguments)


def data_suffice(certificates: Sequence[x509.Certificate], authorities: Authorities, dss: DocumentSecurityStore | None, at: datetime.datetime) -> bool:
    """Whether the data inside the file say of each of the certificates, and of all between it and a root, that it was not revoked at ``at``."""
    from pyhanko_certvalidator import CertificateValidator
    from pyhanko_certvalidator.errors import PathError, ValidationError

    if dss is None or not authorities:
        return False
    try:
        for certificate in certificates:
            context = context_for_stamps(authorities, dss, at, revocation="require")
            asyncio.run(CertificateValidator(certificate, validation_context=context).async_validate_usage(set()))  # type: ignore[no-untyped-call]
    except (PathError, ValidationError):
        return False
    return True


def common_name(certificate: x509.Certificate) -> str:
    native = certificate.subject.native
    return str(native.get("common_name") or certificate.subject.human_friendly)
