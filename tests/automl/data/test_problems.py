"""What is to be learned: concluded where the person says nothing, refused where table and person disagree."""

from __future__ import annotations

import pytest

from automl.data.problems import choose_positive, resolve_problem, row_weights
from automl.data.tables import read_table
from automl.errors import BadInput
from automl.spec import TaskSpec


def rows(target, more=lambda at: "1.5", n=60):
    return "y,x,sex,pid,free\n" + "".join(f"{target(at)},{more(at)}{at},{'fm'[at % 2]},{at:06d},\"a long story of row {at}, told with many words so that it is text and not a level\"\n" for at in range(n))


def problem(table, **spec):
    return resolve_problem(TaskSpec.model_validate({"target": "y", **spec}), table)


def refusal(table, pointer, **spec):
    with pytest.raises(BadInput) as caught:
        problem(table, **spec)
    assert caught.value.pointer == pointer
    return caught.value.sentence


@pytest.fixture
def binary(table_of):
    return table_of(rows(lambda at: ["no", "yes"][at % 3 == 0]))


# --- the task ---


@pytest.mark.parametrize(("target", "task"), [
    (lambda at: at % 2, "binary"), (lambda at: ["a", "b"][at % 2], "binary"), (lambda at: "abc"[at % 3], "multiclass"), (lambda at: at % 5, "multiclass"),
    (lambda at: at * 1.5, "regression"), (lambda at: at, "regression"), (lambda at: at % 21, "regression"), (lambda at: at % 20, "multiclass"),
])
def test_the_task_follows_the_target(table_of, target, task):
    found = problem(table_of(rows(target)))
    assert (found.task, found.inferred) == (task, True)


def test_a_task_and_positive_label_that_are_given_are_not_inferred(binary):
    found = problem(binary, task="binary", positive="no")
    assert (found.labels, found.positive, found.favourable, found.inferred) == (("yes", "no"), "no", ("no",), False)


def test_a_target_of_one_value_or_none_is_refused(table_of):
    assert "the target has one value" in refusal(table_of(rows(lambda at: "yes" if at % 2 else "")), "/target")
    assert "missing in every row" in refusal(table_of(rows(lambda at: "NaN")), "/target")


def test_too_many_classes_are_refused_with_the_limit(table_of):
    sentence = refusal(table_of(rows(lambda at: f"class {at % 101} of many", n=300)), "/target")
    assert "101 different texts; at most 100" in sentence


def test_a_class_of_one_row_is_refused_by_name(table_of):
    assert "'c' occurs in one row only" in refusal(table_of(rows(lambda at: "c" if at == 7 else "ab"[at % 2])), "/target")


def test_too_few_rows_with_a_target_are_refused(table_of):
    assert "10 rows with a target; at least 20" in refusal(table_of(rows(lambda at: at % 2 if at < 10 else "")), "/target")


def test_a_task_that_does_not_fit_is_refused(table_of, binary):
    assert "does not fit the task multiclass" in refusal(binary, "/task", task="multiclass")
    with pytest.raises(BadInput, match="row 1: 'yes' is not a number"):
        problem(binary, task="regression")
    assert "does not fit the task binary" in refusal(table_of(rows(lambda at: at % 3)), "/task", task="binary")


def test_a_target_whose_squares_overflow_is_refused(table_of):
    assert "larger unit" in refusal(table_of(rows(lambda at: f"{at}e300")), "/target")
    assert problem(table_of(rows(lambda at: f"{at}e90"))).task == "regression"


def test_a_metric_of_another_task_is_refused(binary):
    assert "does not fit a binary task" in refusal(binary, "/metric", metric="rmse")


# --- labels ---


@pytest.mark.parametrize(("labels", "positive"), [
    (["no", "yes"], "yes"), (["true", "false"], "true"), (["0", "1"], "1"), (["<=50K", ">50K"], ">50K"), (["bad", "good"], "good"), (["denied", "granted"], "granted"),
    (["Ja", "Nein"], "Ja"), (["a", "b"], "b"), (["default", "no"], "default"), (["-1", "1"], "1"), (["1", "2"], "1"),
])
def test_the_obviously_positive_label_is_proposed_else_the_last(labels, positive):
    assert choose_positive(labels) == positive
    assert choose_positive(labels[::-1]) == (positive if labels != ["a", "b"] else "a")


def test_the_positive_label_comes_last_and_others_in_order(table_of):
    assert problem(table_of(rows(lambda at: at % 12))).labels == tuple(map(str, range(12)))
    assert problem(table_of(rows(lambda at: [">50K", "<=50K"][at % 2]))).labels == ("<=50K", ">50K")


def test_labels_that_do_not_exist_are_refused_with_the_closest(binary):
    assert "no value 'Yes'; did you mean 'yes'" in refusal(binary, "/positive", positive="Yes")
    assert "no value 'yess'" in refusal(binary, "/favourable", favourable="yess")
    assert "every value" in refusal(binary, "/favourable", favourable=["yes", "no"])


def test_favourable_is_the_positive_label_unless_said_otherwise(table_of, binary):
    assert problem(binary).favourable == ("yes",)
    assert problem(binary, favourable="no").favourable == ("no",)
    assert problem(table_of(rows(lambda at: "abc"[at % 3])), favourable=["a", "b"]).favourable == ("a", "b")


# --- columns ---


def roles(found):
    return {column.name: (column.role, column.used_as_feature) for column in found.columns}


def test_ids_and_sensitive_columns_are_not_learned_from_and_texts_are(binary):
    found = problem(binary, sensitive=["sex"])
    assert roles(found) == {"y": ("target", False), "x": ("feature", True), "sex": ("sensitive", False), "pid": ("id", False), "free": ("text", True)}
    assert (found.schema.names, found.schema.texts) == (("x", "free"), ("free",))


def test_a_text_is_left_out_where_the_person_says_so_and_a_category_may_be_read_as_one(binary):
    assert problem(binary, roles={"free": "ignore"}).schema.texts == ()
    assert problem(binary, roles={"free": "feature", "sex": "text"}).schema.texts == ("sex", "free")
    assert "'x' free text, but it holds numbers" in refusal(binary, "/roles/x", roles={"x": "text"})


def test_a_mark_that_is_set_or_not_is_learned_from(table_of):
    """One value where it is not missing: whether it is there may be all there is to know."""
    found = problem(table_of("y,mark,x,same\n" + "".join(f"{at % 2},{'*' if at % 3 else ''},{at * 1.5},k\n" for at in range(60))))
    assert found.schema.kinds == {"mark": "category", "x": "number"}


def test_rule_02_sensitive_attributes_become_features_only_when_the_person_says_so(binary):
    assert problem(binary, sensitive=["sex"], sensitive_as_features=True).schema.names == ("x", "sex", "free")


def test_roles_of_the_persons_override(binary):
    assert problem(binary, roles={"pid": "feature"}).schema.kinds["pid"] == "category"
    assert "sex" not in problem(binary, roles={"sex": "ignore"}).schema.names


def test_group_time_and_weight_are_not_learned_from(table_of):
    table = table_of("y,a,t,w,g\n" + "".join(f"{at % 2},{at * 1.5},2024-01-{at % 28 + 1:02d},{at % 9},p{at % 7}\n" for at in range(60)))
    found = problem(table, group="g", time="t", weight="w")
    assert found.schema.names == ("a",)
    assert problem(table).schema.kinds == {"a": "number", "t": "date", "w": "number", "g": "category"}


def test_roles_that_contradict_the_spec_are_refused(binary):
    assert "but sensitive does not name it" in refusal(binary, "/roles/sex", roles={"sex": "sensitive"})
    assert "no column 'sexx'; did you mean 'sex'" in refusal(binary, "/roles/sexx", roles={"sexx": "ignore"})
    assert "a date" in refusal(binary, "/roles/sex", roles={"sex": "date"})


def test_no_column_left_to_learn_from_is_refused(table_of):
    assert "no column is left" in refusal(table_of("y,c\n" + "1,k\n0,k\n" * 30), "/roles")


@pytest.mark.parametrize("option", ["group", "time", "weight"])
def test_absent_columns_are_refused_with_their_pointer(binary, option):
    assert "no column 'zz'" in refusal(binary, f"/{option}", **{option: "zz"})


def test_an_absent_target_gets_the_closest_name(table_of):
    with pytest.raises(BadInput, match="did you mean 'income'") as caught:
        resolve_problem(TaskSpec(target="incme"), table_of("income,x\n1,2\n"))
    assert caught.value.pointer == "/target"


def test_infinite_values_are_disclosed_in_the_columns_note(table_of):
    found = problem(table_of("y,a\n" + "".join(f"{at % 2},{'inf' if at == 3 else at * 1.5}\n" for at in range(60))))
    assert "1 infinite values count as missing" in found.columns[1].note


def test_weights_must_be_numbers_of_zero_or_more(table_of):
    assert row_weights(table_of("w\n1\n0\n2.5\n"), "w").tolist() == [1, 0, 2.5]
    for bad, row in (("1\n-1\n", 2), ("1\n2\n\"\"\n", 3), ("1\ninf\n", 2), ("1\nx\n", 2)):
        with pytest.raises(BadInput, match=f"row {row}"):
            row_weights(table_of("w\n" + bad), "w")
    with pytest.raises(BadInput, match="all weights"):
        row_weights(table_of("w\n0\n0\n"), "w")


def test_the_real_tables_give_their_documented_problems(real):
    for name, target, task, positive in (("adult.csv.gz", "income", "binary", ">50K"), ("german_credit.csv", "class-label", "binary", "1"), ("bank_marketing.csv", "y", "binary", "yes"),
                                         ("california_housing.csv", "median_house_value", "regression", None), ("dry_bean.csv", "Class", "multiclass", None)):
        found = resolve_problem(TaskSpec(target=target), read_table(real(name)))
        assert (found.task, found.positive) == (task, positive)
