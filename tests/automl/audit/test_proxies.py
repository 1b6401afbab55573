from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from automl.audit.proxies import scan_proxies
from automl.evidence import Estimate, FeatureImportance, NotMeasured, ProxyScan, Value
from tests.automl.audit.inputs import Rows


def importance(**sizes: float) -> tuple[FeatureImportance, ...]:
    return tuple(
        FeatureImportance(feature=name, mean_abs_shap=Estimate(value=size, low=size, high=size, method="bootstrap", n=100), direction="mixed", rank=rank, rank_over_replicates=(rank, rank))
        for rank, (name, size) in enumerate(sizes.items(), start=1))


def applicants(n: int = 1200, seed: int = 0) -> Rows:
    """``job`` names the sex in nine of ten rows, ``height`` goes with it, ``noise`` and ``code`` (a level of its own for nearly every row) do not."""
    draw = np.random.default_rng(seed)
    sex = draw.choice(np.array(["f", "m"], dtype=object), n)
    job = np.where(draw.random(n) < 0.9, np.where(sex == "f", "nurse", "smith"), np.where(sex == "f", "smith", "nurse"))
    frame = pd.DataFrame({
        "job": pd.Series(job, dtype="str"), "height": draw.normal(170, 6, n) + 3 * (sex == "m"), "noise": draw.normal(size=n),
        "code": pd.Series([f"c{at}" for at in draw.integers(0, n, n)], dtype="str"),
    })
    frame.loc[draw.random(n) < 0.1, "height"] = np.nan
    return Rows(frame, groups={"sex": sex})


SIZES = importance(job=0.5, height=0.3, noise=0.1, code=0.1)


def scanned(rows: Rows, features: tuple[FeatureImportance, ...] = SIZES, at: int = 0, **options: Any) -> ProxyScan:
    scans = scan_proxies(rows, features, seed=0, **options)
    assert not isinstance(scans, NotMeasured)
    scan = scans[at]
    assert isinstance(scan, ProxyScan), scan
    return scan


def estimate(value: Value) -> Estimate:
    assert isinstance(value, Estimate), value
    return value


def test_an_input_that_names_the_group_is_found_and_measured() -> None:
    scan = scanned(applicants())
    assert [one.feature for one in scan.features[:2]] == ["job", "height"]
    job, height = scan.features[0], scan.features[1]
    assert estimate(job.alone).value == pytest.approx(0.9, abs=0.03)
    assert estimate(job.alone).low < 0.9 < estimate(job.alone).high
    # two normals half a standard deviation apart: Phi(0.5 / sqrt 2) = 0.638, and a tenth of the cells is missing
    assert estimate(height.alone).value == pytest.approx(0.62, abs=0.05)
    assert estimate(scan.auc).value > estimate(job.alone).value
    assert estimate(scan.balanced_accuracy).low > scan.chance == 0.5
    assert [one.feature for one in scan.features if one.flagged] == ["job"]
    assert (job.rank, job.share_of_score, scan.rows, scan.folds) == (1, 0.5, 1200, 3)


def test_no_row_is_predicted_from_its_own_group() -> None:
    """Levels of their own would tell every row if its own row were counted."""
    code = next(one for one in scanned(applicants()).features if one.feature == "code")
    assert estimate(code.alone).low < 0.5 < estimate(code.alone).high


def test_groups_that_go_with_nothing_are_not_told() -> None:
    rows = applicants()
    shuffled = replace(rows, groups={"sex": np.random.default_rng(5).permutation(rows.groups["sex"])})
    scan = scanned(shuffled)
    assert estimate(scan.auc).low < 0.5 < estimate(scan.auc).high
    assert not any(one.flagged for one in scan.features)


@pytest.mark.parametrize("sizes", [{"job": 0.001, "height": 1.0}, {f"x{at}": 1.0 for at in range(10)} | {"job": 0.9}])
def test_an_input_that_hardly_moves_the_score_is_not_flagged(sizes: dict[str, float]) -> None:
    rows = applicants()
    wide = replace(rows, features=rows.features.assign(**{name: 0.0 for name in sizes if name not in rows.features}))
    job = next(one for one in scanned(wide, importance(**sizes)).features if one.feature == "job")
    assert estimate(job.alone).low > 0.7
    assert not job.flagged


def test_several_groups_each_against_the_rest_and_small_ones_named() -> None:
    draw = np.random.default_rng(1)
    race = draw.choice(np.array(["p", "q", "r", "tiny", None], dtype=object), 1500, p=[0.5, 0.25, 0.2, 0.002, 0.048])
    town = np.where(race == "p", "north", "south")
    scan = scanned(Rows(pd.DataFrame({"town": pd.Series(town, dtype="str"), "noise": draw.normal(size=1500)}), groups={"race": race}), importance(town=1.0, noise=1.0))
    assert scan.left_out_groups == ("tiny",)
    assert scan.chance == pytest.approx(1 / 3)
    assert scan.rows == int(np.isin(race, ["p", "q", "r"]).sum())
    by_group = {group.group: estimate(group.auc) for group in scan.groups}
    assert by_group["p"].value > 0.99
    # all of p's rows are told from q's, none of r's: (0.5 + 0.5 x 0.2) / 0.7 of the pairs
    assert by_group["q"].value == pytest.approx(0.857, abs=0.03)
    assert scan.largest_share == pytest.approx((race == "p").sum() / scan.rows)


def test_alone_is_the_mean_of_one_against_the_rest() -> None:
    """Point values are scikit-learn's on the same arrays (rule 14): a category that is right for one group of three."""
    draw = np.random.default_rng(2)
    group = draw.choice(np.array(["p", "q", "r"], dtype=object), 900)
    frame = pd.DataFrame({"town": pd.Series(np.where(group == "p", "north", "south"), dtype="str")})
    [town] = scanned(Rows(frame, groups={"g": group}), importance(town=1.0)).features
    parts = [roc_auc_score(group == name, (frame["town"] == "north") if name == "p" else (frame["town"] == "south")) for name in ("p", "q", "r")]
    assert estimate(town.alone).value == pytest.approx(np.mean(parts), abs=0.02)


def test_rows_of_one_person_stay_in_one_fold() -> None:
    """A number that is different for every person tells each person's group as soon as another row of the same person was learned from."""
    draw = np.random.default_rng(3)
    person = np.repeat(np.arange(120), 8)
    sex = draw.choice(np.array(["f", "m"], dtype=object), 120)[person]
    frame = pd.DataFrame({"card": draw.normal(size=120)[person], "noise": draw.normal(size=960)})
    sizes = importance(card=1.0, noise=1.0)
    by_row, by_person = scanned(Rows(frame, groups={"sex": sex}), sizes), scanned(Rows(frame, groups={"sex": sex}, cluster=person), sizes)
    assert estimate(by_row.auc).value > 0.9
    assert estimate(by_person.auc).low < 0.55
    assert "by person" in estimate(by_person.auc).method


def test_texts_and_the_attributes_own_column_are_left_out_and_said() -> None:
    rows = applicants()
    wide = replace(rows, features=rows.features.assign(sex=pd.Series(rows.groups["sex"], dtype="str"), letter="she writes"))
    scan = scanned(wide, importance(sex=1.0, job=0.5, letter=0.2), texts=("letter",))
    assert scan.own_column
    assert scan.left_out_features == ("letter",)
    assert [one.feature for one in scan.features] == ["job"]


def test_what_cannot_be_scanned_says_why() -> None:
    rows = applicants(60)
    assert isinstance(scan_proxies(replace(rows, groups={}), SIZES, seed=0), NotMeasured)
    one = scan_proxies(replace(rows, groups={"sex": np.array(["f"] * 60, dtype=object)}), SIZES, seed=0)
    assert isinstance(one, tuple)
    assert [type(each) for each in one] == [NotMeasured]
    few = scan_proxies(replace(rows, cluster=np.repeat([0, 1], 30)), SIZES, seed=0)
    assert isinstance(few, tuple)
    assert isinstance(few[0], NotMeasured)
    assert "persons" in few[0].reason


def test_weights_count_and_the_same_inputs_give_the_same_scan() -> None:
    rows = applicants(400)
    weighted = replace(rows, weight=np.where(rows.groups["sex"] == "f", 3.0, 1.0))
    scan = scanned(weighted)
    assert scan.largest_share > 0.7 > scanned(rows).largest_share
    assert scan == scanned(weighted, threads=2)
