"""The few kinds of picture that all charts are made of, so that they look like one hand drew them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import altair as alt

from automl.chart_theme import LEGEND_MARK, LETTER, TITLE_LENGTH
from automl.evidence import Chart, ChartTable, Estimate
from automl.printing import visible, whole

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
MAX_SERIES = len(OKABE_ITO)
"""More series than colours told apart by everybody are not drawn as series; the table has them all."""

WIDE, HALF = 640, 312
ROW, ROW_OF_HALF, ROW_OF_TWO_LINES = 20, 19, 27
LABEL_LENGTH = 30
SHORT_LABEL = 20
"""Letters of row labels that leave a picture of half the width room for its marks."""
LINE_HEIGHT = 11
LABEL_OF_DOTS, LABEL_OF_LINES = 24, 28
"""The same where each row has one dot with its interval, which need less room: names of crossings. And where labels are broken in two lines."""
MANY_ROWS = 12
"""Rows of several dots that stand closer from here on: a picture must leave a page room for its table."""
MAX_ROWS = 40
"""Rows of a dot chart; the table behind it has every row."""

LINE_END = "\u00a0"
"""Where a row label is broken into two lines: a space, which every font has, to whoever reads the label elsewhere."""
ABOVE = alt.YValue(0)  # type: ignore[no-untyped-call]
"""Above the plot, where no mark is."""

Section = Literal["search", "performance", "fairness", "explanation", "mitigation", "weaknesses", "reasons"]
Cell = str | float | int | None
Row = dict[str, Any]
Picture = alt.LayerChart | alt.FacetChart


def chart(name: str, section: Section, title: str, sentence: str, picture: alt.TopLevelMixin, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Chart:
    """A `Chart` of an Altair picture. The theme is laid over it when it is drawn, so Altair's own config is taken out."""
    # Holding a spec against the schema takes longer than making it; the tests do that
    spec = picture.to_dict(validate=False)
    spec.pop("config", None)
    spec["datasets"] = {key: list(rows) for key, rows in spec.get("datasets", {}).items()}
    return Chart(name=name, section=section, title=visible(title), sentence=visible(sentence), spec=spec,
                 table=ChartTable(columns=tuple(columns), rows=tuple(tuple(row) for row in rows)))


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Rows as inline values, every row with the same keys: names from the data are values under keys of ours."""
    # A tuple, which Altair hands on where it would copy every row of a list for every layer
    return alt.InlineData(values=tuple(rows))


def wide(*layers: alt.Chart, height: int | alt.Step, width: int = WIDE) -> Picture:
    """Layers over the whole width, or over ``width`` where rows give the height. Their size is said at once: with each word said later, Altair would copy all of it again."""
    picture: Picture = alt.layer(*layers, width=width, height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    return picture


def half(*layers: alt.Chart, height: int = 250) -> Picture:
    """Layers of a picture that stands beside another one."""
    picture: Picture = alt.layer(*layers, width=HALF, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    return picture


def axis_labels(names: Sequence[str], counts: Sequence[int | None]) -> list[str]:
    """Short labels with n, each different from the others even where two long names are cut to the same beginning."""
    labels: list[str] = []
    for name, n in zip(names, counts, strict=True):
        short = visible(name, LABEL_LENGTH) or "(empty)"
        label = short if n is None else f"{short} (n = {whole(n)})"
        twin = 2
        while label in labels:
            label = f"{short} [{twin}]" if n is None else f"{short} [{twin}] (n = {whole(n)})"
            twin += 1
        labels.append(label)
    return labels


def interval_rows(labels: Sequence[str], estimates: Sequence[Estimate], **more: Sequence[Any]) -> list[Row]:
    """One data row per estimate: its label, its place from the top, value and limits, and the i-th of each of ``more``."""
    return [
        {"label": label, "place": place, "value": one.value, "low": one.low, "high": one.high, **{key: values[place] for key, values in more.items()}}
        for place, (label, one) in enumerate(zip(labels, estimates, strict=True))
    ]


def number_axis(x_format: str | None = None, width: int = WIDE) -> alt.Axis:
    """Without a format Vega writes plain numbers with as many digits as the ticks need: no "100m", no "1e+6"."""
    ticks = 6 if width == WIDE else 3
    return alt.Axis(tickCount=ticks) if x_format is None else alt.Axis(format=x_format, tickCount=ticks)


def by_place(title: str | None = None, *, lines: bool = False) -> alt.Y:
    # Sorting by a number: a list of names would be written into an expression
    """The y axis of named rows, in the order of their ``place``. ``lines``: labels are broken at LINE_END."""
    axis = alt.Axis(labelLimit=340, labelPadding=10, ticks=False, domain=False)
    if lines:  # Vega lays the first line on the row, not the middle of both
        axis["labelExpr"], axis["labelLineHeight"], axis["labelOffset"] = f"split(datum.label, '{LINE_END}')", LINE_HEIGHT, -LINE_HEIGHT / 2
    return alt.Y("label:N", sort=alt.EncodingSortField("place", op="min", order="ascending"), title=title, axis=axis)


def width_of(labels: Sequence[str], *, beside: bool = True, most: int = SHORT_LABEL) -> int:
    """Half the width where the row labels are short, so that two pictures stand beside each other on paper; else, or where it may not be ``beside`` another, all of it."""
    return HALF if beside and max(map(len, labels), default=0) <= most else WIDE


def axis_title(words: str, width: int) -> str | list[str]:
    """An axis title in lines that fit below a picture of this width."""
    lines = textwrap.wrap(words, TITLE_LENGTH if width == HALF else len(words) + 1)
    return words if len(lines) <= 1 else lines


def dots_with_intervals(
    rows: Sequence[Row], x_title: str, *, x_format: str | None = None, rules: Sequence[tuple[float, str]] = (), zero: bool = False,
    status: dict[str, tuple[str, str]] | None = None, status_title: str = "", beside: bool = True,
) -> Picture:
    """One dot and interval a row. ``rules``: upright lines with their words. ``status``: word to (colour, shape), read from each row's "status". ``beside``: may stand beside another picture."""
    rows = rows[:MAX_ROWS]
    rows, lines = _in_lines(rows) if beside else (rows, [row["label"] for row in rows])
    width = width_of(lines, beside=beside, most=LABEL_OF_LINES if len(lines) > len(rows) else LABEL_OF_DOTS)
    y = by_place(lines=len(lines) > len(rows))
    height = ROW if width == WIDE else ROW_OF_HALF if len(lines) == len(rows) else ROW_OF_TWO_LINES
    title = axis_title(x_title, width)
    x = alt.X("value:Q", title=title, axis=number_axis(x_format, width), scale=alt.Scale(zero=zero, nice=True))
    base = alt.Chart(data(rows))
    bars = base.mark_rule(strokeWidth=2, opacity=1, aria=False).encode(y=y, x=alt.X("low:Q", title=title, scale=alt.Scale(zero=zero)), x2=alt.X2("high:Q"))
    dots = base.mark_point(filled=True, size=62, opacity=1, aria=False).encode(y=y, x=x)
    if status:
        words = [word for word in status if any(row.get("status") == word for row in rows)]
        legend = _legend(words, lines, 4, width)
        colour = alt.Color("status:N", title=status_title, scale=alt.Scale(domain=words, range=[status[word][0] for word in words]), legend=legend)
        shape = alt.Shape("status:N", title=status_title, scale=alt.Scale(domain=words, range=[status[word][1] for word in words]), legend=legend)
        bars, dots = bars.encode(color=colour), dots.encode(color=colour, shape=shape)
    else:
        bars, dots = bars.encode(color=alt.ColorValue(OKABE_ITO[0])), dots.encode(color=alt.ColorValue(OKABE_ITO[0]))
    layers: list[Any] = [bars, dots, *(layer for at, words in rules for layer in _rule(at, words))]
    return wide(*layers, height=alt.Step(height), width=width)


def _in_lines(rows: Sequence[Row]) -> tuple[Sequence[Row], list[str]]:
    """The rows, and the lines of their labels. Where a label leaves half the width no room, all of them are broken in two if that is enough for each."""
    labels = [row["label"] for row in rows]
    if max(map(len, labels), default=0) <= LABEL_OF_DOTS:
        return rows, labels
    broken = [{**row, "label": _broken(row["label"])} for row in rows]
    lines = [line for row in broken for line in row["label"].split(LINE_END)]
    return (broken, lines) if max(map(len, lines)) <= LABEL_OF_LINES else (rows, labels)


def _broken(label: str) -> str:
    """In two lines where a crossing's parts meet or before n, whichever leaves the shorter ones."""
    name, n, count = label.rpartition(" (n = ")
    first, cross, second = name.partition(" x ")
    found = [(name, f"{n.strip()} {count}"), *([(f"{first} x", f"{second}{n}{count}")] if cross else [])]
    return LINE_END.join(min(found, key=lambda lines: max(map(len, lines))))


def _rule(at: float, words: str) -> list[alt.Chart]:
    line = alt.Chart(data([{"at": at, "words": words}]))
    return [
        line.mark_rule(strokeDash=[5, 3], strokeWidth=1.2, color="#7a7a7a", aria=False).encode(x=alt.X("at:Q")),
        line.mark_text(align="center", baseline="bottom", dy=-4, fontSize=10.5, aria=False).encode(x=alt.X("at:Q"), y=ABOVE, text=alt.Text("words:N")),
    ]


def _legend(names: Sequence[str], beside: Sequence[str], most: int, width: int = WIDE) -> alt.Legend:
    """Below the plot, in as many columns as fit: a legend begins where the plot does, right of the labels ``beside`` it, and Vega cuts off what runs out of the picture."""
    room = width - min(max(map(len, beside), default=0) * LETTER, 340) - 30
    columns = max(1, min(most, int(room / (max(map(len, names), default=0) * LETTER + LEGEND_MARK))))
    return alt.Legend(orient="bottom", direction="horizontal", columns=columns, labelLimit=440, titleLimit=600, symbolStrokeWidth=0)


def series_looks(names: Sequence[str], title: str, beside: Sequence[str] = (), width: int = WIDE) -> dict[str, Any]:
    """Colour and shape for a row's "series"; the second channel is for who sees no colour. ``beside``: the labels left of the plot."""
    # A domain is a list of values to Vega, where a sort order would become an expression
    legend, lines = _legend(names, beside, MAX_SERIES // 2, width), axis_title(title, width) if title else ""
    colour = alt.Color("series:N", title=lines, scale=alt.Scale(domain=list(names), range=list(OKABE_ITO[:len(names)])), legend=legend)
    shape = alt.Shape("series:N", title=lines, scale=alt.Scale(domain=list(names), range=list(SHAPES[:len(names)])), legend=legend)
    return {"color": colour, "shape": shape}


def grouped_dots(
    rows: Sequence[Row], x_title: str, series: Sequence[str], series_title: str, *, x_format: str | None = None, zero: bool = True, beside: bool = True,
) -> Picture:
    """Several dots a row, one below the other: one a series; with intervals where rows have "low" and "high". ``beside``: may stand beside another picture."""
    in_lines, labels = _in_lines(rows) if beside else (rows, [row["label"] for row in rows])
    # the legend begins where the plot does, right of the labels
    room = HALF - LETTER * max(map(len, labels), default=0) - LEGEND_MARK
    width = width_of(labels, beside=beside and LETTER * max(map(len, series), default=0) <= room, most=SHORT_LABEL if len(labels) == len(rows) else LABEL_OF_LINES)
    if width == WIDE:
        labels = [row["label"] for row in rows]
    else:
        rows = in_lines
    title = axis_title(x_title, width)
    y = by_place(lines=len(labels) > len(rows))
    offset = alt.YOffset("series:N", scale=alt.Scale(domain=list(series), paddingOuter=0.6))
    looks = series_looks(series, series_title, labels, width)
    base = alt.Chart(data(rows))
    dots = base.mark_point(filled=True, size=42, opacity=1, aria=False).encode(
        y=y, yOffset=offset, x=alt.X("value:Q", title=title, axis=number_axis(x_format, width), scale=alt.Scale(zero=zero)), **looks)
    layers: list[Any] = [dots]
    if rows and "low" in rows[0]:
        bars = base.mark_rule(strokeWidth=1.6, opacity=1, aria=False).encode(
            y=y, yOffset=offset, x=alt.X("low:Q", title=title, scale=alt.Scale(zero=zero)), x2=alt.X2("high:Q"), color=looks["color"])
        layers.insert(0, bars)
    each, between = (7, 8) if len({row["label"] for row in rows}) <= MANY_ROWS else (6, 5)
    height = alt.Step(each * len(series) + between, **{"for": "position"})
    return wide(*layers, height=height, width=width)


def reliability_lines(rows: Sequence[Row], series: Sequence[str]) -> Picture:
    """Observed rates ("y", with "low" and "high") over mean probabilities ("x"), a line a "series"; the dashed diagonal is where the two agree. Half as wide as a page."""
    looks, unit = series_looks(series, "", width=HALF), alt.Scale(domain=[0, 1])
    diagonal: alt.Chart = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(color="#7a7a7a", strokeDash=[5, 3], strokeWidth=1, aria=False).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    base = alt.Chart(data(rows))
    x = alt.X("x:Q", title="mean probability in the bin", scale=unit)
    y = alt.Y("y:Q", title="observed rate", scale=unit, axis=alt.Axis(grid=True))
    bars = base.mark_rule(strokeWidth=1.2, opacity=0.6, aria=False).encode(x=x, y=alt.Y("low:Q", title="observed rate", scale=unit), y2=alt.Y2("high:Q"), color=looks["color"])
    lines = base.mark_line(strokeWidth=1.2, aria=False).encode(x=x, y=y, color=looks["color"])
    dots = base.mark_point(filled=True, size=42, opacity=1, aria=False).encode(x=x, y=y, **looks)
    return half(diagonal, bars, lines, dots, height=280)
