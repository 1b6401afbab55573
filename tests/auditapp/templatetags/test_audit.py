"""How pieces of evidence are written on a page."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from auditapp.templatetags import audit
from automl.evidence import Bar, Estimate, Finding, NotMeasured, Ratio, Severity

HOSTILE = "<img src=x onerror=alert(1)>"


def text_of(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup)


def test_an_estimate_never_stands_bare() -> None:
    value = Estimate(value=0.92684, low=0.9217, high=0.9319, method="delong", n=12_240)
    assert text_of(audit.estimate(value)) == "0.927 (0.922 to 0.932) n = 12,240"
    assert "low precision" in audit.estimate(value.model_copy(update={"low_precision": True, "n": 12}))
    assert text_of(audit.estimate(value, as_percent=True, with_n=False)).startswith("92.7 % (92.2 to 93.2")


def test_what_was_not_measured_says_why_and_is_text() -> None:
    assert text_of(audit.estimate(NotMeasured(reason="the denominator is 0"))) == "not measured: the denominator is 0"
    assert HOSTILE not in audit.estimate(NotMeasured(reason=HOSTILE))
    assert not audit.measured(NotMeasured(reason="x"))
    assert not audit.measured(None)


def test_a_ratio_shows_on_which_side_of_the_limit_it_lies() -> None:
    shown = Ratio(value=0.7605, low=0.7233, high=0.799639, method="mover-r", k=1521, n=4000, k_ref=2000, n_ref=4000, below_limit_exact=True, label="below")
    assert "to 0.7996)" in audit.ratio(shown, 0.8)  # three digits would print the limit itself
    assert text_of(audit.ratio(shown.model_copy(update={"label": "reference", "value": 1.0}), 0.8)) == "1.000"


@pytest.mark.parametrize(("label", "words"), [("below", "Below the limit"), ("inconclusive", "Inconclusive at this sample size"), ("not_below", "Not below the limit"), ("reference", "Reference")])
def test_a_verdict_is_icon_and_words(label: str, words: str) -> None:
    markup = audit.verdict(label)
    assert words in markup
    assert "<svg" in markup


def test_numbers_of_a_table() -> None:
    assert [audit.number(value) for value in (None, True, 12_240, 0.1234567, "text")] == ["–", "yes", "12,240", "0.1235", "text"]
    assert [audit.is_number(value) for value in (1, 0.5, True, "1")] == [True, True, False, False]


@pytest.mark.parametrize(("seconds", "words"), [(None, "–"), (0.4, "0 s"), (48, "48 s"), (92.4, "1 min 32 s"), (7500, "2 h 5 min")])
def test_durations(seconds: float | None, words: str) -> None:
    assert audit.duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(12, "12 bytes"), (2048, "2 KiB"), (500 * 2**20, "500 MiB"), (3 * 2**30, "3 GiB")])
def test_sizes(count: int, words: str) -> None:
    assert audit.size(count) == words


def test_shares_of_rows_are_never_none_or_all_by_rounding() -> None:
    assert audit.percent_of(0, 10) == "0 %"
    assert audit.percent_of(1, 48_842) != "0.0 %"
    assert audit.percent_of(48_841, 48_842) != "100.0 %"


def test_a_histogram_is_a_picture_whose_labels_are_text() -> None:
    markup = audit.histogram((Bar(label=HOSTILE, n=10), Bar(label="b", n=0)))
    assert HOSTILE not in markup
    assert markup.count("<rect") == 2
    assert audit.histogram(()) == ""


def test_texts_from_the_data_are_cut_and_hide_nothing() -> None:
    assert audit.shown("a" * 50, 10).endswith("…")
    assert audit.shown("abc\u202edef", 40) == "abc[U+202E]def"


def test_a_pointer_leads_to_its_place() -> None:
    run = SimpleNamespace(pk="run_x")
    assert audit.evidence_url(run, "/fairness/attributes/0/groups/1") == "/runs/run_x/results/fairness?to=fairness-attributes-0-groups-1#fairness-attributes-0-groups-1"
    assert audit.evidence_url(run, "/search/leaderboard/0").startswith("/runs/run_x/results/leaderboard?to=")
    assert audit.evidence_url(run, "/crosswalk") == "/runs/run_x/results/laws?to=crosswalk#crosswalk"
    assert audit.evidence_url(run, "/unheard-of") == "/runs/run_x/results/not-measured?to=not-measured#not-measured"
    assert audit.evidence_url(run, "/slices/rows/0") == "/runs/run_x/results/weaknesses?to=slices-rows-0#slices-rows-0"
    assert audit.evidence_url(run, "") .startswith("/runs/run_x/results/summary")


def test_nobody_is_nobody() -> None:
    assert not audit.may("", "run")
    assert not audit.may(None, "read")


def finding(name: str, severity: Severity, under: str = "") -> Finding:
    return Finding(id=name, severity=severity, text=name, evidence="/fairness", rule=name, under=under)


def test_findings_on_one_matter_stand_under_its_first_and_a_dozen_matters_come_first() -> None:
    findings = [*(finding(f"m{at}", "medium") for at in range(14)), finding("more", "low", under="m0"), finding("note", "info"), finding("alone", "info", under="of another run")]
    shown = audit.by_matter(findings)
    assert [(lead.id, [one.id for one in rest]) for lead, rest in shown.first[:2]] == [("m0", ["more"]), ("m1", [])]
    assert [len(shown.first), len(shown.further), [lead.id for lead, _ in shown.notes]] == [12, 2, ["note", "alone"]]
