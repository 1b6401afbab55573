"""A drawn report and a signing key of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.sign import signers

from auditapp.report.sign import sign_pdf
from auditapp.report.signing_key import KeyInAFile
from automl.card import write_card
from automl.charts import draw_charts
from automl.evidence import Evidence, canonical_json
from tests.auditapp.report.certificate_authority import CertificateAuthority, certificate_authority
from tests.auditapp.report.typesetter import set_elsewhere
from tests.evidence_example import make_evidence
from workers.render import PDF_NAME, render_bundle


@pytest.fixture(autouse=True, scope="session")
def _our_fonts_alone() -> Iterator[None]:
    """What a document looks like must not depend on the fonts of the machine that runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auditapp.report.glyphs.PLACES", ())
        yield


@pytest.fixture
def hebrew_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed font with Hebrew and Arabic letters, as if it were the one of Debian's fonts-noto-core."""
    dejavu = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not dejavu.exists():
        pytest.skip("no font with Hebrew letters is at hand (Debian: fonts-dejavu-core)")
    font = tmp_path / "fonts" / "NotoSansHebrew-Regular.ttf"
    font.parent.mkdir()
    font.symlink_to(dejavu)
    (font.parent / "NotoSansThai-Regular.ttf").write_bytes(b"no font")
    monkeypatch.setattr("auditapp.report.glyphs.PLACES", (str(font.parent),))
    return font


@pytest.fixture(autouse=True, scope="session")
def _reports_set_elsewhere() -> Iterator[None]:
    with set_elsewhere():
        yield


VERIFY_AT = "https://audit.example.org/verify"


def draw_bundle(evidence: Evidence, folder: Path, *, verify_at: str = "", lang: str = "") -> Path:
    """A bundle folder with what drawing reads, drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evidence.json").write_bytes(canonical_json(evidence.model_dump(mode="json")))
    (folder / "charts.json").write_bytes(canonical_json(draw_charts(evidence).model_dump(mode="json")))
    (folder / "modelcard.md").write_text(write_card(evidence))
    render_bundle(folder, verify_at=verify_at, lang=lang)
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_bundle(make_evidence(), tmp_path_factory.mktemp("report") / "bundle")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Drawn bundles of the other kinds of run, and of names as strangers send them; that of the regression by an installation with a public address."""
    from tests.evidence_variants import hostile, multiclass, predictions, regression

    root = tmp_path_factory.mktemp("kinds")
    return [draw_bundle(make(), root / make.__name__, verify_at=VERIFY_AT if make is regression else "") for make in (multiclass, regression, predictions, hostile)]


@pytest.fixture(scope="session")
def signed_reports(bundle: Path, folders: list[Path], identity: Path) -> list[Path]:
    """Signed reports of every kind of run, as they are given out."""
    return [signed_in(folder, identity) for folder in (bundle, *folders)]


@pytest.fixture(scope="session")
def german_reports(tmp_path_factory: pytest.TempPathFactory, identity: Path) -> list[Path]:
    """The same in German."""
    from tests.evidence_variants import hostile, multiclass, predictions, regression

    root = tmp_path_factory.mktemp("german")
    return [signed_in(draw_bundle(make(), root / make.__name__, lang="de"), identity) for make in (make_evidence, multiclass, regression, predictions, hostile)]


def signed_in(folder: Path, identity: Path) -> Path:
    from django.test import override_settings

    from auditapp.report.sign import sign_pdf

    with override_settings(SIGNING_KEY=identity / "key.pem", SIGNING_CERTIFICATE=identity / "certificate.pem", TIMESTAMP_URL=""):
        (folder / "audit.pdf").write_bytes(sign_pdf((folder / PDF_NAME).read_bytes()).bytes)
    return folder / "audit.pdf"


@pytest.fixture(scope="session")
def unsigned(bundle: Path) -> bytes:
    return (bundle / PDF_NAME).read_bytes()


@pytest.fixture
def own_key(settings: Any, identity: Path) -> Path:
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE, settings.TIMESTAMP_URL = identity / "key.pem", identity / "certificate.pem", ""
    return identity


@pytest.fixture(scope="session")
def judge() -> list[str]:
    """The independent judges' command; skips where they or Java are not at hand."""
    import shutil

    tool = Path(__file__).resolve().parents[3].parent / "shared" / "tools" / "judge_pdf"
    if not tool.exists() or shutil.which("java") is None:
        pytest.skip("the independent judges of the PDF (../shared/tools/judge_pdf) or Java are not at hand")
    return [str(tool)]


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[CertificateAuthority]:
    """Issues certificates, lists revoked ones and stamps times."""
    with certificate_authority(tmp_path / "authority") as running:
        yield running


@pytest.fixture
def signed(unsigned: bytes, own_key: Path) -> bytes:
    return sign_pdf(unsigned).bytes


@pytest.fixture
def ours(own_key: Path) -> list[Any]:
    return list(load_certs_from_pemder_data((own_key / "certificate.pem").read_bytes()))


@pytest.fixture
def issued_key(settings: Any, authority: CertificateAuthority) -> Path:
    """The installation's key with a certificate of an authority, which stamps times too."""
    folder = authority.issue("A test's report signer")
    settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE = folder / "key.pem", folder / "certificate.pem"
    settings.TIMESTAMP_URL, settings.AUTHORITIES = authority.address, authority.pem
    return folder


@pytest.fixture(scope="session")
def small_report() -> bytes:
    """One page with the evidence inside, unsigned."""
    from auditapp.report.render import Attachment, compile_pdf
    from tests.auditapp.report.test_render import document

    evidence = make_evidence()
    attachment = Attachment("evidence.json", canonical_json(evidence.model_dump(mode="json")), "application/json", "data", "The evidence")
    return compile_pdf(document(blocks=[{"kind": "text", "text": "Nothing."}], keywords=[f"evidence {evidence.digest}"]), {}, [attachment])


def signer_in(folder: Path) -> KeyInAFile:
    """Our key and its first certificate, without our own look at what is signed."""
    loaded = signers.SimpleSigner.load(str(folder / "key.pem"), str(folder / "certificate.pem"))
    assert loaded is not None
    return KeyInAFile(signing_cert=loaded.signing_cert, signing_key=loaded.signing_key, cert_registry=loaded.cert_registry)
