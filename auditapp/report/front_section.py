"""The front of a search with two objectives, in section 5 of a report: each model of it, and what it does to each group out of fold."""

from __future__ import annotations

from collections.abc import Iterator

from auditapp.report.blocks import Block, charts_of, data_text, facts, heading, paragraph, shown, table
from automl.evidence import Charts, FrontGap, FrontModel, SearchSection
from automl.printing import FAIRNESS_WORDS, metric_words, significant, whole

RATE_WORDS = {"selection_rate": "selection rate", "tpr": "true positive rate", "fpr": "false positive rate"}


def front_blocks(search: SearchSection, charts: Charts) -> Iterator[Block]:
    """Nothing where the search had one objective."""
    front = search.front
    if front is None:
        return
    words, metric = metric_words(search.metric), front.metric.replace("_", " ")
    yield heading("The front of score and fairness objective")
    yield paragraph(front.note)
    yield facts([
        ("Second objective", f"{metric} ({FAIRNESS_WORDS[front.metric]}), {'smaller' if front.direction == 'minimize' else 'larger'} is better"),
        ("Between the groups of", ", ".join(data_text(name) for name in front.attributes)),
        *([("Asked for and not compared", f"{', '.join(data_text(name) for name in front.not_compared)}: no two groups are large enough")] if front.not_compared else []),
        ("A group is compared from", f"{front.smallest_group} people behind each of its rates"), ("Measured on", f"{whole(front.n)} training rows, out of fold"),
        ("Trials with both objectives", whole(front.trials)), ("On the front", f"trials {', '.join(map(str, front.on_front))}; the best score first"),
    ])
    yield from charts_of(charts, "front", exactly=True)
    yield table(
        f"Models of the front, and the one that is deployed, by {words} and {metric}",
        [("model", "left", 1), ("reweighing", "right", 0), (f"{words}, with 95 % interval", "left", 1.2), (metric, "right", 0), ("kept in", "left", 0)],
        [(_name(one), "–" if one.reweighing is None else significant(one.reweighing, 3), shown(one.score), "–" if one.fairness is None else significant(one.fairness, 3), one.folder or "–")
         for one in front.listed],
        "Reweighing is the strength, 0 to 1, with which the rows to learn from were reweighed by group and class (Kamiran and Calders).")
    yield table(
        "The two groups that are furthest apart, higher minus lower (of a ratio, lower over higher); the intervals hold for all pairs of compared groups at once",
        [("model", "left", 1), ("attribute", "left", 0), ("rate", "left", 0), ("groups", "left", 1.2), ("difference, with simultaneous interval", "left", 1.2)],
        [(_name(one), data_text(attribute.attribute, 60), RATE_WORDS[gap.rate], _groups(gap), shown(gap.difference, signed=front.direction == "minimize"))
         for one in front.listed for attribute in one.attributes for gap in attribute.gaps])
    ends = [one for one in front.listed if one.deployed or one in (front.models[0], front.models[-1])]
    yield table(
        "Out-of-fold rates by group, at the ends of the front and of the deployed model",
        [("model", "left", 0), ("attribute", "left", 0), ("group", "left", 1), ("n", "right", 0), ("selection rate", "left", 1.1), ("true positive rate", "left", 1.1), ("false positive rate", "left", 1.1)],
        [(_name(one), data_text(attribute.attribute, 60), data_text(group.group, 60) + ("" if group.compared else " (not compared)"), whole(group.n), shown(group.selection_rate, as_percent=True),
          shown(group.tpr, as_percent=True), shown(group.fpr, as_percent=True)) for one in ends for attribute in one.attributes for group in attribute.groups],
        "With 95 % intervals. The other models of the front are in the attached evidence.")


def _name(model: FrontModel) -> str:
    name = model.family if model.trial is None else f"{model.family} (trial {model.trial})"
    return f"{name}, deployed" if model.deployed else name


def _groups(gap: FrontGap) -> str:
    return f"{data_text(gap.high, 60)}, {data_text(gap.low, 60)}"
