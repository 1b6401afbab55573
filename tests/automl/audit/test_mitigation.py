"""Frozen alternatives on the audit part: every number counted again by hand, paired intervals, and what a profile bars."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics
from pydantic import ValidationError
from sklearn.metrics import accuracy_score, f1_score

from automl.audit.findings.mitigation import findings_of_mitigation
from automl.audit.intervals import LEVEL
from automl.audit.mitigation import MOST_LISTED, _Room, measure_mitigation
from automl.audit.outcomes import Outcomes
from automl.data.splits import Rows
from automl.evidence import Alternative, Estimate, MitigationSection, NotMeasured, Threshold
from automl.learn.mitigation.alternatives import Frozen, Known, Prepared, _pareto
from automl.learn.mitigation.cuts import Cuts, curves_of, towards_equal_odds, towards_parity
from automl.learn.mitigation.decisions import Decisions, aim_of, cells, spread, value_of
from automl.learn.predictions import Predictions
from tests.automl.learn.mitigation.people import people

NOTHING = NotMeasured(reason="no fairness here")


class Model:
    """Decides by 0.5 of the probability that it is asked with."""

    threshold = Threshold(value=0.5, chosen_on="default 0.5")

    def decide(self, predictions: Predictions) -> Any:
        assert predictions.probabilities is not None
        return (predictions.probabilities[:, 1] >= 0.5).astype(np.int64)


def prepared_from(train: Decisions) -> Prepared:
    aim = aim_of("group", train)
    assert aim is not None
    curves = curves_of(train, aim, 0.5)

    def known(given: Any) -> Known:
        return Known(value_of("accuracy", cells(given, train.deserving, train.heavy, True)), spread(given, train, aim))

    found = []
    for criterion, cuts in (("demographic_parity", towards_parity(curves, aim, 0.0)), ("equalized_odds", towards_equal_odds(curves, aim, 0.0, 0.5)),
                            ("demographic_parity", Cuts(everybody=((0.4, 1.0),)))):
        method = "own_cuts" if cuts.attribute else "common_cut"
        found.append(Frozen(f"m{len(found) + 1}", method, "group", criterion, {"gap_left": 0.0} if cuts.attribute else {"largest_loss": 0.01}, known(cuts.given(train)), cuts))  # type: ignore[arg-type]
    now = known(train.selected.astype(float))
    return Prepared((aim,), "accuracy", 1, (now,), tuple(found), (), tuple(_pareto(aim, now, found)), len(train), 1)


def measured(audit: Decisions, prepared: Prepared | None = None, favourable: int = 1, **more: Any) -> MitigationSection:
    """``favourable``: which of the two classes, of which 1 is the positive one, is good for the person."""
    of_positive = audit.score if favourable else 1 - audit.score
    both = np.column_stack([1 - of_positive, of_positive])
    rows = Rows(features=pd.DataFrame(index=range(len(audit))), y=(audit.deserving == favourable).astype(np.int64), groups=audit.groups, weight=audit.weight, cluster=audit.cluster, position=np.arange(len(audit)))
    outcomes = Outcomes("binary", ("no", "yes"), "yes", ("no", "yes")[favourable:favourable + 1], rows.y, of_positive, (audit.selected == favourable).astype(np.int64), audit.groups, audit.weight, audit.cluster, Model.threshold)
    model: Any = Model()
    section = measure_mitigation(prepared or prepared_from(people(seed=1)), model, rows, Predictions(both), outcomes, **{"profile": None, "seed": 0, **more})
    assert isinstance(section, MitigationSection)
    return section


@pytest.fixture(scope="module", params=[False, True], ids=["", "weighted"])
def found(request: pytest.FixtureRequest) -> tuple[Decisions, Prepared, MitigationSection]:
    audit, prepared = people(2_000, seed=2, weighted=request.param), prepared_from(people(seed=1))
    return audit, prepared, measured(audit, prepared)


def value(estimate: Any) -> float:
    assert isinstance(estimate, Estimate), estimate
    assert estimate.low <= estimate.value <= estimate.high
    return estimate.value


def test_every_number_can_be_counted_again(found: tuple[Decisions, Prepared, MitigationSection]) -> None:
    audit, prepared, section = found
    column, heavy = audit.groups["group"], audit.heavy
    for one, frozen in zip(section.alternatives, prepared.alternatives, strict=True):
        assert frozen.cuts is not None
        given = frozen.cuts.given(audit)
        right = np.where(audit.deserving, given, 1 - given)
        now = (audit.selected == audit.deserving).astype(float)
        change = one.performance["accuracy"]
        assert value(change.after) == pytest.approx(np.average(right, weights=heavy))
        assert value(change.change) == pytest.approx(np.average(right, weights=heavy) - np.average(now, weights=heavy))
        assert (one.people.gained, one.people.lost) == pytest.approx((given[~audit.selected].sum(), (1 - given[audit.selected]).sum()))
        assert value(one.people.share) == pytest.approx(np.average(np.abs(given - audit.selected), weights=heavy))
        rates = {}
        for group in one.fairness.groups:
            for rate, among in (("selection_rate", column == group.group), ("tpr", (column == group.group) & audit.deserving), ("fpr", (column == group.group) & ~audit.deserving)):
                after, before = (np.average(each[among], weights=heavy[among]) for each in (given, audit.selected))
                rates[group.group, rate] = after, before
                assert value(getattr(group, rate).after) == pytest.approx(after)
                assert value(getattr(group, rate).change) == pytest.approx(after - before)
            after, before = (np.average(audit.deserving, weights=each * heavy * (column == group.group)) for each in (given, audit.selected))
            rates[group.group, "ppv"] = after, before
            assert group.ppv is not None
            assert value(group.ppv.after) == pytest.approx(after)
            assert value(group.ppv.change) == pytest.approx(after - before)
        for gap in one.fairness.gaps:
            for rate in ("selection_rate", "tpr", "fpr", "ppv"):
                (mine, mine_before), (theirs, theirs_before) = rates[gap.group, rate], rates["a", rate]
                assert value(getattr(gap, rate).after) == pytest.approx(mine - theirs)
                assert value(getattr(gap, rate).change) == pytest.approx((mine - theirs) - (mine_before - theirs_before))


def test_spreads_of_decisions_that_are_not_drawn_are_fairlearns(found: tuple[Decisions, Prepared, MitigationSection]) -> None:
    audit, prepared, section = found
    among = np.isin(audit.groups["group"], prepared.aims[0].groups)
    for one, frozen in zip(section.alternatives, prepared.alternatives, strict=True):
        if one.drawn_by_lot:
            continue
        assert frozen.cuts is not None
        arguments: dict[str, Any] = {"sensitive_features": audit.groups["group"][among], "sample_weight": audit.heavy[among]}
        y, got = audit.deserving[among].astype(int), frozen.cuts.given(audit)[among].astype(int)
        assert one.fairness.spreads[0].demographic_parity_difference == pytest.approx(metrics.demographic_parity_difference(y, got, **arguments), abs=1e-9)
        assert one.fairness.spreads[0].equalized_odds_difference == pytest.approx(metrics.equalized_odds_difference(y, got, **arguments), abs=1e-9)


def test_the_deployed_model_stands_beside_them(found: tuple[Decisions, Prepared, MitigationSection]) -> None:
    audit, _, section = found
    assert value(section.deployed.performance["accuracy"]) == pytest.approx(accuracy_score(audit.deserving, audit.selected, sample_weight=audit.weight))
    assert [group.group for group in section.deployed.attributes[0].groups] == ["a", "b", "c"]
    gap = section.deployed.attributes[0].gaps[0].selection_rate
    assert isinstance(gap, Estimate)
    assert gap.level == pytest.approx(1 - (1 - LEVEL) / 2), "two groups are compared with the reference"


def test_pairing_makes_intervals_of_changes_tighter_than_two_samples_would(found: tuple[Decisions, Prepared, MitigationSection]) -> None:
    for one in found[2].alternatives:
        change, after = one.performance["accuracy"].change, one.performance["accuracy"].after
        assert isinstance(change, Estimate)
        assert isinstance(after, Estimate)
        assert change.high - change.low < 1.2 * (after.high - after.low), "of two samples it would be 1.4 times as wide"


def test_parity_is_told_from_today_and_accuracy_pays(found: tuple[Decisions, Prepared, MitigationSection]) -> None:
    parity = found[2].alternatives[0]
    gap = parity.fairness.gaps[0].selection_rate
    assert isinstance(gap.change, Estimate)
    assert gap.change.low > 0, "the gap of b was negative"
    assert abs(value(gap.after)) < 0.06


def test_without_a_profile_nothing_is_barred_and_nothing_is_chosen(found: tuple[Decisions, Prepared, MitigationSection]) -> None:
    assert [one.allowed_by_profile for one in found[2].alternatives] == [None] * 3
    assert not any(one.chosen for one in found[2].alternatives)
    assert all("nobody chose it" in one.why_not for one in found[2].alternatives)


@pytest.mark.parametrize(("profile", "law"), [("us_employment", "42 USC 2000e-2(l)"), ("us_credit", "15 USC 1691")])
def test_rule_12_cut_offs_by_group_are_barred_and_can_never_be_the_chosen_one(profile: Any, law: str) -> None:
    section = measured(people(seed=3), profile=profile)
    assert [one.allowed_by_profile for one in section.alternatives] == [False, False, True]
    assert law in section.alternatives[0].why_not
    document = section.alternatives[0].model_dump()
    with pytest.raises(ValidationError, match="bars"):
        Alternative.model_validate({**document, "chosen": True})
    assert Alternative.model_validate({**section.alternatives[2].model_dump(), "chosen": True}).chosen
    found = list(findings_of_mitigation(section, NOTHING))
    assert [each.rule for each in found if each.rule == "alternatives_barred"] == ["alternatives_barred"]
    assert "alternative_by_group" not in {each.rule for each in found}


def test_a_group_that_the_audit_part_lacks_is_said_and_not_compared() -> None:
    audit = people(seed=4)
    column = audit.groups["group"].copy()
    column[column == "c"] = None
    section = measured(people(seed=4, groups={"group": column}))
    gap = section.alternatives[0].fairness.gaps[1]
    assert gap.group == "c"
    assert isinstance(gap.selection_rate.after, NotMeasured)
    assert isinstance(gap.selection_rate.change, NotMeasured)
    assert section.alternatives[0].fairness.spreads[0].demographic_parity_difference < 1


def test_one_group_alone_leaves_no_spread() -> None:
    audit = people(seed=4)
    section = measured(people(seed=4, groups={"group": np.full(len(audit), "a", dtype=object)}))
    assert section.deployed.attributes == ()
    assert section.alternatives[0].fairness.spreads == ()
    assert list(findings_of_mitigation(section, NOTHING)) == []


@pytest.mark.slow
def test_persons_widen_the_intervals() -> None:
    audit = people(1_000, seed=6)
    again = np.repeat(np.arange(1_000), 4)
    many = audit.take(again)
    alone, together = (measured(each).alternatives[0].performance["accuracy"].change for each in (
        many, Decisions(many.score, many.selected, many.deserving, many.groups, None, again)))
    assert isinstance(alone, Estimate)
    assert isinstance(together, Estimate)
    assert together.high - together.low == pytest.approx(2 * (alone.high - alone.low), rel=0.2)


@pytest.mark.slow
def test_the_same_again_and_another_seed_other_intervals() -> None:
    audit = people(seed=5)
    assert measured(audit) == measured(audit)
    one, other = (measured(audit, seed=seed).alternatives[0].performance["accuracy"].change for seed in (0, 1))
    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    assert one.value == other.value
    assert (one.low, one.high) != (other.low, other.high)


@pytest.mark.slow
def test_of_many_groups_the_largest_are_listed_and_the_others_counted() -> None:
    draw = np.random.default_rng(0)
    column = draw.choice(np.array([f"g{at:02}" for at in range(MOST_LISTED + 4)], dtype=object), 6_000)
    many = people(6_000, groups={"group": column})
    section = measured(many, prepared_from(many))
    assert len(section.deployed.attributes[0].groups) == MOST_LISTED
    assert section.deployed.attributes[0].not_listed == 4
    assert section.deployed.attributes[0].reference in {group.group for group in section.deployed.attributes[0].groups}


def test_a_finding_speaks_of_what_was_known_to_be_nearest_and_quotes_what_was_measured() -> None:
    section = measured(people(4_000, seed=2))
    found = {each.rule: each for each in findings_of_mitigation(section, NOTHING)}
    assert set(found) & {"alternative_exists", "alternative_by_group", "no_alternative"}
    for each in found.values():
        if each.rule in ("alternative_exists", "alternative_by_group"):
            assert each.severity == "low", "no ratio is known to be below a limit"
            at = int(each.evidence.rpartition("/")[2])
            assert section.alternatives[at].uses_attribute_at_decision is (each.rule == "alternative_by_group")
            assert "decided otherwise" in each.text
            assert re.search(r", from \S+ to \S+ \([\d.]+ % interval \S+ to \S+\), by ", each.text), "what is left of the gap has its interval"


def test_where_none_is_cheap_enough_it_says_so() -> None:
    section = measured(people(seed=2))
    dear = tuple(one.model_copy(update={"out_of_fold": one.out_of_fold.model_copy(update={"value": 0.1})}) for one in section.alternatives)
    found = list(findings_of_mitigation(section.model_copy(update={"alternatives": dear}), NOTHING))
    assert [each.rule for each in found] == ["no_alternative"]
    assert list(findings_of_mitigation(NOTHING, NOTHING)) == []


@pytest.mark.parametrize("favourable", [0, 1])
def test_f1_is_of_the_positive_class_also_where_the_other_one_is_good_for_the_person(favourable: int) -> None:
    audit, prepared = people(2_000, seed=2), replace(prepared_from(people(seed=1)), metric="f1", favourable=favourable)
    section = measured(audit, prepared, favourable=favourable)
    one, frozen = section.alternatives[0], prepared.alternatives[0]
    assert frozen.cuts is not None
    before, after = (f1_score(audit.deserving == favourable, given == favourable) for given in (audit.selected, frozen.cuts.given(audit) > 0))
    assert value(section.deployed.performance["f1"]) == pytest.approx(before)
    assert value(one.performance["f1"].after) == pytest.approx(after)
    assert value(one.performance["f1"].change) == pytest.approx(after - before)


def test_the_sums_hold_three_columns_for_each_alternative() -> None:
    audit, prepared = people(seed=2), prepared_from(people(seed=1))
    from automl.audit.mitigation import _Decided

    decided = tuple(_Decided(each, each.cuts.given(audit), None, at) for at, each in enumerate(prepared.alternatives) if each.cuts is not None)
    outcomes: Any = None
    assert _Room(prepared, outcomes, audit, decided, None, 0, "out of fold").columns.shape == (len(audit), 4 + 3 * len(decided))
