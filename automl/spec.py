"""What the person asked for, parsed once at the edge: form, REST and command line all build one of these.

`TaskSpec` asks for a model and its audit; `PredictionsSpec` for the audit of predictions made elsewhere. Both are frozen,
refuse unknown fields, and bound every string and number. What only the table can tell (does the column exist?) is
checked where the table is read and raises `automl.errors.BadInput`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from automl.errors import BadInput

TaskKind = Literal["binary", "multiclass", "regression"]
Role = Literal["feature", "target", "sensitive", "id", "date", "text", "ignore", "weight", "group", "time"]
Metric = Literal[
    "roc_auc", "average_precision", "log_loss", "brier", "accuracy", "balanced_accuracy", "f1", "mcc", "rmse", "mae", "rmsle", "r2", "quantile_loss",
]
Family = Literal["linear", "lgbm", "torch", "trees"]
FairnessMetric = Literal["demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference", "equal_opportunity_difference"]
FAIRNESS_METRICS: tuple[FairnessMetric, ...] = get_args(FairnessMetric)
GoverningMetric = Literal[
    "demographic_parity_ratio", "demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference", "predictive_parity_difference",
    "calibration_within_groups", "mean_prediction_difference", "mean_error_difference",
]
"""By which of its measures a person says that an audit of groups is to be read first; the last two are for predicted numbers."""
GOVERNING_METRICS: tuple[GoverningMetric, ...] = get_args(GoverningMetric)
OF_NUMBERS: tuple[GoverningMetric, ...] = ("mean_prediction_difference", "mean_error_difference")
Profile = Literal["us_employment", "us_credit"]
ReportLanguage = Literal["en", "de"]
OptionalPart = Literal["explanation_checks", "reasons", "mitigation", "slices", "robustness"]
"""What an audit does without where the person says so. explanation_checks: what says how far the attributions can be relied on (proxies, stability, permutation, curves)."""
OPTIONAL_PARTS: tuple[OptionalPart, ...] = get_args(OptionalPart)

METRICS_OF_TASK: dict[str, tuple[Metric, ...]] = {
    "binary": ("roc_auc", "average_precision", "log_loss", "brier", "accuracy", "balanced_accuracy", "f1", "mcc"),
    "multiclass": ("log_loss", "accuracy", "balanced_accuracy", "f1", "mcc"),
    "regression": ("rmse", "mae", "rmsle", "r2", "quantile_loss"),
}
"""Metrics that can steer the search, per task; the first is the default."""

NO_FAIRNESS_OBJECTIVE = "fairness_objective compares decisions, and a regression predicts a number: leave it out, or state a task with classes"

SMALLER_IS_BETTER = frozenset[str]({"log_loss", "brier", "rmse", "mae", "rmsle", "quantile_loss"})
"""The metrics that are losses; of every other one more is better."""

LARGEST_NUMBER = 1e100
"""Of a target that is learned as a number: sums of squares must fit into a float."""

LEFT_OUT = "left out, as asked for when the run was submitted"
"""Why a part of ``leave_out`` was not measured, as every face prints it."""

MEDIAN = 0.5
"""The level of quantile_loss where the person names none."""

DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "?")
"""Cell texts read as missing unless the person chooses others (Namibia's "NA" is a country code)."""

# NUL cannot be stored by PostgreSQL and is never part of an honest name
Name = Annotated[str, StringConstraints(min_length=1, max_length=65_536, pattern=r"^[^\x00]+$")]
Label = Annotated[str, StringConstraints(max_length=65_536, pattern=r"^[^\x00]*$")]
Title = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class Frozen(BaseModel):
    # Built at first use, under pydantic's own lock (from 2.14 on): most processes read no document, and all of them wait for their imports
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class TableOptions(Frozen):
    """How the bytes are to be read; None means "as detected"."""

    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    encoding: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9_.:-]+$")] | None = None
    sheet: Title | None = None


class Budget(Frozen):
    """Tuning ends with whichever is reached first. ``seconds`` count from the start of the work to the end of tuning."""

    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    trials: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if self.seconds is None and self.trials is None:
            raise ValueError("a budget needs seconds, trials or both")
        return self


class Limit(Frozen):
    """The limit that the person states and findings are measured against; a convention, not a law."""

    ratio: Annotated[float, Field(gt=0, le=1)] = 0.8


class FairnessObjective(Frozen):
    """A second objective of the search, beside the metric: Fairlearn's ``metric`` between the groups of ``attribute``; None: of every sensitive attribute,
    and the one that does worst counts."""

    metric: FairnessMetric = "demographic_parity_difference"
    attribute: Name | None = None


class ReasonLine(Frozen):
    """A line of the reason table: what may be said where this input, or group of inputs, counts against somebody. Only a person writes it."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00]+$")] | None = None
    text: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]+$")] | None = None
    when_missing: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]+$")] | None = None
    """What is said in place of ``text`` where the value was not given."""
    direction: Literal["higher", "lower", "any"] = "any"
    """The text is true of values above, or below, those of the people just above the cut; of others it is not said. The way to change the outcome is the other way."""
    actionable: bool = False
    """Whether a person can change it."""
    excluded: Literal["immutable", "prohibited"] | None = None
    """Why it is never stated as a reason."""
    approved_by: Title | None = None
    """Who answers for this line; without a name it is a draft."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.excluded is not None and self.actionable:
            raise ValueError(f"what is {self.excluded} cannot be actionable")
        return self


class ReasonPolicy(Frozen):
    """How the principal reasons of unfavourable decisions are chosen and worded."""

    most: Annotated[int, Field(ge=1, le=20)] = 4
    """Reasons stated at most. Four is what US practice calls helpful, and no cap in law."""
    materiality: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """What moves the score by a smaller share of the distance to the cut, or of what the strongest reason moves, is not stated."""
    rows: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Rows that get reasons; None: as many as the model can be asked about in a few seconds. Beyond them a random sample."""
    table: Annotated[dict[Name, ReasonLine], Field(max_length=2_000)] = Field(default_factory=dict)
    """By the name of an input or of a group of ``groups``."""
    groups: dict[Name, Annotated[tuple[Name, ...], Field(min_length=2, max_length=200)]] = Field(default_factory=dict)
    """Related inputs that are one reason, their contributions added up."""

    @field_validator("groups")
    @classmethod
    def _in_one_group(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        members = [name for names in groups.values() for name in names]
        if twice := sorted({name for name in members if members.count(name) > 1}):
            raise ValueError(f"{twice[0]!r} is in two groups, or twice in one")
        return groups


Sex = Literal["Male", "Female"]
Race = Literal[
    "Hispanic or Latino", "White", "Black or African American", "Native Hawaiian or Pacific Islander", "Asian", "Native American or Alaska Native",
    "Two or More Races",
]
SEXES: tuple[str, ...] = get_args(Sex)
RACES: tuple[str, ...] = get_args(Race)
"""The categories of New York City's Local Law 144 (those of the EEO-1 report), in the order of its tables."""
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000, pattern=r"^[^\x00]+$")]


class Exclusion(Frozen):
    """A category that is left out of the impact ratios because few people are in it (6 RCNY 5-301(d)); for people to justify, never automatic."""

    category: Annotated[str, StringConstraints(max_length=100)]
    """"Asian", "Male", or "Female x Asian" of the crossing."""
    justification: Sentence

    @field_validator("category")
    @classmethod
    def _of_the_rule(cls, category: str) -> str:
        if category not in (*SEXES, *RACES, *(f"{sex} x {race}" for sex in SEXES for race in RACES)):
            raise ValueError(f"there is no category {category[:120]!r}; it is one of {', '.join((*SEXES, *RACES))}, or a crossing such as 'Female x Asian'")
        return category


class Attestation(Frozen):
    """By whom an audit of predictions made elsewhere is attested as a bias audit; people attest, software does not."""

    auditor: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
    statement: Sentence


class LocalLaw144(Frozen):
    """The tables of New York City's Local Law 144 (6 RCNY 5-300 to 5-304): which attribute is which, and what each of its values is in the rule's words.

    A value that is spelled as a category is that category; every other one needs a word here, or its rows count as unknown.
    """

    sex: Name | None = None
    race: Name | None = None
    sex_categories: Annotated[dict[Label, Sex], Field(max_length=100)] = Field(default_factory=dict)
    race_categories: Annotated[dict[Label, Race], Field(max_length=100)] = Field(default_factory=dict)
    exclude: Annotated[tuple[Exclusion, ...], Field(max_length=len(SEXES) + len(RACES) + len(SEXES) * len(RACES))] = ()
    data_class: Literal["historical", "test"]
    data_reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^[^\x00]*$")] = ""
    """Of test data: why historical data would not do, and how these were made or obtained."""
    attestation: Attestation | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.sex is None and self.race is None:
            raise ValueError("it names neither the attribute that is sex nor the one that is race or ethnicity")
        if self.sex == self.race:
            raise ValueError(f"{self.sex!r} cannot be both sex and race or ethnicity")
        if self.data_class == "test" and not self.data_reason:
            raise ValueError("test data need a data_reason: why historical data would not do, and how these were made or obtained")
        named = [one.category for one in self.exclude]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"exclude names {twice[0]!r} more than once")
        return self


class FairnessAnswers(Frozen):
    """A person's answers to the four questions of `automl.question_tree`; one that the tree does not come to may be left out."""

    measured_by_rates: Literal["yes", "no"] | None = None
    """Does a law, a contract or a policy measure these decisions by how often each group gets the good outcome?"""
    outcome_trusted: Literal["yes", "no"] | None = None
    """Does the recorded outcome say as truly of every group who deserved the good outcome?"""
    used_as: Literal["decision", "score"] | None = None
    """Do people act on the decision, or read the score?"""
    worse: Literal["refused", "granted", "both"] | None = None
    """Which error does more harm: the good outcome refused to somebody who deserved it, or granted to somebody who did not?"""


class Governing(Frozen):
    """Which fairness metric governs: named by a person who knows, or by the answers to four questions; where both are given the named one stands, with its reason."""

    metric: GoverningMetric | None = None
    answers: FairnessAnswers | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^[^\x00]*$")] = ""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.metric is None and self.answers is None:
            raise ValueError("it names neither a metric nor the answers to the four questions")
        return self


class RowCondition(Frozen):
    """A condition on one column that a row fulfils or not. ``range``: above ``low`` and at most ``high`` (dates in days since 1970-01-01), and where ``or_missing`` says so missing cells too."""

    column: Name
    what: Literal["range", "is", "is_not", "missing", "known"]
    low: float | None = None
    high: float | None = None
    level: Label = ""
    or_missing: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        is_range = self.what == "range"
        if is_range and self.low is None and self.high is None:
            raise ValueError("a range needs low, high or both")
        if is_range and self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("the low end of a range must be below its high end")
        if not is_range and (self.low is not None or self.high is not None or self.or_missing):
            raise ValueError("low, high and or_missing belong to a range")
        if self.what not in ("is", "is_not") and self.level:
            raise ValueError("a level belongs to is and is_not")
        return self


Conditions = Annotated[tuple[RowCondition, ...], Field(min_length=1, max_length=8)]
CohortName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


MOST_COHORTS = 10
"""Of one audit: each is a further comparison."""


class CohortOf(Frozen):
    """Rows that a person names before anything is measured, by conditions that all hold; they are measured by themselves, beside all other rows."""

    name: CohortName
    where: Conditions
    found_in: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9_]+$")] | None = None
    """The run among whose error slices it was found; None where a person wrote it down."""


class Population(Frozen):
    """Whom the decisions are about, as somebody else has counted them: what the groups' shares of the rows are compared with."""

    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
    """Where the numbers are from, and of when."""
    shares: Annotated[dict[Name, Annotated[dict[Label, Annotated[float, Field(gt=0, le=1e12)]], Field(min_length=2, max_length=200)]], Field(min_length=1, max_length=20)]
    """By attribute, of each group its share (of 1), its percentage or its number of people."""

    @field_validator("shares")
    @classmethod
    def _whole(cls, shares: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for attribute, groups in shares.items():
            total = sum(groups.values())
            if not adds_up(total, groups.values()):
                raise ValueError(f"the numbers of {attribute!r} add up to {total:g}; shares add up to 1, percentages to 100 (within {ROUNDED:.0%}), and numbers of people are whole and more than 100")
        return shares

    def expected(self, attribute: str) -> dict[str, float] | None:
        """Each group's share of 1; None of an attribute that was not counted."""
        groups = self.shares.get(attribute)
        if groups is None:
            return None
        total = sum(groups.values())
        return {group: number / total for group, number in groups.items()}


ROUNDED = 0.01
"""By how much shares that somebody rounded may miss 1."""


def adds_up(total: float, numbers: Iterable[float | None]) -> bool:
    """Whether ``numbers`` of this ``total`` are shares, percentages or numbers of people."""
    counted = total > 100 and all(number is not None and float(number).is_integer() for number in numbers)
    return counted or abs(total - 1) <= ROUNDED or abs(total - 100) <= 100 * ROUNDED


class AuditPolicy(Frozen):
    """What both kinds of run share: what is favourable, for whom it is measured, and against which limit."""

    title: Title = ""
    positive: Label | None = None
    favourable: Label | Annotated[tuple[Label, ...], Field(max_length=100)] | None = None
    sensitive: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    bins: dict[Name, Annotated[tuple[float, ...], Field(min_length=1, max_length=50)]] = Field(default_factory=dict)
    intersections: Annotated[int, Field(ge=1, le=4)] = 2
    reference: dict[Name, Label] = Field(default_factory=dict)
    limit: Limit = Limit()
    profile: Profile | None = None
    """Whose law the decisions are made under, as far as the person says: under both profiles no group may have a cut-off of its own (evidence rule 12)."""
    group: Name | None = None
    weight: Name | None = None
    missing: Annotated[tuple[Label, ...], Field(max_length=50)] = DEFAULT_MISSING
    table: TableOptions = TableOptions()
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    leave_out: Annotated[tuple[OptionalPart, ...], Field(max_length=5, exclude_if=lambda parts: not parts)] = ()
    """Parts of the evidence that are not measured, for a run whose audit nobody will be shown; the document says so of each."""
    local_law_144: LocalLaw144 | None = Field(default=None, exclude_if=lambda asked: asked is None)
    governing: Governing | None = Field(default=None, exclude_if=lambda asked: asked is None)
    report_language: ReportLanguage | None = Field(default=None, exclude_if=lambda asked: asked is None)
    """Of the audit PDF, where nobody chooses another among the statements; None: English. The evidence is English whatever is asked for."""

    cohorts: Annotated[tuple[CohortOf, ...], Field(max_length=MOST_COHORTS, exclude_if=lambda cohorts: not cohorts)] = ()
    """Rows to be looked at by themselves; named before the audit part is opened."""

    population: Population | None = Field(default=None, exclude_if=lambda population: population is None)

    @field_validator("cohorts")
    @classmethod
    def _names_once(cls, cohorts: tuple[CohortOf, ...]) -> tuple[CohortOf, ...]:
        names = [one.name for one in cohorts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two cohorts are called {twice[0]!r}")
        return cohorts

    @model_validator(mode="after")
    def _law_on_sensitive(self) -> Self:
        for name in () if self.local_law_144 is None else (self.local_law_144.sex, self.local_law_144.race):
            if name is not None and name not in self.sensitive:
                raise ValueError(f"local_law_144 names {name!r}, which is not among the sensitive attributes {', '.join(map(repr, self.sensitive))}")
        return self

    @model_validator(mode="after")
    def _population_of_sensitive(self) -> Self:
        for name in () if self.population is None else self.population.shares:
            if name not in self.sensitive:
                raise ValueError(f"population names {name!r}, which is not among the sensitive attributes {', '.join(map(repr, self.sensitive))}")
        return self

    @model_validator(mode="after")
    def _governs_something(self) -> Self:
        if self.governing is not None and not self.sensitive:
            raise ValueError("governing compares the groups of a sensitive attribute, and none is named")
        return self

    @field_validator("sensitive")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sensitive names {twice[0]!r} more than once")
        return names

    @field_validator("bins")
    @classmethod
    def _rising(cls, bins: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for attribute, edges in bins.items():
            if any(low >= high for low, high in pairwise(edges)):
                raise ValueError(f"the edges of {attribute!r} must rise")
        return bins


MOST_EXPLAINED = 20
"""Rows that a person may name: each is a table of its own in the report."""


class TaskSpec(AuditPolicy):
    """Train a model on a table and audit it."""

    target: Name
    task: TaskKind | None = None
    sensitive_as_features: bool = False
    metric: Metric | None = None
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The level of the metric quantile_loss, 0.5 where none is given; of other metrics None."""
    budget: Budget = Budget(seconds=120)
    families: Annotated[tuple[Family, ...], Field(max_length=10)] = ()
    simple: bool = False
    parallel: Annotated[int, Field(ge=1, le=16)] = 1
    """Workers that search together, as far as so many are free; more than one needs PostgreSQL (`auditapp.parts`)."""
    audit_fraction: Annotated[float, Field(ge=0.05, le=0.5)] = 0.25
    time: Name | None = None
    roles: dict[Name, Role] = Field(default_factory=dict)
    fairness_objective: FairnessObjective | None = None
    reasons: ReasonPolicy = ReasonPolicy()
    explain_rows: Annotated[tuple[Annotated[int, Field(ge=0, le=10**9)], ...], Field(max_length=MOST_EXPLAINED, exclude_if=lambda rows: not rows)] = ()
    """Rows of the table (of the test table where one is given), the first one 0 as in predictions.csv, whose output is explained one by one, beside those that a rule picks."""
    parent: Title | None = None

    @model_validator(mode="before")
    @classmethod
    def _usual_quantile(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("metric") == "quantile_loss" and given.get("quantile") is None:
            return {**given, "quantile": MEDIAN}
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.quantile is not None and self.metric != "quantile_loss":
            raise ValueError(f"quantile is the level of the metric 'quantile_loss', and the metric is {f'{self.metric!r}' if self.metric else 'the usual one of the task'}")
        if twice := sorted({row for row in self.explain_rows if self.explain_rows.count(row) > 1}):
            raise ValueError(f"explain_rows names row {twice[0]} more than once")
        if self.target in self.sensitive:
            raise ValueError(f"{self.target!r} cannot be both target and sensitive attribute")
        if self.task and self.metric and self.metric not in METRICS_OF_TASK[self.task]:
            raise ValueError(f"metric {self.metric!r} does not fit a {self.task} task; choose one of {', '.join(METRICS_OF_TASK[self.task])}")
        for option in ("group", "time", "weight"):
            if getattr(self, option) == self.target:
                raise ValueError(f"{option} cannot be the target {self.target!r}")
        self._check_fairness_objective()
        self._check_law()
        return self

    def _check_law(self) -> None:
        if (law := self.local_law_144) is None:
            return
        if law.data_class == "historical":
            raise ValueError("local_law_144: rows of a table that a model is trained on are test data, not historical data of its use; say data_class 'test' and give a data_reason")
        if law.attestation is not None:
            raise ValueError("local_law_144: a model that is trained here is assessed by its developer; an attestation is for the audit of predictions made elsewhere")

    def _check_fairness_objective(self) -> None:
        if (objective := self.fairness_objective) is None:
            return
        if not self.sensitive:
            raise ValueError("fairness_objective compares the groups of a sensitive attribute, and none is named")
        if self.parallel > 1:
            raise ValueError(f"fairness_objective is searched for by one worker, and parallel is {self.parallel}; ask for 1")
        if objective.attribute is not None and objective.attribute not in self.sensitive:
            raise ValueError(f"fairness_objective names {objective.attribute!r}, which is not among the sensitive attributes {', '.join(map(repr, self.sensitive))}")
        if self.task == "regression":
            raise ValueError(NO_FAIRNESS_OBJECTIVE)


class PredictionsSpec(AuditPolicy):
    """Audit predictions that somebody else's model made. Without a label the error rates are "not measured"."""

    label: Name | None = None
    score: Name | None = None
    decision: Name | None = None
    threshold: float | None = None
    parent: Title | None = None

    @model_validator(mode="after")
    def _something_to_audit(self) -> Self:
        if self.score is None and self.decision is None:
            raise ValueError("predictions need a score column, a decision column or both")
        if not self.sensitive:
            raise ValueError("an audit of predictions needs at least one sensitive attribute")
        if self.threshold is not None and self.score is None:
            raise ValueError("a threshold needs the score column that it cuts")
        for name in (self.label, self.score, self.decision):
            if name is not None and name in self.sensitive:
                raise ValueError(f"{name!r} cannot be both a prediction column and a sensitive attribute")
        return self


Spec = TaskSpec | PredictionsSpec


def parse_spec(document: dict[str, Any], kind: Literal["training", "predictions"]) -> Spec:
    """The spec in ``document``; raises BadInput with one sentence and a JSON pointer at the first fault."""
    model = TaskSpec if kind == "training" else PredictionsSpec
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        where = f"spec{pointer}: " if pointer else "spec: "
        raise BadInput(where + in_words(first["type"], first["msg"]), pointer=pointer or "/") from error


def metrics_in_words() -> str:
    """The metrics by task, for the help of a command line."""
    return "; ".join(f"{task}: {', '.join(metrics)}" for task, metrics in METRICS_OF_TASK.items()) + " (default: the first)"


def in_words(kind: str, message: str) -> str:
    """pydantic's sentence without its own terms, of which the person knows none."""
    if kind == "extra_forbidden":
        return "there is no such field"
    if kind == "missing":
        return "this field is needed"
    return re.sub(r"^(Input|Value|String|List|Tuple|Dictionary) should ", "must ", message.removeprefix("Value error, "))
