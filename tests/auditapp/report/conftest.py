"""A drawn report and a signing key of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditapp.signing_identity import ensure_signing_identity
from automl.card import write_card
from automl.charts import draw_charts
from automl.evidence import Evidence, canonical_json
from workers.render import PDF_NAME, render_bundle


def draw_bundle(evidence: Evidence, folder: Path, **replace: bytes) -> Path:
    """A bundle folder with what drawing reads, drawn; ``replace`` puts other bytes in place of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evidence.json").write_bytes(canonical_json(evidence.model_dump(mode="json")))
    (folder / "charts.json").write_bytes(canonical_json(draw_charts(evidence).model_dump(mode="json")))
    (folder / "modelcard.md").write_text(write_card(evidence))
    render_bundle(folder)
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.evidence_example import make_evidence

    return draw_bundle(make_evidence(), tmp_path_factory.mktemp("report") / "bundle")


@pytest.fixture(scope="session")
def unsigned(bundle: Path) -> bytes:
    return (bundle / PDF_NAME).read_bytes()


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "signing"
    ensure_signing_identity(folder)
    return folder


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
