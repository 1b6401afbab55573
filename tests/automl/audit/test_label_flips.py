"""What wrong labels would do: by hand where it can be said beforehand, and as many flips as were asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.audit.label_flips import SHARES, measure_label_flips
from automl.evidence import FlippedNumber, LabelFlips, NotMeasured
from tests.automl.audit.cases import binary, from_counts, regression


def numbers(found: LabelFlips | NotMeasured, step: int) -> dict[tuple[str, str], FlippedNumber]:
    assert isinstance(found, LabelFlips)
    return {(one.what, one.attribute): one for one in found.steps[step].numbers}


def test_accuracy_falls_by_what_the_flips_make_wrong() -> None:
    """Of labels that are flipped those that were right become wrong: a(1 - q) + (1 - a)q on average."""
    o = binary(4_000)
    found = measure_label_flips(o, seed=0)
    right = float((np.asarray(o.decision) == np.asarray(o.truth)).mean())
    for step, share in enumerate(SHARES):
        one = numbers(found, step)["accuracy", ""]
        assert one.measured == pytest.approx(right)
        assert one.mean == pytest.approx(right * (1 - share) + (1 - right) * share, abs=0.001)
        assert one.low < one.mean < one.high


def test_a_difference_that_is_there_shrinks_with_wrong_labels() -> None:
    """Whoever is wrongly called deserving is selected as seldom as others are: true positive rates come nearer to each other."""
    o = binary(20_000)
    decision = np.where(o.groups["group"] == "b", 0, np.asarray(o.truth)).astype(np.int64)  # of b nobody, of the others exactly the deserving
    found = measure_label_flips(replace(o, decision=decision), seed=0)
    gap = [numbers(found, step)["true positive rate", "group"] for step in range(len(SHARES))]
    assert [one.measured for one in gap] == [1.0] * len(SHARES)
    assert gap[0].mean > gap[1].mean > gap[2].mean


def test_small_groups_and_numbers_are_left_out_and_say_so() -> None:
    o = binary(4_000)
    group = o.groups["group"].copy()
    group[:20] = "tiny"
    apart = replace(o, groups={"group": group}, decision=np.where(group == "tiny", 0, np.asarray(o.truth)).astype(np.int64))
    assert numbers(measure_label_flips(apart, seed=0), 0)["true positive rate", "group"].measured == 0.0
    for cannot in (regression(), from_counts({"a": (5, 10)}), binary(favourable=())):
        assert isinstance(measure_label_flips(cannot, seed=0), NotMeasured)
    assert measure_label_flips(o, seed=1) == measure_label_flips(o, seed=1) != measure_label_flips(o, seed=2)
