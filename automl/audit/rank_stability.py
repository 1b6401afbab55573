"""Would the order of the inputs be another one against other training rows, or for other rows? Mean |SHAP| is made again, and the orders are compared.

`FeatureImportance.rank_over_replicates` resamples the explained rows against one background; here the background changes too, and with it the seed of
explainers that sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.stats import kendalltau

from automl.audit.explain import Attributed, ExplainedModel, ExplainedRows, columns_of, drawn
from automl.audit.outcomes import FloatArray, IntArray
from automl.audit.resampling import generator
from automl.evidence import DrawStability, NotMeasured, RankRange, RankStability, Spread

DRAWS = 5
ROWS = 150
TOP = 4


def rank_stability(
    model: ExplainedModel, audit_rows: ExplainedRows, background_rows: ExplainedRows, attributed: Attributed, *, seed: int, draws: int = DRAWS, rows: int = ROWS,
) -> RankStability | NotMeasured:
    """Orders by mean |SHAP| over ``draws`` backgrounds with the same rows, and over ``draws`` seeds with rows and background of their own."""
    explained = attributed.explained
    if len(explained.names) < 2:
        return NotMeasured(reason="one input has no order")
    if draws < 2 or len(explained.main) < 2 or len(background_rows.features) < 2:
        return NotMeasured(reason="there are too few rows to draw others from")
    columns, size = columns_of(model, background_rows), len(attributed.background)

    def sizes(frame_rows: IntArray, draw: str) -> FloatArray:
        """Mean |SHAP| (features,) of rows of the audit part against a background of this draw."""
        background = drawn(background_rows.features[columns], size, generator(seed, "background", draw))
        phi = explained.of_output(model.attributions(audit_rows.features[columns].iloc[frame_rows], background).phi)
        weight = None if audit_rows.weight is None else audit_rows.weight[frame_rows]
        return np.asarray(np.average(np.abs(phi), axis=0, weights=weight))

    def some(among: int, draw: str) -> IntArray:
        return np.sort(generator(seed, "rows of draw", draw).choice(among, size=min(rows, among), replace=False))

    first = explained.main[some(len(explained.main), "first")]
    same_rows = [np.asarray(explained.mean(np.abs(explained.phi), first)), *(sizes(explained.rows[first], f"background {at}") for at in range(1, draws))]
    # the first one is among the other seeds too: it is the one that is printed
    other_rows = [same_rows[0], *(sizes(some(len(audit_rows.features), f"seed {at}"), f"seed {at}") for at in range(1, draws))]
    top = max(1, min(TOP, len(explained.names) // 2))
    if not all(size.any() for size in (*same_rows, *other_rows)):
        return NotMeasured(reason="in a draw no input moved the output, so there is no order")
    return RankStability(top=top, over=(
        _stability("background", same_rows, explained.names, top, (len(first), size)), _stability("seed", other_rows, explained.names, top, (len(first), size))))


def _stability(varied: Literal["background", "seed"], draws: Sequence[FloatArray], names: Sequence[str], top: int, sizes: tuple[int, int]) -> DrawStability:
    """``draws``: mean |SHAP| (features,) of each; ``sizes``: rows explained and rows of the background."""
    ranks = np.array([_ranks(draw) for draw in draws])
    pairs = list(combinations(range(len(draws)), 2))
    first = [set(np.flatnonzero(rank <= top)) for rank in ranks]
    return DrawStability(
        varied=varied, draws=len(draws), rows=sizes[0], background=sizes[1],
        kendall_tau=_spread([float(kendalltau(draws[a], draws[b]).statistic) for a, b in pairs]),
        top_jaccard=_spread([len(first[a] & first[b]) / len(first[a] | first[b]) for a, b in pairs]),
        ranks=tuple(RankRange(feature=names[j], best=int(ranks[:, j].min()), worst=int(ranks[:, j].max())) for j in np.argsort(ranks[0], kind="stable")))


def _ranks(sizes: FloatArray) -> IntArray:
    """1 for the largest; of equal ones the first column is first, as in the printed order."""
    return np.asarray(np.argsort(np.argsort(-sizes, kind="stable"), kind="stable") + 1, dtype=np.int64)


def _spread(values: Sequence[float]) -> Spread:
    return Spread(mean=float(np.mean(values)), lowest=min(values), highest=max(values), pairs=len(values))
