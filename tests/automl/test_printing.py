from __future__ import annotations

import pytest

from automl.evidence import DesignSection, Estimate, NotMeasured, ProbabilityCalibration, Ratio
from automl.printing import (
    MINUS,
    against_limit,
    calibration,
    decimals_of,
    design,
    estimate,
    fixed,
    other_draws,
    p_value,
    percent,
    ratio,
    row_count,
    significant,
    visible,
)
from tests.evidence_example import make_evidence
from tests.weakness_example import make_robustness


@pytest.mark.parametrize(("value", "printed"), [
    (0.799639, "0.7996"),    # 1521/4000 against 2000/4000: three digits would print the limit itself
    (0.8, "0.800"),
    (0.79999999, "0.79999999"),
    (0.8000001, "0.8000001"),
    (0.7999999999999999, "0.800"),  # 3/5 against 6/8 is exactly four fifths; the rest is floating point's
    (0.5, "0.500"),
])
def test_digits_until_the_side_of_the_limit_shows(value: float, printed: str) -> None:
    assert fixed(value, 3, 0.8) == printed


def test_fixed_groups_thousands_and_has_no_negative_zero() -> None:
    assert fixed(12345.678, 1) == "12,345.7"
    assert fixed(-0.0001, 2) == "0.00"
    assert fixed(-1.5, 1) == f"{MINUS}1.5"


@pytest.mark.parametrize(("share", "printed"), [(0.0, "0.0 %"), (1.0, "100.0 %"), (0.00001, "0.001 %"), (0.99999, "99.999 %"), (0.0735, "7.3 %")])
def test_a_share_is_never_rounded_to_none_or_all(share: float, printed: str) -> None:
    assert percent(share) == printed


@pytest.mark.parametrize(("value", "printed"), [(0.0, "0"), (45231.2, "45,231"), (0.92701, "0.9270"), (3.14e-9, f"3.140e{MINUS}09"), (-0.01234567, f"{MINUS}0.01235")])
def test_significant(value: float, printed: str) -> None:
    assert significant(value) == printed


@pytest.mark.parametrize(("n", "printed"), [(0, "0 rows"), (1, "1 row"), (17, "17 rows"), (12_345, "12,345 rows")])
def test_one_row_is_a_row(n: int, printed: str) -> None:
    assert row_count(n) == printed


def test_an_estimate_shows_two_digits_of_its_interval() -> None:
    assert decimals_of(0.92174, 0.93194) == 3
    value = Estimate(value=0.92684, low=0.92174, high=0.93194, method="delong", n=12_240)
    assert estimate(value) == "0.927 (0.922 to 0.932)"
    money = Estimate(value=7214.25, low=7011.5, high=7420.75, method="bootstrap", n=10)
    assert estimate(money) == "7,214 (7,012 to 7,421)"
    assert estimate(Estimate(value=-0.155, low=-0.204, high=-0.105, method="newcombe", n=9), as_percent=True, signed=True) == f"{MINUS}15.5 pp ({MINUS}20.4 to {MINUS}10.5)"


def test_none_and_all_of_a_count_have_no_decimals() -> None:
    everybody = Estimate(value=1.0, low=0.99378, high=1.0, method="wilson", n=611)
    assert estimate(everybody, as_percent=True) == "100 % (99.38 to 100)"
    assert estimate(Estimate(value=0.0, low=0.0, high=0.00622, method="wilson", n=611), as_percent=True) == "0 % (0 to 0.62)"


def test_other_draws_stand_in_one_sentence() -> None:
    example = make_evidence()
    robustness = make_robustness()
    assert other_draws(example.model_copy(update={"robustness": NotMeasured(reason="x"), "explanation": NotMeasured(reason="x")})) == ""
    found = other_draws(example.model_copy(update={"robustness": robustness, "explanation": NotMeasured(reason="x")}))
    assert found == "area under the ROC curve from 0.9251 to 0.9259 with other training rows (5 models)"


def test_what_is_not_measured_says_why() -> None:
    everybody = Estimate(value=1.0, low=0.9957, high=1.0, method="wilson", n=900)
    assert estimate(everybody, as_percent=True) == "100 % (99.57 to 100)"
    assert estimate(everybody.model_copy(update={"value": 0.99999}), as_percent=True) == "100.00 % (99.57 to 100)", "nearly so"
    assert estimate(NotMeasured(reason="the denominator is 0")) == "not measured: the denominator is 0"
    assert ratio(NotMeasured(reason="one group"), 0.8) == "not measured: one group"


def test_a_ratio_shows_on_which_side_its_interval_ends() -> None:
    one = Ratio(value=0.7605, low=0.723, high=0.799639, method="mover-r", k=1521, n=4000, k_ref=2000, n_ref=4000, below_limit_exact=True, label="below")
    assert ratio(one, 0.8) == "0.760 (0.723 to 0.7996)"


def test_a_label_says_why_it_is_not_what_the_interval_suggests() -> None:
    one = Ratio(value=0.6, low=0.4, high=0.79, method="mover-r", k=12, n=40, k_ref=48, n_ref=80, below_limit_exact=True, label="inconclusive", label_reason="the upper limit by exact limits is 0.81")
    assert against_limit(one) == "inconclusive at this sample size: the upper limit by exact limits is 0.81"
    assert against_limit(one.model_copy(update={"label_reason": ""})) == "inconclusive at this sample size"


def test_p_values_have_a_floor() -> None:
    assert p_value(1e-12) == "< 0.0001"
    assert p_value(0.0429) == "0.043"


def test_visible_writes_out_what_controls_layout_and_cuts() -> None:
    assert visible("a\u202eb\nc") == "a[U+202E]b[U+000A]c"
    assert visible("abcdef", 4) == "abc…"
    assert visible("日本") == "日本"


def _calibration(method: str, slope: float = 1.0, shift: float = 0.0) -> ProbabilityCalibration:
    gain = Estimate(value=0.0042, low=-0.0011 if method == "none" else 0.0011, high=0.0095, method="t", n=400)
    return ProbabilityCalibration.model_validate({"method": method, "slope": slope, "shift": shift, "rows": 400, "log_loss_gain": gain, "brier_gain": gain})


def test_how_probabilities_were_calibrated_is_a_sentence() -> None:
    assert calibration(_calibration("platt", 1.25, -0.5)).startswith("log-odds times 1.250 with −0.5000 added, fitted out of fold; the gain, cross-fitted, is +0.0042 (0.0011 to 0.0095) of log loss")
    assert calibration(_calibration("temperature", 0.9)).startswith("logits times 0.9000, fitted out of fold")
    assert calibration(_calibration("none")).startswith("left as they are: ")
    assert calibration(_calibration("none")).endswith("of which that of log loss, which decides, cannot be told from noise")
    worse = _calibration("none").model_copy(update={"log_loss_gain": Estimate(value=-0.0004, low=-0.00066, high=-0.00013, method="t", n=400)})
    assert calibration(worse).endswith("so that the probabilities would be worse")
    assert calibration(NotMeasured(reason="a number is predicted")) == "not measured: a number is predicted"


def test_the_design_of_a_table_says_unit_independence_weights_condition_and_unknowns() -> None:
    plain = DesignSection(population="people like those", unit="row", independent=True, unknown_handling="counted")
    assert design(plain, 14) == (
        "Design: people like those; one row each, taken as independent; unweighted; conditional on this fitted model; rows of unknown group are counted (14 rows here), not imputed.")
    repeated = plain.model_copy(update={"independent": False, "cluster": "person", "weights": "w", "conditional_on": ("these predictions",)})
    assert design(repeated) == (
        "Design: people like those; rows, repeated by person, which is what counts as independent; weighted by w; conditional on these predictions; rows of unknown group are counted, not imputed.")


def test_a_ratio_without_a_stated_limit_has_three_decimals_wherever_it_lies() -> None:
    one = Ratio(value=0.79996, low=0.7, high=0.9, method="m", k=1, n=2, k_ref=1, n_ref=2, below_limit_exact=True, label="inconclusive")
    assert ratio(one, None) == "0.800 (0.700 to 0.900)"
    assert ratio(one, 0.8) == "0.79996 (0.700 to 0.900)"
