"""The whole story on small tables: the audit part stays untouched, the same inputs give the same digest, a stop is a stop."""

import csv
import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef, mean_pinball_loss, root_mean_squared_log_error

from automl.bundle import open_bundle
from automl.charts import draw_charts
from automl.data import splits
from automl.data.sample import make_sample
from automl.errors import BadInput, Stopped
from automl.evidence import (
    Estimate,
    Evidence,
    ExplanationSection,
    FairnessSection,
    LawTable,
    LocalLaw144Section,
    MitigationSection,
    NotMeasured,
    OnnxExport,
    ProxyScan,
    ReasonsSection,
    ScoreGap,
    SearchSection,
)
from automl.hooks import STAGES, Hooks, Progress
from automl.learn.model import load_model
from automl.pipeline import run_audit_of_predictions, run_training
from automl.sections import seal_plan
from automl.spec import LEFT_OUT, OPTIONAL_PARTS, PredictionsSpec, TaskSpec
from tests.in_german import changed_numbers, unread

pytestmark = pytest.mark.slow
RUN = {"id": "run_test", "title": "", "parent": None}
SPEC: dict[str, Any] = {"target": "approved", "sensitive": ("sex", "race", "age"), "families": ("linear", "lgbm"), "budget": {"trials": 2}, "threads": 1, "seed": 3}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "sample.csv"
    path.write_text(make_sample(rows=1_500))
    return path


def _train(table: Path, out: Path, hooks: Hooks | None = None, **changes: Any) -> Evidence:
    return run_training(TaskSpec.model_validate({**SPEC, **changes}), table, out / "bundle", hooks or Hooks(), run=RUN)


@pytest.fixture(scope="module")
def trained(table: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Evidence, Path]:
    out = tmp_path_factory.mktemp("trained")
    return _train(table, out), out / "bundle"


def _rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "predictions.csv").read_text())))


class Listener(Hooks):
    def __init__(self, wish: Literal["finish", "cancel"] | None = None, at: str = "") -> None:
        self.heard: list[Progress] = []
        self.wish, self.at = wish, at

    def progress(self, progress: Progress) -> None:
        self.heard.append(progress)

    def stop_requested(self) -> Literal["finish", "cancel"] | None:
        return self.wish if self.heard and self.heard[-1].stage == self.at else None


def test_the_bundle_holds_what_the_evidence_says(trained: tuple[Evidence, Path]) -> None:
    evidence, folder = trained
    bundle = open_bundle(folder)
    assert bundle.evidence == evidence
    assert {"predictions.csv", "modelcard.md", "charts.json", "evidence.json"} <= set(bundle.manifest.files)
    rows = _rows(folder)
    assert len(rows) == evidence.data.split.audit
    assert set(rows[0]) == {"row", "label", "prediction", "proba_no", "proba_yes", "sex", "race", "age"}
    model = load_model(folder / "model")
    assert model.sha256 == evidence.provenance.model_sha256
    assert isinstance(evidence.search, SearchSection)
    assert model.calibration == evidence.search.calibration
    assert evidence.provenance.hardware["linear learned on"] == "CPU"
    assert evidence.provenance.hardware["lgbm learned on"].split(":")[0] in {"CPU", "GPU"}
    onnx = evidence.provenance.onnx
    assert isinstance(onnx, OnnxExport)
    assert (onnx.file, onnx.sha256) == ("model/model.onnx", bundle.manifest.files["model/model.onnx"]["sha256"])
    assert onnx.rows >= 1_000
    assert onnx.largest_difference <= onnx.limit == 1e-4


def test_every_unfavourable_row_has_its_reasons_in_a_file_of_the_bundle(trained: tuple[Evidence, Path]) -> None:
    evidence, folder = trained
    assert isinstance(evidence.reasons, ReasonsSection)
    refused = {row["row"]: row for row in _rows(folder) if row["prediction"] == "no"}
    lines = list(csv.DictReader(io.StringIO((folder / "reasons.csv").read_text())))
    assert evidence.reasons.policy.unfavourable == evidence.reasons.policy.explained == len(refused)
    assert [line["row"] for line in lines] == list(refused)
    for line in lines:
        assert float(line["score"]) == pytest.approx(np.log(float(refused[line["row"]]["proba_yes"]) / float(refused[line["row"]]["proba_no"])))
    stated = {line[f"reason_{place}_input"] for line in lines for place in range(1, 5)}
    assert stated - {""} <= set(load_model(folder / "model").features)
    assert evidence.reasons.policy.additivity_error < 1e-6
    assert evidence.reasons.policy.at_the_cut.n % 20 == 0
    assert "reasons_text" in {finding.rule for finding in evidence.findings}
    assert {"reasons-stated", "reasons-by-group-1"} <= {chart.name for chart in open_bundle(folder).charts().charts}


def test_where_it_fails_is_measured_on_the_audited_rows(trained: tuple[Evidence, Path]) -> None:
    evidence, folder = trained
    slices, robustness = evidence.slices, evidence.robustness
    assert not isinstance(slices, NotMeasured)
    assert not isinstance(robustness, NotMeasured)
    rows = _rows(folder)
    assert isinstance(slices.overall, Estimate)
    assert (slices.overall.k, slices.rows_confirmed) == (sum(row["label"] != row["prediction"] for row in rows), len(rows))
    assert isinstance(evidence.search, SearchSection)
    family = {trial.number: trial.family for trial in evidence.search.trials}
    assert isinstance(robustness.seeds, NotMeasured) == all(family[member.trial] == "linear" for member in evidence.search.ensemble)
    assert [name for name in ("noise", "missing", "rounding", "shift", "splits", "threshold_curve", "operating_characteristics", "label_noise", "membership")
            if isinstance(getattr(robustness, name), NotMeasured)] == []
    assert not isinstance(robustness.undisturbed, NotMeasured)
    assert not isinstance(evidence.fairness, NotMeasured)
    for ours, theirs in zip(robustness.undisturbed.attributes, evidence.fairness.attributes, strict=True):
        assert [(one.group, one.outcome) for one in ours.groups] == [(one.group, one.selection_rate) for one in theirs.groups]


def test_a_report_in_german_has_no_english_left_and_the_same_digits(trained: tuple[Evidence, Path]) -> None:
    evidence, _ = trained
    assert unread(evidence, draw_charts(evidence)) == []
    assert changed_numbers(evidence, draw_charts(evidence)) == []


def test_what_was_not_asked_for_leaves_no_trace(trained: tuple[Evidence, Path]) -> None:
    evidence, folder = trained
    search = evidence.model_dump(mode="json")["search"]
    assert "front" not in search
    assert all("fairness" not in trial for trial in search["trials"])
    assert not (folder / "front").exists()
    assert b"front" not in (folder / "evidence.json").read_bytes()


def test_a_second_objective_ends_in_a_front_whose_models_are_kept(table: Path, tmp_path: Path) -> None:
    objective = {"metric": "demographic_parity_difference", "attribute": "sex"}
    evidence = _train(table, tmp_path, families=("linear",), budget={"trials": 8}, fairness_objective=objective)
    assert isinstance(evidence.search, SearchSection)
    front = evidence.search.front
    assert front is not None
    assert front.n == evidence.data.split.train
    assert set(front.on_front) <= {trial.number for trial in evidence.search.trials if trial.state == "complete" and trial.fairness is not None}
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.evidence == evidence
    kept = {model.folder: model for model in front.models if model.folder and model.folder != "model"}
    assert {"/".join(name.split("/")[:2]) for name in bundle.manifest.files if name.startswith("front/")} == set(kept)
    assert kept or len(front.models) == 1
    for folder, model in kept.items():
        loaded = load_model(tmp_path / "bundle" / str(folder))
        assert loaded.sha256 == model.model_sha256
        assert [member.trial for member in loaded.members] == [model.trial]
        assert loaded.threshold == model.threshold
    assert front.deployed.fairness is not None
    assert isinstance(evidence.mitigation, MitigationSection)
    assert {each.parameters["folder"]: each.model_sha256 for each in evidence.mitigation.alternatives if each.method == "searched_front"} == {
        folder: model.model_sha256 for folder, model in kept.items()}
    assert "front" in {chart.name for chart in bundle.charts().charts}


def test_what_is_left_out_says_so_and_changes_nothing_else(trained: tuple[Evidence, Path], table: Path, tmp_path: Path) -> None:
    whole, _ = trained
    short = _train(table, tmp_path, leave_out=OPTIONAL_PARTS)
    left_out = NotMeasured(reason=LEFT_OUT)
    assert [short.mitigation, short.reasons, short.slices, short.robustness] == [left_out] * 4
    assert isinstance(short.explanation, ExplanationSection)
    assert isinstance(whole.explanation, ExplanationSection)
    assert [short.explanation.proxies, short.explanation.stability, short.explanation.permutation, short.explanation.related, short.explanation.dependence] == [left_out] * 5
    assert short.explanation.by_group == whole.explanation.by_group
    assert (short.performance, short.fairness, short.data) == (whole.performance, whole.fairness, whole.data)
    assert not (tmp_path / "bundle" / "reasons.csv").exists()
    assert {chart.name for chart in open_bundle(tmp_path / "bundle").charts().charts} < {chart.name for chart in open_bundle(trained[1]).charts().charts}


def test_cohorts_are_measured_where_they_are_named_and_change_nothing_else(trained: tuple[Evidence, Path], table: Path, tmp_path: Path) -> None:
    whole, _ = trained
    assert whole.cohorts is None
    assert "cohorts" not in whole.model_dump()
    assert whole.plan.cohorts == ()
    assert isinstance(whole.fairness, FairnessSection)
    group = whole.fairness.attributes[0].groups[0]
    women = {"name": "Women", "where": [{"column": "sex", "what": "is", "level": group.group}]}
    evidence = _train(table, tmp_path, cohorts=[women], leave_out=OPTIONAL_PARTS)
    assert evidence.cohorts is not None
    (one,) = evidence.cohorts.rows
    assert (evidence.plan.cohorts, evidence.cohorts.measured_on, one.where) == (("Women",), "the audit part", (f"sex is {group.group}",))
    assert one.n == group.n
    assert (evidence.performance, evidence.fairness) == (whole.performance, whole.fairness)
    with pytest.raises(BadInput, match="the table has no column 'gender'") as refused:
        _train(table, tmp_path / "other", cohorts=[{"name": "A", "where": [{"column": "gender", "what": "known"}]}])
    assert refused.value.pointer == "/cohorts/0/where/0/column"


def test_alternatives_are_counted_on_the_audit_part_and_none_is_chosen(trained: tuple[Evidence, Path]) -> None:
    evidence, folder = trained
    section, rows = evidence.mitigation, _rows(folder)
    assert isinstance(section, MitigationSection)
    assert section.measured_on == len(rows)
    assert section.fitted_on == evidence.data.split.train
    assert {each.attribute for each in section.alternatives} == {"sex", "race", "age"}
    assert not any(each.chosen for each in section.alternatives)
    parity = next(each for each in section.of("sex") if each.method == "own_cuts" and each.criterion == "demographic_parity" and each.parameters["gap_left"] == 0.0)
    cuts = {rule.group: rule.steps[0].cut for rule in parity.rules}
    given = [float(row["proba_yes"]) >= cuts[row["sex"]] for row in rows]
    accuracy = parity.performance["accuracy"].after
    assert isinstance(accuracy, Estimate)
    assert accuracy.value == pytest.approx(np.mean([said == (row["label"] == "yes") for said, row in zip(given, rows, strict=True)]))
    assert parity.people.gained + parity.people.lost == sum(said != (row["prediction"] == "yes") for said, row in zip(given, rows, strict=True))
    assert [finding.rule for finding in evidence.findings if finding.evidence.startswith("/mitigation")]


def test_every_number_of_a_selection_table_can_be_counted_again(trained: tuple[Evidence, Path]) -> None:
    evidence, folder = trained
    rows = _rows(folder)
    assert not isinstance(evidence.fairness, NotMeasured)
    for group in evidence.fairness.attributes[0].groups:
        mine = [row for row in rows if row["sex"] == group.group]
        assert (group.n, group.selected) == (len(mine), sum(row["prediction"] == "yes" for row in mine))


def recomputed(folder: Path) -> subprocess.CompletedProcess[str]:
    """The bundle's own script, alone with the standard library."""
    return subprocess.run([sys.executable, "-I", "-S", str(folder / "recompute.py"), str(folder)], capture_output=True, text=True, timeout=120)


def test_every_counts_based_number_is_equal_when_the_bundle_computes_it_again(trained: tuple[Evidence, Path]) -> None:
    done = recomputed(trained[1])
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "equal"), done.stdout + done.stderr
    assert int(done.stdout.split()[1].replace(",", "")) > 1_000


def test_the_tables_of_the_law_are_made_where_they_are_asked_for_and_leave_no_trace_where_not(trained: tuple[Evidence, Path], tmp_path: Path) -> None:
    evidence, folder = trained
    assert isinstance(evidence.local_law_144, NotMeasured)
    assert not (folder / "local_law_144.csv").exists()
    spec = PredictionsSpec.model_validate({
        "label": "label", "decision": "prediction", "score": "proba_yes", "positive": "yes", "sensitive": ("sex", "race"), "seed": 3,
        "local_law_144": {"sex": "sex", "race": "race", "data_class": "historical"}, "governing": {"metric": "demographic_parity_ratio", "reason": "A rule says so."}})
    outside = run_audit_of_predictions(spec, folder / "predictions.csv", tmp_path / "bundle", Hooks(), run=RUN)
    law = outside.local_law_144
    assert isinstance(law, LocalLaw144Section)
    assert isinstance(law.sex, LawTable)
    rows = _rows(folder)
    for row in law.sex.rows:
        mine = [each for each in rows if each["sex"].casefold() == row.category.casefold()]
        assert (row.n, row.selected) == (len(mine), sum(each["prediction"] == "yes" for each in mine))
    assert law.assessment == "not_attested"
    assert isinstance(outside.fairness, FairnessSection)
    assert outside.fairness.governing is not None
    assert outside.plan.governing == outside.fairness.governing.metric == "demographic_parity_ratio"
    assert (outside.fairness.governing.chosen_by, outside.fairness.governing.reason) == ("person", "A rule says so.")
    sealed = [seal_plan(spec, outside.plan.bins, cut_rule=outside.plan.cut_rule, sealed_at="", audit_number=1, governing=choice).sha256 for choice in (outside.fairness.governing, None)]
    assert outside.plan.sha256 == sealed[0] != sealed[1]
    assert isinstance(outside.mitigation, MitigationSection)
    assert outside.mitigation.fitted_on + outside.mitigation.measured_on == outside.data.split.audit
    assert {"law_lowest_ratio"} <= {finding.rule for finding in outside.findings}
    assert (tmp_path / "bundle" / "local_law_144.csv").read_text().startswith("class,table,category,people,")
    assert open_bundle(tmp_path / "bundle").evidence == outside
    done = recomputed(tmp_path / "bundle")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "equal"), done.stdout + done.stderr
    text = (tmp_path / "bundle" / "counts.csv").read_text()
    line = next(each for each in text.splitlines() if each.startswith("/local_law_144/sex/rows/0,"))
    cells = line.split(",")
    cells[3] = str(int(cells[3]) + 1)
    (tmp_path / "bundle" / "counts.csv").write_text(text.replace(line, ",".join(cells)))
    changed = recomputed(tmp_path / "bundle")
    assert changed.returncode == 1
    assert f"/local_law_144/sex/rows/0/selected: evidence.json says {law.sex.rows[0].selected}, the counts give {int(law.sex.rows[0].selected or 0) + 1}" in changed.stdout


def test_rule_15_same_inputs_same_digest_and_another_seed_another(table: Path, trained: tuple[Evidence, Path], tmp_path: Path) -> None:
    again = run_training(TaskSpec.model_validate(SPEC), table, tmp_path / "bundle", Hooks(), run={"id": "run_other", "title": "another name"})
    assert again.digest == trained[0].digest
    assert _train(table, tmp_path / "seed", seed=4, leave_out=OPTIONAL_PARTS).digest != again.digest


def _scramble(table: Path, out: Path, audit: set[int], *, delete: bool) -> Path:
    """The table with every column of the audit rows shuffled on its own (rows keep their place), or with half of those rows gone."""
    header, *rows = csv.reader(io.StringIO(table.read_text()))
    chance, places = random.Random(5), sorted(audit)
    if delete:
        gone = set(places[::2])
        rows = [row for at, row in enumerate(rows) if at not in gone]
    else:
        for column in range(len(header)):
            values = [rows[at][column] for at in places]
            chance.shuffle(values)
            for at, value in zip(places, values, strict=True):
                rows[at][column] = value
    with out.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return out


def _scans(evidence: Evidence) -> list[Any]:
    """How well inputs tell the groups, without the inputs' places in the model, which are measured on audit rows."""
    assert not isinstance(evidence.explanation, NotMeasured)
    assert not isinstance(evidence.explanation.proxies, NotMeasured)
    scans = [scan for scan in evidence.explanation.proxies if isinstance(scan, ProxyScan)]
    return [(scan.attribute, scan.rows, scan.auc, scan.balanced_accuracy, scan.groups, sorted((one.feature, one.alone.model_dump_json()) for one in scan.features)) for scan in scans]


def test_the_explanation_says_how_far_it_can_be_relied_on(trained: tuple[Evidence, Path]) -> None:
    explanation = trained[0].explanation
    assert not isinstance(explanation, NotMeasured)
    assert [scan.attribute for scan in explanation.proxies if isinstance(scan, ProxyScan)] == ["sex", "race", "age"]
    for part in (explanation.stability, explanation.permutation, explanation.related, explanation.dependence, explanation.second_background):
        assert not isinstance(part, NotMeasured), part
    assert explanation.additivity_error < 1e-6
    for gap in explanation.score_gap_by_input:
        if isinstance(gap, ScoreGap) and not isinstance(gap.second, NotMeasured):
            shares = [share.contribution.value for share in gap.second if isinstance(share.contribution, Estimate)]
            assert isinstance(gap.gap, Estimate)
            assert sum(shares) == pytest.approx(gap.gap.value, abs=1e-6)
    assert not isinstance(explanation.dependence, NotMeasured)
    assert not isinstance(explanation.permutation, NotMeasured)
    names = {feature.feature for feature in explanation.features}
    assert {curve.feature for curve in explanation.dependence.features} | {one.feature for one in explanation.permutation.features} <= names


@pytest.mark.parametrize("delete", [False, True], ids=["scrambled", "deleted"])
def test_rule_01_audit_rows_change_nothing_that_is_chosen(
    table: Path, trained: tuple[Evidence, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delete: bool,
) -> None:
    """With the split frozen, scrambling or deleting audit rows changes no parameter, bin, cut, background or plan."""
    evidence, folder = trained
    audit = {int(row["row"]) for row in _rows(folder)}
    n = evidence.data.rows
    gone = sorted(audit)[::2] if delete else []
    keep = np.array([at for at in range(n) if at not in set(gone)])
    renumbered = {int(old): new for new, old in enumerate(keep)}
    original = splits._split_stratified

    def frozen(part: Any) -> Any:
        train = np.array([renumbered[at] for at in range(n) if at not in audit])
        rest = np.array([renumbered[at] for at in sorted(audit) if at in renumbered])
        return train, rest, original(part)[2], ()

    monkeypatch.setattr(splits, "_split_stratified", frozen)
    changed = _train(_scramble(table, tmp_path / "changed.csv", audit, delete=delete), tmp_path)
    assert changed.data.sha256 != evidence.data.sha256
    assert changed.provenance.model_sha256 == evidence.provenance.model_sha256
    assert changed.provenance.onnx == evidence.provenance.onnx
    assert changed.plan == evidence.plan
    assert isinstance(evidence.mitigation, MitigationSection)
    assert isinstance(changed.mitigation, MitigationSection)
    assert changed.plan.alternatives == evidence.mitigation.frozen == changed.mitigation.frozen
    assert [(each.rules, each.out_of_fold, each.model_sha256) for each in changed.mitigation.alternatives] == [
        (each.rules, each.out_of_fold, each.model_sha256) for each in evidence.mitigation.alternatives]
    assert changed.mitigation.pareto == evidence.mitigation.pareto
    assert isinstance(changed.search, SearchSection)
    assert isinstance(evidence.search, SearchSection)
    assert [(t.params, t.score) for t in changed.search.trials] == [(t.params, t.score) for t in evidence.search.trials]
    assert changed.search.ensemble == evidence.search.ensemble
    assert not isinstance(changed.performance, NotMeasured)
    assert not isinstance(evidence.performance, NotMeasured)
    assert changed.performance.threshold == evidence.performance.threshold
    assert not isinstance(changed.explanation, NotMeasured)
    assert not isinstance(evidence.explanation, NotMeasured)
    assert changed.explanation.background == evidence.explanation.background
    assert isinstance(changed.reasons, ReasonsSection)
    assert isinstance(evidence.reasons, ReasonsSection)
    for name in ("cut", "at_the_cut", "at_the_cut_scores", "all_applicants"):
        assert getattr(changed.reasons.policy, name) == getattr(evidence.reasons.policy, name)
    assert not isinstance(changed.slices, NotMeasured)
    assert not isinstance(evidence.slices, NotMeasured)
    assert ([one.where for one in changed.slices.rows], changed.slices.tried) == ([one.where for one in evidence.slices.rows], evidence.slices.tried)
    assert _scans(changed) == _scans(evidence)
    if not delete:
        assert changed.performance.metrics != evidence.performance.metrics, "the audit part did change"


def test_stages_come_in_their_order(table: Path, tmp_path: Path) -> None:
    listener = Listener()
    _train(table, tmp_path, listener, leave_out=OPTIONAL_PARTS)
    stages = list(dict.fromkeys(progress.stage for progress in listener.heard))
    assert stages == list(STAGES[:5])


@pytest.mark.parametrize("stage", ["tune", "evidence"])
def test_cancel_leaves_no_bundle(table: Path, tmp_path: Path, stage: str) -> None:
    with pytest.raises(Stopped):
        _train(table, tmp_path, Listener("cancel", stage))
    assert not (tmp_path / "bundle").exists()


def test_finish_now_keeps_the_best_so_far(table: Path, tmp_path: Path) -> None:
    class AfterOne(Listener):
        def stop_requested(self) -> Literal["finish"] | None:
            return "finish" if self.heard[-1].trials >= 1 else None

    evidence = _train(table, tmp_path, AfterOne(), budget={"trials": 50}, leave_out=OPTIONAL_PARTS)
    assert isinstance(evidence.search, SearchSection)
    assert evidence.search.stopped_because == "finish_requested"
    assert len(evidence.search.trials) < 5


def test_the_same_predictions_are_audited_the_same_when_they_come_from_elsewhere(trained: tuple[Evidence, Path], tmp_path: Path) -> None:
    evidence, folder = trained
    spec = PredictionsSpec(label="label", decision="prediction", score="proba_yes", positive="yes", sensitive=("sex", "race"), seed=3)
    outside = run_audit_of_predictions(spec, folder / "predictions.csv", tmp_path / "bundle", Hooks(), run=RUN)
    assert not isinstance(outside.fairness, NotMeasured)
    assert not isinstance(evidence.fairness, NotMeasured)
    for ours, theirs in zip(evidence.fairness.attributes, outside.fairness.attributes, strict=False):
        assert [(g.group, g.n, g.selected, g.impact_ratio, g.error_rates) for g in ours.groups] == [
            (g.group, g.n, g.selected, g.impact_ratio, g.error_rates) for g in theirs.groups]
    assert isinstance(outside.search, NotMeasured)
    assert isinstance(outside.explanation, NotMeasured)
    assert outside.provenance.model_sha256 is None
    assert isinstance(outside.provenance.onnx, NotMeasured)
    open_bundle(tmp_path / "bundle")
    assert unread(outside, draw_charts(outside)) == []


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A number above 0 with errors in per cent, and a group of greater spread."""
    draw = np.random.default_rng(4)
    size, town, wide = draw.random(900), draw.choice(["a", "b"], 900), draw.random(900) < 0.5
    price = np.exp(3 + 2 * size + 0.5 * (town == "a") + np.where(wide, 0.6, 0.2) * draw.normal(size=900))
    path = tmp_path_factory.mktemp("tables") / "prices.csv"
    path.write_text("size,town,kind,price\n" + "".join(f"{s:.4f},{t},{'wide' if w else 'narrow'},{p:.4f}\n" for s, t, w, p in zip(size, town, wide, price, strict=True)))
    return path


def _price(table: Path, out: Path, **changes: Any) -> Evidence:
    spec = TaskSpec.model_validate({"target": "price", "sensitive": ("kind",), "families": ("linear", "lgbm"), "budget": {"trials": 3}, "threads": 1, **changes})
    return run_training(spec, table, out / "bundle", Hooks(), run=RUN)


def test_a_whole_run_by_rmsle(prices: Path, tmp_path: Path) -> None:
    evidence = _price(prices, tmp_path, metric="rmsle")
    assert not isinstance(evidence.search, NotMeasured)
    assert not isinstance(evidence.performance, NotMeasured)
    assert not isinstance(evidence.explanation, NotMeasured)
    assert (evidence.search.metric, evidence.search.direction) == ("rmsle", "minimize")
    assert isinstance(evidence.reasons, NotMeasured)
    assert not (tmp_path / "bundle" / "reasons.csv").exists()
    assert (evidence.explanation.output_space, evidence.explanation.output) == ("log1p", "log(1 + predicted price)")
    for example in evidence.explanation.examples:
        assert float(example.prediction) == pytest.approx(np.expm1(example.base + sum(part.shap for part in example.contributions)), rel=1e-6)
    rows = _rows(tmp_path / "bundle")
    label, predicted = (np.array([float(row[name]) for row in rows]) for name in ("label", "prediction"))
    [chosen] = [row for row in evidence.search.leaderboard if row.chosen]
    assert chosen.audit == evidence.performance.metrics["rmsle"]
    assert isinstance(chosen.audit, Estimate)
    assert chosen.audit.value == pytest.approx(root_mean_squared_log_error(label, predicted))
    baseline = evidence.performance.baselines["mean of logarithms"]["rmsle"]
    assert isinstance(baseline, Estimate)
    assert chosen.audit.high < baseline.low
    assert evidence.digest == _price(prices, tmp_path / "again", metric="rmsle").digest
    assert unread(evidence, draw_charts(evidence)) == []


def test_a_whole_run_of_a_quantile(prices: Path, tmp_path: Path) -> None:
    evidence = _price(prices, tmp_path, metric="quantile_loss", quantile=0.9)
    assert not isinstance(evidence.search, NotMeasured)
    assert not isinstance(evidence.performance, NotMeasured)
    assert not isinstance(evidence.explanation, NotMeasured)
    assert evidence.performance.quantile == 0.9
    assert evidence.explanation.output == "predicted 0.9 quantile of price"
    rows = _rows(tmp_path / "bundle")
    label, predicted = (np.array([float(row[name]) for row in rows]) for name in ("label", "prediction"))
    assert evidence.performance.metrics["quantile_loss"] == next(row.audit for row in evidence.search.leaderboard if row.chosen)
    measured = {name: one.value for name, one in evidence.performance.metrics.items() if isinstance(one, Estimate)}
    assert measured["quantile_loss"] == pytest.approx(mean_pinball_loss(label, predicted, alpha=0.9))
    assert measured["coverage"] == pytest.approx((label <= predicted).mean())
    assert 0.8 < measured["coverage"] < 0.97
    assert "r2" not in measured
    assert set(evidence.performance.baselines) == {"0.9 quantile"}
    assert not [finding.id for finding in evidence.findings if finding.rule in ("residual_gap", "ranking_like_chance")]
    card = (tmp_path / "bundle" / "modelcard.md").read_text()
    assert "predicts the 0.9 quantile of price" in card


def test_a_whole_run_by_mcc(table: Path, tmp_path: Path) -> None:
    evidence = _train(table, tmp_path, metric="mcc", leave_out=OPTIONAL_PARTS)
    assert not isinstance(evidence.search, NotMeasured)
    assert not isinstance(evidence.performance, NotMeasured)
    threshold = evidence.performance.threshold
    assert threshold is not None
    assert "the highest MCC" in threshold.chosen_on
    assert threshold.chosen_on in evidence.plan.cut_rule
    rows = _rows(tmp_path / "bundle")
    assert {row["prediction"] == "yes" for row in rows if float(row["proba_yes"]) >= threshold.value} == {True}
    mcc = evidence.performance.metrics["mcc"]
    assert isinstance(mcc, Estimate)
    assert mcc.value == pytest.approx(matthews_corrcoef([row["label"] for row in rows], [row["prediction"] for row in rows]))
    assert mcc.low > 0
    assert isinstance(evidence.performance.baselines["majority"]["mcc"], NotMeasured), "who says the same of everybody has none"


def test_by_f1_the_baseline_is_a_yes_to_everybody(table: Path, tmp_path: Path) -> None:
    evidence = _train(table, tmp_path, metric="f1", budget={"trials": 1}, leave_out=OPTIONAL_PARTS)
    assert not isinstance(evidence.performance, NotMeasured)
    everybody = evidence.performance.baselines["everybody positive"]
    share = np.mean([row["label"] == "yes" for row in _rows(tmp_path / "bundle")])
    assert isinstance(everybody["f1"], Estimate)
    assert everybody["f1"].value == pytest.approx(2 * share / (1 + share))
    # the majority says no, whose F1 is 0 and would make every model look good
    assert set(evidence.performance.baselines) == {"majority", "everybody positive"}


@pytest.mark.parametrize(("price", "said"), [("-2.5", r"'price' is -2\.5 in row 3; choose rmse or mae")])
def test_rmsle_of_a_number_below_0_is_refused(prices: Path, tmp_path: Path, price: str, said: str) -> None:
    lines = prices.read_text().splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + f",{price}"
    (tmp_path / "table.csv").write_text("\n".join(lines))
    with pytest.raises(BadInput, match=said) as refused:
        _price(tmp_path / "table.csv", tmp_path, metric="rmsle")
    assert refused.value.pointer == "/metric"


def test_a_table_of_ones_own_is_the_audit_part(table: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(make_sample(rows=400, seed=9))
    evidence = run_training(TaskSpec.model_validate(SPEC), table, tmp_path / "bundle", Hooks(), run=RUN, test=own)
    assert evidence.data.split.audit == 400 - sum(each.n for each in evidence.data.left_out if "own" in each.reason or "test" in each.reason)
    assert evidence.data.split.train == evidence.data.rows - sum(each.n for each in evidence.data.left_out if "own" not in each.reason and "test" not in each.reason)


def test_a_target_that_is_not_there_is_one_sentence(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no column 'aproved'; did you mean 'approved'\?"):
        _train(table, tmp_path, target="aproved")


def test_decisions_alone_without_label_and_score_are_audited(tmp_path: Path) -> None:
    cells = "".join(f"{sex},{decision}\n" * n for sex, decision, n in [("f", "no", 60), ("f", "yes", 20), ("m", "no", 30), ("m", "yes", 50)])
    (tmp_path / "decided.csv").write_text("sex,decision\n" + cells)
    spec = PredictionsSpec(decision="decision", favourable="yes", sensitive=("sex",))
    evidence = run_audit_of_predictions(spec, tmp_path / "decided.csv", tmp_path / "bundle", Hooks(), run=RUN)
    assert isinstance(evidence.performance, NotMeasured)
    assert "no label column" in evidence.performance.reason
    assert not isinstance(evidence.fairness, NotMeasured)
    women = evidence.fairness.attributes[0].groups[0]
    assert isinstance(women.error_rates, NotMeasured)
    assert (women.selected, women.n, women.impact_ratio.label) == (20, 80, "below")  # type: ignore[union-attr]


def test_the_leaderboard_decides_by_the_deployed_cut_off(tmp_path: Path) -> None:
    chance = random.Random(0)
    rows = ((chance.choice("ab"), round(chance.random(), 3), "yes" if chance.random() < 0.1 else "no") for _ in range(400))
    rare = tmp_path / "rare.csv"
    rare.write_text("sex,x,approved\n" + "".join(f"{sex},{x},{approved}\n" for sex, x, approved in rows))
    spec = TaskSpec.model_validate({
        "target": "approved", "positive": "yes", "sensitive": ["sex"], "metric": "f1", "budget": {"trials": 1}, "families": ["linear"], "threads": 1,
    })
    evidence = run_training(spec, rare, tmp_path / "out", Hooks(), run={"id": "test", "title": "Rare"})
    assert not isinstance(evidence.performance, NotMeasured)
    assert not isinstance(evidence.search, NotMeasured)
    assert evidence.performance.threshold is not None
    assert evidence.performance.threshold.value != 0.5
    [chosen] = [row for row in evidence.search.leaderboard if row.chosen]
    assert chosen.audit == evidence.performance.metrics["f1"]


def test_texts_repeats_and_numbers_with_units_go_all_the_way(table: Path, tmp_path: Path) -> None:
    """Learned from, told, and read again; and no word of a text stands in the evidence or the model."""
    header, *rows = csv.reader(io.StringIO(table.read_text()))
    draw = random.Random(0)
    income = header.index("income")
    wide = tmp_path / "wide.csv"
    with wide.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([*header, "note", "earns", "income2", "result"])
        for row in rows:
            remarks = draw.sample(["called about the car", "wants zucchini for dinner", "asked for the rate twice", "sent documents by post", "seems unsure of the plan"], 3)
            note = f"{'; '.join(remarks)}; file {draw.random():.9f}" + ("; pays promptly" if row[header.index("approved")] == "yes" and draw.random() < 0.6 else "")
            money = f"{float(row[income]):,.2f} EUR" if row[income] else ""
            out.writerow([*row, note, money, row[income], "1" if row[header.index("approved")] == "yes" else "0"])
    evidence = _train(wide, tmp_path, families=("linear",), budget={"trials": 1}, leave_out=OPTIONAL_PARTS)
    folder = tmp_path / "bundle"
    used = {column.name: column.used_as_feature for column in evidence.data.columns}
    assert (used["note"], used["income"], used["earns"], used["income2"], used["result"]) == (True, True, False, False, False)
    told = {finding.text: finding for finding in evidence.data.quality if finding.rule == "data.repeated-column"}
    assert told["'result' carries the same information as 'approved'"].severity == "high"
    assert {"'earns' holds the same as 'income'", "'income2' holds the same as 'income'"} <= set(told)
    assert any(finding.text.startswith("'result'") for finding in evidence.findings)
    assert not isinstance(evidence.explanation, NotMeasured)
    assert "note" in {feature.feature for feature in evidence.explanation.features}
    assert not any(b"zucchini" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert load_model(folder / "model").schema.texts == ("note",)
    assert "result" not in load_model(folder / "model").features
