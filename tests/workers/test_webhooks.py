"""What the receiver of a webhook sees, and what happens where there is none: a real listener on this machine, allowed by the setting."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from auditapp.models import Delivery, Webhook
from auditapp.webhooks.outbox import DELAYS, Sending, signature
from tests.listener import Listener, listening
from workers.webhooks import deliver_due, send


@pytest.fixture
def listener(settings: Any) -> Iterator[Listener]:
    settings.WEBHOOK_NETWORKS = "127.0.0.0/8"
    with listening() as server:
        yield server


@pytest.fixture
def inside(settings: Any) -> Iterator[Listener]:
    """Somebody that no webhook may reach."""
    with listening() as server:
        yield server


def _sending(url: str) -> Sending:
    return Sending("msg_1", 1, url, b'{"type":"run.succeeded"}', (b"new secret", b"former secret"))


def test_the_receiver_gets_body_id_time_and_a_signature_for_each_secret(listener: Listener) -> None:
    assert send(_sending(f"{listener.url}/in?from=plumbline")).sentence == "answered 200"
    ((path, headers, body),) = listener.received
    assert (path, body, headers["webhook-id"], headers["content-type"]) == ("/in?from=plumbline", b'{"type":"run.succeeded"}', "msg_1", "application/json")
    assert headers["host"] == listener.url.removeprefix("http://")
    when = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split() == [signature(secret, "msg_1", when, body) for secret in (b"new secret", b"former secret")]


def test_t41_a_redirect_is_not_followed(listener: Listener, inside: Listener) -> None:
    listener.status, listener.location = 307, f"{inside.url}/secret"
    outcome = send(_sending(listener.url))
    assert (outcome.status, outcome.has_arrived) == (307, False)
    assert "not followed" in outcome.sentence
    assert inside.received == []


def test_t41_a_listener_inside_gets_no_byte(inside: Listener, settings: Any) -> None:
    """T-41, at sending: what was outside when it was saved may be inside by now."""
    settings.WEBHOOK_NETWORKS = ""
    for host in ("127.0.0.1", "127.1", "0x7f.1", "[::ffff:127.0.0.1]"):
        outcome = send(_sending(f"http://{host}:{inside.server_port}/"))
        assert outcome.status is None
        assert "outside only" in outcome.sentence
    assert inside.received == []


def test_t41_a_name_that_turns_is_connected_to_where_it_was_checked(listener: Listener, inside: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the second answer of the name server would lead elsewhere, and nobody asks for it."""
    real, asked = socket.getaddrinfo, []

    def resolve(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host != "turning.example":
            return real(host, port, *arguments, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert send(_sending(f"http://turning.example:{listener.server_port}/")).has_arrived
    assert asked == ["turning.example"]


@pytest.mark.parametrize("sends", [b"", b"HTTP/1.1 200 O", b"rubbish\r\n\r\n"], ids=["nothing", "half a line", "no HTTP"])
def test_t48_a_receiver_that_hangs_or_talks_rubbish_is_nobody(sends: bytes, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS, settings.WEBHOOK_SECONDS = "127.0.0.0/8", 0.2
    with socket.create_server(("127.0.0.1", 0)) as server:
        def accept() -> None:
            with server.accept()[0] as connection:
                connection.sendall(sends)
                while connection.recv(2**16):
                    pass

        receiver = threading.Thread(target=accept)
        receiver.start()
        outcome = send(_sending(f"http://127.0.0.1:{server.getsockname()[1]}/"))
        receiver.join()
    assert outcome.status is None
    assert outcome.sentence.startswith("nobody answered")


def test_t48_an_answer_that_never_ends_is_cut(settings: Any) -> None:
    """Each byte comes within the time that one may take."""
    settings.WEBHOOK_NETWORKS, settings.WEBHOOK_SECONDS = "127.0.0.0/8", 0.3
    with socket.create_server(("127.0.0.1", 0)) as server:
        def drip() -> None:
            with server.accept()[0] as connection, suppress(OSError):
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.02)

        receiver = threading.Thread(target=drip)
        receiver.start()
        assert send(_sending(f"http://127.0.0.1:{server.getsockname()[1]}/")).status is None
        receiver.join()


def test_a_receiver_without_tls_or_without_anybody(listener: Listener) -> None:
    assert send(_sending(listener.url.replace("http://", "https://"))).sentence.startswith(("TLS failed", "nobody answered"))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert send(_sending(f"http://127.0.0.1:{port}/")).sentence.startswith("nobody answered")


def test_the_certificate_must_be_that_of_the_name(listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to a checked address; who answers there is held against the name."""
    key, certificate = _certificate_of("hooks.example", tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    listener.socket = served.wrap_socket(listener.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr("workers.webhooks._tls", lambda: trusting)
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *arguments, **options: real("127.0.0.1" if host.endswith(".example") else host, *arguments, **options))
    assert send(_sending(f"https://hooks.example:{listener.server_port}/")).has_arrived
    assert send(_sending(f"https://other.example:{listener.server_port}/")).sentence.startswith("TLS failed")
    assert [headers["host"] for _, headers, _ in listener.received] == [f"hooks.example:{listener.server_port}"]


def _certificate_of(name: str, folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(1).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(key, hashes.SHA256()))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "key.pem", folder / "certificate.pem"


def test_everything_that_is_due_is_sent_and_noted(listener: Listener, workspace: Any) -> None:
    webhook = Webhook.objects.create(workspace=workspace, url=listener.url, events=["run.failed"])
    for number in range(2):
        Delivery.objects.create(webhook=webhook, type="run.failed", body={"number": number}, due_at=webhook.created_at)
    assert deliver_due(webhook.pk) == 2
    assert sorted(body for _, _, body in listener.received) == [b'{"number":0}', b'{"number":1}']
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert deliver_due(webhook.pk) == 0


def test_t48_500_is_tried_again_later_with_the_same_id(listener: Listener, workspace: Any) -> None:
    """T-48."""
    from django.utils import timezone

    listener.status = 500
    webhook = Webhook.objects.create(workspace=workspace, url=listener.url, events=["run.failed"])
    delivery = Delivery.objects.create(webhook=webhook, type="run.failed", body={}, due_at=webhook.created_at)
    assert (deliver_due(webhook.pk), deliver_due(webhook.pk)) == (1, 0)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts[0]["status"]) == ("waiting", 500)
    assert 0 < (delivery.due_at - timezone.now()).total_seconds() <= DELAYS[0]
    Delivery.objects.update(due_at=webhook.created_at)
    listener.status = 204
    assert deliver_due(webhook.pk) == 1
    assert [headers["webhook-id"] for _, headers, _ in listener.received] == [delivery.pk, delivery.pk]
