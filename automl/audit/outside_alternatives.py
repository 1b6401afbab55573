"""Alternatives to decisions that were made elsewhere: other cut-offs of the scores as given, chosen on one half of the rows and measured on the other.

Nothing learns again, for the model is not here; and no row that chose a cut-off says what it does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from automl.audit.mitigation import measure_alternatives
from automl.audit.outcomes import Outcomes
from automl.audit.resampling import generator, halves
from automl.evidence import MitigationSection, NotMeasured
from automl.learn.mitigation.alternatives import Cutting, cuts_alone, price_at
from automl.learn.mitigation.decisions import Decisions
from automl.spec import PredictionsSpec

MOST_ROWS = 100_000
"""Looked at, drawn by the seed where there are more: the replicates of some thirty alternatives are kept side by side."""
NO_MODEL = "the predictions were made elsewhere: there is no model here that could learn again"
NOTE = (
    "The predictions were made elsewhere, so nothing could learn again: these are other cut-offs of the scores as given. They were chosen and compared on half A of the rows, frozen, and measured here on "
    "half B; \"deployed\" are the decisions as given. None was chosen: which alternative is worth its price is a person's decision. Intervals of changes are paired and hold one at a time; those of "
    "differences between groups hold for all compared groups of an attribute at once. Where decisions are drawn by lot, values are expectations over the draw."
)


def alternatives_of_predictions(outcomes: Outcomes, policy: PredictionsSpec) -> MitigationSection | NotMeasured:
    """Other cut-offs by halves; a reason where scores, labels or a favourable outcome of two are not there to choose them by."""
    if (reason := _why_not(outcomes, policy)) is not None:
        return NotMeasured(reason=reason)
    some = outcomes if outcomes.rows <= MOST_ROWS else outcomes.take(np.sort(generator(policy.seed, "rows for alternatives").choice(outcomes.rows, MOST_ROWS, replace=False)))
    first, second = halves(some.rows, some.cluster, generator(policy.seed, "half A of alternatives"))
    if not min(len(first), len(second)):
        return NotMeasured(reason="the rows cannot be divided into a half to choose cut-offs on and a half to measure them on")
    favourable = some.labels.index(some.favourable[0])
    prepared = cuts_alone(Cutting(
        sensitive=[name for name in policy.sensitive if name in some.groups], reference=policy.reference, decisions=_decisions(some.take(first)), favourable=favourable,
        price=price_at(None if some.threshold is None else some.threshold.value, favourable), metric="accuracy", seed=policy.seed), NO_MODEL)
    if isinstance(prepared, NotMeasured):
        return prepared
    rest = some.take(second)
    return measure_alternatives(prepared, _decisions(rest), pd.DataFrame(index=range(rest.rows)), rest, profile=policy.profile, seed=policy.seed, known_on="on half A", note=NOTE)


def _why_not(outcomes: Outcomes, policy: PredictionsSpec) -> str | None:
    if outcomes.task != "binary":
        return f"alternatives are made for decisions between two classes, and these are predictions of a {outcomes.task} task"
    if len(outcomes.favourable) != 1 or outcomes.selected() is None:
        return "it takes decisions, and one favourable outcome of two, to know who is to be treated more alike"
    if outcomes.truth is None:
        return "no true outcome is given: what another cut-off would cost cannot be told"
    if outcomes.score is None or not outcomes.scores_are_probabilities:
        return "no probabilities are given that could be cut elsewhere, and the model that decides is not here"
    return None


def _decisions(outcomes: Outcomes) -> Decisions:
    score, selected, deserving = outcomes.favourable_score(), outcomes.selected(), outcomes.deserving()
    assert score is not None
    assert selected is not None
    assert deserving is not None
    cluster = None if outcomes.cluster is None else np.unique(outcomes.cluster, return_inverse=True)[1].astype(np.int64)
    return Decisions(score=score, selected=selected, deserving=deserving, groups=outcomes.groups, weight=outcomes.weight, cluster=cluster)
