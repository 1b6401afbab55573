"""Reasons from model to section: the right rows, the right sign, nobody's group, nothing learned from the audit part."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.audit.reasons.measure import FEWEST_ROWS, MOST_ROWS, Reasoned, measure_reasons
from automl.evidence import Counterfactual, CounterfactualQuality, Estimate, NotMeasured, ReasonsSection, Value
from tests.automl.audit.reasons.people import INPUTS, WEIGHTS, Problem, Rows, Schema, World, people, stated, world


@lru_cache(maxsize=1)
def usual() -> Reasoned:
    """Of the world as it is: most tests look at it, and nothing of it can be changed."""
    return measure_reasons(*world().arguments())


def section(one: World | None = None) -> ReasonsSection:
    found = (usual() if one is None else measure_reasons(*one.arguments())).section
    assert isinstance(found, ReasonsSection), found
    return found


def number(value: Value) -> float:
    assert isinstance(value, Estimate), value
    return value.value


def lists(reasoned: Reasoned) -> list[list[str]]:
    assert reasoned.rows is not None
    explained = reasoned.rows.explained
    return [[explained.factors[at].name for at in row if at >= 0] for row in explained.chosen]


def test_every_unfavourable_row_has_the_reasons_that_arithmetic_gives() -> None:
    one, reasoned = world(), usual()
    assert reasoned.rows is not None
    explained, x = reasoned.rows.explained, one.audit.features.to_numpy()
    scores = one.train.features.to_numpy() @ WEIGHTS
    favourable = np.sort(scores[scores >= 0])
    taken = int(0.1 * len(favourable)) // 20 * 20
    at_the_cut = one.train.features.to_numpy()[(scores >= 0) & (scores <= favourable[taken - 1])].mean(axis=0)
    assert explained.rows.tolist() == np.flatnonzero(x @ WEIGHTS < 0).tolist()
    expected = []
    for row in explained.rows:
        phi = (x[row] - at_the_cut) * WEIGHTS
        distance = -(x[row] @ WEIGHTS)
        least = 0.05 * max(distance, *(-phi[at] for at in range(len(phi)) if INPUTS[at] != "sex"))
        expected.append([INPUTS[at] for at in np.argsort(phi) if phi[at] < 0 and abs(phi[at]) >= least and INPUTS[at] != "sex"][:4])
    assert lists(reasoned) == expected
    assert explained.distance == pytest.approx(-(x @ WEIGHTS)[explained.rows])
    assert explained.phi.sum(axis=1) == pytest.approx(explained.scores - at_the_cut @ WEIGHTS), "contributions add up to the way from the background"
    assert len({tuple(names) for names in lists(reasoned)}) > 10, "mistake 11: a global importance would give everybody the same"


def test_mistake_11_reasons_point_the_same_way_where_the_models_positive_class_is_the_bad_one() -> None:
    good, bad = usual(), measure_reasons(*world(sign=-1).arguments())
    assert lists(good) == lists(bad)
    assert isinstance(bad.section, ReasonsSection)
    assert all(reason.contribution < 0 for example in bad.section.examples for reason in example.reasons)
    assert bad.section.policy.output == "log-odds of yes"


def test_a_sensitive_input_is_never_stated_and_counted_where_it_would_have_been() -> None:
    found = section()
    row = stated(found)["sex"]
    assert row.excluded == "a sensitive attribute"
    assert number(row.stated) > 0.2
    assert number(found.quality.excluded_would_be_stated) == number(row.stated)
    assert all(reason.reason != "sex" for example in found.examples for reason in (*example.reasons, *example.against_all))
    assert number(section(world(sensitive=())).quality.excluded_would_be_stated) == 0.0


def test_shares_count_the_lists() -> None:
    one, reasoned, found = world(), usual(), section()
    told = lists(reasoned)
    assert number(found.quality.none) == np.mean([not names for names in told])
    assert number(found.quality.fewer) == np.mean([len(names) < 4 for names in told])
    for name in ("income", "debts"):
        assert number(stated(found)[name].stated) == np.mean([name in names for names in told])
        assert stated(found)[name].first == sum(names[:1] == [name] for names in told)
        assert reasoned.rows is not None
        sex = one.audit.groups["sex"][reasoned.rows.explained.rows]
        for share in stated(found)[name].by_group["sex"]:
            mine = [name in names for names, group in zip(told, sex, strict=True) if group == share.group]
            assert (share.n, number(share.share)) == (len(mine), np.mean(mine))
    shares = [number(row.stated) for row in found.table if row.excluded is None]
    assert shares == sorted(shares, reverse=True)


def test_both_backgrounds_are_shown_with_their_overlap() -> None:
    found = section()
    assert found.policy.at_the_cut.sha256 != found.policy.all_applicants.sha256
    for example in found.examples:
        mine, theirs = {one.reason for one in example.reasons}, {one.reason for one in example.against_all}
        assert example.overlap == (len(mine & theirs) / len(mine | theirs) if mine | theirs else 1.0)
    assert 0 < number(found.quality.overlap) < 1


def test_related_inputs_are_one_reason_with_the_sum() -> None:
    reasoned = measure_reasons(*world({"groups": {"conduct": ["debts", "late"]}}).arguments())
    alone = usual()
    assert reasoned.rows is not None
    assert alone.rows is not None
    grouped, single = reasoned.rows.explained, alone.rows.explained
    assert [factor.name for factor in grouped.factors] == ["income", "conduct", "years", "sex"]
    assert grouped.phi[:, 1] == pytest.approx(single.phi[:, 1] + single.phi[:, 2])


def test_flip_test_of_a_linear_model_whose_whole_shortfall_is_stated() -> None:
    """With all inputs stated, at the values of people above the cut, the mean score is theirs; with one of little weight it is not."""
    everything = section(world({"most": 5, "materiality": 0.0}, sensitive=()))
    assert number(everything.quality.flip_crosses) > 0.95
    one = section(world({"most": 1}))
    assert number(one.quality.flip_crosses) < number(everything.quality.flip_crosses)
    assert number(one.quality.flip_crosses) <= number(one.quality.flip_moves)


def test_stability_is_full_where_people_at_the_cut_are_all_alike_and_less_where_they_differ() -> None:
    alike = people(600, 1)
    alike.features.loc[:, :] = np.where((alike.features.to_numpy() @ WEIGHTS >= 0)[:, None], [[1.0, 0.5, 0.5, 0.0, 0.0]], alike.features.to_numpy())
    stable = section(world(train=alike)).quality.stability
    assert number(stable) == 1.0
    assert isinstance(stable, Estimate)
    assert stable.low < 1.0, "no certainty from rows that all agree"
    assert number(section().quality.stability) < 1.0


def test_counterfactuals_turn_the_decision_and_touch_actionable_columns_only() -> None:
    one = world({"table": {"years": {"actionable": True}, "debts": {"actionable": True, "direction": "higher", "text": "Debts"}}})
    found = section(one)
    quality = found.quality.counterfactuals
    assert isinstance(quality, CounterfactualQuality)
    assert quality.columns == ("debts", "years")
    assert 0.3 < number(quality.found) < 1
    assert sum(quality.columns_changed.values()) == round(number(quality.found) * 100)
    turned = [example for example in found.examples if isinstance(example.counterfactual, Counterfactual)]
    assert turned
    for example in turned:
        row = one.audit.features.iloc[example.row].copy()
        for change in example.counterfactual.changes:
            assert change.column in quality.columns
            assert one.train.features[change.column].map(lambda value: f"{value:.10g}").eq(change.after).any(), "a value of a training row"
            row[change.column] = float(change.after)
        assert row.to_numpy(float) @ WEIGHTS == pytest.approx(example.counterfactual.score)
        assert example.counterfactual.score >= 0


def test_without_a_table_nobody_has_said_what_a_person_can_change_and_no_text_is_made_up() -> None:
    found = section()
    assert isinstance(found.quality.counterfactuals, NotMeasured)
    assert "the reason table marks no input" in found.quality.counterfactuals.reason
    assert set(found.quality.wordings) == {"no_line"}
    assert all(reason.text is None for example in found.examples for reason in example.reasons)
    assert number(found.quality.without_approved_text) == 1 - number(found.quality.none)


def test_approved_texts_are_counted() -> None:
    table = {name: {"code": name[0], "text": f"Text of {name}", "approved_by": "A. Person"} for name in INPUTS}
    assert number(section(world({"table": table})).quality.without_approved_text) == 0.0
    del table["income"]["approved_by"]
    found = section(world({"table": table}))
    assert number(found.quality.without_approved_text) == number(stated(found)["income"].stated)


@pytest.mark.parametrize(("changes", "said"), [
    ({"problem": Problem(task="regression", labels=(), positive=None, favourable=())}, "a number is predicted"),
    ({"problem": Problem(task="multiclass")}, "more than two classes"),
    ({"threshold": None}, "no cut-off"),
    ({"threshold": 1.0}, "no distance"),
    ({"problem": Problem(favourable=())}, "no outcome was named"),
])
def test_what_cannot_be_measured_says_why(changes: dict[str, Any], said: str) -> None:
    found = measure_reasons(*world(**changes).arguments())
    assert isinstance(found.section, NotMeasured)
    assert said in found.section.reason
    assert found.rows is None


def test_nobody_unfavourable_and_nobody_above_the_cut_are_told() -> None:
    above = people(300, 2)
    above.features["income"] += 100
    assert "no row of the audit part was decided unfavourably" in str(measure_reasons(*world(audit=above).arguments()).section)
    below = people(600, 1)
    below.features["income"] -= 100
    assert "fewer than 20 training rows" in str(measure_reasons(*world(train=below).arguments()).section)


def test_rule_1_the_audit_part_has_no_say_in_whom_people_are_compared_with_or_what_they_could_change_to() -> None:
    table = {"table": {"income": {"actionable": True}}}
    one, other = world(table), world(table, audit=people(200, 77))
    mine, theirs = section(one), section(other)
    for name in ("at_the_cut", "at_the_cut_scores", "all_applicants", "cut"):
        assert getattr(mine.policy, name) == getattr(theirs.policy, name)
    assert mine.quality != theirs.quality


def test_rule_15_the_same_inputs_give_the_same_section_and_another_seed_other_backgrounds() -> None:
    assert section(world()) == section()
    assert section(world(seed=5)).policy.all_applicants != section().policy.all_applicants


def test_more_rows_than_can_be_explained_are_a_stated_sample() -> None:
    found = section(world({"rows": 50}))
    assert (found.policy.explained, found.policy.unfavourable > 50) == (50, True)
    assert "the number of rows asked for in the spec" in found.policy.chosen_by
    one = world(n=5_000)
    slow = replace(one, model=replace(one.model, attribution_cost=1e9))
    assert section(slow).policy.explained == FEWEST_ROWS
    assert "in a few seconds" in section(slow).policy.chosen_by
    assert section(one).policy.explained == MOST_ROWS


def test_missing_values_weights_persons_texts_and_unknown_groups_are_taken() -> None:
    draw = np.random.default_rng(0)
    audit = people(300, 2, weight=draw.uniform(0.5, 2, 300), cluster=np.arange(300) // 2)
    audit.features.loc[::3, "income"] = np.nan
    audit.features.loc[:, "debts"] += 3
    audit.groups["sex"][:10] = None
    train = people(600, 1)
    train.features.loc[::5, "income"] = np.nan
    found = section(world({"table": {"income": {"actionable": True, "direction": "lower", "text": "Low"}}}, train=train, audit=audit))
    assert found.quality.wordings["not_given"] > 0
    assert isinstance(found.quality.none, Estimate)
    assert "Rao-Scott" in found.quality.none.method
    assert {share.group for share in stated(found)["debts"].by_group["sex"]} == {"f", "m"}


def test_one_unfavourable_row_is_enough() -> None:
    audit = people(40, 2)
    audit.features["income"] += 100
    audit.features.loc[7, "income"] = -5.0
    found = section(world(audit=audit))
    assert (found.policy.unfavourable, found.policy.explained) == (1, 1)
    assert len(found.examples) == 1
    assert isinstance(found.quality.none, Estimate)
    assert found.quality.none.low_precision


def test_inputs_of_free_text_show_no_word() -> None:
    one = world(problem=Problem(schema=Schema({**dict.fromkeys(INPUTS, "number"), "income": "text"}, ("income",))))
    reasons = [reason for example in section(one).examples for reason in example.reasons if reason.reason == "income"]
    assert reasons
    assert all(reason.value == "text of 1 words" for reason in reasons)


def test_rows_fit_the_frame_whatever_its_index() -> None:
    audit = people(300, 2)
    shuffled = Rows(audit.features.set_axis(pd.Index(np.arange(300) + 1_000)), audit.groups)
    assert section(world(audit=shuffled)) == section()
