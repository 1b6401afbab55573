"""Who is in the table, against scipy's, statsmodels' and hand-made values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare
from statsmodels.stats.proportion import proportion_confint

from automl.audit.findings.data import of_data
from automl.audit.outcomes import Outcomes
from automl.audit.representation import check_population, representation
from automl.errors import BadInput
from automl.evidence import DataSection, Estimate, NotMeasured, Test
from automl.spec import Population
from tests.evidence_example import make_data


def outcomes(groups: list[str | None], truth: list[int] | None, **others: object) -> Outcomes:
    return Outcomes(task="binary", labels=("no", "yes"), positive="yes", favourable=("yes",), truth=None if truth is None else np.array(truth), score=np.full(len(groups), 0.5), decision=None,
                    groups={"sex": np.array(groups, dtype=object)}, **others)  # type: ignore[arg-type]


TRAIN = outcomes(["f"] * 30 + ["m"] * 90, [1] * 10 + [0] * 20 + [1] * 60 + [0] * 30)
AUDIT = outcomes(["f"] * 10 + ["m"] * 20 + [None] * 5, [1] * 5 + [0] * 5 + [1] * 10 + [0] * 10 + [1] * 5)
HALVES = Population(source="a register of 2025", shares={"sex": {"f": 50, "m": 50}})


def measured(value: object) -> Estimate:
    assert isinstance(value, Estimate)
    return value


def test_shares_and_base_rates_are_of_all_known_rows_with_wilsons_limits() -> None:
    [sex] = representation((TRAIN, AUDIT), None, 0)
    women = sex.groups[0]
    assert (sex.unknown, women.group, women.n, sex.test, women.to_population) == (5, "f", 40, None, None)
    for estimate, k, n in ((women.share, 40, 150), (women.base_rate, 15, 40)):
        assert measured(estimate).value == pytest.approx(k / n)
        assert (measured(estimate).low, measured(estimate).high) == pytest.approx(proportion_confint(k, n, method="wilson"))


def test_the_population_is_compared_by_scipys_chi_squared_and_by_ratio() -> None:
    [sex] = representation((TRAIN, AUDIT), HALVES, 0)
    assert isinstance(sex.test, Test)
    statistic, p = chisquare([40, 110], [75, 75])
    assert (sex.test.name, sex.test.statistic, sex.test.p) == ("chi_square", pytest.approx(statistic), pytest.approx(p))
    ratio = measured(sex.groups[0].to_population)
    assert (ratio.value, ratio.low) == pytest.approx((40 / 150 / 0.5, proportion_confint(40, 150, method="wilson")[0] / 0.5))
    assert sex.groups[0].population_share == 0.5


def test_a_group_that_nobody_is_of_is_shown_with_what_the_population_has() -> None:
    three = Population(source="a census", shares={"sex": {"f": 490, "m": 490, "d": 20}})
    [sex] = representation((TRAIN, AUDIT), three, 0)
    nobody = sex.groups[-1]
    assert (nobody.group, nobody.n, nobody.population_share) == ("d", 0, 0.02)
    assert measured(nobody.to_population).value == 0 < measured(nobody.to_population).high
    assert isinstance(nobody.base_rate, NotMeasured)
    assert isinstance(sex.test, Test)
    assert sex.test.name == "chi_square_monte_carlo"  # 3 rows are expected of d


def test_the_simulated_p_is_that_of_the_exact_multinomial() -> None:
    few = outcomes(["f"] + ["m"] * 7, [1] * 8)
    [sex] = representation((few,), HALVES, 1)
    assert isinstance(sex.test, Test)
    exact = 2 * (1 + 8) / 2**8  # 0, 1, 7 or 8 of 8
    assert sex.test.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 9_999) ** 0.5)


def test_rows_of_one_person_do_not_count_as_several() -> None:
    once = outcomes(["f"] * 40 + ["m"] * 60, [1] * 100)
    twice = outcomes(["f"] * 80 + ["m"] * 120, [1] * 200, cluster=np.repeat(np.arange(100), 2))
    [alone], [repeated] = representation((once,), HALVES, 0), representation((twice,), HALVES, 0)
    assert isinstance(alone.test, Test)
    assert isinstance(repeated.test, Test)
    assert repeated.test.name == "chi_square_rao_scott"
    assert repeated.test.statistic is not None
    assert repeated.test.statistic == pytest.approx((alone.test.statistic or 0) * 99 / 100, rel=1e-6), "100 - 1 persons for 100"


def test_few_persons_of_a_small_group_reject_a_true_population_no_more_often_than_they_should() -> None:
    """2 of 60 persons with ten rows each are expected of either small group: the chi-squared distribution rejected in one of ten, and of weighted rows in one of seven."""
    shares = {"f": 3.0, "m": 94.0, "d": 3.0}
    persons = np.repeat(np.arange(60), 10)

    def rejected(seed: int, *, weighted: bool) -> bool:
        draw = np.random.default_rng(seed)
        groups = draw.choice(list(shares), 60, p=np.array(list(shares.values())) / 100)
        drawn = outcomes(list(groups), [1] * 60, weight=draw.lognormal(0, 1, 60)) if weighted else outcomes(list(groups[persons]), [1] * 600, cluster=persons)
        test = representation((drawn,), Population(source="x", shares={"sex": shares}), seed)[0].test
        assert isinstance(test, Test)
        assert test.name == "chi_square_rao_scott_monte_carlo"
        return test.p < 0.05

    for weighted in (False, True):
        assert np.mean([rejected(seed, weighted=weighted) for seed in range(400)]) < 0.1


def test_weights_make_the_shares() -> None:
    heavy = outcomes(["f"] * 10 + ["m"] * 10, [1] * 20, weight=np.array([3.0] * 10 + [1.0] * 10))
    [sex] = representation((heavy,), None, 0)
    assert measured(sex.groups[0].share).value == pytest.approx(0.75)


def test_without_labels_there_is_no_base_rate_and_a_number_has_a_mean() -> None:
    [sex] = representation((outcomes(["f", "m"], None),), None, 0)
    assert sex.groups[0].base_rate == NotMeasured(reason="no label column was given")
    numbers = Outcomes(task="regression", labels=(), positive=None, favourable=(), truth=np.array([1.0, 3.0, 5.0, 5.5]), score=np.zeros(4), decision=None,
                       groups={"sex": np.array(["f", "f", "m", "m"], dtype=object)})
    assert measured(representation((numbers,), None, 0)[0].groups[0].base_rate).value == 2.0


def test_a_group_without_a_share_is_refused() -> None:
    with pytest.raises(BadInput, match="'sex' has the group 'd' in this table, and the shares name 'f', 'm' only"):
        check_population(HALVES, {"sex": ["d", "f", "m"], "race": ["x"]})
    check_population(HALVES, {"sex": ["f"], "race": ["x"]})


@pytest.mark.parametrize(("numbers", "right"), [({"f": 0.5, "m": 0.495}, True), ({"f": 50.8, "m": 49.2}, True), ({"f": 812, "m": 1_000}, True), ({"f": 0.5, "m": 0.4}, False), ({"f": 512.5, "m": 3}, False)])
def test_numbers_are_shares_percentages_or_people(numbers: dict[str, float], right: bool) -> None:
    if right:
        expected = Population(source="x", shares={"sex": numbers}).expected("sex")
        assert expected is not None
        assert sum(expected.values()) == pytest.approx(1)
    else:
        with pytest.raises(ValueError, match="add up to"):
            Population(source="x", shares={"sex": numbers})


def findings_of(population: Population, *parts: Outcomes) -> list[str]:
    data: DataSection = make_data().model_copy(update={"quality": (), "left_out": (), "representation": representation(parts, population, 0)})
    return [finding.text for finding in of_data(data)]


def test_a_group_that_is_far_from_as_many_is_told_and_a_small_difference_is_not() -> None:
    assert findings_of(HALVES, TRAIN, AUDIT) == ["f (sex) has 26.7 % of the rows and 50.0 % of the population named: 0.53 times as much (95 % interval 0.40 to 0.69)."]
    assert findings_of(Population(source="x", shares={"sex": {"f": 30, "m": 70}}), TRAIN, AUDIT) == []
