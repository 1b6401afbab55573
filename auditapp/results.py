"""What a run ended in, read back: evidence, charts, files, all of it, the signed PDF. Every byte is checked against its sha256 on the way out."""

from __future__ import annotations

import shutil
import zipfile
from functools import lru_cache
from typing import IO, BinaryIO

from django.db.models import Prefetch, QuerySet

from auditapp import storage
from auditapp.models import Artifact, Report, Run
from automl.evidence import Chart, Charts, Evidence


class NoSuchArtifact(Exception):
    """The run has no file of that name; it has not ended, or not in this kind of file."""


class NotSigned(Exception):
    """The report waits for its signature (or the run for its end): there is no PDF to hand out."""


def read_evidence(run: Run) -> Evidence:
    """The run's evidence; raises NoSuchArtifact before it has succeeded."""
    return _evidence(_artifact(run, "evidence.json").sha256)


def read_charts(run: Run) -> Charts:
    return _charts(_artifact(run, "charts.json").sha256)


def find_chart(run: Run, name: str) -> Chart | None:
    """None where no picture has that name, or the run has none."""
    try:
        return next((chart for chart in read_charts(run).charts if chart.name == name), None)
    except NoSuchArtifact:
        return None


def open_artifact(run: Run, name: str) -> BinaryIO:
    """The file ``name`` of the bundle, such as "evidence.json" or "charts/roc.svg"; raises NoSuchArtifact and storage.Damaged."""
    return storage.open_verified(_artifact(run, name).sha256)


def artifact_names(run: Run) -> list[str]:
    return list(Artifact.objects.filter(run=run).values_list("name", flat=True))


def newest_report(run: Run) -> Report | None:
    fetched: list[Report] | None = getattr(run, "fetched_reports", None)
    return next(iter(run.reports.all()[:1] if fetched is None else fetched), None)


def with_reports(runs: QuerySet[Run]) -> QuerySet[Run]:
    """For a list: what `newest_report` would ask for each, asked once."""
    return runs.prefetch_related(Prefetch("reports", to_attr="fetched_reports"))


def signed_report(run: Run, version: int | None = None) -> Report:
    """The newest signed report, or that of ``version``; raises NotSigned where it is not signed (yet): an unsigned one is never offered as final."""
    reports = Report.objects.filter(run=run, state="signed")
    report = (reports if version is None else reports.filter(version=version)).order_by("-version").first()
    if report is None:
        raise NotSigned("the report is not signed yet")
    return report


def open_report(run: Run, version: int | None = None) -> BinaryIO:
    """The PDF of `signed_report`; raises NotSigned."""
    return storage.open_verified(signed_report(run, version).pdf_sha256)


def open_picture(report: Report) -> BinaryIO:
    """PNG of the report's first page; raises NoSuchArtifact for a report from before there were any."""
    if not report.picture_sha256:
        raise NoSuchArtifact("there is no picture of this report")
    return storage.open_verified(report.picture_sha256)


def write_bundle_zip(run: Run, stream: IO[bytes]) -> None:
    """All files of the run as one ZIP, in the order of their names, and its later signed reports, written to ``stream``."""
    artifacts = list(Artifact.objects.filter(run=run).order_by("name"))
    if not artifacts:
        raise NoSuchArtifact("the run has no files")
    later = Report.objects.filter(run=run, state="signed", version__gt=1).order_by("version")
    files = [(artifact.name, artifact.sha256, artifact.bytes) for artifact in artifacts] + [(f"reports/audit-v{report.version}.pdf", report.pdf_sha256, 0) for report in later]
    with zipfile.ZipFile(stream, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for name, sha256, size in files:
            # A fixed date: the same run gives the same bytes
            entry = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with storage.open_verified(sha256) as source, archive.open(entry, "w", force_zip64=size > 2**31 - 1) as target:
                shutil.copyfileobj(source, target, 2**20)


def _artifact(run: Run, name: str) -> Artifact:
    artifact = Artifact.objects.filter(run=run, name=name).first() if "\x00" not in name else None
    if artifact is None:
        raise NoSuchArtifact("the run has no such file")
    return artifact


# Content-addressed, so a cached document can never be stale
@lru_cache(maxsize=16)
def _evidence(sha256: str) -> Evidence:
    with storage.open_verified(sha256) as file:
        return Evidence.model_validate_json(file.read())


@lru_cache(maxsize=16)
def _charts(sha256: str) -> Charts:
    with storage.open_verified(sha256) as file:
        return Charts.model_validate_json(file.read())
