"""The explanation section, put together: attributions, and what says how far they can be relied on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np

from automl.audit.dependence import RawModel, measure_dependence
from automl.audit.explain import EXPLAINED_ROWS, ExplainedModel, ExplainedProblem, ExplainedRows, NamedRow, attribute_rows, describe, named_examples
from automl.audit.interactions import ROWS as CROSSED, measure_interactions
from automl.audit.permutation import MOST_CELLS, PermutedProblem, PermutedRows, permutation_importance
from automl.audit.proxies import scan_proxies
from automl.audit.rank_stability import DRAWS, ROWS, rank_stability
from automl.audit.related_inputs import related_inputs
from automl.evidence import ExplanationSection, FeatureImportance, NotMeasured, ProxyScan, Threshold
from automl.spec import LEFT_OUT

ASKED, LEARNED = "asked for, in the audit part", "asked for; the model has learned from it"
PERMUTED = 20
"""Inputs that are shuffled, the most important ones: each costs predictions of all rows drawn."""
COSTLY = 200_000
"""`attribution_cost` of a row from which on fewer rows are asked about: a member that is a network, or a very large ensemble of trees."""
EXPLAINED_IF_COSTLY, DRAWS_IF_COSTLY, ROWS_IF_COSTLY, CELLS_IF_COSTLY, CROSSED_IF_COSTLY = 120, 3, 30, 300_000, 40


class Model(ExplainedModel, RawModel, Protocol):
    @property
    def threads(self) -> int: ...
    @property
    def attribution_cost(self) -> float: ...


class AuditRows(ExplainedRows, PermutedRows, Protocol):
    """Rows with their true values."""


class Problem(ExplainedProblem, PermutedProblem, Protocol):
    """What is predicted, and by which metric it was learned."""


def measure_explanation(
    model: Model, audit_rows: AuditRows, training_rows: ExplainedRows, problem: Problem, *, seed: int, reference: Mapping[str, str] | None = None,
    threshold: Threshold | None = None, texts: Collection[str] = (), checks: bool = True, named: Sequence[int] = (), named_learned: bool = True,
) -> ExplanationSection | NotMeasured:
    """`automl.audit.explain.explain_model` with proxies, rank stability, permutation importance, related inputs, dependence curves and interactions.

    ``named``: positions in the table of rows that a person wants to see one by one, looked for in the audit part and, where ``named_learned`` says that they are of the same table, among the
    training rows. ``checks``: False leaves all but the first out. Proxies, related inputs, curves and interactions are measured on training rows, the rest on the audit part.
    """
    rows, draws, rows_of_draw, cells, crossed = EXPLAINED_ROWS, DRAWS, ROWS, MOST_CELLS, CROSSED
    if model.attribution_cost > COSTLY:
        rows, draws, rows_of_draw, cells, crossed = EXPLAINED_IF_COSTLY, DRAWS_IF_COSTLY, ROWS_IF_COSTLY, CELLS_IF_COSTLY, CROSSED_IF_COSTLY
    attributed = attribute_rows(model, audit_rows, training_rows, problem, seed=seed, rows=rows, texts=texts)
    if isinstance(attributed, NotMeasured):
        return attributed
    section = describe(attributed, model, training_rows, problem, seed=seed, reference=reference, threshold=threshold)
    if named:
        found = _named(named, {ASKED: audit_rows, **({LEARNED: training_rows} if named_learned else {})})
        asked = named_examples(model, problem, attributed, found, threshold or getattr(model, "threshold", None), texts) if found else ()
        section = section.model_copy(update={"examples": (*asked, *section.examples), "rows_left_out": tuple(row for row in named if row not in {one.position for one in found})})
    if not checks:
        left_out = NotMeasured(reason=LEFT_OUT)
        return section.model_copy(update=dict.fromkeys(("proxies", "stability", "permutation", "related", "dependence", "interactions"), left_out))
    names = [feature.feature for feature in section.features]
    proxies = scan_proxies(training_rows, section.features, seed=seed, threads=model.threads, texts=texts)
    return section.model_copy(update={
        "features": _marked(section.features, proxies, training_rows.groups), "proxies": proxies,
        "stability": rank_stability(model, audit_rows, training_rows, attributed, seed=seed, draws=draws, rows=rows_of_draw),
        "permutation": permutation_importance(model, audit_rows, problem, names[:PERMUTED], seed=seed, cells=cells),
        "related": related_inputs(training_rows, attributed.explained, section.features, seed=seed, texts=texts),
        "dependence": measure_dependence(model, training_rows, attributed.explained, names, seed=seed, texts=texts),
        "interactions": measure_interactions(model, training_rows, attributed.explained, names, seed=seed, texts=texts, rows=crossed),
    })


def _named(wanted: Sequence[int], parts: Mapping[str, ExplainedRows]) -> list[NamedRow]:
    """Where the rows are, in the order in which they were named."""
    places = {row: NamedRow(row, part, place, why) for why, part in parts.items() for place in np.flatnonzero(np.isin(part.position, wanted)).tolist() for row in [int(part.position[place])]}
    return [places[row] for row in wanted if row in places]


def _marked(
    features: Sequence[FeatureImportance], proxies: tuple[ProxyScan | NotMeasured, ...] | NotMeasured, attributes: Collection[str],
) -> tuple[FeatureImportance, ...]:
    """Each input with the attributes that it stands in for, or is."""
    scans = [] if isinstance(proxies, NotMeasured) else [scan for scan in proxies if isinstance(scan, ProxyScan)]
    flagged = {(one.feature, scan.attribute) for scan in scans for one in scan.features if one.flagged}
    return tuple(
        feature.model_copy(update={"stands_in_for": tuple(name for name in attributes if name == feature.feature or (feature.feature, name) in flagged)})
        for feature in features)
