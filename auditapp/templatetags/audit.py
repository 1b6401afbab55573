"""Numbers with their intervals, "not measured: why", words for states and severities, and the one chart component."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django import template
from django.forms import BoundField
from django.template import defaultfilters
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from auditapp.access import Action, Caller, may as caller_may
from auditapp.languages import chosen as languages
from auditapp.languages.chosen import EVIDENCE_LANGUAGE, in_english, numbers
from auditapp.languages.sentences import conditions_in_german, in_german
from auditapp.models import Run
from auditapp.statements.document import VersionEntry
from auditapp.statements.fields import Field, label_of, words_of
from automl import printing
from automl.evidence import Alternative, Bar, Chart, DesignSection, Estimate, Evidence, Finding, GoverningRow, NotMeasured, ProbabilityCalibration, Ratio
from automl.spec import GoverningMetric

register = template.Library()

ICONS = {
    "high": "M8 1 15.5 14.5H.5zM8 5.5v4.2M8 11.6v1.2",
    "medium": "M8 .8 15.2 8 8 15.2.8 8zM8 4.6v4M8 10.6v1.2",
    "low": "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zM8 7v5M8 3.9v1.3",
    "info": "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zM8 7v5M8 3.9v1.3",
    "done": "M1.8 8.6 6 12.8 14.2 3.6",
    "failed": "M2.5 2.5l11 11M13.5 2.5l-11 11",
    "cancelled": "M3 3h10v10H3z",
    "queued": "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zM8 3.8V8l2.8 2",
    "running": "M4 2.2 13 8l-9 5.8z",
    "open": "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2z",
    "unknown": "M5.2 5.6a2.8 2.8 0 1 1 4 2.6C8.3 8.7 8 9.2 8 10.2M8 12.4v1.3",
    "equal": "M2.5 5.5h11M2.5 10.5h11",
}
"""One stroked path each in a 16 x 16 box: a shape beside every word, so that colour is never alone."""

SECTION_OF_POINTER = {
    "search": "leaderboard", "performance": "performance", "explanation": "explanation", "fairness": "fairness", "mitigation": "mitigation", "reasons": "reasons", "data": "data", "provenance": "provenance", "plan": "provenance",
    "design": "provenance", "local_law_144": "fairness", "slices": "weaknesses", "cohorts": "weaknesses", "robustness": "weaknesses", "crosswalk": "laws",
}
"""On which results page each part of the evidence is shown; what is not named here was not measured."""

METRIC_NAMES = {
    "roc_auc": "ROC AUC", "average_precision": gettext_lazy("average precision"), "log_loss": gettext_lazy("log loss"), "brier": gettext_lazy("Brier score"), "rmse": "RMSE",
    "mae": gettext_lazy("mean absolute error"), "r2": "R²", "f1": "F1", "mcc": "MCC", "rmsle": "RMSLE", "quantile_loss": gettext_lazy("quantile loss (pinball)"),
    "tpr": gettext_lazy("true positive rate"), "fpr": gettext_lazy("false positive rate"), "tnr": gettext_lazy("true negative rate"), "fnr": gettext_lazy("false negative rate"),
    "ppv": gettext_lazy("predictive value"), "npv": gettext_lazy("negative predictive value"),
}
STATES = {
    "queued": gettext_lazy("Waiting"), "running": gettext_lazy("Running"), "succeeded": gettext_lazy("Finished"), "failed": gettext_lazy("Failed"),
    "cancelled": gettext_lazy("Cancelled"),
}
VERSION_STATES = {
    "signed": ("succeeded", "done", gettext_lazy("Signed")), "awaiting_signature": ("queued", "queued", gettext_lazy("Awaits its signature")),
    "queued": ("queued", "queued", gettext_lazy("Waiting")), "running": ("running", "running", gettext_lazy("Being made")), "failed": ("failed", "failed", gettext_lazy("Could not be made")),
}
WHAT_CHANGED = {
    "run": gettext_lazy("The run ended"), "statements": gettext_lazy("Statements"), "review": gettext_lazy("The report was reviewed"), "approval": gettext_lazy("The report was approved"),
}
HALF_AT_MOST = 400
READ_FIRST = 12
SEVERITIES = {"high": gettext_lazy("High"), "medium": gettext_lazy("Medium"), "low": gettext_lazy("Low"), "info": gettext_lazy("Note")}
LABEL_ICONS = {"below": "high", "not_below": "done", "inconclusive": "unknown", "not_computable": "low", "reference": "equal"}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"'
        ' aria-hidden="true" focusable="false"><path d="{}"/></svg>', ICONS.get(name, ICONS["info"]))


def _marked(css: str, picture: str, word: object) -> SafeString:
    return format_html('<span class="{}">{}{}</span>', css, icon(picture), word)


@register.simple_tag
def severity(name: str) -> SafeString:
    return _marked(f"severity {name}", name, SEVERITIES.get(name, name))


@register.filter
def other_draws(evidence: Evidence) -> str:
    return printing.other_draws(evidence)


@dataclass(frozen=True)
class Matters:
    """Findings, one a matter with those folded under it: at most a dozen first, then the rest, then notes."""

    first: list[tuple[Finding, list[Finding]]]
    further: list[tuple[Finding, list[Finding]]]
    notes: list[tuple[Finding, list[Finding]]]


@register.filter
def gravest_first(findings: Sequence[Finding]) -> list[Finding]:
    """What a reading of the table found comes in the order of its columns."""
    return sorted(findings, key=lambda finding: list(SEVERITIES).index(finding.severity))


@register.filter
def by_matter(findings: Sequence[Finding]) -> Matters:
    here = {finding.id for finding in findings}
    # a comparison of two runs shows some of each one's findings: what the others are folded under may not be among them
    leads = [(lead, [one for one in findings if one.under == lead.id]) for lead in findings if lead.under not in here]
    grave = [each for each in leads if each[0].severity != "info"]
    return Matters(grave[:READ_FIRST], grave[READ_FIRST:], [each for each in leads if each[0].severity == "info"])


@register.simple_tag
def run_state(name: str) -> SafeString:
    return _marked(f"state {name}", "done" if name == "succeeded" else name, STATES.get(name, name))


@register.simple_tag
def verdict(label: str) -> SafeString:
    """The label of an impact ratio: icon and word."""
    word = _(printing.LABEL_WORDS.get(label, label))
    return _marked(f"verdict {label}", LABEL_ICONS.get(label, "unknown"), word[:1].upper() + word[1:])


@register.simple_tag
def estimate(value: Estimate | NotMeasured | None, as_percent: bool = False, signed: bool = False, with_n: bool = True) -> SafeString:
    """A value with its interval and n; "not measured: why" in its place; a dash where there is nothing to say."""
    if value is None:
        return format_html('<span class="not-measured">{}</span>', "–")
    if isinstance(value, NotMeasured):
        return not_measured(value)
    few = format_html(' <span class="precision">{}</span>', _("few rows: low precision")) if value.low_precision else ""
    n = format_html(' <span class="n">n = {}</span>', numbers(printing.whole(value.n))) if with_n else ""
    return _with_interval(printing.estimate(value, as_percent=as_percent, signed=signed), format_html("{}{}", n, few))


@register.simple_tag
def ratio(value: Ratio | NotMeasured, limit: float) -> SafeString:
    """An impact ratio, with digits until the side of the limit shows; the reference has no interval."""
    return not_measured(value) if isinstance(value, NotMeasured) else _with_interval(printing.ratio(value, limit), SafeString(""))


def _with_interval(text: str, after: SafeString) -> SafeString:
    """The same text as everywhere, with the interval less loud than the value."""
    middle, bracket, rest = _interval_words(text).partition(" (")
    interval = format_html(' <span class="interval">({}</span>', rest) if bracket else ""
    return format_html('<span class="estimate"><span class="value">{}</span>{}{}</span>', middle, interval, after)


def _interval_words(text: str) -> str:
    """ "−2.1 pp (−3.0 to −1.2)" in the page's language."""
    return text if in_english() else numbers(text).replace(" to ", f" {_('to')} ").replace(" pp", f" {_('pp')}")


@register.simple_tag
def not_measured(value: NotMeasured) -> SafeString:
    return format_html('<span class="not-measured">{} {}</span>', _("not measured:"), in_its_language(value.reason))


@register.filter
def calibration(value: ProbabilityCalibration | NotMeasured) -> str:
    """How probabilities were calibrated, in the words of the report."""
    return in_its_language(printing.calibration(value))


@register.simple_tag
def english(sentence: str = "") -> SafeString:
    """An attribute for an element that holds an English text, or `said` of ``sentence``: what its language is, where the page's is another."""
    return SafeString("") if in_english() or (sentence and in_german(sentence) is not None) else SafeString(f' lang="{EVIDENCE_LANGUAGE}"')


register.filter("said", languages.said)


@register.filter
def conditions(words: str, most: int) -> str:
    """What defines a slice, with the words of the page's language between names and values."""
    return printing.visible(words if in_english() else conditions_in_german(words), most)


@register.filter
def in_its_language(sentence: str, most: int | None = None) -> str:
    """A sentence or word of the evidence in the page's language, cut at ``most`` characters; where it cannot be given in German, as it is and marked as English."""
    german = None if in_english() else in_german(str(sentence))
    shown = printing.visible(str(sentence) if german is None else german, most)
    return shown if in_english() or german is not None else format_html('<span lang="{}">{}</span>', EVIDENCE_LANGUAGE, shown)


@register.filter
def told(errors: Iterable[object]) -> str:
    """What a form refuses, each as `said`: the engine's refusals are English sentences, the form's own are in the page's language."""
    return " ".join(languages.said(str(error)) for error in errors)


@register.filter
def cell(value: object, chart: str = "") -> str:
    """A cell of the table of ``chart``. A single word may be a name from the data and stays; what has several and is ours is given in the page's language."""
    if not isinstance(value, str) or in_english() or " " not in value:
        return number(value)
    return in_german(value) or (conditions(value, 300) if chart == "slices" else value)


@register.filter(expects_localtime=True)
def date(value: Any, form: str | None = None) -> str:
    """Django's filter of that name; what the pages write as 2026-11-22 05:30 is written out where that is the custom: 22. November 2026 05:30."""
    return defaultfilters.date(value, form if in_english() or form is None else form.replace("Y-m-d", _("Y-m-d")))


@register.filter
def measured(value: object) -> bool:
    """Whether a section or value is there, rather than the reason why it is not."""
    return value is not None and not isinstance(value, NotMeasured)


@register.filter
def number(value: object) -> str:
    """A bare number of a table: integers with separators, floats with four significant digits, text as it is, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return numbers(printing.whole(value))
    return numbers(printing.significant(value)) if isinstance(value, float) else str(value)


@register.filter
def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in words: "48 s", "1 min 32 s", "2 h 5 min"."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    if whole < 60:
        return _("%(s)d s") % {"s": whole}
    if whole < 3600:
        return _("%(m)d min %(s)d s") % {"m": whole // 60, "s": whole % 60}
    return _("%(h)d h %(m)d min") % {"h": whole // 3600, "m": whole % 3600 // 60}


@register.simple_tag
def took(start: datetime | None, end: datetime | None) -> str:
    return duration((end - start).total_seconds()) if start and end else "–"


@register.filter
def as_percent(share: float) -> str:
    """A share of 0 to 1 as per cent."""
    return numbers(printing.percent(share))


@register.filter
def item(mapping: Mapping[Any, Any], key: object) -> Any:
    return mapping.get(key)


@register.filter
def percent_of(part: int, whole: int) -> str:
    """A count as a share of rows; what is neither none nor all is never written as 0 or 100."""
    return numbers(printing.percent(part / whole)) if part and whole else "0 %"


@register.simple_tag
def law_ratio(value: Ratio | NotMeasured) -> SafeString:
    """An impact ratio where no limit is stated: three decimals, whatever it is near."""
    return not_measured(value) if isinstance(value, NotMeasured) else _with_interval(printing.ratio(value, None), SafeString(""))


@register.filter
def design_line(about: DesignSection, unknown: int) -> str:
    """What the intervals of a table mean, in one line."""
    return in_its_language(printing.design(about, unknown))


@register.filter
def governing_words(metric: GoverningMetric) -> str:
    words = _(printing.GOVERNING_WORDS[metric])
    return words[:1].upper() + words[1:]


@register.filter
def governing_comparison(row: GoverningRow) -> str:
    return in_its_language(printing.governing_comparison(row))


@register.filter
def governing_value(row: GoverningRow, limit: float) -> str:
    text = printing.governing_value(row, limit)
    said = in_its_language(text)
    return said if said != text else _interval_words(text)


@register.filter
def p_value(p: float) -> str:
    return numbers(printing.p_value(p))


@register.filter
def may(caller: object, action: Action) -> bool:
    """Whether to show the way there; a public page has no caller."""
    return isinstance(caller, Caller) and caller_may(caller, action)


@register.simple_tag
def histogram(bars: Sequence[Bar], width: int = 80, height: int = 24) -> SafeString:
    """A column's values in 80 x 24 units, for the eye only: the table beside it holds the numbers."""
    if not bars:
        return SafeString("")
    tallest = max(bar.n for bar in bars) or 1
    step = width / len(bars)
    rects = format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"/>', (
        (f"{i * step:.1f}", f"{height - h:.1f}", f"{max(1.0, step - 1):.1f}", f"{h:.1f}")
        for i, bar in enumerate(bars) for h in [max(1.0 if bar.n else 0.0, bar.n / tallest * height)]))
    title = "; ".join(f"{bar.label}: {numbers(printing.whole(bar.n))}" for bar in bars[:12])
    return format_html('<svg class="mini" viewBox="0 0 {} {}" width="{}" height="{}" role="img" fill="currentColor"><title>{}</title>{}</svg>',
                       width, height, width, height, title, rects)


@register.simple_tag
def share_bar(part: int, whole: int) -> SafeString:
    """How much of a whole a part is, for the eye only: the number stands beside it."""
    return format_html('<svg class="mini share" viewBox="0 0 80 6" width="80" height="6" aria-hidden="true" focusable="false"><rect class="ground" width="80" height="6"/>'
                       '<rect width="{}" height="6" fill="currentColor"/></svg>', f"{80 * part / whole if whole else 0:.1f}")


@register.simple_tag
def dumbbell(before: Estimate | NotMeasured | None, after: Estimate | NotMeasured | None) -> SafeString:
    """A rate in two runs on a line from 0 to 1, for the eye only: ring the first, square the second, each with its interval."""
    if not isinstance(before, Estimate) or not isinstance(after, Estimate):
        return SafeString("")
    at = [f"{4 + 152 * min(max(value, 0.0), 1.0):.1f}" for one in (before, after) for value in (one.low, one.value, one.high)]
    return format_html(
        '<svg class="mini dumbbell" viewBox="0 0 160 22" width="160" height="22" aria-hidden="true" focusable="false" fill="none" stroke="currentColor"><path class="ground" d="M4 11H156M4 7v8M80 9v4M156 7v8"/>'
        '<path d="M{} 6H{}M{} 16H{}"/><circle cx="{}" cy="6" r="3.5" class="ring"/><rect x="{}" y="12.5" width="7" height="7" fill="currentColor"/></svg>',
        at[0], at[2], at[3], at[5], at[1], f"{float(at[4]) - 3.5:.1f}")


@register.inclusion_tag("partials/chart.html", takes_context=True)
def chart(context: template.Context, chart: Chart) -> dict[str, object]:
    """The one chart component: picture in two themes, the sentence it shows, its numbers as a table, and downloads."""
    return {"chart": chart, "run": context["run"], "folds": context.get("folds"), "fold_path": context.get("fold_path"),
            "lang": "" if in_english() else f"lang={translation.get_language()}"}


@register.filter
def named(charts: Iterable[Chart], starts: str) -> list[Chart]:
    """Those whose name begins with one of ``starts`` (commas between)."""
    return [chart for chart in charts if chart.name.startswith(tuple(starts.split(",")))]


@register.filter
def is_half(chart: Chart) -> bool:
    """Whether the picture was drawn for half the width: it may be shown larger than it is, and need not be scrolled on a small screen."""
    width = chart.spec.get("width")
    return isinstance(width, int) and width < HALF_AT_MOST


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, css: str = "") -> dict[str, object]:
    """A form field with label, hint and error, tied together for screen readers."""
    kind = getattr(bound.field.widget, "input_type", "")
    return {"field": bound, "css": css, "grouped": hasattr(bound.field.widget, "option_inherits_attrs") and kind in ("radio", "checkbox"),
            "single_tick": kind == "checkbox" and not hasattr(bound.field.widget, "option_inherits_attrs")}


@register.filter
def at(sequence: Sequence[Any], position: int) -> Any:
    return sequence[position]


@register.filter
def add_number(text: str, number: int) -> str:
    return f"{text}{number}"


@register.simple_tag
def evidence_url(run: Run, pointer: str) -> str:
    """Where on the results pages the thing at ``pointer`` (``/fairness/attributes/0/groups/1``) is shown; ids there are the pointer with dashes, and a folded part that holds it is opened."""
    parts = [part for part in pointer.split("/") if part]
    if parts[:1] == ["fairness"]:
        # A group is one row, whichever of its numbers is meant; all crossings begin with the first
        parts = [*parts, "0"] if parts[1:] == ["intersections"] else parts[:parts.index("groups") + 2] if "groups" in parts else parts
    if parts[:2] == ["performance", "residuals"]:
        parts = parts[:3]  # its tables are one thing each
    section = SECTION_OF_POINTER.get(parts[0], "not-measured") if parts else "summary"
    anchor = "not-measured" if section == "not-measured" else "-".join(parts)
    return f"{reverse('results-section', args=[run.pk, section])}?to={quote(anchor)}#{quote(anchor)}"


@register.filter
def shown(text: object, most: int) -> str:
    """A text from the data for the eye: cut at ``most`` characters, and nothing in it that turns the line around or hides."""
    return printing.visible(str(text), most)


register.filter("missing_table", printing.missing_table)
register.filter("test_words", printing.test_words)


@register.filter
def bound(value: float | str | None) -> str:
    """The lowest or highest value of a column, as short as it can be written."""
    return numbers(f"{value:,.6g}") if isinstance(value, int | float) else str(value if value is not None else "–")


@register.filter
def size(count: int) -> str:
    """Bytes as in the limits' own words: "500 MiB"."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 2**power:
            return numbers(f"{count / 2**power:.3g} {unit}")
    return _("%(n)s bytes") % {"n": count}


@register.filter
def metric_name(key: str | None) -> str:
    """A metric for a reader; the keys of the evidence stay as they are."""
    return str(METRIC_NAMES[key]) if key in METRIC_NAMES else _(key.replace("_", " ")) if key else ""


@register.simple_tag
def disturbance(kind: str, strength: float) -> str:
    """A disturbance of the inputs in the words of the pictures."""
    return in_its_language(printing.step_words(kind, strength))


@register.filter
def fairness_words(key: str) -> str:
    """What a fairness objective compares, in words."""
    return _(printing.FAIRNESS_WORDS.get(key, key))


@register.filter
def percent(share: float) -> str:
    """A share of 1 with a decimal, "50.8 %"."""
    return numbers(printing.percent(share))


@register.filter
def percent_word(share: float) -> str:
    """A share of a rule, "5 %"."""
    return numbers(printing.percent(share, 0))


@register.filter
def wording(key: str) -> str:
    """Why a stated reason has, or has no, approved text."""
    return _(printing.WORDING_WORDS.get(key, key))


@register.filter
def alternative_name(one: Alternative) -> str:
    """An alternative to the deployed model, in the words of the report."""
    return in_its_language(printing.alternative_name(one))


@register.filter
def criterion_words(key: str) -> str:
    return _(printing.CRITERION_WORDS.get(key, key))


@register.filter
def people(number: float) -> str:
    """Expected numbers of people: whole ones where they are whole."""
    return numbers(printing.whole(number) if float(number).is_integer() else printing.fixed(number, 1) if number >= 0.1 else printing.significant(number, 2))


@register.filter
def listed(texts: Sequence[object], most: int) -> str:
    """Texts from the data with commas between, cut as one."""
    return printing.visible(", ".join(str(text) for text in texts), most)


@register.filter
def lines(text: str) -> SafeString:
    """A person's text in its lines, with nothing in it that turns a line around or hides."""
    return format_html_join(SafeString("<br>"), "{}", ((printing.visible(line),) for line in text.split("\n")))


@register.filter
def words(field: Field, said: Mapping[str, Any]) -> str:
    """A statement for a reader: of a choice, its words."""
    text = words_of(field.name, said["text"])
    return _(text) if field.choices is not None else text


@register.filter
def labels(names: Sequence[str]) -> str:
    """Fields of the statements by what they are called."""
    return "; ".join(_(label_of(name)) for name in names)


@register.filter
def moment(text: str) -> str:
    """A time as documents say it, for the eye: 2026-11-22 05:30 UTC."""
    return date(datetime.fromisoformat(text).astimezone(UTC), "Y-m-d H:i")


@register.filter
def what_changed(entry: VersionEntry) -> str:
    """Why there is a version of the report."""
    said = WHAT_CHANGED[entry.what]
    return f"{said}: {labels(entry.fields)}" if entry.fields else str(said)


@register.simple_tag
def version_state(name: str) -> SafeString:
    """Where a version of the report stands: icon and word."""
    css, picture, word = VERSION_STATES[name]
    return _marked(f"state {css}", picture, word)
