"""Pictures of how the model was found: every trial with the best so far, and the candidates on the audit part."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from automl.charts.front import front_chart
from automl.charts.marks import HALF, axis_labels, axis_title, chart, data, dots_with_intervals, half, interval_rows, series_looks
from automl.evidence import Chart, Estimate, SearchSection
from automl.printing import estimate, metric_words, significant, visible

MAX_MARKS = 1_500


def search_charts(search: SearchSection) -> list[Chart]:
    """The trials with the best so far, the candidates on the audit part, and the front of two objectives."""
    return [made for made in (_trials(search), _leaderboard(search), front_chart(search)) if made is not None]


def _trials(search: SearchSection) -> Chart | None:
    scored = [(trial, trial.score) for trial in search.trials if trial.score is not None]
    if not scored:
        return None
    words, better = metric_words(search.metric), max if search.direction == "maximize" else min
    families = list(dict.fromkeys(trial.family for trial in search.trials))
    best = scored[0][1]
    rows, steps = [], []
    for trial, score in scored:
        best = better(best, score)
        steps.append({"number": trial.number, "best": best})
        rows.append({"number": trial.number, "score": score, "series": visible(trial.family)})
    winner, score = better(scored, key=lambda pair: pair[1])
    title = axis_title(f"out-of-fold {words}", HALF)
    y = alt.Y("score:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(grid=True))
    x = alt.X("number:Q", title="trial", axis=alt.Axis(values=_ticks([trial.number for trial, _ in scored[-MAX_MARKS:]]), format="d", grid=False))
    line = alt.Chart(data(steps[-MAX_MARKS:])).mark_line(interpolate="step-after", color="#7a7a7a", strokeWidth=1.4, aria=False).encode(
        x=x, y=alt.Y("best:Q", scale=alt.Scale(zero=False), title=title))
    dots = alt.Chart(data(rows[-MAX_MARKS:])).mark_point(filled=True, size=60, opacity=0.9, aria=False).encode(
        x=x, y=y, **series_looks([visible(family) for family in families], "family", width=HALF))
    return chart(
        "trials", "search", "Trials of the search", f"Best out-of-fold {words} {significant(score)} at trial {winner.number} ({winner.family}); the grey line is the best so far.",
        half(line, dots, height=235),
        ("trial", "family", "state", f"out-of-fold {words}", "seconds"), [(trial.number, trial.family, trial.state, trial.score, trial.seconds) for trial in search.trials])


def _ticks(numbers: Sequence[int], most: int = 10) -> list[int]:
    """Whole numbers for the axis: between halves Vega's own ticks would read 0, 1, 1, 2, 2."""
    low, high = min(numbers), max(numbers)
    step = next(step for step in (base * 10**power for power in range(9) for base in (1, 2, 5)) if (high - low) // step < most)
    return list(range(-(-low // step) * step, high + 1, step))


def _leaderboard(search: SearchSection) -> Chart | None:
    measured = [(row, row.audit) for row in search.leaderboard if isinstance(row.audit, Estimate)]
    if not measured:
        return None
    words = metric_words(search.metric)
    labels = axis_labels([row.name + (" (chosen)" if row.chosen else "") for row, _ in measured], [None] * len(measured))
    chosen = next(((row, value) for row, value in measured if row.chosen), measured[0])
    return chart(
        "leaderboard", "search", "Candidates on the audit part",
        f"{words[:1].upper()}{words[1:]} of the candidates on the audit part, measured after the choice was made. {chosen[0].name}: {estimate(chosen[1])}.",
        dots_with_intervals(interval_rows(labels, [value for _, value in measured]), f"{words}, with 95 % interval"),
        ("candidate", "family", "out-of-fold", "audit", "low", "high"),
        [(row.name, row.family, row.out_of_fold, *((row.audit.value, row.audit.low, row.audit.high) if isinstance(row.audit, Estimate) else
                                                   (f"not measured: {row.audit.reason}", None, None))) for row in search.leaderboard])
