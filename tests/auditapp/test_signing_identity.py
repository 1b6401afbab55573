from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from auditapp.signing_identity import ensure_signing_identity


def test_a_pair_that_belongs_together_and_is_private(tmp_path: Path) -> None:
    ensure_signing_identity(tmp_path / "home" / "signing")
    folder = tmp_path / "home" / "signing"
    key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert certificate.public_key() == key.public_key()
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list(folder.parent.glob(".signing-*"))


def test_it_is_made_once(tmp_path: Path) -> None:
    ensure_signing_identity(tmp_path / "signing")
    before = (tmp_path / "signing" / "key.pem").read_bytes()
    ensure_signing_identity(tmp_path / "signing")
    assert (tmp_path / "signing" / "key.pem").read_bytes() == before


def test_many_first_starts_at_once_end_with_one_pair(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_signing_identity(tmp_path / "signing"), range(16)))
    key = load_pem_private_key((tmp_path / "signing" / "key.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((tmp_path / "signing" / "certificate.pem").read_bytes())
    assert certificate.public_key() == key.public_key()
    assert not list(tmp_path.glob(".signing-*"))
