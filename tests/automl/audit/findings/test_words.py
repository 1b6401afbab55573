from __future__ import annotations

import pytest

from automl.audit.findings.words import number, points


@pytest.mark.parametrize(("value", "limit", "text"), [
    (0.799639, 0.8, "0.7996"), (0.8, 0.8, "0.80"), (0.62, 0.8, "0.62"), (0.8004, 0.8, "0.8004"), (0.999, 1.0, "0.999"), (0.5, None, "0.50"), (0.7999999999, 0.8, "0.800000"),
    (0.0039, 0.8, "0.004"), (0.0, 0.8, "0.00"), (-3e-8, 0.0, "−3.0e−08"), (0.0, None, "0.00"),
])
def test_t01_digits_until_the_side_of_the_limit_shows(value: float, limit: float | None, text: str) -> None:
    assert number(value, limit) == text


def test_the_end_of_an_interval_shows_its_sign() -> None:
    assert [points(share) for share in (0.123, 0.0004, -0.00001, 0.0)] == ["+12.3", "+0.04", "−0.001", "+0.0"]
