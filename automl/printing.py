"""How a number of the evidence is written down for people: as many digits as it carries, never one that hides its side of a limit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from automl.evidence import (
    Alternative,
    DataSection,
    DesignSection,
    Estimate,
    Evidence,
    GoverningMeasure,
    GoverningRow,
    NotMeasured,
    ProbabilityCalibration,
    Ratio,
    Test,
    Value,
)
from automl.spec import GoverningMetric, OptionalPart
from automl.visible_text import visible as visible  # many know it from here

MINUS = "\N{MINUS SIGN}"
MOST_DECIMALS = 10
LONGEST_NAME = 60


def fixed(value: float, decimals: int, limit: float | None = None) -> str:
    """``value`` with ``decimals`` decimals, thousands grouped; with a ``limit``, more decimals until the text stands on the value's own side of it.

    1521/4000 against 2000/4000 has an upper bound of .799639: two or three digits would print it as the limit 0.800 itself.
    """
    chosen = decimals
    if limit is not None:
        # A difference that ten decimals cannot show is floating point's, not the data's
        sides = (more for more in range(decimals, MOST_DECIMALS + 1) if _side(round(value, more), limit) == _side(value, limit))
        chosen = next(sides, decimals)
    text = f"{value:,.{chosen}f}"
    return (text.lstrip("-") if float(text.replace(",", "")) == 0 else text).replace("-", MINUS)


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def percent(share: float, decimals: int = 1) -> str:
    """A share of 0 to 1 as per cent, "7.2 %"; a share that is neither 0 nor 1 is never written as 0 or 100."""
    chosen = next((more for more in range(decimals, MOST_DECIMALS) if (round(share * 100, more) in (0, 100)) == (share in (0, 1))), decimals)
    return f"{fixed(share * 100, chosen)} %"


def significant(value: float, digits: int = 4) -> str:
    """``value`` with ``digits`` significant digits; very small and very large ones in powers of ten."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 < size < 12:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return fixed(value, max(0, digits - 1 - size))


def whole(count: float) -> str:
    """A count without decimals, thousands grouped."""
    return fixed(count, 0)


def row_count(n: int) -> str:
    """ "1 row", "17 rows", "12,345 rows"."""
    return f"{n:,} {'row' if n == 1 else 'rows'}"


def decimals_of(low: float, high: float) -> int:
    """Decimals at which the width of an interval shows two digits: the digits that an estimate really has."""
    width = high - low
    return 4 if width <= 0 else min(6, max(0, 1 - math.floor(math.log10(width))))


def estimate(value: Value, *, as_percent: bool = False, signed: bool = False) -> str:
    """ "0.927 (0.922 to 0.932)"; a `NotMeasured` as "not measured: why"."""
    if isinstance(value, NotMeasured):
        return f"not measured: {value.reason}"
    numbers = (value.value, value.low, value.high)
    if as_percent:
        decimals = min(4, max(1, decimals_of(value.low * 100, value.high * 100)))
        middle, low, high = (_share(number, decimals, signed=signed) for number in numbers)
    elif _huge_or_tiny(value):
        middle, low, high = (significant(number) for number in numbers)
    else:
        middle, low, high = (fixed(number, decimals_of(value.low, value.high), 0 if signed else None) for number in numbers)
    sign = "+" if signed and value.value > 0 else ""
    unit = " %" if as_percent and not signed else " pp" if as_percent else ""
    return f"{sign}{middle}{unit} ({low} to {high})"


def _share(number: float, decimals: int, *, signed: bool) -> str:
    """All and nothing have no decimals: "100 %" is everybody, "100.0 %" nearly so. Differences have them."""
    exact = not signed and any(abs(number - whole) < 1e-12 for whole in (0, 1))
    return fixed(number * 100, 0 if exact else decimals, 0 if signed else None)


def _huge_or_tiny(value: Estimate) -> bool:
    size = max(abs(value.low), abs(value.high))
    return size != 0 and not 1e-4 < size < 1e12


def ratio(value: Ratio | NotMeasured, limit: float | None) -> str:
    """ "0.272 (0.245 to 0.302)", each number with digits until its side of the limit shows, where one was stated."""
    if isinstance(value, NotMeasured):
        return f"not measured: {value.reason}"
    if value.label == "reference":
        return fixed(value.value, 3)
    middle, low, high = (fixed(number, 3, limit) for number in (value.value, value.low, value.high))
    return f"{middle} ({low} to {high})"


def calibration(value: ProbabilityCalibration | NotMeasured) -> str:
    """How a model's probabilities were calibrated, as one sentence without its full stop."""
    if isinstance(value, NotMeasured):
        return f"not measured: {value.reason}"
    gain = f"{estimate(value.log_loss_gain, signed=True)} of log loss and {estimate(value.brier_gain, signed=True)} of Brier score"
    if value.method == "none":
        worse = isinstance(value.log_loss_gain, Estimate) and value.log_loss_gain.high < 0
        why = "so that the probabilities would be worse" if worse else "of which that of log loss, which decides, cannot be told from noise"
        return f"left as they are: by a map fitted out of fold the gain would be {gain}, cross-fitted, {why}"
    scores = "log-odds" if value.method == "platt" else "logits"
    term = "" if value.method == "temperature" else f" with {significant(value.shift)} added"
    return f"{scores} times {significant(value.slope)}{term}, fitted out of fold; the gain, cross-fitted, is {gain}"


def design(about: DesignSection, unknown: int | None = None) -> str:
    """What the intervals of a table mean, in one line: whose sample, of what, how independent and weighted, given what, and what became of unknown values.

    ``unknown``: rows that the table leaves out."""
    unit = f"rows, repeated by {visible(about.cluster, LONGEST_NAME)}, which is what counts as independent" if about.cluster else f"one {visible(about.unit, LONGEST_NAME)} each, taken as independent"
    weights = f"weighted by {visible(about.weights, LONGEST_NAME)}" if about.weights else "unweighted"
    left_out = "" if unknown is None else f" ({row_count(unknown)} here)"
    return f"Design: {about.population}; {unit}; {weights}; conditional on {', '.join(about.conditional_on)}; rows of unknown group are counted{left_out}, not imputed."


def p_value(p: float) -> str:
    """Two significant digits, with a floor at 0.0001."""
    return "< 0.0001" if p < 0.0001 else significant(p, 2)


def step_words(kind: str, strength: float) -> str:
    """A disturbance of a model's inputs: "noise 0.1 sd", "10 % missing", "steps of 0.5 sd" (of standard deviations of the training rows)."""
    return {"noise": f"noise {strength:g} sd", "missing": f"{percent(strength, 0)} missing", "rounding": f"steps of {strength:g} sd"}[kind]


METRIC_WORDS = {
    "roc_auc": "area under the ROC curve", "average_precision": "average precision", "log_loss": "log loss", "brier": "Brier score", "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy", "f1": "F1", "mcc": "Matthews correlation coefficient", "precision": "precision", "recall": "recall", "specificity": "specificity",
    "quantile_loss": "quantile loss (pinball)", "coverage": "coverage", "rmse": "root mean squared error", "mae": "mean absolute error", "r2": "R²", "mean_residual": "mean residual",
    "rmsle": "root mean squared logarithmic error", "macro_f1": "macro F1", "weighted_f1": "weighted F1",
}
"""Standard names of the metrics, for titles and tables; a key that is not here is printed as it is."""


def in_order(metrics: Iterable[str]) -> list[str]:
    """Metrics in the order of `METRIC_WORDS`; stored documents have them by the alphabet."""
    order = list(METRIC_WORDS)
    return sorted(metrics, key=lambda name: (order.index(name) if name in order else len(order), name))


def metric_words(name: str) -> str:
    """A metric's name as people read it: "area under the ROC curve" for ``roc_auc``."""
    return METRIC_WORDS.get(name, name.replace("_", " "))


LABEL_WORDS = {
    "below": "below the limit beyond sampling error",
    "not_below": "not below the limit, beyond sampling error",
    "inconclusive": "inconclusive at this sample size",
    "not_computable": "not computable",
    "reference": "reference",
}
"""The words for the label of an impact ratio (evidence rule 7)."""


def against_limit(value: Ratio) -> str:
    """The label in words, and why it is that where the printed interval alone would suggest another one."""
    return LABEL_WORDS[value.label] + (f": {value.label_reason}" if value.label_reason else "")


WORDING_WORDS = {
    "approved": "approved text",
    "draft": "a draft that no person approved",
    "no_line": "the reason table has no text for it",
    "other_direction": "the text speaks of values on the other side of the usual ones",
    "not_given": "the value was not given, and the table has no text for that",
}
"""Why a stated reason has, or has no, approved text."""


FAIRNESS_WORDS = {
    "demographic_parity_difference": "largest minus smallest selection rate",
    "demographic_parity_ratio": "smallest over largest selection rate",
    "equalized_odds_difference": "largest difference of true or of false positive rates",
    "equal_opportunity_difference": "largest minus smallest true positive rate",
}
"""What each metric of a fairness objective compares between groups (Fairlearn's definitions)."""

GOVERNING_WORDS: dict[GoverningMetric, str] = {
    "demographic_parity_ratio": "the ratio of selection rates (demographic parity)",
    "demographic_parity_difference": "the difference of selection rates (demographic parity)",
    "equal_opportunity_difference": "the difference of true positive rates (equal opportunity)",
    "equalized_odds_difference": "the gap in true and in false positive rates (equalised odds)",
    "predictive_parity_difference": "the difference of predictive values (predictive parity)",
    "calibration_within_groups": "observed over expected outcomes (calibration within groups)",
    "mean_prediction_difference": "the difference of mean predictions",
    "mean_error_difference": "the difference of mean errors",
}
"""The metrics that can govern."""
MEASURE_WORDS: dict[GoverningMeasure, str] = {
    "impact_ratio": "impact ratio", "selection_rate": "selection rate", "tpr": "true positive rate", "fpr": "false positive rate", "ppv": "predictive value",
    "calibration": "observed over expected", "mean": "mean prediction", "residual": "mean error",
}


def governing_comparison(row: GoverningRow) -> str:
    """Who is compared by what: "true positive rate of Female (sex) minus Male's"."""
    of_class = f", {visible(row.favourable, LONGEST_NAME)}" if row.favourable else ""
    where = f"({visible(row.attribute, LONGEST_NAME)}{of_class})"
    if not row.group:
        return f"{MEASURE_WORDS[row.measure]} {where}"
    against = visible(row.compared_with, LONGEST_NAME)
    compared = f" to {against}" if row.measure == "impact_ratio" else "" if row.measure == "calibration" else f" minus that of {against}"
    return f"{MEASURE_WORDS[row.measure]} of {visible(row.group, LONGEST_NAME)} {where}{compared}"


def governing_value(row: GoverningRow, limit: float | None) -> str:
    """Its value with its interval: a ratio with its label, a quotient or number, or signed percentage points; where it rests on a handful of rows that nothing is concluded."""
    in_points = row.measure in ("selection_rate", "tpr", "fpr", "ppv")
    value = ratio(row.value, limit) if isinstance(row.value, Ratio) else estimate(row.value, as_percent=in_points, signed=row.measure not in ("impact_ratio", "calibration"))
    if row.of_few:
        return f"{value}, of fewer than 30 rows on one side: nothing is concluded"
    return f"{value}, {against_limit(row.value)}" if isinstance(row.value, Ratio) else value


def test_words(test: Test) -> str:
    """Its name, statistic and p, with the adjusted p where there is one."""
    names = {"fisher": "Fisher", "mid_p": "mid-p", "chi2": "chi-squared", "chi_square": "chi-squared", "chi_square_monte_carlo": "chi-squared (Monte Carlo)",
             "chi_square_rao_scott": "chi-squared (Rao-Scott)", "chi_square_rao_scott_monte_carlo": "chi-squared (Rao-Scott, Monte Carlo)", "z": "z"}
    statistic = f" {significant(test.statistic, 3)}," if test.statistic is not None else ""
    adjusted = f" ({(test.adjustment or 'adjusted').capitalize()}: {p_value(test.p_adjusted)})" if test.p_adjusted is not None else ""
    p = p_value(test.p)
    return f"{names.get(test.name, test.name)}{statistic} p {p if p.startswith('<') else f'= {p}'}{adjusted}"


def missing_table(data: DataSection) -> tuple[list[str], list[tuple[str, str, int, list[Value]]]]:
    """Inputs with missing cells, and of each group its attribute, name, rows and share of cells missing in each of them."""
    columns = list(dict.fromkeys(one.column for one in data.missing_by_group))
    rows: dict[tuple[str, str], tuple[str, str, int, list[Value]]] = {}
    for one in data.missing_by_group:
        rows.setdefault((one.attribute, one.group), (one.attribute, one.group, one.n, []))[3].append(one.share)
    return columns, list(rows.values())


PROFILE_WORDS = {"us_employment": "employment in the United States", "us_credit": "credit in the United States"}
PART_WORDS: dict[OptionalPart, str] = {
    "mitigation": "alternatives that treat groups more alike", "reasons": "reasons for unfavourable decisions", "slices": "where it fails: slices", "robustness": "where it fails: robustness",
    "explanation_checks": "checks of the explanation (proxies, stability, shuffled inputs, curves)",
}
CRITERION_WORDS = {"demographic_parity": "equal selection rates", "equalized_odds": "equal error rates"}
"""What an alternative is for."""


def alternative_name(one: Alternative) -> str:
    """An alternative to the deployed model in a few words, without names from the data."""
    aim, said = CRITERION_WORDS[one.criterion], one.parameters
    if one.method == "own_cuts":
        left = said.get("gap_left", 0.0)
        how = f", {fixed(100 * float(left), 0)} % of the gap left" if left else ""
        return f"a cut-off for each group, {aim}{how}"
    if one.method == "threshold_optimizer":
        return f"Fairlearn's ThresholdOptimizer, {aim}"
    if one.method == "common_cut":
        return f"one cut-off for everybody, moved for at most {said['largest_loss']:g} of the metric"
    if one.method == "reweighing":
        return f"reweighing, strength {said['strength']:g}" if said["strength"] else "learned again, not reweighed"
    if one.method == "in_training_penalty":
        return f"a network with a penalty of {said['strength']:g}, {aim}" if said["strength"] else "a network, no penalty"
    return f"exponentiated gradient, {aim}" if one.method == "exponentiated_gradient" else f"trial {said['trial']} of the searched front"


def other_draws(evidence: Evidence) -> str:
    """What stands beside the headline numbers: how far they go with the seed, with the rows learned from and, of the inputs' order, with the background. "" where none was measured."""
    parts = []
    if not isinstance(evidence.robustness, NotMeasured):
        for what, found in (("other seeds", evidence.robustness.seeds), ("other training rows", evidence.robustness.splits)):
            if not isinstance(found, NotMeasured):
                metric = found.metric
                parts.append(f"{metric_words(metric.what)} from {significant(metric.lowest)} to {significant(metric.highest)} with {what} ({found.models} models)")
    if not isinstance(evidence.explanation, NotMeasured) and not isinstance(evidence.explanation.stability, NotMeasured):
        draws = next((each for each in evidence.explanation.stability.over if each.varied == "background"), None)
        if draws is not None:
            parts.append(f"the order of the inputs agrees with a mean Kendall's tau of {fixed(draws.kendall_tau.mean, 2)} over {draws.draws} backgrounds")
    return "; ".join(parts)


def in_markdown(text: str, limit: int = 200) -> str:
    """A string of the data, inert in Markdown and HTML: every character that could mean something gets a backslash, angle brackets become entities; cut to ``limit`` characters."""
    shown = re.sub(r"([\\`*_{}\[\]#|~!$])", r"\\\1", visible(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return re.sub(r"(https?|www)([:.])", r"\1&#8203;\2", shown)
