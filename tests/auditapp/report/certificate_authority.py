"""A certificate authority of the test's own: it issues, says what it has revoked, and stamps times; over real HTTP on the loopback."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class CertificateAuthority:
    """``revoked``: serial numbers that its list names; with ``silent`` it does not hand the list out."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.key, self.revoked, self.silent, self.asked = folder, ec.generate_private_key(ec.SECP256R1()), [], False, 0
        self.begin = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(days=1)
        self.address = ""
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's root")])
        self.root = self._builder(self.name, self.key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(_usage(signs=False), critical=True).sign(self.key, hashes.SHA256())
        self.pem = folder / "root.pem"
        self.pem.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, time_stamping: bool = False) -> Path:
        """A folder with key.pem and certificate.pem, whose certificate says where the list of revoked ones is."""
        # pyHanko's own authority for tests knows RSA only
        key: Key = rsa.generate_private_key(65537, 2048) if time_stamping else ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key).add_extension(_usage(signs=True), critical=True).add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(f"{self.address}revoked.crl")], None, None, None)]), critical=False)
        if time_stamping:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        folder = self.folder / name
        folder.mkdir()
        (folder / "certificate.pem").write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return folder

    def list_of_revoked(self) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(self.begin).next_update(self.begin + datetime.timedelta(days=30))
        for serial in self.revoked:
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.begin).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def _builder(self, subject: x509.Name, key: Key) -> x509.CertificateBuilder:
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(self.begin).not_valid_after(self.begin + datetime.timedelta(days=30)).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs, content_commitment=signs, key_encipherment=False, data_encipherment=False, key_agreement=False, key_cert_sign=not signs, crl_sign=not signs,
        encipher_only=False, decipher_only=False)


@contextmanager
def certificate_authority(folder: Path) -> Iterator[CertificateAuthority]:
    """One that answers at ``address``: POST stamps a time, GET has the list of revoked certificates."""
    authority = CertificateAuthority(folder)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authority.asked += 1
            if authority.silent:
                self.send_error(503)
            else:
                self._answer("application/pkix-crl", authority.list_of_revoked())

        def do_POST(self) -> None:
            request = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer("application/timestamp-reply", stamper.request_tsa_response(request).dump())

        def _answer(self, media_type: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    authority.address = f"http://127.0.0.1:{server.server_port}/"
    of_stamps = authority.issue("stamps", time_stamping=True)
    stamper = DummyTimeStamper(load_cert_from_pemder(of_stamps / "certificate.pem"), load_private_key_from_pemder(of_stamps / "key.pem", None), include_nonce=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
