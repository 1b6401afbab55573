"""How far predicted numbers are off: part of section 5."""

from __future__ import annotations

from collections.abc import Iterator

from auditapp.report.blocks import Block, charts_of, data_text, heading, not_measured, paragraph, shown, table
from automl.evidence import Charts, NotMeasured, PredictionInterval, Residuals
from automl.printing import percent, significant, whole


def residual_blocks(residuals: Residuals, charts: Charts) -> Iterator[Block]:
    yield heading("How far predictions are off")
    yield from charts_of(charts, "truth-against-prediction", exactly=True) + charts_of(charts, "residuals", exactly=True)
    yield table(
        "Truth minus prediction along the predictions, in bins of about equal count; the intervals hold for all bins at once, at 95 %",
        [("predicted", "left", 1), ("n", "right", 0), ("mean prediction", "right", 0), ("mean residual", "left", 1), ("5 % lie below", "right", 0), ("25 %", "right", 0), ("median", "right", 0), ("75 %", "right", 0), ("95 %", "right", 0)],
        [(f"{significant(one.low)} to {significant(one.high)}", whole(one.n), significant(one.mean_prediction), shown(one.mean_residual, signed=True), *(significant(quantile, 3) for quantile in one.residuals))
         for one in residuals.bins])
    yield table("Absolute errors, with 95 % intervals", [("share of rows", "left", 1), ("off by at most", "left", 1)], [(percent(one.level, 0), shown(one.error)) for one in residuals.errors], share=1)
    if isinstance(residuals.interval, NotMeasured):
        yield not_measured("An interval beside each prediction", residuals.interval)
    else:
        yield _held(residuals.interval)
        yield paragraph(
            f"The interval is the prediction minus and plus {significant(residuals.interval.half_width)}: what {percent(residuals.interval.level, 0)} of the errors of {whole(residuals.interval.learned_from)} training rows "
            "stay within, each predicted by a model that had not seen it. How far it holds is what the table measures.")


def _held(interval: PredictionInterval) -> Block:
    groups = [(f"{data_text(attribute, 60)}: {data_text(one.group, 60)}", whole(one.n), shown(one.coverage, as_percent=True)) for attribute, held in interval.by_group.items() for one in held]
    return table(
        f"Truth within the interval of {percent(interval.level, 0)} beside each prediction", [("rows", "left", 1), ("n", "right", 0), ("share within", "left", 1)],
        [("all", whole(interval.coverage.n) if not isinstance(interval.coverage, NotMeasured) else "", shown(interval.coverage, as_percent=True)), *groups],
        "The intervals of groups hold for all groups of an attribute at once, at 95 %." if groups else "", share=1.4)
