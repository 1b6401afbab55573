"""Parts of section 10 of a report: how far the order of the inputs can be relied on, how the output goes with them, and proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditapp.report.blocks import Block, beside, charts_of, data_text, facts, heading, not_measured, our_words, paragraph, shown, table
from automl.evidence import (
    Background,
    Charts,
    DependenceSection,
    ExplanationSection,
    InteractionsSection,
    NotMeasured,
    PermutationImportance,
    ProxyScan,
    RankStability,
    RelatedInputs,
    Spread,
)
from automl.printing import fixed, percent, whole

VARIED = {"background": "the same rows, other backgrounds", "seed": "other rows and backgrounds"}
MOST_RANKS = 12
MOST_PAIRS = 6


def second_backgrounds(backgrounds: Mapping[str, Background] | NotMeasured) -> list[tuple[str, str]]:
    """Facts on what score gaps are shown against a second time."""
    if isinstance(backgrounds, NotMeasured):
        return [("Second background", shown(backgrounds))]
    return [(f"Second background for {data_text(attribute, 40)}", f"{our_words(one.source)}, n = {whole(one.n)}, sha256 {one.sha256[:16]}…") for attribute, one in backgrounds.items()]


def reliance_blocks(explanation: ExplanationSection, charts: Charts) -> Iterator[Block]:
    """Stability of ranks, the cross-check by shuffling, inputs that go together, and curves."""
    yield heading("How far the order of the inputs can be relied on")
    ranks: list[Block] = []
    if isinstance(explanation.stability, NotMeasured):
        yield not_measured("Stability of ranks", explanation.stability)
    else:
        yield _agreement(explanation.stability)
        ranks = [_ranks(explanation.stability)]
    if isinstance(explanation.permutation, NotMeasured):
        yield from [*ranks, not_measured("Permutation importance", explanation.permutation)]
    else:
        yield _cross_check(explanation.permutation)
        yield from beside(charts_of(charts, "permutation-importance", exactly=True), ranks)
    yield from [not_measured("Inputs that go together", explanation.related)] if isinstance(explanation.related, NotMeasured) else _related(explanation.related)
    yield heading("How the output goes with an input")
    yield from [not_measured("Curves", explanation.dependence)] if isinstance(explanation.dependence, NotMeasured) else _curves(explanation.dependence, charts)
    yield _pairs(explanation.interactions, explanation.output)


def _agreement(stability: RankStability) -> Block:
    return table(
        f"Agreement of the orders by mean |SHAP| over all pairs of draws, and of the first {stability.top}; descriptions, without intervals",
        [("what changes", "left", 1), ("draws", "right", 0), ("rows", "right", 0), ("background", "right", 0), ("Kendall's tau", "left", 1), (f"overlap of the first {stability.top}", "left", 1)],
        [(VARIED[one.varied], str(one.draws), whole(one.rows), whole(one.background), _spread(one.kendall_tau), _spread(one.top_jaccard)) for one in stability.over])


def _ranks(stability: RankStability) -> Block:
    ranks = {one.varied: {each.feature: f"{each.best} to {each.worst}" for each in one.ranks} for one in stability.over}
    names = [each.feature for each in stability.over[0].ranks][:MOST_RANKS]
    return table(
        "Best and worst rank over the draws", [("input", "left", 1.2), *((VARIED[varied], "left", 1) for varied in ranks)],
        [(data_text(name, 80), *(of_draws.get(name, "–") for of_draws in ranks.values())) for name in names])


def _spread(spread: Spread) -> str:
    return f"mean {fixed(spread.mean, 2)}, from {fixed(spread.lowest, 2)} to {fixed(spread.highest, 2)}"


def _cross_check(check: PermutationImportance) -> Block:
    agreement = "" if check.kendall_tau is None else f" Its order agrees with that by mean |SHAP| with a Kendall's tau of {fixed(check.kendall_tau, 2)}."
    return paragraph(
        f"Cross-check: each input is shuffled {check.repeats} times among {whole(check.rows)} rows of the audit part, and the mean {check.loss} is taken again (as it is: "
        f"{shown(check.mean_loss)}). Inputs that go together can each be spared.{agreement}")


def _related(related: RelatedInputs) -> Iterator[Block]:
    if not related.groups:
        yield paragraph(f"No inputs go together: among {related.compared} compared on {whole(related.rows)} training rows no group has an average association of {fixed(related.limit, 1)} ({related.measure}).")
        return
    yield table(
        f"Inputs that go together on {whole(related.rows)} training rows ({related.measure}; average of a group {fixed(related.limit, 1)} or more), as one input each",
        [("inputs", "left", 1.4), ("weakest pair", "right", 0), ("mean |SHAP| of their sum, with 95 % interval", "left", 1.2), ("rank as one", "right", 0)],
        [(", ".join(data_text(name, 60) for name in one.features), fixed(one.weakest, 2), shown(one.mean_abs_shap), str(one.rank)) for one in related.groups])


def _curves(curves: DependenceSection, charts: Charts) -> Iterator[Block]:
    yield paragraph(
        f"Numbers by accumulated local effects, on {our_words(curves.source)}, categories by partial dependence, on {curves.single_rows} of them; blue: 95 % interval of the effect, grey: between the 10th and the 90th "
        f"percentile of {curves.single_rows} single rows. What the model does with a value, not what would happen to a person whose value changed.")
    yield from charts_of(charts, "dependence-")


def _pairs(interactions: InteractionsSection | NotMeasured, output: str) -> Block:
    if isinstance(interactions, NotMeasured):
        return not_measured("Interactions", interactions)
    passed = f" Left aside, since they do not vary in these rows or are free text: {', '.join(data_text(name, 60) for name in interactions.passed_over)}." if interactions.passed_over else ""
    return table(
        f"What two inputs do together, in {our_words(output)}: the largest of {whole(len(interactions.pairs))} pairs of important inputs, on {our_words(interactions.source)}, with 95 % intervals",
        [("input", "left", 1), ("and", "left", 1), ("size", "left", 1)],
        [(data_text(one.first, 60), data_text(one.second, 60), shown(one.size)) for one in interactions.pairs[:MOST_PAIRS]], our_words(interactions.note, 600) + passed, dense=True)


def proxy_blocks(explanation: ExplanationSection, charts: Charts) -> Iterator[Block]:
    """Whether inputs stand in for sensitive attributes."""
    yield heading("Inputs that stand in for sensitive attributes")
    if isinstance(explanation.proxies, NotMeasured):
        yield not_measured("Proxies", explanation.proxies)
        return
    yield from (not_measured("Proxies", scan) for scan in explanation.proxies if isinstance(scan, NotMeasured))
    scans = [scan for scan in explanation.proxies if not isinstance(scan, NotMeasured)]
    if not scans:
        return
    pictures = charts_of(charts, "proxies-")
    small = [one for one in pictures if one["small"]]
    lone = small[-1:] if len(small) % 2 else []
    yield _together(scans)
    yield from _left_out(scans)
    yield from [one for one in pictures if one not in lone]
    yield from beside(lone, _groups(scans))
    yield from _flagged(scans)


def _together(scans: Sequence[ProxyScan]) -> Block:
    own = "" if not any(scan.own_column for scan in scans) else " An attribute that is an input itself was left out of its own scan."
    return table(
        "How well all inputs together tell the groups of each attribute, with 95 % intervals",
        [("attribute", "left", 1), ("training rows, folds", "right", 0), ("AUC", "left", 1), ("balanced accuracy", "left", 1), ("of always naming the largest group", "right", 0.6), ("share of the largest group", "right", 0.6)],
        [(data_text(scan.attribute, 60), f"{whole(scan.rows)}, {scan.folds}", shown(scan.auc), shown(scan.balanced_accuracy), fixed(scan.chance, 3), percent(scan.largest_share)) for scan in scans],
        f"Each row was predicted by a model that did not see it; an AUC of 0.5 is knowing nothing.{own}")


def _left_out(scans: Sequence[ProxyScan]) -> Iterator[Block]:
    rows = [
        (what, f"{data_text(scan.attribute, 60)}: {', '.join(data_text(one, 40) for one in names)}")
        for scan in scans for what, names in (("Groups too small to be learned", scan.left_out_groups), ("Inputs not scanned (free text)", scan.left_out_features)) if names]
    if rows:
        yield facts(rows)


def _groups(scans: Sequence[ProxyScan]) -> list[Block]:
    rows = [(data_text(scan.attribute, 60), data_text(group.group, 60), whole(group.n), shown(group.auc)) for scan in scans if len(scan.groups) > 2 for group in scan.groups]
    return [table("Telling each group of an attribute from all others", [("attribute", "left", 1), ("group", "left", 1), ("n", "right", 0), ("AUC, with 95 % interval", "left", 1)], rows, grouped=True)] if rows else []


def _flagged(scans: Sequence[ProxyScan]) -> Iterator[Block]:
    rows = [(data_text(scan.attribute, 60), data_text(one.feature, 80), shown(one.alone), str(one.rank), percent(one.share_of_score)) for scan in scans for one in scan.features if one.flagged]
    if rows:
        yield table(
            f"Inputs that tell the groups of an attribute alone (lower limit of {fixed(scans[0].strong, 1)} or more) and are among those that move the score most",
            [("attribute", "left", 1), ("input", "left", 1), ("AUC alone, with 95 % interval", "left", 1), ("rank in the model", "right", 0.4), ("share of all mean |SHAP|", "right", 0.6)], rows, grouped=True)
