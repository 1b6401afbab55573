"""Parts of section 10 of a report: how far the order of the inputs can be relied on, how the output goes with them, and proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditapp.report.blocks import Block, beside, charts_of, data_text, facts, heading, not_measured, our_words, paragraph, shown, table
from automl.evidence import (
    Background,
    Charts,
    DependenceSection,
    ExplanationSection,
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
        f"Numbers by accumulated local effects, categories by partial dependence, on {our_words(curves.source)}; blue: 95 % interval of the effect, grey: between the 10th and the 90th "
        f"percentile of {curves.single_rows} single rows. What the model does with a value, not what would happen to a person whose value changed.")
    yield from charts_of(charts, "dependence-")


def proxy_blocks(explanation: ExplanationSection, charts: Charts) -> Iterator[Block]:
    """Whether inputs stand in for sensitive attributes."""
    yield heading("Inputs that stand in for sensitive attributes")
    if isinstance(explanation.proxies, NotMeasured):
        yield not_measured("Proxies", explanation.proxies)
        return
    pictures = iter(charts_of(charts, "proxies-"))
    for scan in explanation.proxies:
        if isinstance(scan, NotMeasured):
            yield not_measured("Proxies", scan)
            continue
        drawn = scan.features and not isinstance(scan.auc, NotMeasured) and any(not isinstance(one.alone, NotMeasured) for one in scan.features)
        picture = [found for found in [next(pictures, None)] if found] if drawn else []
        yield from [*beside(picture, _scan(scan)), *_flagged(scan)]


def _scan(scan: ProxyScan) -> list[Block]:
    name = data_text(scan.attribute, 60)
    blocks = [facts([
        ("Attribute", name + (", which is an input itself and was left out of the scan" if scan.own_column else "")),
        ("Predicted on", f"{whole(scan.rows)} training rows in {scan.folds} folds, each row by a model that did not see it"),
        ("AUC of all inputs together", f"{shown(scan.auc)}; 0.5 is knowing nothing"), ("Balanced accuracy", f"{shown(scan.balanced_accuracy)}; always naming the largest group gives {fixed(scan.chance, 3)}"),
        ("Share of the largest group", percent(scan.largest_share)),
        *([("Groups too small to be learned", ", ".join(data_text(group, 40) for group in scan.left_out_groups))] if scan.left_out_groups else []),
        *([("Inputs not scanned (free text)", ", ".join(data_text(one, 40) for one in scan.left_out_features))] if scan.left_out_features else []),
    ])]
    if len(scan.groups) > 2:
        blocks.append(table(f"Telling each group of {name} from all others", [("group", "left", 1), ("n", "right", 0), ("AUC, with 95 % interval", "left", 1)],
                            [(data_text(group.group, 60), whole(group.n), shown(group.auc)) for group in scan.groups]))
    return blocks


def _flagged(scan: ProxyScan) -> Iterator[Block]:
    flagged = [one for one in scan.features if one.flagged]
    if flagged:
        yield table(
            f"Inputs that tell the groups of {data_text(scan.attribute, 60)} alone (lower limit of {fixed(scan.strong, 1)} or more) and are among those that move the score most",
            [("input", "left", 1), ("AUC alone, with 95 % interval", "left", 1), ("rank in the model", "right", 0), ("share of all mean |SHAP|", "right", 0)],
            [(data_text(one.feature, 80), shown(one.alone), str(one.rank), percent(one.share_of_score)) for one in flagged])
