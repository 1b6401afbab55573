"""Findings on where the model errs and what it depends on. The rules, by id:

- ``slice_error`` (medium from 1.5 times the error of the other rows on, else low): a slice that was frozen beforehand has more error than the other rows after Holm's
  correction (label "higher"); at most three are told one by one, the rest in one sentence.
- ``slices_inconclusive`` (info): slices were tested and none of them has more error beyond sampling error.
- ``cohort_error`` (as ``slice_error``): a cohort that a person named has more error than the other rows after Holm's correction over the cohorts.
- ``outcome_depends_on_inputs`` (medium): under the mildest disturbance of a kind at which that is so, a group's selection rate changes by two points and a tenth of itself or more, and the
  interval excludes 0; one sentence a kind, of the group that changes most.
- ``shift`` (medium from an index of 0.25 on, low from 0.1 on; the bounds are a convention of credit scoring): inputs that differ between training and audited rows, and by more than 95 % of
  samples without shift would.
- ``outside_of_training`` (low): more than a twentieth of the audited rows has a number out of range or a level that no training row has.
- ``labels_contradicted`` (info): training rows whose label the out-of-fold probabilities contradict, where a group has a larger share than all rows beyond sampling error.
- ``training_rows_recognised`` (medium from an AUC of 0.6 on, else low): the loss tells training rows from audited rows, the interval lies above 0.5 and above that of out-of-fold scores.
- ``shared_rows`` (low): a hundredth or more of the audited rows have the inputs of a training row.
- ``outcome_moves`` (low; info where the audit part is the latest rows): the recorded outcome differs between the first and the last stretch of time, and the interval excludes 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.evidence import (
    CohortErrors,
    CohortsSection,
    Estimate,
    Finding,
    Membership,
    NoisyLabels,
    NotMeasured,
    Perturbation,
    RobustnessSection,
    SharedRows,
    Shift,
    Slice,
    SlicesSection,
    TimeOrder,
    Value,
)
from automl.evidence.robustness import PerturbationKind
from automl.printing import estimate, percent, row_count, significant, visible

TIMES_MEDIUM = 1.5
TOLD = 3
LEAST_POINTS, LEAST_SHARE = 0.02, 0.1
PSI_LOW, PSI_MEDIUM = 0.1, 0.25
OUTSIDE = 0.05
RECOGNISED_MEDIUM = 0.6
SHARED = 0.01
LISTED = 4
SHOWN = 60


def weakness_findings(slices: SlicesSection | NotMeasured, robustness: RobustnessSection | NotMeasured, cohorts: CohortsSection | None = None) -> Iterator[Finding]:
    """What the sections give occasion to say; their pointers lead into /slices, /cohorts and /robustness."""
    if isinstance(slices, SlicesSection):
        yield from _of_slices(slices)
    if cohorts is not None:
        yield from _of_cohorts(cohorts)
    if isinstance(robustness, NotMeasured):
        return
    for perturbation in robustness.perturbations if robustness.decisions else ():
        yield from _of_perturbation(perturbation, robustness)
    if isinstance(robustness.shift, Shift):
        yield from _of_shift(robustness.shift)
    if isinstance(robustness.label_noise, NoisyLabels):
        yield from _of_labels(robustness.label_noise)
    if isinstance(robustness.membership, Membership):
        yield from _of_membership(robustness.membership)
    if isinstance(robustness.shared_rows, SharedRows):
        yield from _of_shared(robustness.shared_rows)
    if isinstance(robustness.time_order, TimeOrder):
        yield from _of_time(robustness.time_order, robustness.decisions)


def _name(text: str) -> str:
    return visible(" ".join(text.split()), SHOWN)


def _interval(value: Estimate, as_percent: bool = False) -> str:
    return estimate(value, as_percent=as_percent).replace("(", f"({100 * value.level:.3g} % interval ", 1)


def _of_slices(section: SlicesSection) -> Iterator[Finding]:
    higher = [(at, one) for at, one in enumerate(section.rows) if one.label == "higher"]
    for at, one in higher[:TOLD]:
        yield _slice(at, one, section)
    if len(higher) > TOLD:
        yield Finding(
            id="slice_error:more", severity="low", evidence="/slices/rows", rule="slice_error",
            text=f"{len(higher) - TOLD} more of the {len(section.rows)} slices that were tested {'has' if len(higher) == TOLD + 1 else 'have'} more error than the other rows beyond sampling error.",
            suggestion="They may hold the same rows in part; the table has all of them.")
    if section.family and not higher:
        tested = (f"Of {section.tried:,} slices that were looked at, the worst was tested on other rows: it is not shown to have more error than elsewhere beyond sampling error." if section.family == 1 else
                  f"Of {section.tried:,} slices that were looked at, the {section.family} worst were tested on other rows: for none of them is more error than elsewhere shown beyond sampling error.")
        yield Finding(id="slices_inconclusive", severity="info", evidence="/slices/rows", rule="slices_inconclusive", text=tested)


def _slice(at: int, one: Slice, section: SlicesSection) -> Finding:
    assert isinstance(one.error, Estimate), "a labelled slice was measured"
    assert isinstance(one.rest, Estimate), "so were the other rows"
    shares = "decisions" in section.error
    return Finding(
        id=f"slice_error:/slices/rows/{at}", severity="medium" if one.error.value >= TIMES_MEDIUM * one.rest.value else "low", rule="slice_error", evidence=f"/slices/rows/{at}",
        text=f"Where {visible(one.words, 200)}, the {section.error} is {_interval(one.error, shares)} in {row_count(one.n)}; in the other rows it is {_interval(one.rest, shares)}.",
        suggestion="The slice was found on other rows. Look at what these rows have in common, and whether more of them, or another input, would help.")


def _of_cohorts(section: CohortsSection) -> Iterator[Finding]:
    shares = "decisions" in section.error
    for at, one in enumerate(section.rows):
        if isinstance(found := one.errors, CohortErrors) and found.label == "higher" and isinstance(found.inside, Estimate) and isinstance(found.rest, Estimate):
            yield Finding(
                id=f"cohort_error:/cohorts/rows/{at}", severity="medium" if found.inside.value >= TIMES_MEDIUM * found.rest.value else "low", rule="cohort_error", evidence=f"/cohorts/rows/{at}",
                text=f"In the cohort {_name(one.name)}, the {section.error} is {_interval(found.inside, shares)} in {row_count(one.n)}; in the other rows it is {_interval(found.rest, shares)}.",
                suggestion="A person named the cohort before it was measured. Look at what these rows have in common, and whether more of them, or another input, would help.")


def _of_perturbation(perturbation: Perturbation, robustness: RobustnessSection) -> Iterator[Finding]:
    levels = {} if isinstance(robustness.undisturbed, NotMeasured) else {
        (attribute.attribute, group.group): group.outcome for attribute in robustness.undisturbed.attributes for group in attribute.groups}
    for at, step in enumerate(perturbation.steps):
        found = [
            (abs(change.value), f"/robustness/{perturbation.kind}/steps/{at}/attributes/{i}/groups/{j}/outcome_change", attribute.attribute, group.group, change, level)
            for i, attribute in enumerate(step.attributes) for j, group in enumerate(attribute.groups)
            if _moved(change := group.outcome_change, level := levels.get((attribute.attribute, group.group))) and isinstance(change, Estimate) and isinstance(level, Estimate)]
        if found:
            _, pointer, attribute, group, change, level = max(found, key=lambda one: (one[0], one[1]))
            yield Finding(
                id=f"outcome_depends_on_inputs:{perturbation.kind}", severity="medium", rule="outcome_depends_on_inputs", evidence=pointer,
                text=f"{disturbance(perturbation.kind, step.strength).capitalize()}, {_name(group)} ({_name(attribute)}) would be selected {'less' if change.value < 0 else 'more'} often: the rate of "
                     f"{percent(level.value)} ({row_count(level.n)}) changes by {_points(change)} points.",
                suggestion="Look at how such inputs are read and filled in, and whether the decision should wait where they are missing or rough.")
            return


def disturbance(kind: PerturbationKind, strength: float) -> str:
    """The disturbance in words: "with 10 % of the cells missing"."""
    if kind == "missing":
        return f"with {percent(strength, 0)} of the cells missing"
    return f"with noise of {strength:g} standard deviations" if kind == "noise" else f"with numbers rounded to steps of {strength:g} standard deviations"


def _moved(change: Value, level: Value | None) -> bool:
    """Whether a selection rate moved by enough to speak of, beyond sampling error."""
    return (isinstance(change, Estimate) and isinstance(level, Estimate) and not change.low_precision and not change.low <= 0 <= change.high
            and abs(change.value) >= max(LEAST_POINTS, LEAST_SHARE * level.value))


def _points(change: Estimate) -> str:
    return estimate(change, as_percent=True, signed=True).replace(" pp", "").replace("(", f"({100 * change.level:.3g} % interval ", 1)


def _of_shift(shift: Shift) -> Iterator[Finding]:
    moved = [one for one in shift.features if one.psi >= PSI_LOW and one.psi > one.without_shift]
    if moved:
        listed = ", ".join(f"{_name(one.feature)} ({significant(one.psi, 3)})" for one in moved[:LISTED]) + (f" and {len(moved) - LISTED} more" if len(moved) > LISTED else "")
        yield Finding(
            id="shift", severity="medium" if moved[0].psi >= PSI_MEDIUM else "low", rule="shift", evidence="/robustness/shift/features",
            text=f"Inputs are distributed otherwise in the audited rows than in the training rows, by the population stability index: {listed}.",
            suggestion="Ask whether the two come from the same time and population; results on the audited rows may not be those of the next ones.")
    if isinstance(shift.any_outside, Estimate) and shift.any_outside.value > OUTSIDE:
        yield Finding(
            id="outside_of_training", severity="low", rule="outside_of_training", evidence="/robustness/shift/any_outside",
            text=f"{_interval(shift.any_outside, True)} of the audited rows have a number outside the range of the training rows, or a level that none of them has.",
            suggestion="For such rows the model goes on beyond what it learned.")


def _of_labels(labels: NoisyLabels) -> Iterator[Finding]:
    overall = labels.share
    above = [(at, one) for at, one in enumerate(labels.by_group) if isinstance(one.share, Estimate) and isinstance(overall, Estimate) and not one.share.low_precision and one.share.low > overall.high]
    if above and isinstance(overall, Estimate):
        at, worst = max(above, key=lambda pair: _value(pair[1].share))
        yield Finding(
            id="labels_contradicted", severity="info", rule="labels_contradicted", evidence=f"/robustness/label_noise/by_group/{at}",
            text=f"The model's out-of-fold probabilities contradict {estimate(overall, as_percent=True)} of the training labels; for {_name(worst.group)} ({_name(worst.attribute)}) it is "
                 f"{estimate(worst.share, as_percent=True).replace('(', '(95 % interval ', 1)}.",
            suggestion="Look at some of these rows: their labels may be wrong, or the model may not know such rows well.")


def _value(value: Value) -> float:
    return value.value if isinstance(value, Estimate) else 0.0


def _of_membership(membership: Membership) -> Iterator[Finding]:
    auc, control = membership.auc, membership.control
    if isinstance(auc, Estimate) and isinstance(control, Estimate) and auc.low > max(0.5, control.high):
        yield Finding(
            id="training_rows_recognised", severity="medium" if auc.value >= RECOGNISED_MEDIUM else "low", rule="training_rows_recognised", evidence="/robustness/membership/auc",
            text=f"By the model's answer and a row's label, rows that the model has learned from are told from others with an AUC of {_interval(auc)}, where 0.5 is chance; by answers that were given out "
                 f"of fold it is {_interval(control)}.",
            suggestion="Where it is a secret who is in the training table, say so to those who can ask the model, or learn a simpler model.")


def _of_shared(shared: SharedRows) -> Iterator[Finding]:
    share = shared.same_inputs
    if isinstance(share, Estimate) and share.value >= SHARED:
        yield Finding(
            id="shared_rows", severity="low", rule="shared_rows", evidence="/robustness/shared_rows/same_inputs",
            text=f"{_interval(share, True)} of the audited rows have the same inputs as a training row; {row_count(shared.same_label)} have its label as well.",
            suggestion="Where several rows belong to one person, name the column that says so, so that they stay on one side of the split.")


def _of_time(order: TimeOrder, shares: bool) -> Iterator[Finding]:
    change, first, last = order.outcome_change, order.stretches[0], order.stretches[-1]
    if isinstance(change, Estimate) and not change.low_precision and not change.low <= 0 <= change.high:
        told = _points(change) + " points" if shares else _interval(change)
        yield Finding(
            id="outcome_moves", severity="info" if order.split_by_it else "low", rule="outcome_moves", evidence="/robustness/time_order/outcome_change",
            text=f"The recorded outcome of the audited rows changes by {told} between {first.first} to {first.last} and {last.first} to {last.last} ({_name(order.column)}).",
            suggestion="" if order.split_by_it else "Audit on the latest rows, by naming the time of the rows: results on rows of the same time may not be those of the next ones.")
