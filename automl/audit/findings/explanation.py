"""Findings on the explanation, by written rules. Each says what the inputs of this model go with; none says what causes what, or what a group would get.

- ``sensitive_input`` (medium): a sensitive attribute is an input of the model.
- ``leak_suspected`` (high): one input carries more than 60 % of all mean |SHAP|.
- ``proxy_input`` (medium): an input that alone tells the groups of a sensitive attribute (its AUC's lower limit is at least the scan's limit) is among those
  that move the score most.
- ``attribute_predictable`` (low; info below): all inputs together tell the groups of an attribute, the lower limit of the AUC being at or above the limit
  (low) or only above 0.5 (info). Not for an attribute that is an input itself.
- ``gap_carried`` (low; info): the interval of a difference of mean scores excludes 0: which inputs it adds up from, for the largest such difference of each
  attribute; low where the largest part comes from an input that stands in for that attribute.
- ``gap_depends_on_background`` (info): against the second background another input has the largest part of that difference.
- ``ranks_unstable`` (low): over other backgrounds or seeds the orders of the inputs agree with a mean Kendall's tau below 0.6, or the mean overlap of the first
  ones is below 0.6.
- ``importance_not_confirmed`` (info): shuffling the input that moves the score most leaves the loss where it was, as far as its interval tells.
- ``proxies_unknown`` (info): the scan was not made.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.audit.findings.words import shown
from automl.evidence import DataSection, Estimate, ExplanationSection, Finding, GapShare, NotMeasured, ProxyFeature, ProxyScan, ScoreGap
from automl.printing import estimate, fixed, percent, significant, visible, whole

LEAK_SHARE = 0.6
UNSTABLE = 0.6
KNOWING_NOTHING = 0.5
LISTED = 3
NAME = 60
UNITS = {"log_odds": "log-odds", "probability": "probability", "value": "the predicted value", "log1p": "log(1 + the predicted value)"}


def of_inputs(explanation: ExplanationSection | NotMeasured, data: DataSection) -> Iterator[Finding]:
    """Of the columns that are inputs, and of the explanation where there is one."""
    for i, column in enumerate(data.columns):
        if column.role == "sensitive" and column.used_as_feature:
            yield Finding(
                id=f"sensitive_input:/data/columns/{i}", severity="medium", text=f"The sensitive attribute {shown(column.name)} is an input of the model.",
                evidence=f"/data/columns/{i}", suggestion="State the basis for using it at the time of the decision, or leave it out.", rule="sensitive_input",
            )
    if isinstance(explanation, NotMeasured):
        return
    sizes = [feature.mean_abs_shap.value if isinstance(feature.mean_abs_shap, Estimate) else 0.0 for feature in explanation.features]
    if len(sizes) > 1 and sum(sizes) > 0 and sizes[0] / sum(sizes) > LEAK_SHARE:
        yield Finding(
            id="leak_suspected:input", severity="high",
            text=f"One input, {shown(explanation.features[0].feature)}, carries {100 * sizes[0] / sum(sizes):.0f} % of all mean |SHAP| ({explanation.output}); it may hold the answer.",
            evidence="/explanation/features/0", suggestion="Check that this input is known at the time of the decision.", rule="leak_suspected",
        )
    yield from explanation_findings(explanation, data)


def explanation_findings(explanation: ExplanationSection, data: DataSection) -> Iterator[Finding]:
    """In the order of the rules above; their ids are unique."""
    if isinstance(explanation.proxies, NotMeasured):
        if any(column.role == "sensitive" for column in data.columns):
            yield Finding(
                id="proxies_unknown", severity="info", text=f"Whether other inputs stand in for the sensitive attributes was not measured: {explanation.proxies.reason}.",
                evidence="/explanation/proxies", rule="proxies_unknown")
    else:
        for at, scan in enumerate(explanation.proxies):
            if isinstance(scan, ProxyScan):
                yield from _of_scan(scan, f"/explanation/proxies/{at}")
    for at, gap in _largest_gaps(explanation):
        yield from _of_gap(gap, explanation, f"/explanation/score_gap_by_input/{at}")
    yield from _of_stability(explanation)
    yield from _of_permutation(explanation)


def _name(text: str) -> str:
    return visible(" ".join(text.split()), NAME) or "(empty)"


def _of_scan(scan: ProxyScan, pointer: str) -> Iterator[Finding]:
    attribute = _name(scan.attribute)
    flagged = [(place, one) for place, one in enumerate(scan.features) if one.flagged]
    if flagged:
        place, first = flagged[0]
        others = f"; so {'does' if len(flagged) == 2 else 'do'} {_listing([one for _, one in flagged[1:]])}" if len(flagged) > 1 else ""
        yield Finding(
            id=f"proxy_input:{pointer}", severity="medium", evidence=f"{pointer}/features/{place}", rule="proxy_input",
            text=f"The input {_name(first.feature)} alone tells the groups of {attribute} with an AUC of {estimate(first.alone)} on training rows, and it is number {first.rank} among the "
                 f"model's inputs, with {percent(first.share_of_score)} of all mean |SHAP|{others}.",
            suggestion="Ask whether the use needs this input, what it adds, and what a model without it would do to each group.")
    auc = scan.auc
    if isinstance(auc, Estimate) and not scan.own_column and not auc.low_precision and auc.low > KNOWING_NOTHING:
        rows = f"{whole(scan.rows)} training rows, each predicted out of fold"
        yield Finding(
            id=f"attribute_predictable:{pointer}", severity="low" if auc.low >= scan.strong else "info", evidence=f"{pointer}/auc", rule="attribute_predictable",
            text=f"The groups of {attribute} can be told from the model's inputs with an AUC of {estimate(auc)} ({rows}; 0.5 is knowing nothing): leaving {attribute} out of the inputs "
                 "does not take it out of the data.",
            suggestion="Whether the model uses it so is not said by this; read it beside the differences between groups.")


def _listing(features: list[ProxyFeature]) -> str:
    more = f" and {len(features) - LISTED} more" if len(features) > LISTED else ""
    return ", ".join(f"{_name(one.feature)} (AUC {estimate(one.alone)}, number {one.rank})" for one in features[:LISTED]) + more


def _largest_gaps(explanation: ExplanationSection) -> list[tuple[int, ScoreGap]]:
    """Of each attribute the largest difference that is told apart from 0, with its place: an attribute of many groups does not fill page one."""
    found: dict[str, tuple[float, int, ScoreGap]] = {}
    for at, gap in enumerate(explanation.score_gap_by_input):
        if isinstance(gap, ScoreGap) and isinstance(gap.gap, Estimate) and not gap.gap.low_precision and not gap.gap.low <= 0 <= gap.gap.high:
            size = abs(gap.gap.value)
            if gap.attribute not in found or size > found[gap.attribute][0]:
                found[gap.attribute] = size, at, gap
    return [(at, gap) for _, at, gap in found.values()]


def _of_gap(gap: ScoreGap, explanation: ExplanationSection, pointer: str) -> Iterator[Finding]:
    parts = _largest(gap.contributions)
    if not parts:
        return
    stands_in = {feature.feature for feature in explanation.features if gap.attribute in feature.stands_in_for}
    about = f"{_name(gap.group)} and {_name(gap.reference)} ({_name(gap.attribute)})"
    listed = "; ".join(f"{_name(name)} {estimate(part, signed=True)}" for name, part in parts[:LISTED])
    mark = f" {_name(parts[0][0])} stands in for {_name(gap.attribute)}." if parts[0][0] in stands_in else ""
    yield Finding(
        id=f"gap_carried:{pointer}", severity="low" if mark else "info", evidence=pointer, rule="gap_carried",
        text=f"The mean scores of {about} differ by {estimate(gap.gap, signed=True)} in {_unit(explanation)}; against training rows drawn at random the largest parts are "
             f"{listed}.{mark} This is how the model's inputs add up to the gap: not a cause{'' if explanation.output_space in ('value', 'log1p') else ', and not the gap in selection'}.",
        suggestion="Ask of the largest part whether the use needs it.")
    second = [] if isinstance(gap.second, NotMeasured) else _largest(gap.second)
    if second and second[0][0] != parts[0][0]:
        yield Finding(
            id=f"gap_depends_on_background:{pointer}", severity="info", evidence=pointer, rule="gap_depends_on_background",
            text=f"Which input has the largest part of the difference between {about} depends on the background: {_name(parts[0][0])} ({estimate(parts[0][1], signed=True)}) against rows of "
                 f"all groups, {_name(second[0][0])} ({estimate(second[0][1], signed=True)}) against rows of {_name(gap.reference)}.",
            suggestion="Say of which background a statement on these parts speaks.")


def _unit(explanation: ExplanationSection) -> str:
    """Of several classes the one whose score is explained is named."""
    return explanation.output if "against the mean of all classes" in explanation.output else UNITS[explanation.output_space]


def _largest(shares: tuple[GapShare, ...]) -> list[tuple[str, Estimate]]:
    measured = [(share.feature, share.contribution) for share in shares if isinstance(share.contribution, Estimate)]
    return sorted(measured, key=lambda pair: -abs(pair[1].value))


def _of_stability(explanation: ExplanationSection) -> Iterator[Finding]:
    if isinstance(explanation.stability, NotMeasured):
        return
    for at, draws in enumerate(explanation.stability.over):
        if draws.kendall_tau.mean < UNSTABLE or draws.top_jaccard.mean < UNSTABLE:
            what = "other backgrounds" if draws.varied == "background" else "other seeds (rows and background drawn anew)"
            yield Finding(
                id=f"ranks_unstable:{draws.varied}", severity="low", evidence=f"/explanation/stability/over/{at}", rule="ranks_unstable",
                text=f"The order of the inputs depends on what is drawn: over {what} the orders agree with a mean Kendall's tau of {fixed(draws.kendall_tau.mean, 2)} "
                     f"(lowest {fixed(draws.kendall_tau.lowest, 2)}), and the first {explanation.stability.top} overlap by {fixed(draws.top_jaccard.mean, 2)} on average "
                     f"(lowest {fixed(draws.top_jaccard.lowest, 2)}; {draws.draws} draws of {whole(draws.rows)} rows).",
                suggestion="Read inputs of neighbouring rank as equally important.")


def _of_permutation(explanation: ExplanationSection) -> Iterator[Finding]:
    check = explanation.permutation
    if isinstance(check, NotMeasured) or not explanation.features:
        return
    first = explanation.features[0]
    if isinstance(first.mean_abs_shap, Estimate) and first.mean_abs_shap.value == 0:  # the same answer for every row: no input is first
        return
    one = next((one for one in check.features if one.feature == first.feature), None)
    if one is not None and isinstance(one.increase, Estimate) and one.increase.low <= 0:
        yield Finding(
            id="importance_not_confirmed", severity="info", evidence="/explanation/permutation", rule="importance_not_confirmed",
            text=f"{_name(first.feature)} moves the score most, and shuffling it among {whole(check.rows)} audited rows changes the mean {check.loss} by {estimate(one.increase, signed=True)} "
                 f"of {significant(check.mean_loss.value) if isinstance(check.mean_loss, Estimate) else 'an unknown amount'}: not told apart from no change.",
            suggestion="Other inputs may say the same; see the inputs that go together.")
