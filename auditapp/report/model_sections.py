"""Sections 5 and 10 of a report: the model and how well it fits, and what moves its output."""

from __future__ import annotations

from collections.abc import Mapping

from auditapp.report.blocks import Align, Block, beside, charts_of, data_text, facts, heading, not_measured, our_words, paragraph, shown, stated, table
from auditapp.report.explanation_blocks import proxy_blocks, reliance_blocks, second_backgrounds
from auditapp.report.front_section import front_blocks
from auditapp.report.residual_blocks import residual_blocks
from auditapp.statements.document import Statements
from automl.evidence import (
    Calibration,
    Charts,
    Confusion,
    Estimate,
    Evidence,
    ExplanationSection,
    FairnessSection,
    LeaderboardRow,
    LowestRatio,
    NotMeasured,
    PerformanceSection,
    Residuals,
    SearchedSetting,
    SearchSection,
    Value,
)
from automl.printing import MINUS, calibration, estimate, fixed, in_order, metric_words, percent, significant, whole
from automl.spec import TaskSpec

MOST_TRIALS = 60
MOST_INPUTS = 80
GAPS = "How the inputs add up to differences of mean scores"


def model_section(evidence: Evidence, charts: Charts, statements: Statements | None) -> list[Block]:
    blocks: list[Block] = []
    if isinstance(evidence.search, NotMeasured):
        blocks.append(not_measured("The search for a model", evidence.search))
    else:
        blocks += _search(evidence.search, evidence, charts)
    if isinstance(evidence.performance, NotMeasured):
        blocks.append(not_measured("Performance", evidence.performance))
    else:
        blocks += _performance(evidence.performance, charts, evidence.run.kind)
    return [*blocks, stated(statements, 5)]


def _search(search: SearchSection, evidence: Evidence, charts: Charts) -> list[Block]:
    words = metric_words(search.metric)
    weights = "; ".join(f"trial {member.trial} ({member.family}), weight {significant(member.weight, 3)}" for member in search.ensemble)
    together = sorted({pair for member in search.ensemble for pair in member.together})
    features = evidence.spec.sensitive_as_features if isinstance(evidence.spec, TaskSpec) else False
    return [
        heading("How the model was found"),
        facts([
            ("Chosen by", f"out-of-fold {words} ({'higher' if search.direction == 'maximize' else 'lower'} is better), {search.folds} folds"),
            ("Score of the chosen model", f"{significant(search.out_of_fold_score)} out of fold"), ("Families tried", ", ".join(map(data_text, search.families))),
            ("Ended because", {"seconds": "the time budget was used up", "trials": "the trial budget was used up", "finish_requested": "a person asked to finish with the best so far",
                               "exhausted": "there was nothing left to try"}[search.stopped_because]),
            ("Time of the search", f"{significant(search.seconds, 3)} s"), ("Ensemble", weights),
            *([("Inputs read together", "; ".join(f"{data_text(one, 60)} × {data_text(other, 60)}" for one, other in together))] if together else []),
            ("Probabilities", calibration(search.calibration)),
            ("Sensitive attributes as inputs", "yes" if features else "no; they are measured on, not learned from"),
        ]),
        *charts_of(charts, "leaderboard", exactly=True), *charts_of(charts, "trials", exactly=True),
        table(f"Candidates by {words}, on the audit part after the choice was made",
              [("candidate", "left", 1), ("family", "left", 0), ("out of fold", "right", 0), ("audit part, with 95 % interval", "left", 1.2), ("minus the chosen one, same rows", "left", 1.2)],
              [(our_words(row.name) + (" (chosen)" if row.chosen else ""), row.family, "–" if row.out_of_fold is None else significant(row.out_of_fold), shown(row.audit), _difference(row))
               for row in search.leaderboard]),
        *_costs(search),
        *front_blocks(search, charts),
        table("Trials", [("trial", "right", 0), ("family", "left", 0), (f"out-of-fold {words}", "right", 0), ("seconds", "right", 0), ("state", "left", 0), ("note", "left", 1)],
              [(str(trial.number), trial.family, "–" if trial.score is None else significant(trial.score), significant(trial.seconds, 3), trial.state, our_words(trial.note) if trial.note else "")
               for trial in search.trials[:MOST_TRIALS]],
              "" if len(search.trials) <= MOST_TRIALS else "Further trials, and the parameters of all, are in the attached evidence.", fold="note"),
        *_settings(search),
    ]


def _settings(search: SearchSection) -> list[Block]:
    """What could have been chosen, and what was: the search space, and the settings of the ensemble's members in their order."""
    if not search.space:
        return []
    params = {trial.number: trial.params for trial in search.trials}
    members = {name: [params[member.trial] for member in search.ensemble if member.family == name] for name in {one.family for one in search.space}}
    return [table(
        "Search space, and the settings in the ensemble", [("family", "left", 0), ("setting", "left", 1), ("from", "right", 0), ("to", "right", 0), ("how drawn", "left", 0), ("in the ensemble", "left", 1)],
        [(one.family, one.name, *(("–", "–") if one.low is None or one.high is None else (_plain(one.low), _plain(one.high))), _how_drawn(one),
          "; ".join(_plain(each[one.name]) for each in members[one.family] if one.name in each) or "–") for one in search.space],
        "Published defaults are tried first.", dense=True, grouped=True)]


def _how_drawn(one: SearchedSetting) -> str:
    if not one.choices:
        return "on a log scale" if one.log else "on a plain scale"
    choices = ", ".join(_plain(TRUTHS.get(choice, choice)) for choice in one.choices)
    return f"one of the ways {choices}" if all(choice.isidentifier() and choice not in TRUTHS for choice in one.choices) else f"one of {choices}"


TRUTHS = {"True": True, "False": False}


def _plain(setting: object) -> str:
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    return f"{setting:g}".replace("-", MINUS) if isinstance(setting, int | float) else str(setting)


def _difference(row: LeaderboardRow) -> str:
    if row.difference is None:
        return "–"
    return shown(row.difference, signed=True) + (", cannot be told apart" if row.tied else "")


def _costs(search: SearchSection) -> list[Block]:
    """What else there is to choose by; nothing of runs that are older than its measuring."""
    rows = [row for row in search.leaderboard if row.bytes is not None]
    if not rows:
        return []
    columns: list[tuple[str, Align, float]] = [("bytes", "right", 0), ("µs a row", "right", 0), ("learned in s", "right", 0)]
    costs = [(whole(row.bytes or 0), "–" if row.predict_us_per_row is None else significant(row.predict_us_per_row, 3), "–" if row.fit_seconds is None else significant(row.fit_seconds, 3)) for row in rows]
    names = [our_words(row.name) + (" (chosen)" if row.chosen else "") for row in rows]
    if not any(row.lowest or row.calibration for row in rows):  # predicted numbers have neither
        return [table("The same candidates: size and speed", [("candidate", "left", 1), *columns], [(name, *cost) for name, cost in zip(names, costs, strict=True)])]
    return [table(
        "The same candidates: lowest impact ratio, calibration, size and speed",
        [("candidate", "left", 1), ("lowest impact ratio of each attribute", "left", 1.6), ("observed / expected", "left", 1), *columns],
        [(name, "; ".join(_lowest(one) for one in row.lowest or ()) or "–", "–" if row.calibration is None else shown(row.calibration), *cost) for name, row, cost in zip(names, rows, costs, strict=True)],
        "Ratios are those of each candidate's own decisions, among groups of 30 rows and more; observed / expected: rows of the positive class over what the probabilities expect.")]


def _lowest(one: LowestRatio) -> str:
    return f"{data_text(one.attribute, 40)}{f' ({data_text(one.group, 40)})' if one.group else ''}: {shown(one.ratio)}"


def _performance(performance: PerformanceSection, charts: Charts, kind: str) -> list[Block]:
    # what a model made elsewhere has seen before, nobody can tell from its predictions
    rows = f"{whole(performance.n)} rows" + (" that nothing was learned from" if kind == "training" else "")
    baselines = list(performance.baselines)
    metrics = [
        (metric_words(name), shown(value := performance.metrics[name]), whole(value.n) if isinstance(value, Estimate) else "",
         *(shown(found) if (found := performance.baselines[baseline].get(name)) is not None else "–" for baseline in baselines))
        for name in in_order(performance.metrics)
    ]
    blocks: list[Block] = [
        heading("Performance on the audit part"),
        table(f"Metrics on {rows}, with 95 % intervals",
              [("metric", "left", 1.2), ("value", "left", 1.2), ("n", "right", 0), *((f"baseline: {baseline}", "left", 1) for baseline in baselines)], metrics,
              "" if kind == "training" else "Whether the model had learned from these rows before is not known here."),
    ]
    if performance.quantile is not None:
        blocks.append(paragraph(f"The predicted number is the {performance.quantile:g} quantile, not the mean: the true value should lie at or below it in "
                                f"{percent(performance.quantile)} of rows (coverage), and residuals do not average 0."))
    if performance.threshold is not None:
        blocks.append(paragraph(f"Threshold on the score: {significant(performance.threshold.value)}, chosen on: {performance.threshold.chosen_on}."))
    blocks += charts_of(charts, "roc", exactly=True) + charts_of(charts, "precision-recall", exactly=True)
    if isinstance(performance.residuals, Residuals):
        blocks += residual_blocks(performance.residuals, charts)
    else:
        blocks += beside(charts_of(charts, "calibration", exactly=True), _calibration(performance.calibration)) + _confusion(performance.confusion)
    blocks += charts_of(charts, "metric-by-group-")
    if performance.by_group:
        names = [name for name in in_order(performance.metrics) if any(name in group.metrics for groups in performance.by_group.values() for group in groups)][:4]
        blocks.append(table(
            "Performance by group, with 95 % intervals", [("attribute", "left", 1), ("group", "left", 1), ("n", "right", 0), *((metric_words(name), "left", 1) for name in names)],
            [(data_text(attribute), data_text(group.group), whole(group.n), *(shown(group.metrics[name]) if name in group.metrics else "–" for name in names))
             for attribute, groups in performance.by_group.items() for group in groups], grouped=True))
    blocks += _drift(performance.drift)
    return blocks


def _drift(drift: Mapping[str, Value]) -> list[Block]:
    if not drift:
        return []
    return [table("Mean score for the favourable outcome (or predicted number) out of fold, minus that on the audit part", [("rows", "left", 1), ("difference, with 95 % interval", "left", 1)],
                  [(data_text(name) if name else "all", shown(value, signed=True)) for name, value in drift.items()])]


def _confusion(confusion: Confusion | NotMeasured) -> list[Block]:
    if isinstance(confusion, NotMeasured):
        return [not_measured("Confusion matrix", confusion)]
    labels = [data_text(label, 40) for label in confusion.labels]
    return [table("Confusion matrix: truth in rows, decision in columns", [("truth", "left", 1), *((f"decided {label}", "right", 1) for label in labels)],
                  [(label, *map(whole, counts)) for label, counts in zip(labels, confusion.counts, strict=True)])]


def _calibration(reliability: Calibration | NotMeasured) -> list[Block]:
    if isinstance(reliability, NotMeasured):
        return [not_measured("Calibration", reliability)]
    of = "Calibration of the likeliest class" if reliability.of == "likeliest" else "Calibration"
    return [table(
        f"{of} in bins of about equal count; observed over expected {estimate(reliability.observed_over_expected)}",
        [("score", "left", 1), ("n", "right", 0), ("mean score", "right", 0), ("observed rate, with 95 % interval", "left", 1.3)],
        [(f"{fixed(one.low, 3)} to {fixed(one.high, 3)}", whole(one.n), fixed(one.mean_score, 3), shown(one.observed, as_percent=True)) for one in reliability.bins])]


def explanation_section(evidence: Evidence, charts: Charts) -> list[Block]:
    explanation = evidence.explanation
    if isinstance(explanation, NotMeasured):
        return [not_measured("Explanation", explanation)]
    background = explanation.background
    blocks: list[Block] = [
        paragraph("Attributions say how this model's inputs move its output. They are associations in the model, not causes in the world."),
        facts([
            ("What is explained", our_words(explanation.output)), ("Scale", {"log_odds": "log-odds", "probability": "probability", "value": "the predicted value", "log1p": "log(1 + the predicted value)"}[explanation.output_space]),
            ("Explainer", f"{explanation.explainer}; Plumbline {evidence.provenance.code_version}"), ("Rows explained", f"{whole(explanation.rows)}, drawn at random; of groups with few among them more, for what is said by group"),
            ("Background", f"{our_words(background.source)}, n = {whole(background.n)}, sha256 {background.sha256[:16]}…"),
            ("Largest additivity error", significant(explanation.additivity_error, 2)),
            *second_backgrounds(explanation.second_background),
        ]),
        *charts_of(charts, "shap-importance", exactly=True),
        table("Inputs by mean |SHAP|", [("rank", "right", 0), ("input", "left", 1), ("mean |SHAP|, with 95 % interval", "left", 1), ("direction", "left", 0), ("rank over replicates", "left", 0), ("stands in for", "left", 0)],
              [(str(one.rank), data_text(one.feature, 80), shown(one.mean_abs_shap), one.direction, f"{one.rank_over_replicates[0]} to {one.rank_over_replicates[1]}",
                ", ".join(data_text(name, 40) for name in one.stands_in_for) or "–")
               for one in explanation.features[:MOST_INPUTS]]),
        *charts_of(charts, "shap-beeswarm", exactly=True), *charts_of(charts, "shap-by-group-"),
    ]
    return [*blocks, *reliance_blocks(explanation, charts), *_score_gaps(explanation, charts, evidence.fairness), *proxy_blocks(explanation, charts), *_examples(explanation)]


def _score_gaps(explanation: ExplanationSection, charts: Charts, fairness: FairnessSection | NotMeasured) -> list[Block]:
    gaps = [gap for gap in explanation.score_gap_by_input if not isinstance(gap, NotMeasured)]
    missing = [not_measured("A further difference", gap) for gap in explanation.score_gap_by_input if isinstance(gap, NotMeasured)]
    if not gaps:
        return [heading(GAPS), *missing] if missing else []
    counts = {(attribute, group.group): whole(group.n) for attribute, groups in explanation.by_group.items() for group in groups}
    references = {} if isinstance(fairness, NotMeasured) else {attribute.attribute: attribute.reference for attribute in fairness.attributes}
    return [
        heading(GAPS),
        paragraph("The pictures add up the model's inputs to each difference, over the explained rows of both groups, against training rows of all groups and against those of the reference; they are not causes, and not a difference of decisions or of all audited rows."),
        table("Differences of mean scores over the explained rows, with 95 % intervals",
              [("attribute", "left", 0.7), ("group", "left", 1), ("against", "left", 1), ("rows", "left", 0.6), ("difference", "left", 1)],
              [(data_text(gap.attribute, 60), data_text(gap.group, 60), data_text(gap.reference, 60), f"{counts.get((gap.attribute, gap.group), '–')}, {counts.get((gap.attribute, gap.reference), '–')}", shown(gap.gap, signed=True))
               for gap in gaps],
              "Where the reference of section 6 has few rows, a group with more of them stands for it." if any(references.get(gap.attribute, gap.reference) != gap.reference for gap in gaps) else ""),
        *[not_measured(f"Against the second background, {data_text(gap.group, 60)}", gap.second) for gap in gaps if isinstance(gap.second, NotMeasured)],
        *missing, *charts_of(charts, "score-gap-"),
    ]


def _examples(explanation: ExplanationSection) -> list[Block]:
    blocks: list[Block] = []
    if explanation.examples:
        blocks += [heading("Examples"), paragraph("Each is a row of the table, with its values: whoever reads this report sees them.")]
    for example in explanation.examples:
        # where a number is explained as it is, the output is the prediction
        predicted = "" if explanation.output_space == "value" else f", prediction {data_text(example.prediction)}"
        scores = f"output {significant(example.output)}, base {significant(example.base)}{predicted}"
        blocks.append(table(
            f"Row {example.row} of the audit part: {our_words(example.why)}; {scores}" if example.asked_row is None else f"Row {example.asked_row} of the table, {our_words(example.why)}: {scores}",
            [("input", "left", 1), ("value", "left", 1), ("SHAP", "right", 0)],
            [(data_text(one.feature, 80), data_text(one.value, 80), significant(one.shap)) for one in example.contributions], share=1, dense=True))
    return [*blocks, *(paragraph(f"Row {row} of the table was asked for and is in neither part: it was left out.") for row in explanation.rows_left_out)]
