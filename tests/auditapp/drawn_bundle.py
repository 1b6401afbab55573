"""The bundle of a run as child and renderer leave it to the worker."""

from __future__ import annotations

from pathlib import Path

from automl.bundle import write_bundle
from automl.evidence import RunInfo, digest_of
from tests.evidence_example import make_charts, make_evidence


def make_bundle(folder: Path, run_id: str) -> Path:
    evidence = make_evidence(run=RunInfo(id=run_id, kind="training", title="t"))
    evidence = evidence.model_copy(update={"digest": digest_of(evidence.model_dump(mode="json"))})
    bundle = folder / "bundle"

    def predictions(path: Path) -> None:
        path.write_text("row\n")

    write_bundle(bundle, evidence=evidence, charts=make_charts(evidence), card="# card\n", predictions=predictions,
                 save_model=lambda model: (model / "model.json").write_text("{}"))
    (bundle / "charts").mkdir()
    (bundle / "charts" / "roc.svg").write_text("<svg/>")
    (bundle / "audit.unsigned.pdf").write_bytes(b"%PDF-unsigned")
    return bundle
