from __future__ import annotations

from automl.evidence import Finding, NotMeasured
from automl.printing import estimate
from tests.evidence_example import make_evidence
from tests.evidence_variants import with_front
from workers.summary import reaches, summary


def test_every_metric_stands_there_with_its_interval() -> None:
    evidence = make_evidence()
    text = summary(evidence)
    assert not isinstance(evidence.performance, NotMeasured)
    for name, value in evidence.performance.metrics.items():
        assert any(line.split() and line.split()[0] == name and estimate(value) in line for line in text.splitlines()), name
    for finding in evidence.findings:
        assert finding.text in text


def test_what_was_not_measured_says_why() -> None:
    text = summary(make_evidence().model_copy(update={"performance": NotMeasured(reason="no label column was named"), "fairness": NotMeasured(reason="one group")}))
    assert "Performance  not measured: no label column was named" in text
    assert "Fairness     not measured: one group" in text


def test_the_front_is_told_where_there_is_one() -> None:
    lines = summary(with_front()).splitlines()
    assert "Front        out of fold: roc_auc with 95 % interval, demographic_parity_difference" in lines
    assert "  trial 8            0.9266 (0.9226 to 0.9306), 0.200, in front/8" in lines
    assert any(line.startswith("  ensemble") and line.endswith(", deployed") for line in lines)
    assert "Front" not in summary(make_evidence())


def test_a_name_from_the_data_cannot_drive_the_terminal() -> None:
    hostile = Finding(id="f", severity="high", text="Group \x1b[2J\x1b]0;owned\x07\r\n\u202eevil", evidence="/fairness", rule="r")
    text = summary(make_evidence().model_copy(update={"findings": (hostile,)}))
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
    assert sum("evil" in line for line in text.splitlines()) == 1


def test_fail_on_counts_the_severities_at_and_above_it() -> None:
    def having(*severities: str) -> bool | tuple[bool, bool]:
        findings = tuple(Finding(id="f", severity=severity, text="t", evidence="/", rule="r") for severity in severities)  # type: ignore[arg-type]
        evidence = make_evidence().model_copy(update={"findings": findings})
        return reaches(evidence, "high"), reaches(evidence, "medium")

    assert having() == (False, False)
    assert having("low", "info") == (False, False)
    assert having("info", "medium") == (False, True)
    assert having("high") == (True, True)
