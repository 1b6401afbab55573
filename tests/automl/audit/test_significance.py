from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact, hypergeom
from statsmodels.stats.multitest import multipletests

from automl.audit.intervals import Count, pool
from automl.audit.significance import _hypergeometric, fisher_p, holm, mid_p, omnibus, pooled_z, primary_p, two_group_tests
from automl.evidence import NotMeasured, Test
from tests.automl.audit.vectors import expected, needs_vectors


@needs_vectors
@pytest.mark.parametrize("part", ["sex", "race", "intersectional"])
@pytest.mark.parametrize("table", ["ll144_selection", "ll144_scoring"])
def test_v01_v02_fisher_mid_p_and_z(table: str, part: str) -> None:
    section = expected()[table][part]
    reference = next(row for row in section["rows"] if row["label"] == section["reference"])
    for row in section["rows"]:
        if "mid_p" in row:
            mine, theirs = Count.of(row["k"], row["n"]), Count.of(reference["k"], reference["n"])
            assert fisher_p(mine, theirs) == pytest.approx(row["fisher_two_sided"], abs=1e-9)
            assert mid_p(mine, theirs) == pytest.approx(row["mid_p"], abs=1e-9)
            assert pooled_z(mine, theirs) == pytest.approx(row["z_pooled"], abs=1e-9)


def test_t07_forty_of_a_hundred_against_fifty_five() -> None:
    a, b = Count.of(40, 100), Count.of(55, 100)
    assert fisher_p(a, b) == pytest.approx(0.047165, abs=1e-6)
    assert mid_p(a, b) == pytest.approx(0.035201, abs=1e-6)


def test_v10_v06_v07_v11_fisher() -> None:
    assert fisher_p(Count.of(8, 10), Count.of(1, 6)) == pytest.approx(0.034965, abs=1e-6)
    assert fisher_p(Count.of(3, 20), Count.of(1, 10)) == pytest.approx(1.0)
    assert mid_p(Count.of(3, 20), Count.of(1, 10)) == pytest.approx(0.792, abs=5e-4)
    assert pooled_z(Count.of(12, 40), Count.of(48, 80)) == pytest.approx(-3.0984, abs=5e-5)
    assert fisher_p(Count.of(12, 40), Count.of(48, 80)) == pytest.approx(0.00341, abs=5e-6)
    assert mid_p(Count.of(12, 40), Count.of(48, 80)) == pytest.approx(0.00214, abs=5e-6)
    assert fisher_p(Count.of(0, 12), Count.of(15, 30)) == pytest.approx(0.00299, abs=5e-6)


def test_t15_black_against_the_rest() -> None:
    black, rest = Count.of(170, 390), Count.of(1254 - 170, 2584 - 390)
    assert pooled_z(black, rest) == pytest.approx(-2.1182, abs=5e-5)
    assert fisher_p(black, rest) == pytest.approx(0.0367, abs=5e-5)
    assert mid_p(black, rest) == pytest.approx(0.0343, abs=5e-5)


@needs_vectors
def test_v12_holm() -> None:
    published = expected()["bh_1995"]
    assert sum(p <= 0.05 for p in holm(published["p"])) == published["reject_holm"]
    assert holm([]) == []


def test_holm_is_statsmodels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gc.collect", lambda: 0)  # theirs searches all memory each time
    rng = np.random.default_rng(4)
    for p in [[0.3], [0.04, 0.01, 0.03, 0.005], [0.02, 0.02, 1.0, 0.0], [0.9, 0.8, 0.7], *rng.uniform(0, 0.2, (5, 12)).tolist()]:
        assert holm(p) == multipletests(p, method="holm")[1].tolist()


def test_fisher_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for n1, n2 in rng.integers(1, 200, (20, 2)):
        k1, k2 = int(rng.integers(0, n1 + 1)), int(rng.integers(0, n2 + 1))
        theirs = fisher_exact(np.array([[k1, n1 - k1], [k2, n2 - k2]])).pvalue
        assert fisher_p(Count.of(k1, int(n1)), Count.of(k2, int(n2))) == pytest.approx(theirs, abs=1e-9)


def test_mid_p_is_half_of_the_tables_as_likely_and_all_less_likely_ones_by_scipys_probabilities() -> None:
    rng = np.random.default_rng(1)
    for n1, n2 in [*rng.integers(1, 200, (20, 2)), (1, 1), (3, 400), (900, 900)]:
        k1, k2 = int(rng.integers(0, n1 + 1)), int(rng.integers(0, n2 + 1))
        mass = hypergeom.pmf(np.arange(0, n1 + 1), n1 + n2, k1 + k2, n1)
        less, same = mass < mass[k1] * (1 - 1e-7), np.isclose(mass, mass[k1], rtol=1e-7, atol=0)
        assert mid_p(Count.of(k1, int(n1)), Count.of(k2, int(n2))) == pytest.approx(min(1.0, mass[less].sum() + mass[same].sum() / 2), abs=1e-9)


def test_exact_tests_of_large_groups_look_at_what_is_possible_and_no_more() -> None:
    """Half a million tables are possible; a few ten thousand have any probability."""
    a, b = Count.of(200_900, 500_000), Count.of(200_000, 500_000)
    assert mid_p(a, b) == pytest.approx(fisher_p(a, b), rel=1e-2)
    assert mid_p(a, b) < fisher_p(a, b)
    assert mid_p(Count.of(400_000, 500_000), Count.of(1, 500_000)) == 0
    _, mass = _hypergeometric(400_900, 500_000, 500_000)
    assert len(mass) < 50_000
    assert mass.sum() == pytest.approx(1)


def test_weighted_or_repeated_rows_take_z_not_fisher() -> None:
    a, b = Count(20.0, 50.0, 40, 100, 40, 100, exact=False), Count.of(60, 100)
    tests = two_group_tests(a, b, "x", family="f", p_adjusted=0.2)
    assert [(test.name, test.p_adjusted) for test in tests] == [("z_rao_scott", 0.2)]
    assert primary_p(a, b) == tests[0].p


def test_only_the_primary_test_is_adjusted() -> None:
    tests = two_group_tests(Count.of(40, 100), Count.of(55, 100), "A against B", family="primary", p_adjusted=0.1)
    assert [(test.name, test.p_adjusted, test.adjustment) for test in tests] == [("fisher", 0.1, "holm"), ("mid_p", None, None), ("z", None, None)]


V1_RACE = [Count.of(*kn) for kn in [(204, 408), (412, 797), (170, 390), (52, 119), (302, 616), (18, 41), (96, 213)]]


def test_v01_omnibus_chi_square() -> None:
    test = omnibus(V1_RACE, "race", np.random.default_rng(0))
    assert isinstance(test, Test)
    assert (test.name, test.statistic, test.p) == ("chi_square", pytest.approx(9.903, abs=5e-4), pytest.approx(0.1288, abs=5e-5))


def test_omnibus_is_monte_carlo_exact_where_an_expected_cell_is_small() -> None:
    a, b = Count.of(3, 20), Count.of(1, 10)
    test = omnibus([a, b], "sex", np.random.default_rng(0))
    assert isinstance(test, Test)
    assert test.name == "chi_square_monte_carlo"
    assert test.p == pytest.approx(1.0, abs=0.01)  # Fisher's p of the same table is 1
    rare = omnibus([Count.of(6, 8), Count.of(1, 9), Count.of(0, 5)], "g", np.random.default_rng(0))
    assert isinstance(rare, Test)
    exact = fisher_exact(np.array([[6, 2], [1, 8], [0, 5]])).pvalue  # the exact test of the same table; the two order tables a little differently
    assert rare.p == pytest.approx(exact, abs=0.01)
    assert chi2_contingency([[6, 2], [1, 8], [0, 5]], correction=False).statistic == pytest.approx(rare.statistic)


def test_omnibus_says_why_it_cannot_be_made() -> None:
    rng = np.random.default_rng(0)
    assert isinstance(omnibus([Count.of(1, 2)], "a", rng), NotMeasured)
    assert isinstance(omnibus([Count.of(0, 2), Count.of(0, 3)], "a", rng), NotMeasured)


def test_t08_only_b_differs_more_than_the_arithmetic_makes_all_differ() -> None:
    groups = {"A": Count.of(500, 1000), "B": Count.of(300, 1000), "C": Count.of(500, 1000)}
    p = {name: fisher_p(mine, pool([c for other, c in groups.items() if other != name])) for name, mine in groups.items()}
    assert p["A"] == pytest.approx(2.414e-7, rel=1e-3)
    assert p["C"] == p["A"]
    assert p["B"] == pytest.approx(6.95e-26, rel=1e-2)
