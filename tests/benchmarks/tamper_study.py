"""`make tamper-study`: one flipped bit of a signed report at a time, anywhere in the file and within the signature's own container; who notices?

Beside our verification stand what a plain signature check says (pyHanko, the library underneath ours, asked for integrity, coverage and changes) and, where it is installed, poppler's pdfsig.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from auditapp.report.verify import check_pdf

Noticed = Callable[[bytes], bool]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make tamper-study")
    parser.add_argument("--bundle", type=Path, help="folder with audit.unsigned.pdf of a run; without it, the report of the tests' example is drawn")
    parser.add_argument("--places", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--ours-alone", action="store_true", help="ask nobody else")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        signed, certificates = signed_report(options.bundle, Path(scratch))
        judges: dict[str, Noticed] = {"our verification": lambda data: not check_pdf(data, certificates).valid}
        if not options.ours_alone:
            judges |= others(certificates, Path(scratch))
        begin, end = container_of(signed)
        print(f"a signed report of {len(signed):,} bytes, its container of {end - begin:,}; {options.places} flipped bits each, seed {options.seed}", flush=True)
        missed = 0
        for where, places in (("anywhere in the file", range(len(signed))), ("within /Contents", range(begin, end))):
            found = study(signed, list(flips(places, options.places, options.seed)), judges)
            print(f"{where}: " + "; ".join(f"{name} noticed {count} of {options.places}" for name, count in found.items()), flush=True)
            missed += options.places - found["our verification"]
    return 1 if missed else 0


def signed_report(bundle: Path | None, scratch: Path) -> tuple[bytes, list[Any]]:
    """Bytes of a report signed with a key made for this, and the certificates to trust."""
    # A home of its own: nothing of an installation is read or written
    os.environ.setdefault("PLUMBLINE_HOME", str(scratch / "home"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "auditapp.settings")
    import django

    django.setup()
    if bundle is None:
        from tests.auditapp.report.conftest import draw_bundle
        from tests.evidence_example import make_evidence

        bundle = draw_bundle(make_evidence(), scratch / "bundle")
    from django.test import override_settings

    from auditapp.report.sign import sign_pdf
    from auditapp.signing_identity import ensure_signing_identity

    ensure_signing_identity(scratch / "signing")
    certificate = scratch / "signing" / "certificate.pem"
    with override_settings(SIGNING_KEY=scratch / "signing" / "key.pem", SIGNING_CERTIFICATE=certificate, TIMESTAMP_URL=""):
        signed = sign_pdf((bundle / "audit.unsigned.pdf").read_bytes()).bytes
    return signed, list(load_certs_from_pemder_data(certificate.read_bytes()))


def container_of(signed: bytes) -> tuple[int, int]:
    """First and one past the last byte of /Contents, angle brackets included."""
    begin = signed.rindex(b"/Contents <") + len(b"/Contents ")
    return begin, signed.index(b">", begin) + 1


def flips(places: range, count: int, seed: int) -> Iterator[tuple[int, int]]:
    """``count`` different places with a bit each."""
    chance = random.Random(seed)
    yield from ((place, chance.randrange(8)) for place in chance.sample(places, count))


def study(signed: bytes, changes: Sequence[tuple[int, int]], judges: Mapping[str, Noticed]) -> dict[str, int]:
    """How many of the changes each judge notices. A file that no judge could read counts as noticed."""
    found = dict.fromkeys(judges, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # asn1crypto warns of what a flip makes of the certificate's dates
        for place, bit in changes:
            changed = bytearray(signed)
            changed[place] ^= 1 << bit
            for name, noticed in judges.items():
                found[name] += noticed(bytes(changed))
    return found


def others(certificates: Sequence[Any], scratch: Path) -> dict[str, Noticed]:
    def plain(data: bytes) -> bool:
        try:
            signature = PdfFileReader(io.BytesIO(data)).embedded_signatures[-1]
            return not validate_pdf_signature(signature, ValidationContext(trust_roots=list(certificates), allow_fetching=False)).bottom_line
        except Exception:  # noqa: BLE001  whatever it raises, it has noticed
            return True

    def pdfsig(data: bytes) -> bool:
        (scratch / "flipped.pdf").write_bytes(data)
        said = subprocess.run(["pdfsig", "-nocert", str(scratch / "flipped.pdf")], capture_output=True, text=True, errors="replace", check=False).stdout
        return "Signature is Valid" not in said or "Total document signed" not in said

    judges: dict[str, Noticed] = {"a plain signature check": plain}
    if shutil.which("pdfsig"):
        judges["pdfsig"] = pdfsig
    return judges


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
