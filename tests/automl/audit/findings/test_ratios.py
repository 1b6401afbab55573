from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.audit.findings.words import number
from automl.evidence import Ratio
from automl.spec import Limit
from tests.automl.audit.cases import binary, from_counts, regression
from tests.automl.audit.findings.documents import fairness_of, found


def test_below_beyond_sampling_error_is_high_and_says_the_numbers() -> None:
    [finding] = found(fairness=fairness_of(from_counts({"Men": (500, 1000), "Women": (310, 1000)}, "sex"), "sex"))["impact_ratio_below"]
    assert finding.severity == "high"
    assert finding.text == (
        "Women (sex) is selected at 0.62 times the rate of Men (95 % interval 0.55 to 0.69; 310 of 1,000 against 500 of 1,000), "
        "below the stated limit of 0.80 beyond sampling error."
    )
    assert finding.evidence == "/fairness/attributes/0/groups/1/impact_ratio"


def test_the_comparison_that_decided_is_named_where_it_is_not_the_highest() -> None:
    """The interval against a small highest group may reach above the limit although another comparison shows the group below it."""
    section = fairness_of(from_counts({"tiny": (3, 5), "large": (500, 1000), "low": (150, 1000)}), "group")
    [finding] = found(fairness=section)["impact_ratio_below"]
    assert finding.text.startswith("low (group) is selected at 0.30 times the rate of large (upper limit at the label's level 0.")
    assert finding.text.endswith("; 150 of 1,000 against 500 of 1,000), below the stated limit of 0.80 beyond sampling error; tiny, the group with the highest rate, has only 5 rows.")


def test_the_comparison_that_decided_is_named_in_a_crossing_too() -> None:
    cells = {"x": (3, 5), "y": (500, 1000), "z": (150, 1000)}
    truth = from_counts(cells, "one")
    outcomes = replace(truth, groups={**truth.groups, "two": np.full(len(truth.groups["one"]), "all", dtype=object)})
    crossing = [finding for finding in found(fairness=fairness_of(outcomes, "one", "two"))["impact_ratio_below"] if "intersections" in finding.evidence]
    assert "times the rate of y x all (upper limit at the label's level 0." in crossing[0].text


def test_t01_never_prints_the_limit_for_a_value_below_it() -> None:
    [finding] = found(fairness=fairness_of(from_counts({"A": (2000, 4000), "B": (1521, 4000)}), "group"))["impact_ratio_below"]
    assert "0.72 to 0.7996" in finding.text


def test_below_by_count_alone_is_medium_and_inconclusive() -> None:
    [finding] = found(fairness=fairness_of(from_counts({"White": (215, 412), "AIAN F": (14, 34)}), "group"))["impact_ratio_near"]
    assert finding.severity == "medium"
    by_rule = found(fairness=fairness_of(from_counts({"White": (215, 412), "AIAN F": (7, 17)}), "group"))
    [finding] = by_rule["impact_ratio_near"]
    assert finding.severity == "low", "nothing is concluded from 17 rows"
    assert "inconclusive at this sample size" in finding.text
    assert "only 17 rows" in finding.text
    assert "impact_ratio_below" not in by_rule


def test_a_stated_limit_of_ones_own_is_used() -> None:
    section = fairness_of(from_counts({"A": (500, 1000), "B": (310, 1000)}), "group", limit=Limit(ratio=0.5))
    by_rule = found(fairness=section, limit=0.5)
    assert set(by_rule) & {"impact_ratio_below", "impact_ratio_near"} == set()
    [finding] = by_rule["impact_ratio_not_below"]
    assert finding.severity == "info"
    assert "no less than 0.50 times" in finding.text


def test_what_cannot_be_told_is_one_sentence_per_attribute() -> None:
    by_rule = found(fairness=fairness_of(from_counts({"A": (50, 100), "B": (49, 100), "C": (48, 100)}), "group"))
    [finding] = by_rule["impact_ratio_inconclusive"]
    assert finding.severity == "low"
    assert finding.text == "Whether the rate of being selected lies below 0.80 times that of A is inconclusive at this sample size for B, C (group)."


def test_crossings_are_one_sentence_whatever_their_size() -> None:
    outcomes = binary(3000, decision=(np.arange(3000) % 10 < 4).astype(np.int64))
    decision = np.asarray(outcomes.decision).copy()
    decision[(outcomes.groups["group"] == "a") & (outcomes.groups["sex"] == "f")] = 0
    section = fairness_of(binary(3000, decision=decision), "group", "sex")
    crossing = [finding for finding in found(fairness=section)["impact_ratio_below"] if "intersections" in finding.evidence]
    assert len(crossing) == 1
    assert "group x sex" in crossing[0].text
    assert "a x f at 0.00 times" in crossing[0].text


def test_a_crossing_is_not_compared_with_a_handful_where_another_group_decided() -> None:
    whole = from_counts({"A x one": (3, 3), "A x two": (300, 400), "B x one": (40, 200), "B x two": (250, 400)})
    first, second = (np.array([name.split(" x ")[at] for name in whole.groups["group"]], dtype=object) for at in (0, 1))
    [told] = [finding for finding in found(fairness=fairness_of(replace(whole, groups={"first": first, "second": second}), "first", "second"))["impact_ratio_below"]
              if "intersections" in finding.evidence]
    assert "The lowest is B x one at 0.27 times the rate of A x two (upper limit at the label's level 0." in told.text
    assert "40 of 200 against 300 of 400" in told.text


def test_several_crossings_are_one_sentence_that_names_the_worst_and_counts_the_rest() -> None:
    n = 4000
    outcomes = binary(n, decision=(np.arange(n) % 10 < 5).astype(np.int64))
    decision = np.asarray(outcomes.decision).copy()
    decision[(outcomes.groups["group"] == "a") & (outcomes.groups["sex"] == "f") & (np.arange(n) % 7 > 0)] = 0
    section = fairness_of(binary(n, decision=decision, groups={**outcomes.groups, "half": np.where(np.arange(n) % 3 > 0, "x", "y").astype(object)}), "group", "sex", "half")
    told = [finding for finding in found(fairness=section)["impact_ratio_below"] if "intersections" in finding.evidence]
    assert len(told) == 1
    counts = {crossing.attribute: sum(isinstance(group.impact_ratio, Ratio) and group.impact_ratio.label == "below" for group in crossing.groups) for crossing in section.intersections}
    with_any = [crossing for crossing in section.intersections if counts[crossing.attribute]]
    assert len(with_any) > 1
    whole = sum(len(crossing.groups) for crossing in with_any)
    assert told[0].text.startswith(f"{sum(counts.values())} of {whole} groups of {len(with_any)} crossings ({', '.join(crossing.attribute for crossing in with_any)}) are selected")
    assert "The lowest is a x f (group x sex) at 0." in told[0].text
    assert told[0].id == "impact_ratio_below:/fairness/intersections"


@pytest.mark.slow
def test_no_sentence_on_sampling_error_below_30_rows() -> None:
    fairness = fairness_of(from_counts({"large": (900, 1000), "few": (2, 20)}), "group")
    assert fairness.attributes[0].groups[0].impact_ratio.label == "below"  # type: ignore[union-attr]
    by_rule = found(fairness=fairness)
    assert "impact_ratio_below" not in by_rule
    [finding] = by_rule["impact_ratio_near"]
    assert finding.text.endswith("below the stated limit of 0.80; nothing is concluded from it, since few has only 20 rows.")
    one = found(fairness=fairness_of(from_counts({"large": (900, 1000), "more": (880, 1000), "one": (1, 1)}), "group"))
    assert "impact_ratio_not_below" not in one


def test_no_sentence_on_sampling_error_below_30_rows_in_a_crossing() -> None:
    o = from_counts({"large": (900, 1000), "few": (2, 20)})
    crossed = replace(o, groups={**o.groups, "other": np.full(o.rows, "x", dtype=object)})
    section = fairness_of(crossed, "group", "other")
    by_rule = found(fairness=section)
    assert "impact_ratio_below" not in by_rule
    assert [finding.text for finding in by_rule["impact_ratio_near"] if finding.evidence == "/fairness/intersections/0"] == [
        "For 1 of 2 groups of group x other the ratio is below the stated limit of 0.80; nothing is concluded from it, since fewer than 30 rows are compared.",
    ]


def test_one_group_is_and_has_while_two_are_and_have() -> None:
    groups = {"low": (100, 1000), "high": (900, 1000), "tiny": (9, 10), "small": (9, 10)}
    o = from_counts(groups)
    crossed = replace(o, groups={**o.groups, "other": np.full(o.rows, "x", dtype=object)})
    by_rule = found(fairness=fairness_of(crossed, "group", "other"))
    assert by_rule["impact_ratio_below"][1].text.startswith("1 of 4 groups of group x other is selected")
    assert by_rule["small_groups"][0].text.startswith("2 of 4 groups of group have fewer")
    single = found(fairness=fairness_of(from_counts({"a": (9, 10), "b": (900, 1000)}), "group"))
    assert single["small_groups"][0].text.startswith("1 of 2 groups of group has fewer")


def test_against_a_named_reference_nothing_is_said_of_the_others() -> None:
    o = from_counts({"a": (500, 1000), "b": (900, 1000), "c": (480, 1000)})
    [finding] = found(fairness=fairness_of(o, "group", reference={"group": "a"}))["impact_ratio_not_below"]
    assert "times the rate of a beyond sampling error" in finding.text


def test_counts_of_weighted_rows_are_called_rows() -> None:
    o = from_counts({"a": (200, 1000), "b": (900, 1000)})
    weight = np.where(o.decision == 1, 2.0, 1.0)
    [finding] = found(fairness=fairness_of(replace(o, weight=weight), "group"))["impact_ratio_below"]
    assert "; weighted; rows: 200 of 1,000 against 900 of 1,000)" in finding.text


def test_a_stated_limit_is_printed_as_it_was_stated() -> None:
    assert number(0.825, 0.825) == "0.825"
    assert number(0.8, 0.8) == "0.80"
    o = from_counts({"a": (500, 1000), "b": (900, 1000)})
    [finding] = found(fairness=fairness_of(o, "group", limit={"ratio": 0.825}), limit=0.825)["impact_ratio_below"]
    assert "below the stated limit of 0.825 beyond" in finding.text


def test_rows_of_a_few_persons_are_a_few_people() -> None:
    person = np.r_[np.arange(1000), 1000 + np.arange(60) % 10]
    o = replace(from_counts({"many": (900, 1000), "few": (6, 60)}), cluster=person)
    by_rule = found(fairness=fairness_of(o, "group"))
    assert "impact_ratio_below" not in by_rule
    assert by_rule["impact_ratio_near"][0].text.endswith("since few has fewer than 30 independent rows.")
    assert by_rule["small_groups"][0].text == "1 of 2 groups of group has fewer than 30 audited independent rows: few."
    r = regression(1060)
    apart = replace(r, groups=o.groups, cluster=person, score=np.where(person >= 1000, np.asarray(r.truth) - 5, r.score))
    by_rule = found(fairness=fairness_of(apart, "group"))
    assert "residual_gap" not in by_rule
    assert by_rule["small_groups"][0].text.endswith("independent rows: few.")


def test_the_reference_is_not_among_those_that_a_label_speaks_of() -> None:
    """465 of 1,000 against 47 of 100 is not below beyond sampling error; turned round, the interval of the 47 reaches under the limit."""
    [finding] = found(fairness=fairness_of(from_counts({"a": (465, 1000), "b": (47, 100)}), "group"))["impact_ratio_not_below"]
    assert finding.text.startswith("Every group of group other than b is selected at no less than 0.80 times the rate of the others")


def test_a_band_is_named_only_where_there_is_one() -> None:
    unknown = np.where(np.arange(600) < 60, None, "known").astype(object)
    [finding] = found(fairness=fairness_of(regression(groups={"g": unknown}), "g"))["unknown_share"]
    assert "band" not in finding.suggestion
    [finding] = found(fairness=fairness_of(binary(), "sex"))["unknown_share"]
    assert "The band beside each ratio" in finding.suggestion


def test_a_crossing_names_the_comparison_that_decided_too() -> None:
    """Against six people the interval reaches above the limit; the sentence must not rest on it."""
    o = from_counts({"tiny": (5, 6), "large": (700, 1000), "low": (300, 656)})
    crossed = replace(o, groups={**o.groups, "other": np.full(o.rows, "x", dtype=object)})
    texts = [finding.text for finding in found(fairness=fairness_of(crossed, "group", "other"))["impact_ratio_below"]]
    [crossing] = [text for text in texts if "group x other" in text]
    assert crossing.endswith("300 of 656 against 700 of 1,000).")


def test_hostile_names_are_cut_and_flattened() -> None:
    name = "line\nbreak\u202e\x1b[31m " + "x" * 5000
    [finding] = found(fairness=fairness_of(from_counts({"A": (500, 1000), name: (310, 1000)}), "group"))["impact_ratio_below"]
    assert len(finding.text) < 300
    assert finding.text.isprintable()
    assert finding.text.startswith("line break")


COMPAS_LIKE = {"African-American": (417, 794), "Asian": (6, 7), "Caucasian": (381, 525), "Hispanic": (94, 129), "Native American": (1, 3), "Other": (65, 85)}


def test_a_difference_beyond_chance_is_told_where_the_ratio_is_inconclusive() -> None:
    """Against seven people no ratio can be shown; against all others the largest group is selected less often by twenty points."""
    by_rule = found(fairness=fairness_of(from_counts(COMPAS_LIKE), "group"))
    assert "impact_ratio_below" not in by_rule
    [finding] = by_rule["differs_from_rest"]
    assert finding.severity == "medium"
    assert finding.text == (
        "For 1 of 6 groups of group the rate of being selected is lower than that of the pooled others, by Fisher's exact test with Holm's correction over the declared attributes; furthest apart "
        "is African-American, by −20.5 points (95 % interval −25.1 to −15.7; adjusted p < 0.0001).")
    assert finding.evidence == "/fairness/attributes/0/groups/0/versus_rest"


def test_a_difference_is_told_where_below_is_not_said_for_want_of_people_to_compare_with() -> None:
    """The label is "below" against five people: nothing is concluded from it, and the test against all others speaks."""
    by_rule = found(fairness=fairness_of(from_counts({"five": (5, 5), "x": (300, 1000), "y": (500, 1000)}), "group", reference={"group": "five"}))
    assert "impact_ratio_below" not in by_rule
    assert by_rule["differs_from_rest"][0].evidence == "/fairness/attributes/0/groups/1/versus_rest"


def test_where_the_reference_is_a_handful_it_is_said_and_the_nearest_comparison_named() -> None:
    by_rule = found(fairness=fairness_of(from_counts(COMPAS_LIKE), "group"))
    [finding] = by_rule["reference_few"]
    assert finding.text.startswith("Ratios and gaps of group are taken to Asian, which has only 7 rows:")
    [near] = [each for each in by_rule["impact_ratio_near"] if each.text.startswith("African-American")]
    assert near.text.endswith(" The comparison that comes nearest to showing it is 0.72 times the rate of Caucasian (upper limit at the label's level 0.81; 417 of 794 against 381 of 525).")
    assert "reference_few" not in found(fairness=fairness_of(from_counts({**COMPAS_LIKE, "Asian": (60, 70)}), "group"))


def test_a_named_reference_that_is_not_the_highest_is_told() -> None:
    """Who names the group that is selected least makes every ratio look well; the finding reads the table the other way round."""
    counts = from_counts({"best": (600, 1000), "lowest": (300, 1000), "middle": (550, 1000)})
    by_rule = found(fairness=fairness_of(counts, "group", reference={"group": "lowest"}))
    assert by_rule["impact_ratio_not_below"]
    [finding] = by_rule["reference_not_highest"]
    assert finding.severity == "medium"
    assert finding.text == (
        "Groups of group are compared with lowest, as it was named beforehand; best is selected more often. lowest is at 0.50 times the rate of best (95 % interval 0.45 to 0.56), "
        "below the stated limit of 0.80.")
    assert finding.evidence == "/fairness/attributes/0/groups/0/impact_ratio"
    [other] = found(fairness=fairness_of(counts, "group", reference={"group": "middle"}))["reference_not_highest"]
    assert other.severity == "low"
    assert other.text.endswith(" The lowest, lowest, is at 0.50 times the rate of best.")
    assert "reference_not_highest" not in found(fairness=fairness_of(counts, "group", reference={"group": "best"}))
    assert "reference_not_highest" not in found(fairness=fairness_of(counts, "group"))
    near = from_counts({"best": (302, 1000), "lowest": (300, 1000)})
    assert "reference_not_highest" not in found(fairness=fairness_of(near, "group", reference={"group": "lowest"})), "what chance may explain is not told"


def test_vector_1_above_four_fifths_and_yet_beyond_chance_are_both_told() -> None:
    """The two conventions disagree; the crossings of one attribute are many, so only two groups stand here."""
    by_rule = found(fairness=fairness_of(from_counts({"White": (4120, 7970), "Black": (1700, 3900)}), "group"))
    assert by_rule["impact_ratio_not_below"]
    [finding] = by_rule["differs_from_rest"]
    assert finding.severity == "info"


def test_what_the_ratio_says_already_is_not_told_again_as_a_difference() -> None:
    assert "differs_from_rest" not in found(fairness=fairness_of(from_counts({"Men": (500, 1000), "Women": (310, 1000)}), "group"))
    assert "differs_from_rest" not in found(fairness=fairness_of(from_counts({"Men": (50, 100), "Women": (45, 100)}), "group")), "chance alone may explain it"


def test_a_crossing_says_that_it_is_exploratory() -> None:
    outcomes = from_counts({"x": (500, 1000), "y": (150, 1000)}, "one")
    both = replace(outcomes, groups={**outcomes.groups, "two": np.full(len(outcomes.groups["one"]), "all", dtype=object)})
    [finding] = [each for each in found(fairness=fairness_of(both, "one", "two"))["impact_ratio_below"] if "intersections" in each.evidence]
    assert "exploratory, as all crossings are." in finding.text


def test_a_difference_of_weighted_rows_is_told_by_the_test_that_was_made() -> None:
    outcomes = from_counts(COMPAS_LIKE)
    [finding] = found(fairness=fairness_of(replace(outcomes, weight=np.random.default_rng(0).uniform(0.8, 1.2, outcomes.rows)), "group"))["differs_from_rest"]
    assert "by the z test at effective counts with Holm's correction" in finding.text
