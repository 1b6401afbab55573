"""The picture of a search with two objectives: every trial by score and by how far the groups are apart, and the front that no trial is beyond."""

from __future__ import annotations

import altair as alt

from automl.charts.marks import OKABE_ITO, Picture, Row, chart, data, number_axis, wide
from automl.evidence import Chart, Front, FrontModel, SearchSection
from automl.printing import FAIRNESS_WORDS, estimate, metric_words, significant, visible

LOOKS = {"on the front": (OKABE_ITO[0], "circle"), "another trial": ("#7a7a7a", "cross"), "deployed model": (OKABE_ITO[1], "diamond")}
MAX_MARKS = 1_500


def front_chart(search: SearchSection) -> Chart | None:
    """Score against the fairness objective, out of fold; None where the search had one objective."""
    front = search.front
    if front is None:
        return None
    on_front, words = set(front.on_front), metric_words(search.metric)
    points = [(trial, trial.score, trial.fairness) for trial in search.trials if trial.score is not None and trial.fairness is not None]
    rows: list[Row] = [
        {"fairness": fairness, "score": score, "series": "on the front" if trial.number in on_front else "another trial", "label": f"trial {trial.number} ({visible(trial.family)})"}
        for trial, score, fairness in points]
    rows.sort(key=lambda row: row["series"] == "on the front")
    deployed = _place(front.deployed, search.out_of_fold_score)
    drawn = rows[-MAX_MARKS:] + deployed
    steps = [{"fairness": row["fairness"], "score": row["score"]} for row in rows if row["series"] == "on the front"]
    return chart(
        "front", "search", "Score and fairness objective of the trials", _sentence(front, words), _picture(drawn, steps, front, words),
        ("model", "family", f"out-of-fold {words}", front.metric.replace("_", " "), "on the front", "reweighing"),
        [*((trial.number, trial.family, score, fairness, "yes" if trial.number in on_front else "no", trial.params.get("reweighing")) for trial, score, fairness in points),
         *(("deployed", front.deployed.family, row["score"], row["fairness"], None, None) for row in deployed)])


def _place(model: FrontModel, score: float) -> list[Row]:
    return [] if model.fairness is None else [{"fairness": model.fairness, "score": score, "series": "deployed model", "label": "deployed model"}]


def _picture(rows: list[Row], steps: list[Row], front: Front, words: str) -> Picture:
    x = alt.X("fairness:Q", title=f"{front.metric.replace('_', ' ')}: {FAIRNESS_WORDS[front.metric]}", axis=number_axis(), scale=alt.Scale(zero=False, nice=True))
    y = alt.Y("score:Q", title=f"out-of-fold {words}", axis=alt.Axis(grid=True), scale=alt.Scale(zero=False))
    named = [name for name in LOOKS if any(row["series"] == name for row in rows)]
    legend = alt.Legend(orient="bottom", direction="horizontal", labelLimit=320, symbolStrokeWidth=0)
    colour = alt.Color("series:N", title=None, scale=alt.Scale(domain=named, range=[LOOKS[name][0] for name in named]), legend=legend)
    shape = alt.Shape("series:N", title=None, scale=alt.Scale(domain=named, range=[LOOKS[name][1] for name in named]), legend=legend)
    # a line through the points would promise models between them: each step is what a limit on the horizontal axis leaves
    line = alt.Chart(data(steps)).mark_line(
        interpolate="step-after" if front.direction == "minimize" else "step-before", color=LOOKS["on the front"][0], strokeWidth=1.4, aria=False,
    ).encode(x=x, y=y, order=alt.Order("fairness:Q"))
    dots = alt.Chart(data(rows)).mark_point(filled=True, size=70, opacity=0.9, aria=False).encode(x=x, y=y, color=colour, shape=shape)
    return wide(line, dots, height=240)


def _sentence(front: Front, words: str) -> str:
    ends = [front.models[0]] if len(front.models) == 1 else [front.models[0], front.models[-1]]
    said = [f"trial {one.trial} ({one.family}): {words} {estimate(one.score)}, {front.metric.replace('_', ' ')} {_value(one)}" for one in ends]
    return (f"Out of fold on the training rows. The ends of the front are {' and '.join(said)}. The deployed model: {words} {estimate(front.deployed.score)}, "
            f"{front.metric.replace('_', ' ')} {_value(front.deployed)}.") if len(ends) == 2 else (
            f"Out of fold on the training rows. One trial is ahead of all others in both: {said[0]}. The deployed model: {words} {estimate(front.deployed.score)}, "
            f"{front.metric.replace('_', ' ')} {_value(front.deployed)}.")


def _value(model: FrontModel) -> str:
    return "not defined" if model.fairness is None else significant(model.fairness, 3)
