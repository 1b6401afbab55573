"""Section 11 of a report: the reasons for unfavourable decisions, how well they hold, and a few decisions as examples. The rows themselves are no part of it."""

from __future__ import annotations

from collections.abc import Iterator

from auditapp.report.blocks import (
    NOT_PROVIDED,
    Block,
    charts_of,
    data_text,
    facts,
    heading,
    in_pairs,
    not_measured,
    note,
    our_words,
    paragraph,
    shown,
    stated,
    table,
)
from auditapp.statements.document import Statements
from automl.evidence import Charts, Counterfactual, Estimate, Evidence, NotMeasured, ReasonExample, ReasonRow, ReasonsSection, StatedReason
from automl.printing import WORDING_WORDS, fixed, percent, significant, whole

MOST_REASONS = 40
COLUMNS_LISTED = 12


def reasons_section(evidence: Evidence, charts: Charts, statements: Statements | None) -> list[Block]:
    """Rules, table, quality, examples; the reason where reasons were not measured."""
    human = stated(statements, 11)
    if isinstance(evidence.reasons, NotMeasured):
        return [not_measured("Reasons", evidence.reasons), human]
    reasons = evidence.reasons
    return [
        *[paragraph(text) for text in reasons.notes], _rules(reasons), *in_pairs([*charts_of(charts, "reasons-stated", exactly=True), *charts_of(charts, "reasons-by-group-")]), _table(reasons),
        heading("How well the reasons hold"), _quality(reasons), *_changes(reasons), *_examples(reasons),
        note(f"The reasons of every explained row are in {reasons.file} of the run's files; they are personal data, and the examples above are all that this document has of them."), human]


def _rules(reasons: ReasonsSection) -> Block:
    rules = reasons.policy
    return facts([
        ("Decided unfavourably", f"{whole(rules.unfavourable)} rows of the audit part; reasons for {whole(rules.explained)}: {rules.chosen_by}"),
        ("Explained", f"{our_words(rules.output)}; favourable from {significant(rules.cut)} on"),
        ("Compared with (m1)", f"{rules.at_the_cut.source}; scores {significant(rules.at_the_cut_scores[0])} to {significant(rules.at_the_cut_scores[1])}; SHA-256 {rules.at_the_cut.sha256[:16]}…"),
        ("For comparison (m2)", f"{whole(rules.all_applicants.n)} {rules.all_applicants.source}; SHA-256 {rules.all_applicants.sha256[:16]}…"),
        ("Stated at most", f"{rules.most} reasons a decision (a setting, not a legal limit), each at least {percent(rules.materiality)} of the distance to the cut and of the strongest reason"),
        ("Ties", rules.tie_break),
        *([("Grouped", "; ".join(f"{data_text(name, 60)}: {', '.join(data_text(one, 40) for one in members)}" for name, members in rules.groups.items()))] if rules.groups else []),
        ("Explainer", f"{rules.explainer}; largest error of the sum {significant(rules.additivity_error, 2)}"),
    ])


def _table(reasons: ReasonsSection) -> Block:
    rows = reasons.table[:MOST_REASONS]
    return table(
        "Reasons by how often they are stated; texts are a person's", [("reason", "left", 1), ("code", "left", 0), ("text", "left", 1.3), ("approved by", "left", 0.7), ("share of rows", "left", 1), ("first", "right", 0)],
        [(data_text(row.reason, 60), data_text(row.code, 40) if row.code else "–", *_words(row), shown(row.stated, as_percent=True), whole(row.first)) for row in rows],
        ("Of an excluded input the share says in how many rows it would have been stated." if any(row.excluded for row in rows) else "")
        + ("" if len(rows) == len(reasons.table) else " Further reasons are in the attached evidence."))


def _words(row: ReasonRow) -> tuple[str, str]:
    if row.excluded is not None:
        return f"never stated: {row.excluded}", "–"
    return data_text(row.text, 160) if row.text else NOT_PROVIDED, data_text(row.approved_by, 60) if row.approved_by else "nobody"


def _quality(reasons: ReasonsSection) -> Block:
    quality, most = reasons.quality, reasons.policy.most
    rows = [
        ("Decisions without any reason", shown(quality.none, as_percent=True)),
        (f"Decisions with fewer than {most} reasons", shown(quality.fewer, as_percent=True)),
        (f"Flip test: with the stated inputs as {quality.flip_backgrounds} people at the cut have them, the mean score reaches the cut", shown(quality.flip_crosses, as_percent=True)),
        (f"The same, or moves at least {percent(quality.flip_share, 0)} of the distance", shown(quality.flip_moves, as_percent=True)),
        (f"Stability: overlap (Jaccard) with the lists against {quality.stability_backgrounds} resampled backgrounds", shown(quality.stability)),
        ("Overlap (Jaccard) of the lists against m1 and m2", shown(quality.overlap)),
        ("Same first reason against m1 and m2", shown(quality.same_first, as_percent=True)),
        ("Decisions with a reason that has no approved text", shown(quality.without_approved_text, as_percent=True)),
        ("Decisions in which an excluded input would have been stated", shown(quality.excluded_would_be_stated, as_percent=True)),
    ]
    wordings = "; ".join(f"{WORDING_WORDS[wording]}: {whole(n)}" for wording, n in quality.wordings.items())
    return table("Quality of the reasons, with 95 % intervals", [("measure", "left", 1.8), ("value", "left", 1)], rows, f"Stated reasons by their wording: {wordings}." if wordings else "")


def _changes(reasons: ReasonsSection) -> Iterator[Block]:
    yield heading("What would have changed a decision")
    quality = reasons.quality.counterfactuals
    if isinstance(quality, NotMeasured):
        yield not_measured("Counterfactuals", quality)
        return
    n = whole(quality.found.n) if isinstance(quality.found, Estimate) else "no"
    columns = ", ".join(data_text(name, 40) for name in quality.columns[:COLUMNS_LISTED])
    yield facts([
        ("Searched", f"{n} rows drawn at random; at most {quality.most_changed} columns changed, to at most {quality.values} values each that training rows have"),
        ("Columns that a person can change", columns), ("A change was found", shown(quality.found, as_percent=True)),
        ("Columns changed", "; ".join(f"{columns}: {whole(rows)} rows" for columns, rows in quality.columns_changed.items())),
    ])
    yield note("Each column's values occur in training rows; that all changed values occur together was not checked. Where none is found, one may still exist.")


def _examples(reasons: ReasonsSection) -> Iterator[Block]:
    if not reasons.examples:
        return
    yield heading("Decisions as examples")
    counterfactuals = reasons.quality.counterfactuals
    rows = []
    for example in reasons.examples:
        stated_, others = example.reasons, example.against_all
        # Why no change was looked for at all stands above already
        change = "" if isinstance(counterfactuals, NotMeasured) and example.counterfactual == counterfactuals else f" {_change(example)}"
        decision = f"Row {example.row} of the audit part, {example.why}: {significant(example.distance, 3)} below the cut. Overlap of the two lists {fixed(example.overlap, 2)}.{change}"
        rows += [(decision, str(at + 1), *_cells(stated_[at] if at < len(stated_) else None), data_text(others[at].reason, 60) if at < len(others) else "–") for at in range(max(len(stated_), len(others)))]
    yield table(
        "Reasons of single decisions, against people just above the cut and against all applicants",
        [("decision", "left", 1), ("rank", "right", 0), ("reason", "left", 1), ("value", "left", 0.7), ("text", "left", 1.3), ("SHAP", "right", 0), ("against all applicants", "left", 0.9)], rows, grouped=True)


def _cells(one: StatedReason | None) -> tuple[str, str, str, str]:
    if one is None:
        return "–", "–", "–", "–"
    text = f"{data_text(one.text, 160)}{' (draft)' if one.wording == 'draft' else ''}" if one.text else NOT_PROVIDED
    return data_text(one.reason, 60), data_text(one.value, 60), text, significant(one.contribution, 3)


def _change(example: ReasonExample) -> str:
    found = example.counterfactual
    if not isinstance(found, Counterfactual):
        return f"What would have changed it, not measured: {found.reason}."
    changes = "; ".join(f"{data_text(one.column, 60)} from {data_text(one.before, 60)} to {data_text(one.after, 60)}" for one in found.changes)
    return f"What would have changed it: {changes} (score then {significant(found.score, 3)})."
