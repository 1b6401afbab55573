"""The parts of an explanation that say how far it can be relied on, for `tests.evidence_example` and its variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automl.evidence import (
    Background,
    Dependence,
    DependencePoint,
    DependenceSection,
    DrawStability,
    Estimate,
    NotMeasured,
    PermutationImportance,
    PermutedInput,
    ProxyFeature,
    ProxyGroup,
    ProxyScan,
    RankRange,
    RankStability,
    RelatedGroup,
    RelatedInputs,
    Spread,
)

ALONE = (0.8713, 0.6421, 0.6033, 0.5547)


def around(value: float, half: float, n: int = 6000) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, method="bootstrap", n=n)


def make_scan(attribute: str, groups: Sequence[str], features: Sequence[str]) -> ProxyScan:
    """The first of ``features`` alone tells the groups."""
    return ProxyScan(
        attribute=attribute, rows=6000, folds=3, auc=around(0.9247, 0.0071), balanced_accuracy=around(0.8391, 0.0093), chance=1 / len(groups), largest_share=0.6683, strong=0.7,
        own_column=False, groups=tuple(ProxyGroup(group=group, n=2000 - 400 * at, auc=around(0.9247 - 0.05 * at, 0.0071)) for at, group in enumerate(groups)),
        features=tuple(ProxyFeature(feature=name, alone=around(alone, 0.0087), rank=at + 1, share_of_score=0.2318 - 0.05 * at, flagged=at == 0)
                       for at, (name, alone) in enumerate(zip(features, ALONE, strict=False))))


def make_depth(features: Sequence[str], attributes: Sequence[str] = ("sex", "race"), groups: Sequence[str] = ("Female", "Male")) -> dict[str, Any]:
    """Fields of `ExplanationSection` by name."""
    spread = {"kendall_tau": Spread(mean=0.9127, lowest=0.8545, highest=0.9636, pairs=10), "top_jaccard": Spread(mean=0.8267, lowest=0.6, highest=1.0, pairs=10)}
    ranks = tuple(RankRange(feature=name, best=max(1, at), worst=at + 2) for at, name in enumerate(features))
    curve = tuple(DependencePoint(at=float(17 + 9 * at), effect=around(-1.1 + 0.31 * at, 0.07), rows_low=-1.6 + 0.31 * at, rows_high=-0.4 + 0.31 * at) for at in range(7))
    levels = tuple(DependencePoint(at=level, effect=around(effect, 0.06), rows_low=effect - 0.4, rows_high=effect + 0.5) for level, effect in ((groups[0], -0.42), (groups[1], 0.58)))
    return {
        "second_background": {attributes[0]: Background(source=f"training rows of {groups[-1]} drawn at random (seed 0)", n=100, sha256="c9" * 32)},
        "proxies": (make_scan(attributes[0], groups, features), NotMeasured(reason=f"{attributes[1]}: no two groups have 20 rows or more among the training rows")),
        "stability": RankStability(top=4, over=tuple(DrawStability(varied=varied, draws=5, rows=150, background=100, ranks=ranks, **spread) for varied in ("background", "seed"))),
        "permutation": PermutationImportance(
            loss="log loss", rows=545, repeats=5, mean_loss=around(0.2811, 0.0198, 545), kendall_tau=0.7818,
            features=tuple(PermutedInput(feature=name, increase=around(0.0612 - 0.006 * at, 0.0081, 545), rank=at + 1) for at, name in enumerate(features))),
        "related": RelatedInputs(measure="|Spearman| between numbers, Cramer's V where a category takes part", limit=0.5, rows=4000, compared=len(features), groups=(
            RelatedGroup(features=(features[0], features[-1]), weakest=0.5731, mean_abs_shap=around(1.1842, 0.061, 500), rank=1),)),
        "dependence": DependenceSection(source="400 training rows drawn at random (seed 0)", single_rows=60, features=(
            Dependence(feature=features[1], method="ale", rows=398, missing=2, points=curve), Dependence(feature=features[0], method="partial_dependence", rows=60, missing=0, points=levels))),
    }
