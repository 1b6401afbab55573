"""The glossary at the end of a report: every measure that this report uses, with its formula. Sources of the formulas: docs/statistics.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditapp.report.blocks import Block, note, table
from automl.evidence import Calibration, ErrorRates, Evidence, GroupCalibration, NotMeasured, Residuals, RobustnessSection, ScoreOutcome, VersusRest
from automl.printing import in_order, metric_words, whole

Entry = tuple[str, str]

METRICS: dict[str, str] = {
    "roc_auc": "chance that a random positive row scores above a random negative one, ties counted half",
    "average_precision": "Σ (recall − recall at the next higher score) × precision, over the scores from the highest down",
    "log_loss": "mean of −log(probability given to the true class)",
    "brier": "mean of (probability of the positive class − outcome)², the outcome being 1 or 0",
    "accuracy": "rows decided as the truth is / all rows",
    "balanced_accuracy": "mean of the recalls of all classes",
    "f1": "2 × precision × recall / (precision + recall)",
    "mcc": "(TP × TN − FP × FN) / √((TP + FP) × (TP + FN) × (TN + FP) × (TN + FN))",
    "precision": "TP / (TP + FP)",
    "recall": "TP / (TP + FN)",
    "specificity": "TN / (TN + FP)",
    "quantile_loss": "mean of max(q × (truth − prediction), (q − 1) × (truth − prediction)), q being the level of the quantile",
    "coverage": "rows whose truth is at or below the prediction / all rows",
    "rmse": "√(mean of (truth − prediction)²)",
    "mae": "mean of |truth − prediction|",
    "r2": "1 − Σ (truth − prediction)² / Σ (truth − mean of the truth)²",
    "mean_residual": "mean of (truth − prediction)",
    "rmsle": "√(mean of (log(1 + truth) − log(1 + prediction))²)",
    "macro_f1": "mean of the classes' F1",
    "weighted_f1": "mean of the classes' F1, weighted by their true rows",
}
OF_SEVERAL_CLASSES: dict[str, str] = {
    "roc_auc": "chance that a random positive row scores above a random negative one, ties counted half; of several classes the mean over them, each against all others",
    "average_precision": "Σ (recall − recall at the next higher score) × precision, over the scores from the highest down; of several classes the mean over them, each against all others",
    "brier": "mean of (probability of the positive class − outcome)², the outcome being 1 or 0; of several classes the mean of the sum over them, which may be up to 2",
    "f1": "2 × precision × recall / (precision + recall); of several classes the mean over them, each against all others",
    "mcc": "(TP × TN − FP × FN) / √((TP + FP) × (TP + FN) × (TN + FP) × (TN + FN)); of several classes its generalisation",
    "precision": "TP / (TP + FP); of several classes the mean over them, each against all others",
    "recall": "TP / (TP + FN); of several classes the mean over them, each against all others",
}
"""Of them the words where there are more classes than two."""
COUNTS: Entry = ("TP, FP, TN, FN", "rows decided positive and truly so, decided positive but not so, decided negative and truly so, decided negative but not so")
CALIBRATED: tuple[Entry, ...] = (("calibration of the likeliest class", "share of rows in which the likeliest class is the truth, against its probability: mean of both in bins of about equal count"),)
RESIDUALS: tuple[Entry, ...] = (
    ("residual, absolute error", "truth − prediction; |truth − prediction|"),
    ("off by at most", "the lowest number that the share of the absolute residuals stays at or below"),
)
HELD: tuple[Entry, ...] = (("interval beside each prediction", "prediction ± the (n + 1) × level-th smallest absolute out-of-fold residual of n training rows"),)
RATES: tuple[Entry, ...] = (
    ("selection rate", "rows with the favourable outcome / rows of the group: k / n"),
    ("impact ratio", "selection rate of the group / selection rate of the reference group; never inverted, never capped"),
    ("band of the unknown rows", "the impact ratio if every row of unknown group belonged to the group or to the reference, at worst and at best"),
    ("demographic parity difference, ratio", "largest − smallest selection rate of the groups; smallest / largest"),
)
ERRORS: tuple[Entry, ...] = (
    ("true positive rate, false positive rate", "of the favourable outcome: TP / (TP + FN); FP / (FP + TN)"),
    ("predictive value; negative predictive value", "TP / (TP + FP), of the favourable outcome; TN / (TN + FN), of the unfavourable one"),
    ("equalised odds difference", "larger of the groups' largest differences of true and of false positive rates"),
    ("equal opportunity difference", "largest − smallest true positive rate of the groups"),
    ("average odds difference", "mean of the groups' largest differences of true and of false positive rates"),
    ("predictive parity difference", "largest − smallest predictive value of the groups"),
    ("false negatives for each false positive", "of the favourable outcome: rows of the group that should have it and do not get it / rows that get it and should not (treatment equality)"),
    ("observed over expected", "Σ outcomes / Σ probabilities of the group"),
)
CALIBRATION_LINE: tuple[Entry, ...] = (("slope, intercept", "b and a of log-odds of the outcome = a + b × log-odds of the probability, fitted to the group's rows"),)
SPREAD: tuple[Entry, ...] = (
    ("mean, in standard deviations", "(mean score of the group − that of the reference) / √(mean of both variances)"),
    ("Kolmogorov and Smirnov's distance", "largest difference of the two groups' shares of rows at or below a score"),
    ("Wasserstein's distance", "area between the two groups' shares of rows at or below each score"),
)
REPRESENTATION: tuple[Entry, ...] = (("share, base rate", "rows of the group / rows of known group; rows of the group with the favourable label / rows of the group; of a number its mean over the group's rows"),)
POPULATION: tuple[Entry, ...] = (("times its share", "share of the group among the rows / its share of the population named"),)
CHI_SQUARED: tuple[Entry, ...] = (("chi-squared", "Σ (observed − expected)² / expected, over the cells of the table; weighted rows and rows of a person at their effective number (Rao and Scott)"),)
TESTS: tuple[Entry, ...] = (
    ("Fisher, mid-p", "chance, at the table's own sums, of a table as rare as this or rarer; mid-p counts tables just as rare half"),
    ("z", "difference of two rates / √(p × (1 − p) × (1/n of one + 1/n of the other)), p being the pooled rate"),
    ("Holm", "p values of a family in rising order, each times the number of tests not yet decided, never below the one before"),
    ("shortfall", "rows of the group × pooled selection rate − selected rows of the group, in persons"),
    ("largest ratio that would be told", "largest true ratio that samples of these sizes would show to be below the limit with a power of four in five"),
    ("one person changes the direction", "whether moving one favourable outcome from the group that is ahead to the other turns the sign of the difference"),
)
SCORES: tuple[Entry, ...] = (
    ("mean residual, mean absolute error by group", "mean of (truth − score) and of |truth − score| over the group's rows"),
    ("difference of mean scores", "mean score of the group − mean score of the reference"),
)
EXPLANATION: tuple[Entry, ...] = (
    ("SHAP value of an input", "its share of (output for this row − mean output over background rows), averaged over all orders in which inputs take the row's values (Shapley)"),
    ("mean |SHAP|", "mean over the explained rows of the SHAP value without its sign"),
    ("additivity error", "largest |output − base − Σ SHAP values| over the explained rows"),
    ("permutation importance", "mean loss with the input shuffled − mean loss as it is"),
    ("Kendall's tau", "(pairs in the same order − pairs in opposite order) / √(untied pairs of one × of the other)"),
    ("accumulated local effect", "sum, over the bins up to a value, of the mean change of the output where the rows of a bin move from its lower edge to its upper; mean 0 over the rows"),
    ("partial dependence", "mean output where every row gets the level − the same averaged over the levels, each with its share of the rows"),
    ("size of what two inputs do together", "√ of the mean square of (partial dependence on both − on each alone), centred: the numerator of Friedman's H, without what chance adds to a square"),
    ("inputs that go together", "|Spearman's rank correlation| of two numbers, √(chi-squared / (n × (fewer of rows and columns − 1))) with a category (Cramér's V)"),
    ("overlap (Jaccard)", "entries of both lists / entries of either list"),
    ("AUC of telling the groups", "area under the ROC curve of predicting the sensitive attribute, averaged over pairs or groups where it has several"),
)
REASONS: tuple[Entry, ...] = (
    ("reason", "input, or group of inputs, with a negative SHAP value in log-odds against people just above the cut, of at least the stated share of the distance to it"),
    ("flip test", "mean score of the row with the stated inputs as people at the cut have them; crosses where it reaches the cut"),
)
SHIFT: tuple[Entry, ...] = (
    ("population stability index", "Σ (share of audited rows − share of training rows) × log(share of audited rows / share of training rows), over the bins"),
)
DISTURBED: tuple[Entry, ...] = (("decisions that change", "rows decided otherwise with disturbed inputs / all rows"),)
CONTRADICTED: tuple[Entry, ...] = (("contradicted label", "another class is likeliest among those whose probability reaches its mean over the rows of that class (confident learning)"),)
MEMBERSHIP: tuple[Entry, ...] = (("AUC of the loss", "chance that a random training row has a smaller loss than a random audited row, ties counted half"),)
SLICES: tuple[Entry, ...] = (("slice", "rows that meet one condition, or several at once; found on training rows and tested on the audit part against all other rows"),)
SLICES_OF_HALVES: tuple[Entry, ...] = (("slice", "rows that meet one condition, or several at once; found on one half of the rows and tested on the other against all other rows of it"),)
MITIGATION: tuple[Entry, ...] = (
    ("gained, lost", "people of the rows that alternatives are measured on whom an alternative gives the favourable outcome and the deployed model does not, and the reverse"),
    ("change, with a paired interval", "metric of the alternative − metric of the deployed model on the same rows, resampled together"),
)
INTERVALS: tuple[Entry, ...] = (
    ("interval of a rate (Wilson)", "(k + z²/2 ± z × √(k × (n − k) / n + z²/4)) / (n + z²), z being the normal quantile of the level"),
    ("interval of a difference (Newcombe)", "difference ± √ of the summed squared distances of the two rates to their Wilson limits, on the side that counts"),
    ("interval of a ratio (MOVER-R)", "from the Wilson limits of both rates, by the method of variance estimates recovery"),
    ("other intervals", "named with the number in the attached evidence: Student's and Welch's of means, order statistics of quantiles, DeLong on the logit scale, the bootstrap within groups, the delete-a-group jackknife"),
)


def all_entries() -> list[Entry]:
    """Every measure that any report may use."""
    metrics = [(metric_words(name), OF_SEVERAL_CLASSES.get(name, METRICS[name])) for name in in_order(METRICS)]
    return [*metrics, COUNTS, *CALIBRATED, *RESIDUALS, *HELD, *REPRESENTATION, *POPULATION, *CHI_SQUARED, *RATES, *ERRORS, *CALIBRATION_LINE, *TESTS, *SCORES, *SPREAD, *EXPLANATION, *REASONS, *SLICES, *MITIGATION, *DISTURBED, *SHIFT, *CONTRADICTED, *MEMBERSHIP, *INTERVALS]


def glossary_blocks(evidence: Evidence) -> list[Block]:
    """One table: measure and formula, those alone that this evidence has numbers of."""
    return [
        table("Measures of this report and their formulas", [("measure", "left", 0.7), ("formula", "left", 2)], list(_entries(evidence)), dense=True),
        note("Weighted rows count with their weights in every sum and mean, but in the confusion matrix and the scores by class; repeated rows of a person are resampled together. In the attached evidence each number names its method, n and level."),
    ]


def _entries(evidence: Evidence) -> Iterator[Entry]:
    performance, fairness, robustness = evidence.performance, evidence.fairness, evidence.robustness
    if not isinstance(performance, NotMeasured):
        several = evidence.data.target is not None and evidence.data.target.task == "multiclass"
        yield from ((metric_words(name), METRICS[name] if not several else OF_SEVERAL_CLASSES.get(name, METRICS[name])) for name in in_order(performance.metrics) if name in METRICS)
        if not isinstance(performance.confusion, NotMeasured):
            yield COUNTS
        residuals = performance.residuals if isinstance(performance.residuals, Residuals) else None
        yield from (entry for entries, used in (
            (CALIBRATED, isinstance(performance.calibration, Calibration) and performance.calibration.of == "likeliest"), (RESIDUALS, residuals is not None),
            (HELD, residuals is not None and not isinstance(residuals.interval, NotMeasured))) if used for entry in entries)
    parts: list[tuple[Sequence[Entry], bool]] = [
        (REPRESENTATION, bool(evidence.data.representation)), (POPULATION, any(group.to_population is not None for one in evidence.data.representation for group in one.groups))]
    tested = any(one.test is not None for one in evidence.data.representation)
    if not isinstance(fairness, NotMeasured):
        attributes = [*fairness.attributes, *fairness.intersections, *(attribute for one in fairness.by_class for attribute in one.attributes)]
        groups = [group for attribute in attributes for group in attribute.groups]
        scores = [group.score for group in groups if isinstance(group.score, ScoreOutcome)]
        tested |= (compared := any(isinstance(group.versus_rest, VersusRest) for group in groups))
        parts += [
            (RATES, fairness.outcome != "score"), (ERRORS, any(isinstance(group.error_rates, ErrorRates) for group in groups)),
            (CALIBRATION_LINE, any(isinstance(group.calibration, GroupCalibration) and group.calibration.slope is not None for group in groups)),
            (TESTS, compared), (SCORES, bool(scores)), (SPREAD, any(score.spread is not None for score in scores))]
    slices = SLICES if evidence.run.kind == "training" else SLICES_OF_HALVES
    sections = ((evidence.explanation, EXPLANATION), (evidence.reasons, REASONS), (evidence.slices, slices), (evidence.mitigation, MITIGATION))
    parts += [(CHI_SQUARED, tested), *((entries, not isinstance(section, NotMeasured)) for section, entries in sections)]
    if isinstance(robustness, RobustnessSection):
        parts += [(DISTURBED, robustness.decisions and bool(robustness.perturbations))]
        parts += [(entries, not isinstance(part, NotMeasured)) for part, entries in ((robustness.shift, SHIFT), (robustness.label_noise, CONTRADICTED), (robustness.membership, MEMBERSHIP))]
    yield from (entry for entries, used in parts if used for entry in entries)
    yield from INTERVALS
    if evidence.design.replicates is not None:
        yield "bootstrap", (f"quantiles of {whole(evidence.design.replicates)} samples drawn with replacement from the rows (from persons where rows repeat one), within the group for its numbers; seed {evidence.provenance.seeds.get('run', 0)}")
