"""The frozen slices measured on rows that had no part in finding them, Holm over all of them (evidence rule 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from automl.audit.conditions import Slice as Conditions, SliceColumn, columns_of_groups, rows_of, words_of
from automl.audit.intervals import count, difference_estimate, rate_estimate
from automl.audit.means import mean_estimate, mean_of, welch
from automl.audit.outcomes import BoolArray, FloatArray, Outcomes
from automl.audit.resampling import generator, halves
from automl.audit.significance import holm, primary_p
from automl.audit.slice_search import Discovery, Found, discover_slices
from automl.evidence import Estimate, NotMeasured, Slice, SlicesSection, Value
from automl.spec import RowCondition

__all__ = ["Discovery", "find_slices", "measure_slices", "slices_of_predictions"]

ALPHA = 0.05
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class RowErrors:
    """What each row (n,) costs: ``error`` 0 or 1, or a distance; ``loss`` its log loss, None where there are no probabilities."""

    error: FloatArray
    loss: FloatArray | None
    words: str

    @property
    def of_decisions(self) -> bool:
        return self.loss is not None or "decisions" in self.words


def row_errors(outcomes: Outcomes) -> RowErrors | NotMeasured:
    """The errors of these rows; NotMeasured without labels, or with neither decisions nor predicted numbers."""
    truth, score = outcomes.truth, outcomes.score
    if truth is None:
        return NotMeasured(reason="no label column was given, so nothing can be called an error")
    if outcomes.task == "regression":
        if score is None:
            return NotMeasured(reason="no predicted number was given")
        residual = np.asarray(truth, dtype=np.float64) - score
        if outcomes.quantile is None:
            return RowErrors(np.abs(residual), None, "mean absolute error")
        return RowErrors(np.maximum(outcomes.quantile * residual, (outcomes.quantile - 1) * residual), None, f"mean quantile loss (level {outcomes.quantile:g})")
    decisions = outcomes.decisions
    if decisions is None:
        return NotMeasured(reason="no decision column and no threshold was given")
    return RowErrors((decisions != truth).astype(np.float64), log_losses(outcomes), "share of wrong decisions")


def log_losses(outcomes: Outcomes) -> FloatArray | None:
    """Log loss of each row (n,); None where the labels or the probabilities of all classes are not known."""
    score, truth = outcomes.score, outcomes.truth
    if score is None or truth is None or outcomes.task == "regression" or not outcomes.scores_are_probabilities:
        return None
    if score.ndim == 1:
        if outcomes.task != "binary":
            return None
        chance = np.where(truth == outcomes.positive_index, score, 1 - score)
    else:
        chance = score[np.arange(len(score)), truth.astype(np.int64)]
    return np.asarray(-np.log(np.clip(chance, _EPS, 1.0)))


def find_slices(columns: Sequence[SliceColumn], outcomes: Outcomes, *, seed: int) -> Discovery | NotMeasured:
    """Looks for slices on these rows and freezes the worst. ``columns``: what may define one, of the same rows."""
    errors = row_errors(outcomes)
    if isinstance(errors, NotMeasured):
        return errors
    if not columns:
        return NotMeasured(reason="there is no input and no declared attribute that could define a slice")
    return discover_slices(columns, errors.error, outcomes.weight, seed=seed)


def measure_slices(
    found: Discovery | NotMeasured, columns: Sequence[SliceColumn], outcomes: Outcomes, *, discovered_on: str, confirmed_on: str, note: str = "",
) -> SlicesSection | NotMeasured:
    """The frozen slices on other rows: ``columns`` and ``outcomes`` are of those. Only these numbers are reported."""
    if isinstance(found, NotMeasured):
        return found
    errors = row_errors(outcomes)
    if isinstance(errors, NotMeasured):
        return errors
    measured = [_measured(one, rows_of(one.conditions, columns), words_of(one.conditions, columns), errors, outcomes) for one in found.slices]
    tested = [at for at, one in enumerate(measured) if one.p is not None]
    for at, adjusted in zip(tested, holm([float(measured[at].p or 0.0) for at in tested]), strict=True):
        measured[at] = _labelled(measured[at].model_copy(update={"p_adjusted": adjusted}))
    return SlicesSection(
        discovered_on=discovered_on, confirmed_on=confirmed_on, rows_discovered=found.rows, rows_confirmed=outcomes.rows, error=errors.words,
        columns=tuple(column.name for column in columns), tried=found.tried, smallest=found.smallest, family=len(tested),
        overall=mean_error(errors.error, np.ones(outcomes.rows, dtype=bool), errors, outcomes), rows=tuple(measured),
        note=("The slices were found on other rows than those that they are measured on; what they looked like there is not reported, since the worst of many always look worse than "
              "they are. They may overlap, and a slice says where errors are, not why." + (f" {note}" if note else "")))


def slices_of_predictions(outcomes: Outcomes, *, seed: int) -> SlicesSection | NotMeasured:
    """Predictions made elsewhere: half of the rows (whole persons) to find slices of the declared attributes, the other half to measure them."""
    columns = columns_of_groups(outcomes.groups)
    parts = halves(outcomes.rows, outcomes.cluster, generator(seed, "half A"))
    if min(map(len, parts)) == 0:
        return NotMeasured(reason="the rows cannot be divided into a half to look for slices and a half to measure them")
    found = find_slices([column.take(parts[0]) for column in columns], outcomes.take(parts[0]), seed=seed)
    return measure_slices(
        found, [column.take(parts[1]) for column in columns], outcomes.take(parts[1]), discovered_on=f"half A: {len(parts[0]):,} rows drawn with seed {seed}",
        confirmed_on=f"half B: the other {len(parts[1]):,} rows", note="Of these predictions only the declared attributes are known, so only they define slices.")


def _measured(found: Found, inside: BoolArray, words: tuple[str, ...], errors: RowErrors, outcomes: Outcomes) -> Slice:
    difference, p = difference_of(inside, errors, outcomes)
    n, loss = int(inside.sum()), errors.loss
    return Slice(
        where=words, found_by=found.by, n=n, share=n / len(inside), error=mean_error(errors.error, inside, errors, outcomes), rest=mean_error(errors.error, ~inside, errors, outcomes),
        difference=difference, loss=None if loss is None else _numbers(loss, inside, outcomes), loss_rest=None if loss is None else _numbers(loss, ~inside, outcomes),
        p=p, label="inconclusive", conditions=_for_programs(found.conditions))


def _for_programs(conditions: Conditions) -> tuple[RowCondition, ...]:
    """As a spec takes them; empty where it would not: a cell may be longer than a level there."""
    try:
        return tuple(RowCondition(**asdict(one)) for one in conditions)
    except ValidationError:
        return ()


def _labelled(one: Slice) -> Slice:
    return one.model_copy(update={"label": label_of(one.difference, one.p_adjusted)})


def label_of(difference: Value, adjusted: float | None) -> Literal["higher", "inconclusive"]:
    """Whether there is more error than elsewhere beyond sampling error, with enough rows on both sides to say so."""
    higher = isinstance(difference, Estimate) and not difference.low_precision and difference.value > 0 and adjusted is not None and adjusted < ALPHA
    return "higher" if higher else "inconclusive"


def _cut(outcomes: Outcomes, rows: BoolArray) -> tuple[FloatArray | None, NDArray[Any] | None]:
    return None if outcomes.weight is None else outcomes.weight[rows], None if outcomes.cluster is None else outcomes.cluster[rows]


def mean_error(error: FloatArray, rows: BoolArray, errors: RowErrors, outcomes: Outcomes) -> Value:
    """The mean error of some rows (n,), a share with Wilson's interval where decisions are wrong or right."""
    if errors.of_decisions:
        return rate_estimate(count(error[rows] == 1, *_cut(outcomes, rows)), "no row of this part fulfils it")
    return _numbers(error, rows, outcomes)


def _numbers(values: FloatArray, rows: BoolArray, outcomes: Outcomes) -> Value:
    return mean_estimate(values[rows], *_cut(outcomes, rows))


def difference_of(inside: BoolArray, errors: RowErrors, outcomes: Outcomes) -> tuple[Value, float | None]:
    """Error inside minus outside: Newcombe's interval and Fisher's test (z at effective counts) for decisions, Welch's for numbers."""
    if not inside.any() or inside.all():
        return NotMeasured(reason="no row of this part fulfils it" if not inside.any() else "every row of this part fulfils it"), None
    if errors.of_decisions:
        mine, rest = (count(errors.error[rows] == 1, *_cut(outcomes, rows)) for rows in (inside, ~inside))
        return difference_estimate(mine, rest), primary_p(mine, rest)
    return welch(*(mean_of(errors.error[rows], *_cut(outcomes, rows)) for rows in (inside, ~inside)))
