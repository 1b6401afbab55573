"""How far the audited rows lie outside of what was learned from: values out of range, levels never seen, and the population stability index of each input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, chi2_contingency

from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, IntArray, groups_of
from automl.audit.significance import holm
from automl.audit.subject import Subject, numbers_of
from automl.evidence import GroupShare, NotMeasured, OutsideOfTraining, Shift, ShiftedFeature

BINS = 10
LEVELS = 20
"""Levels of a category with a bin of their own; the others share one, and missing cells have one."""
HALF_A_ROW = 0.5
"""Added to each bin, so that an empty one leaves the index finite."""


def measure_shift(subject: Subject) -> Shift | NotMeasured:
    """Audited rows against training rows, input by input; texts are left out."""
    train, audit, kinds = subject.train, subject.audit, subject.problem.schema.kinds
    names = [name for name, kind in kinds.items() if kind != "text" and name in audit.features.columns]
    if not names or not len(audit):
        return NotMeasured(reason="the model has no input but free text, or no row is audited")
    outside, unseen = _outside(train.features, audit.features, kinds, names)
    anything = np.any([*outside.values(), *unseen.values()], axis=0)
    told = [OutsideOfTraining(feature=name, outside=int(outside[name].sum()), unseen=int(unseen[name].sum())) for name in names if outside[name].any() or unseen[name].any()]
    features = [_shifted(name, *_binned(train.features, audit.features, name, kinds[name]), repeated=audit.cluster is not None) for name in names]
    return Shift(
        train=len(train), audit=len(audit), any_outside=rate_estimate(count(anything, audit.weight, audit.cluster)),
        by_group=shares_by_group(anything, audit.groups, audit.weight, audit.cluster),
        outside=tuple(sorted(told, key=lambda one: (-(one.outside + one.unseen), one.feature))),
        features=tuple(sorted(_adjusted(features), key=lambda one: (-one.psi, one.feature))))


def shares_by_group(
    hits: BoolArray, groups: Mapping[str, NDArray[np.object_]], weight: FloatArray | None, cluster: NDArray[Any] | None,
) -> tuple[GroupShare, ...]:
    """Share of ``hits`` (n,) in each known group, with Wilson's interval."""
    def of(attribute: str, group: str, rows: NDArray[np.int64]) -> GroupShare:
        share = rate_estimate(count(hits[rows], None if weight is None else weight[rows], None if cluster is None else cluster[rows]), "the weights of this group add up to 0")
        return GroupShare(attribute=attribute, group=group, n=len(rows), share=share)

    return tuple(of(attribute, group, np.flatnonzero(labels == group)) for attribute, labels in groups.items() for group in groups_of(labels))


def _outside(train: pd.DataFrame, audit: pd.DataFrame, kinds: Mapping[str, str], names: list[str]) -> tuple[dict[str, BoolArray], dict[str, BoolArray]]:
    """Per input and audited row: a number outside of the training rows' range, a level that no training row has."""
    outside, unseen = {}, {}
    for name in names:
        outside[name] = unseen[name] = np.zeros(len(audit), dtype=bool)
        if kinds[name] == "category":
            unseen[name] = (audit[name].notna() & ~audit[name].isin(train[name].dropna().unique())).to_numpy()
            continue
        known, values = numbers_of(train, name), numbers_of(audit, name)
        known = known[np.isfinite(known)]
        if len(known):
            outside[name] = (values < known.min()) | (values > known.max())
    return outside, unseen


def _binned(train: pd.DataFrame, audit: pd.DataFrame, name: str, kind: str) -> tuple[IntArray, IntArray]:
    """Rows per bin, of both parts; the bins are made of the training rows. Bins that are empty in both are left out."""
    if kind == "category":
        levels = train[name].value_counts()
        kept = sorted(map(str, levels.index), key=lambda level: (-int(levels[level]), level))[:LEVELS]
        place = {level: at for at, level in enumerate(kept)}
        codes = [np.where(part[name].isna(), len(kept) + 1, part[name].map(place).astype(np.float64).fillna(len(kept))).astype(np.int64) for part in (train, audit)]
        size = len(kept) + 2
    else:
        values = [numbers_of(part, name) for part in (train, audit)]
        known = values[0][np.isfinite(values[0])]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")) if len(known) else np.zeros(0)
        codes = [np.where(np.isfinite(each), np.searchsorted(edges, each, side="left"), len(edges) + 1) for each in values]
        size = len(edges) + 2
    first, second = (np.bincount(code, minlength=size) for code in codes)
    used = first + second > 0
    return first[used], second[used]


def stability_index(train: IntArray, audit: IntArray) -> tuple[float, float]:
    """sum (a - t) ln(a / t) over the shares t and a of the bins, and what it stays below in 95 % of samples without shift: then it is about chi-square with
    bins - 1 degrees of freedom, times (1/n + 1/m) (Yurdakul 2018)."""
    bins = len(train)
    shares = [(part + HALF_A_ROW) / (part + HALF_A_ROW).sum() for part in (train, audit)]
    psi = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    return psi, float(chi2.isf(0.05, bins - 1)) * (1 / train.sum() + 1 / audit.sum()) if bins > 1 else 0.0


def _shifted(name: str, train: IntArray, audit: IntArray, *, repeated: bool) -> ShiftedFeature:
    bins, (psi, usual) = len(train), stability_index(train, audit)
    p = None if repeated or bins < 2 else float(chi2_contingency(np.array([train, audit]), correction=False).pvalue)
    return ShiftedFeature(feature=name, psi=psi, bins=bins, without_shift=usual, p=p, p_adjusted=None)


def _adjusted(features: list[ShiftedFeature]) -> list[ShiftedFeature]:
    tested = [one for one in features if one.p is not None]
    adjusted = dict(zip((one.feature for one in tested), holm([float(one.p or 0.0) for one in tested]), strict=True))
    return [one.model_copy(update={"p_adjusted": adjusted.get(one.feature)}) for one in features]
