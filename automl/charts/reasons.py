"""Pictures of the reasons for unfavourable decisions: which are stated how often, in all and by group."""

from __future__ import annotations

from collections.abc import Iterator

from automl.charts.marks import MAX_SERIES, Row, axis_labels, chart, dots_with_intervals, grouped_dots, interval_rows
from automl.evidence import Chart, Estimate, ReasonRow, ReasonsSection
from automl.printing import estimate, whole

REASONS_DRAWN = 20
REASONS_BY_GROUP = 6


def reasons_charts(reasons: ReasonsSection) -> list[Chart]:
    """How often each reason is stated, and the same by group of each attribute."""
    charts = [_stated(reasons), *_by_group(reasons)]
    return [made for made in charts if made is not None]


def _stated(reasons: ReasonsSection) -> Chart | None:
    measured = [(row, share) for row in reasons.table if row.excluded is None and isinstance(share := row.stated, Estimate)]
    drawn = [(row, share) for row, share in measured if share.value > 0][:REASONS_DRAWN]
    if not drawn:
        return None
    rows = interval_rows(axis_labels([row.reason for row, _ in drawn], [None] * len(drawn)), [share for _, share in drawn])
    first, share = drawn[0]
    return chart(
        "reasons-stated", "reasons", "Reasons for unfavourable decisions",
        f"Stated most often: {first.reason}, in {estimate(share, as_percent=True)} of {whole(share.n)} unfavourable rows; up to {reasons.policy.most} reasons a row.",
        dots_with_intervals(rows, "share of unfavourable rows with this reason, with 95 % interval", x_format=".0%", zero=True),
        ("reason", "share of rows", "low", "high", "first reason in rows"), [(row.reason, one.value, one.low, one.high, row.first) for row, one in measured])


def _by_group(reasons: ReasonsSection) -> Iterator[Chart]:
    rows = [row for row in reasons.table if row.by_group]
    attributes = sorted({attribute for row in rows for attribute in row.by_group})  # as it is stored, where keys are sorted
    for place, attribute in enumerate(attributes, start=1):
        made = _of_attribute([row for row in rows if attribute in row.by_group], attribute, place)
        if made is not None:
            yield made


def _of_attribute(rows: list[ReasonRow], attribute: str, place: int) -> Chart | None:
    sizes = {share.group: share.n for row in rows for share in row.by_group[attribute]}
    largest = sorted(sizes, key=lambda group: -sizes[group])[:MAX_SERIES]
    # in reading order, as the table has them
    series = [group for group in sizes if group in largest]
    named = dict(zip(series, axis_labels(series, [sizes[group] for group in series]), strict=True))
    drawn = rows[:REASONS_BY_GROUP]
    labels = axis_labels([row.reason for row in drawn], [None] * len(drawn))
    marks: list[Row] = [
        {"label": labels[at], "place": at, "series": named[share.group], "value": share.share.value, "low": share.share.low, "high": share.share.high}
        for at, row in enumerate(drawn) for share in row.by_group[attribute] if share.group in named and isinstance(share.share, Estimate)]
    if not marks or len(series) < 2:
        return None
    said = "; ".join(f"{share.group} {estimate(share.share, as_percent=True)}, n = {whole(share.n)}" for share in rows[0].by_group[attribute] if share.group in named)
    part = " The picture shows the largest groups, the table all." if len(sizes) > len(series) else ""
    return chart(
        f"reasons-by-group-{place}", "reasons", f"Reasons by {attribute}", f"How often {rows[0].reason} is a reason for an unfavourable decision, by {attribute}: {said}.{part}",
        grouped_dots(marks, "share of the group's unfavourable rows, with 95 % interval", list(named.values()), "Group", x_format=".0%"),
        ("reason", "group", "n", "share of rows", "low", "high"),
        [(row.reason, share.group, share.n, one.value, one.low, one.high) for row in rows for share in row.by_group[attribute] if isinstance(one := share.share, Estimate)])
