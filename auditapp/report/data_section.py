"""Section 4 of a report: the table, who is in it, and what is missing."""

from __future__ import annotations

from auditapp.report.blocks import Align, Block, data_text, ended, facts, note, our_words, paragraph, shown, stated, table
from auditapp.statements.document import Statements
from automl.evidence import Estimate, Evidence, NotMeasured
from automl.printing import missing_table, percent, test_words, whole

MOST_COLUMNS = 80
MOST_INPUTS = 5


def data_section(evidence: Evidence, statements: Statements | None) -> list[Block]:
    data = evidence.data
    reading = data.reading
    how = ", ".join(part for part in (reading.format, reading.compression, reading.encoding, f"delimiter {reading.delimiter!r}" if reading.delimiter else None) if part)
    blocks: list[Block] = [
        facts([
            ("Rows in the table", whole(data.rows)), ("Read as", how), ("SHA-256 of the file", data.sha256),
            ("Split", f"{data.split.method}: {whole(data.split.train)} rows to learn from, {whole(data.split.audit)} rows set aside for the audit" if data.split.train
             else f"{whole(data.split.audit)} rows audited; nothing was learned here"),
            ("How it was split", our_words(data.split.detail or data.split.method, 400)), ("Seed of the split", str(data.split.seed)),
        ]),
        *_target(evidence),
    ]
    if any(one.n for one in data.left_out):
        blocks.append(table("Rows left out", [("reason", "left", 1), ("rows", "right", 0)], [(our_words(one.reason), whole(one.n)) for one in data.left_out if one.n], share=1))
    blocks += _representation(evidence)
    columns = data.columns[:MOST_COLUMNS]
    blocks.append(table(
        "Columns", [("column", "left", 1.6), ("role", "left", 0), ("type", "left", 0), ("missing", "right", 0), ("distinct", "right", 0), ("used as feature", "left", 0), ("note", "left", 1)],
        [(data_text(one.name, 60), one.role, one.type, whole(one.missing), whole(one.distinct), "yes" if one.used_as_feature else "no", our_words(one.note, 120) if one.note else "")
         for one in columns],
        "" if len(columns) == len(data.columns) else "Further columns are in the attached evidence.", dense=True))
    inputs, groups = missing_table(data)
    if groups:
        blocks.append(table(
            "Cells missing by group, with 95 % intervals", [("attribute", "left", 1), ("group", "left", 1.2), ("n", "right", 0), *((data_text(name, 40), "left", 1.0) for name in inputs[:MOST_INPUTS])],
            [(data_text(attribute), data_text(group, 60), whole(n), *(shown(share, as_percent=True) for share in shares[:MOST_INPUTS])) for attribute, group, n, shares in groups],
            "" if len(inputs) <= MOST_INPUTS else f"The {MOST_INPUTS} inputs with the most missing cells; the attached evidence has more.", dense=True, grouped=True))
    for one in data.quality:
        blocks.append(paragraph(f"{ended(one.text)} {one.suggestion}".strip()))
    return [*blocks, stated(statements, 4)]


def _representation(evidence: Evidence) -> list[Block]:
    """Who is in the table, and, where a population was named, whether they are as many as in it."""
    data, population = evidence.data, evidence.spec.population
    unknown = "; ".join(f"{data_text(name)}: {whole(n)}" for name, n in data.unknown.items())
    left_out = f"Rows of unknown value, in no group and never imputed: {unknown}." if unknown else ""
    if not data.representation:
        return [paragraph(left_out)] if left_out else []
    compared = any(one.test for one in data.representation)
    number = data.target is not None and data.target.task == "regression"
    rows = [(data_text(one.attribute), data_text(group.group, 60), whole(group.n), shown(group.share, as_percent=True), shown(group.base_rate, as_percent=not number),
             *([] if not compared else ["–" if group.population_share is None else percent(group.population_share), "–" if group.to_population is None else shown(group.to_population)]))
            for one in data.representation for group in one.groups]
    tests = " ".join(f"{data_text(one.attribute)}: {f'not measured: {one.test.reason}' if isinstance(one.test, NotMeasured) else test_words(one.test)}."
                     for one in data.representation if one.test is not None)
    of_population: list[tuple[str, Align, float]] = [("share of the population", "right", 0.7), ("times its share", "left", 1)]
    blocks: list[Block] = [table(
        "Who is in the table: rows to learn from and audited rows together, with 95 % intervals" if data.split.train else "Who is in the table, with 95 % intervals",
        [("attribute", "left", 1), ("group", "left", 1.2), ("n", "right", 0), ("share", "left", 1), ("mean of the target" if number else "base rate of the favourable outcome", "left", 1),
         *(of_population if compared else [])],
        rows, left_out, dense=True, grouped=True)]
    if population is None:
        return [*blocks, note("No population was named to compare these shares with: whether the groups are as many as among those whom the decisions are about is not measured.")]
    return [*blocks, paragraph(f"The shares of the population are taken as known; the rows against them, by chi-squared: {tests} Source: {data_text(population.source, 500)}")]


def _target(evidence: Evidence) -> list[Block]:
    target = evidence.data.target
    if target is None:
        return [paragraph("No target column was given: what needs the true outcome is not measured.")]
    rows = [(data_text(label), shown(rate, as_percent=True), whole(rate.n) if isinstance(rate, Estimate) else "") for label, rate in target.base_rates.items()]
    inferred = "inferred from its values" if target.inferred else "as stated"
    blocks: list[Block] = [facts([
        ("Target", data_text(target.name)), ("Task", f"{target.task} ({inferred})"),
        *([("Positive class", data_text(target.positive))] if target.positive is not None else []),
        *([("Favourable outcome", ", ".join(map(data_text, target.favourable)))] if target.favourable else []),
        *([("Mean of the target", shown(target.mean))] if target.mean is not None else []),
    ])]
    if rows:
        blocks.append(table("Base rates over all rows with a target", [("class", "left", 1), ("share, with 95 % interval", "left", 1), ("n", "right", 0)], rows, share=1))
    return blocks
