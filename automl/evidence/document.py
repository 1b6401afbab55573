"""The document itself, its digest, and the two types beside it: charts and statements."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from automl.evidence.blocks import Finding, Measured, NotMeasured, Part
from automl.evidence.cohorts import CohortsSection
from automl.evidence.data import DataSection
from automl.evidence.explanation import ExplanationSection
from automl.evidence.export import OnnxExport
from automl.evidence.fairness import FairnessSection
from automl.evidence.local_law_144 import LocalLaw144Section
from automl.evidence.mitigation import MitigationSection
from automl.evidence.performance import PerformanceSection
from automl.evidence.reasons import ReasonsSection
from automl.evidence.robustness import RobustnessSection
from automl.evidence.search import SearchSection
from automl.evidence.slices import SlicesSection
from automl.spec import GoverningMetric, PredictionsSpec, TaskSpec

SCHEMA_VERSION = "1.0"
RunKind = Literal["training", "predictions"]


class LoggedEvent(Part):
    """One entry of a hash chain: hash = sha256(previous_hash as hex text || canonical JSON of the other fields but for both hashes)."""

    workspace: str | None
    number: int
    at: str
    actor: str
    action: str
    subject: str
    data: dict[str, Any]
    previous_hash: str
    hash: str


class RunInfo(Part):
    id: str
    kind: RunKind
    title: str
    parent: str | None = None
    image: str | None = Field(default=None, exclude_if=lambda image: image is None)
    """Digest of the container image that the run was made in, as its operator has named it."""
    kept_days: int | None = Field(default=None, exclude_if=lambda days: days is None)
    """Days after its end that the run is kept, by its workspace's rule when it began; None: until somebody deletes it."""
    log: tuple[LoggedEvent, ...] = Field(default=(), exclude_if=lambda log: not log)
    """What the workspace's ledger held of the tables and of the run when the run began; later entries are in the ledger itself."""


class Plan(Part):
    """The analysis plan, fixed and hashed before the audit part is opened."""

    sha256: str
    sealed_at: str
    """The place in the flow, not a clock: it is part of the digest. The run's events hold the time."""
    attributes: tuple[str, ...]
    bins: dict[str, tuple[float, ...]]
    reference: dict[str, str]
    limit: float
    family: str
    cut_rule: str
    audit_number: int
    """Which audit of this dataset's audit part this is, counted from 1 (rule 15)."""
    alternatives: str = ""
    """sha256 of the mitigation alternatives, which were frozen before; empty where there are none."""
    governing: GoverningMetric | None = Field(default=None, exclude_if=lambda metric: metric is None)
    """The fairness metric that governs, where somebody said which."""
    cohorts: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)
    """What is measured by itself besides; the conditions are in the spec, and in the hash."""


class DesignSection(Part):
    """What the intervals mean."""

    population: str
    unit: str
    independent: bool
    cluster: str | None = None
    weights: str | None = None
    conditional_on: tuple[str, ...] = ("this fitted model",)
    unknown_handling: str
    replicates: int | None = None
    """Of every bootstrap, drawn by generators that begin with the run's seed and the name of what is measured."""


class CrosswalkRow(Part):
    law: str
    item: str
    evidence: str
    supplied_by: Literal["measured", "person", "both", "not_applicable"]
    status: str
    """ "measured", "not measured: why", "to be stated by a person" ...: whether the document holds it, and never what follows from it."""
    law_id: str = ""
    """Of `auditapp/law_status.json`, which knows what became of the law."""
    sections: tuple[int, ...] = ()
    """Sections of a report that hold what the item asks for."""
    statements: tuple[str, ...] = ()
    """Fields of the statements that it asks for."""


class CrosswalkSection(Measured):
    as_of: str
    rows: tuple[CrosswalkRow, ...]


class Packages(Part):
    """Every installed distribution, with the SHA-256 of its RECORD, which holds the digest of each of its files. Not part of the digest: a RECORD also tells the paths of scripts."""

    installed: int
    sha256: str
    """Of the lines of lock.txt that name them."""
    versions: dict[str, str]
    """Name to version and RECORD's SHA-256 ("none": it has no RECORD)."""

    @property
    def lines(self) -> list[str]:
        """As lock.txt lists them."""
        return [f"{name}=={version} # RECORD sha256 {record}\n" for name, (version, _, record) in ((name, said.partition(" ")) for name, said in self.versions.items())]


class Provenance(Part):
    dataset_sha256: str
    config_sha256: str
    model_sha256: str | None
    code_version: str
    libraries: dict[str, str]
    python: str
    hardware: dict[str, Any]
    seeds: dict[str, int]
    threads: int
    packages: Packages | None = None
    started_at: str
    finished_at: str
    year_later: str = ""
    """The date a year after the audit, from which Local Law 144 lets no tool be used on it (6 RCNY 5-301(a)). Not part of the digest."""
    seconds: float
    onnx: OnnxExport | NotMeasured = NotMeasured(reason="the run was made before models were exported")
    """The model as an ONNX file, or why there is none."""


class Evidence(Part):
    """What a run measured. Every page, PDF, JSON and card is a rendering of this document; none computes a number."""

    schema_version: str = SCHEMA_VERSION
    digest: str
    run: RunInfo
    plan: Plan
    spec: TaskSpec | PredictionsSpec
    design: DesignSection
    data: DataSection
    search: SearchSection | NotMeasured
    performance: PerformanceSection | NotMeasured
    fairness: FairnessSection | NotMeasured
    local_law_144: LocalLaw144Section | NotMeasured
    explanation: ExplanationSection | NotMeasured
    reasons: ReasonsSection | NotMeasured
    mitigation: MitigationSection | NotMeasured
    slices: SlicesSection | NotMeasured
    cohorts: CohortsSection | None = Field(default=None, exclude_if=lambda section: section is None)
    """None where nobody named a cohort."""
    robustness: RobustnessSection | NotMeasured
    findings: tuple[Finding, ...]
    crosswalk: CrosswalkSection | NotMeasured
    provenance: Provenance


class ChartTable(Part):
    """The numbers behind a picture, as they are printed beside it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]


class Chart(Part):
    """One picture: a Vega-Lite spec that page and PDF both draw, the sentence it shows, and its numbers."""

    name: str
    """[a-z0-9-]+, unique in the run; also the file name of its SVG."""
    section: Literal["search", "performance", "fairness", "explanation", "mitigation", "weaknesses", "reasons"]
    title: str
    sentence: str
    """The finding in words, made from the same numbers: alternative text and aria-label."""
    spec: dict[str, Any]
    table: ChartTable


class Charts(Part):
    charts: tuple[Chart, ...] = Field(default=())
