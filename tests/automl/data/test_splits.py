"""The audit part: set aside whole, the same each time, and behind a door that only a sealed plan opens."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from automl.data.problems import resolve_problem
from automl.data.sample import make_sample
from automl.data.splits import split_table, whole_table
from automl.data.tables import read_table
from automl.errors import BadInput
from automl.evidence import Plan
from automl.spec import TaskSpec


def plan_for(split, digest="0" * 64, **changes):
    return Plan(**{"sha256": digest, "sealed_at": "split", "attributes": (), "bins": split.bins, "reference": {}, "limit": 0.8, "family": "", "cut_rule": "",
                   "audit_number": 1, **changes})


def divide(table, test=None, **spec):
    task = TaskSpec.model_validate({"target": "approved", **spec})
    return split_table(table, task, resolve_problem(task, table), test)


def audit_of(split):
    return split.open_audit(plan_for(split))


@pytest.fixture(scope="module")
def lending(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample.csv"
    path.write_text(make_sample(3_000, seed=5))
    return read_table(path)


# --- the door ---


def test_mistake_09_the_audit_part_opens_only_against_a_sealed_plan(lending):
    split = divide(lending, sensitive=["sex", "age"])
    for closed in (None, {}, plan_for(split, ""), plan_for(split, "f" * 63), plan_for(split, sealed_at="")):
        with pytest.raises(RuntimeError, match="sealed plan"):
            split.open_audit(closed)
    assert len(audit_of(split)) == 750


def test_the_plan_must_fix_the_bins_of_the_training_rows(lending):
    split = divide(lending, sensitive=["age"])
    with pytest.raises(RuntimeError, match="bins"):
        split.open_audit(plan_for(split, bins={"age": (30.0,)}))


def test_it_does_not_open_for_a_second_plan(lending):
    split = divide(lending)
    split.open_audit(plan_for(split))
    split.open_audit(plan_for(split))
    with pytest.raises(RuntimeError, match="another plan"):
        split.open_audit(plan_for(split, "1" * 64))


def test_nothing_of_the_audit_part_lies_open(lending):
    split = divide(lending, sensitive=["sex"])
    audit = set(audit_of(split).position.tolist())
    assert not audit & set(split.train.position.tolist())
    assert all(len(getattr(split.train, name)) == 2_250 for name in ("features", "y", "position"))


# --- dividing ---


def test_parts_are_disjoint_complete_and_of_the_asked_share(lending):
    split = divide(lending, audit_fraction=0.3)
    audit = audit_of(split)
    assert sorted([*split.train.position, *audit.position]) == list(range(3_000))
    assert (split.info.train, split.info.audit, split.info.method) == (2_100, 900, "stratified")


def test_the_same_seed_divides_the_same_way_and_another_does_not(lending):
    positions = [tuple(divide(lending, seed=seed).train.position) for seed in (1, 1, 2)]
    assert positions[0] == positions[1] != positions[2]


def test_shares_of_target_and_large_groups_are_kept(lending):
    split = divide(lending, sensitive=["sex", "race"])
    audit = audit_of(split)
    for part, n in ((split.train, 2_250), (audit, 750)):
        assert abs(part.y.mean() - split.all_targets.y.mean()) < 1.5 / n * 2
    cells_of = lambda part: Counter(zip(part.groups["sex"], part.groups["race"], part.y.tolist(), strict=True))  # noqa: E731
    train, held = cells_of(split.train), cells_of(audit)
    for cell, n in (train + held).items():
        if n >= 40 and None not in cell:
            assert abs(held[cell] - n / 4) <= 1.5


def test_numbers_are_divided_in_equal_shares_of_their_deciles(table_of):
    table = table_of("approved,x\n" + "".join(f"{(at * 7919) % 1000}.5,{at * 1.5}\n" for at in range(1_000)))
    split = divide(table)
    deciles = np.minimum(audit_of(split).y // 100, 9)
    assert set(Counter(deciles.tolist()).values()) == {25}


def test_every_class_is_in_both_parts_even_with_two_rows(table_of):
    labels = ["a"] * 50 + ["b"] * 47 + ["c"] * 3 + ["d"] * 2
    for seed in range(20):
        split = divide(table_of("approved,x\n" + "".join(f"{label},{at * 1.5}\n" for at, label in enumerate(labels))), seed=seed)
        assert set(split.train.y) == set(audit_of(split).y) == {0, 1, 2, 3}


def people(table_of, persons=80, rows_each=5):
    lines = [f"{(person * 31 + row) % 2},{person + row * 0.25},P-{person},2024-{1 + person % 12:02d}-{row + 1:02d}" for person in range(persons) for row in range(rows_each)]
    return table_of("approved,x,person,day\n" + "\n".join(lines) + "\n")


def test_a_person_is_never_in_both_parts(table_of):
    table = people(table_of)
    split = divide(table, group="person")
    audit = audit_of(split)
    persons = table.text("person").to_numpy()
    assert not set(persons[split.train.position]) & set(persons[audit.position])
    assert not set(split.train.cluster) & set(audit.cluster)
    assert 0.2 < len(audit) / 400 < 0.3
    assert split.info.method == "grouped"


def test_rows_without_a_person_are_persons_of_their_own(table_of):
    table = table_of("approved,x,person\n" + "".join(f"{at % 2},{at * 1.5},{'' if at % 2 else f'P{at % 8}'}\n" for at in range(200)))
    split = divide(table, group="person")
    both = np.concatenate([split.train.cluster, audit_of(split).cluster])
    assert len(set(both)) == 100 + 4


def test_one_large_person_cannot_swallow_a_part(table_of):
    table = table_of("approved,x,person\n" + "".join(f"{at % 2},{at * 1.5},{'big' if at < 180 else f'P{at}'}\n" for at in range(200)))
    for seed in range(10):
        split = divide(table, group="person", seed=seed)
        assert len(split.train) > 0
        assert len(audit_of(split)) > 0


def test_one_person_only_is_refused(table_of):
    with pytest.raises(BadInput, match="cannot be divided"):
        divide(table_of("approved,x,person\n" + "".join(f"{at % 2},{at * 1.5},same\n" for at in range(60))), group="person")


def test_the_latest_rows_are_audited_and_equal_moments_stay_together(table_of):
    table = table_of("approved,x,day\n" + "".join(f"{at % 2},{at * 1.5},2024-01-{1 + (at * 7) % 28:02d}\n" for at in range(280)))
    split = divide(table, time="day")
    day = table.text("day").to_numpy()
    assert max(day[split.train.position]) < min(day[audit_of(split).position])
    assert split.info.method == "time"


def test_persons_of_the_audit_part_leave_the_earlier_training_rows(table_of):
    table = people(table_of)
    split = divide(table, group="person", time="day")
    audit = audit_of(split)
    assert not set(split.train.cluster) & set(audit.cluster)
    gone = 400 - len(split.train) - len(audit)
    assert [each.n for each in split.left_out] == ([gone] if gone else [])


def test_a_missing_time_names_its_row(table_of):
    with pytest.raises(BadInput, match="row 8: the time is missing"):
        divide(table_of("approved,x,day\n" + "".join(f"{at % 2},{at * 1.5},{'' if at == 7 else at}\n" for at in range(60))), time="day")


def test_a_class_that_only_the_latest_rows_have_is_refused(table_of):
    with pytest.raises(BadInput, match="no training row has the target 'c'"):
        divide(table_of("approved,x,day\n" + "".join(f"{'c' if at > 55 else 'ab'[at % 2]},{at * 1.5},{at}\n" for at in range(60))), time="day")


# --- what is left out and what is fixed ---


def test_rows_without_a_target_are_left_out_and_counted(table_of):
    split = divide(table_of("approved,x\n" + "".join(f"{['yes', 'no', ''][at % 3]},{at * 1.5}\n" for at in range(90))))
    assert [(each.reason, each.n) for each in split.left_out] == [("the target is missing", 30)]
    assert len(split.all_targets.y) == 60
    assert len(split.train) + len(audit_of(split)) == 60


def test_bins_come_from_training_rows_only(table_of):
    """With the split frozen, whatever the audit rows hold changes neither bins nor training rows (evidence rule 1)."""
    lines = [f"{at % 2},{at * 1.5},{20 + at % 50}" for at in range(400)]
    before = divide(table_of("approved,x,age\n" + "\n".join(lines) + "\n"), sensitive=["age"])
    for position in audit_of(before).position:
        label, x, age = lines[position].split(",")
        lines[position] = f"{label},{float(x) * 1000},{int(age) * 10}"
    after = divide(table_of("approved,x,age\n" + "\n".join(lines) + "\n"), sensitive=["age"])
    assert after.train.position.tolist() == before.train.position.tolist()
    assert after.bins == before.bins
    assert after.train.features.equals(before.train.features)
    assert after.train.groups["age"].tolist() == before.train.groups["age"].tolist()
    assert audit_of(after).groups["age"].tolist() != audit_of(before).groups["age"].tolist()


def test_unknown_groups_are_counted_over_both_parts(lending):
    split = divide(lending, sensitive=["race"])
    audit = audit_of(split)
    counted = sum(sum(group is None for group in part.groups["race"]) for part in (split.train, audit))
    assert split.unknown == {"race": counted}
    assert counted == lending.facts["race"].missing


def test_weights_go_with_their_rows(table_of):
    table = table_of("approved,x,w\n" + "".join(f"{at % 2},{at * 1.5},{at % 9}\n" for at in range(100)))
    split = divide(table, weight="w")
    assert split.train.weight.tolist() == [position % 9 for position in split.train.position]
    with pytest.raises(BadInput, match="row 4"):
        divide(table_of("approved,x,w\n" + "".join(f"{at % 2},{at * 1.5},{-1 if at == 3 else at % 9}\n" for at in range(100))), weight="w")


def test_the_targets_of_all_rows_are_those_of_both_parts(lending):
    y = divide(lending).all_targets.y
    assert [int((y == at).sum()) for at in (0, 1)] == [lending.levels("approved")[label] for label in ("no", "yes")]


# --- a table of the person's own ---


def test_an_own_table_is_the_audit_part_and_all_rows_train(table_of):
    train, test = table_of(make_sample(400, seed=1)), table_of(make_sample(200, seed=2))
    split = divide(train, test, sensitive=["sex", "age"])
    audit = audit_of(split)
    assert (len(split.train), len(audit), split.info.method) == (400, 200, "own table")
    assert set(audit.groups["age"]) <= set(split.train.groups["age"])
    assert list(audit.features.columns) == list(split.train.features.columns)


def test_an_own_table_must_have_the_columns_and_labels(table_of):
    text = make_sample(400, seed=1)
    train = table_of(text)
    with pytest.raises(BadInput, match="the table to audit on has no column 'income'; did you mean 'incomes'"):
        divide(train, table_of(text.replace("income", "incomes", 1)))
    head, first, rest = text.split("\n", 2)
    strange = table_of("\n".join([head, first.rsplit(",", 1)[0] + ",maybe", rest]))
    with pytest.raises(BadInput, match="row 1: the target 'approved' is 'maybe', which the training table never has"):
        divide(train, strange)
    with pytest.raises(BadInput, match="same file"):
        divide(train, table_of(text))


def test_an_own_table_with_a_text_for_a_number_is_refused_before_any_training(table_of):
    text = make_sample(400, seed=1)
    other = make_sample(200, seed=2).split("\n")
    cells = other[5].split(",")
    cells[3] = "old"
    other[5] = ",".join(cells)
    with pytest.raises(BadInput, match="column 'age', row 5: 'old' is not a number"):
        divide(table_of(text), table_of("\n".join(other)))


def test_fit_uses_every_row_and_has_no_audit_part(lending):
    task = TaskSpec(target="approved")
    split = whole_table(lending, task, resolve_problem(task, lending))
    assert (len(split.train), split.info.audit) == (3_000, 0)


# --- any table ---


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=st.lists(st.sampled_from("aab"), min_size=24, max_size=120), sexes=st.lists(st.sampled_from(["f", "m", ""]), min_size=120, max_size=120),
    fraction=st.floats(0.05, 0.5), seed=st.integers(0, 1_000), grouped=st.booleans(),
)
@pytest.mark.slow
def test_every_row_with_a_target_is_in_exactly_one_part(table_of, labels, sexes, fraction, seed, grouped):
    table = table_of("approved,x,sex,p\n" + "".join(f"{label},{at * 1.5},{sex},{at // 3}\n" for at, (label, sex) in enumerate(zip(labels, sexes, strict=False))))
    try:
        split = divide(table, sensitive=["sex"], audit_fraction=fraction, seed=seed, group="p" if grouped else None)
    except BadInput:
        return
    audit = audit_of(split)
    assert sorted([*split.train.position, *audit.position]) == list(range(len(labels)))
    assert len(split.train) > 0
    assert len(audit) > 0
    if not grouped:
        assert abs(len(audit) - fraction * len(labels)) <= 3
        assert set(split.train.y) == set(audit.y)


def test_rows_of_weight_0_are_in_neither_part_and_are_counted(table_of):
    rows = "".join(f"{n % 7},{'yes' if n % 3 else 'no'},{0 if n < 30 else 1 + n % 2}\n" for n in range(200))
    split = divide(table_of("x,approved,w\n" + rows), weight="w")
    assert min(split.train.position.min(), audit_of(split).position.min()) >= 30
    assert [(each.reason, each.n) for each in split.left_out] == [("weight 0 in column 'w'", 30)]
    assert len(split.train) + len(audit_of(split)) == 170
