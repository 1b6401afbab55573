"""Which column of somebody else's predictions says what, and which tables cannot be audited."""

from pathlib import Path

import pytest

from automl.data.predictions import PredictionRows, read_predictions
from automl.data.tables import read_table
from automl.errors import BadInput
from automl.spec import PredictionsSpec

HEADER = "sex,label,decision,score,weight\n"


def _read(tmp_path: Path, rows: str, header: str = HEADER, **spec: object) -> PredictionRows:
    path = tmp_path / "predictions.csv"
    path.write_text(header + rows)
    return read_predictions(read_table(path), PredictionsSpec.model_validate({"sensitive": ("sex",), **spec}))


def test_a_score_belongs_to_the_positive_label_whatever_is_favourable(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,0,0,.2,1\nm,1,1,.9,1\nf,1,0,.4,1\n", label="label", decision="decision", score="score", favourable="0")
    assert (rows.task, rows.labels, rows.positive, rows.favourable) == ("binary", ("0", "1"), "1", ("0",))
    assert rows.truth is not None
    assert rows.truth.tolist() == [0, 1, 1]
    assert rows.decision is not None
    assert rows.decision.tolist() == [0, 1, 0]
    assert rows.threshold is None


def test_without_decisions_the_threshold_decides_and_says_so(tmp_path: Path) -> None:
    assert _read(tmp_path, "f,0,,.2,1\nm,1,,.9,1\n", label="label", score="score", threshold=0.3).threshold.value == 0.3  # type: ignore[union-attr]
    default = _read(tmp_path, "f,0,,.2,1\nm,1,,.9,1\n", label="label", score="score").threshold
    assert default is not None
    assert default.value == 0.5
    assert "default" in default.chosen_on


def test_scores_beyond_0_and_1_need_a_threshold(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="name the threshold") as refusal:
        _read(tmp_path, "f,0,,620,1\nm,1,,710,1\n", label="label", score="score")
    assert refusal.value.pointer == "/threshold"
    assert _read(tmp_path, "f,0,,620,1\nm,1,,710,1\n", label="label", score="score", threshold=700).task == "binary"


def test_decisions_alone_are_enough(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,,no,,1\nm,,yes,,1\n", decision="decision")
    assert (rows.labels, rows.favourable, rows.truth, rows.score) == (("no", "yes"), ("yes",), None, None)


def test_one_decision_only_still_has_another_side(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,,no,,1\nm,,no,,1\n", decision="decision", favourable="yes")
    assert rows.labels == ("no", "yes")
    assert rows.decision is not None
    assert rows.decision.tolist() == [0, 0]


def test_many_decisions_are_multiclass_and_need_a_favourable_one(tmp_path: Path) -> None:
    cells = "f,a,a,,1\nm,b,b,,1\nf,c,b,,1\n"
    assert _read(tmp_path, cells, decision="decision", label="label", favourable=("a", "b")).favourable == ("a", "b")
    with pytest.raises(BadInput, match="name the favourable outcomes"):
        _read(tmp_path, cells, decision="decision", label="label")
    with pytest.raises(BadInput, match="'z' is none of the outcomes"):
        _read(tmp_path, cells, decision="decision", label="label", favourable="z")


def test_numbers_against_numbers_are_a_regression(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,10.5,,9,1\nm,20,,22,1\nf,30,,28,1\n", label="label", score="score")
    assert rows.task == "regression"
    assert rows.truth is not None
    assert rows.truth.tolist() == [10.5, 20, 30]
    assert rows.decision is None


def test_one_score_cannot_decide_between_three_labels(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="name the decision column"):
        _read(tmp_path, "f,a,,.1,1\nm,b,,.2,1\nf,c,,.3,1\n", label="label", score="score")


def test_incomplete_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,1,1,.9,1\nm,,1,.8,1\nf,0,,.1,1\nm,0,0,.3,1\n", label="label", decision="decision", score="score")
    assert rows.position.tolist() == [0, 3]
    assert [(each.reason, each.n) for each in rows.left_out] == [("no decision in column 'decision'", 1), ("no label in column 'label'", 1)]
    with pytest.raises(BadInput, match="no row has everything"):
        _read(tmp_path, "f,,1,.9,1\nm,,1,.8,1\n", label="label", decision="decision")


@pytest.mark.parametrize(("spec", "pointer"), [
    ({"decision": "decsion"}, "/decision"), ({"score": "scores"}, "/score"), ({"decision": "decision", "sensitive": ("sexx",)}, "/sensitive/0"),
    ({"decision": "decision", "weight": "wight"}, "/weight"),
])
def test_a_column_that_is_not_there_is_named_with_its_place(tmp_path: Path, spec: dict[str, object], pointer: str) -> None:
    with pytest.raises(BadInput, match="the table has no column") as refusal:
        _read(tmp_path, "f,1,1,.9,1\nm,0,0,.8,1\n", **spec)
    assert refusal.value.pointer == pointer


def test_a_negative_weight_names_its_row(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="row 2"):
        _read(tmp_path, "f,1,1,.9,1\nm,0,0,.8,-1\n", decision="decision", weight="weight")


def test_a_row_without_a_person_is_a_person_of_its_own(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,0,1,.2,1,p\nm,1,1,.9,1,\nf,1,0,.4,1,p\nf,1,0,.4,1,\n", HEADER.replace("weight", "weight,person"), decision="decision", group="person")
    assert rows.cluster is not None
    assert rows.cluster[0] == rows.cluster[2]
    assert len(set(rows.cluster.tolist())) == 3


def test_rows_of_weight_0_count_for_nothing_and_are_counted(tmp_path: Path) -> None:
    rows = _read(tmp_path, "f,0,1,.2,1\nm,1,1,.9,0\nf,1,0,.4,2\n", decision="decision", weight="weight")
    assert rows.position.tolist() == [0, 2]
    assert [(each.reason, each.n) for each in rows.left_out] == [("weight 0 in column 'weight'", 1)]


def test_naming_every_outcome_favourable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="every outcome is named favourable"):
        _read(tmp_path, "f,0,1,.2,1\nm,1,0,.9,1\n", decision="decision", favourable=("0", "1"))


def test_labels_and_decisions_written_in_different_words_are_refused(tmp_path: Path) -> None:
    """Taken as four classes, every decision would be wrong: an accuracy of 0 that no model has."""
    with pytest.raises(BadInput, match="no value is in both") as refusal:
        _read(tmp_path, "f,0,no,,1\nm,1,yes,,1\n", label="label", decision="decision", favourable="yes")
    assert refusal.value.pointer == "/label"
    all_wrong = _read(tmp_path, "f,no,yes,,1\nm,no,yes,,1\n", label="label", decision="decision")
    assert all_wrong.labels == ("no", "yes")
