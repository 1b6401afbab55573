from __future__ import annotations

import numpy as np

from tests.automl.audit.cases import multiclass
from tests.automl.audit.findings.documents import fairness_of, found


def test_without_a_good_outcome_nothing_about_a_class_is_grave() -> None:
    """Whether it is bad to be predicted "top" less often nobody has said."""
    o = multiclass(4_000)
    refused = (o.groups["group"] == "b") & (np.arange(4_000) % 2 == 0)
    decision = np.where(refused & (np.asarray(o.decision) == 2), 0, np.asarray(o.decision))
    named, unnamed = (found(fairness=fairness_of(multiclass(4_000, decision=decision, favourable=favourable), "group")) for favourable in (("middle", "top"), ()))
    assert any(each.severity == "high" for each in named["impact_ratio_below"])
    assert "no_favourable" not in named
    [finding] = unnamed["no_favourable"]
    assert finding.text.startswith("No outcome was named as the good one, so each of the 3 classes is measured as if it were:")
    assert {each.severity for each in unnamed["impact_ratio_below"]} == {"medium"}
