"""How a number of the evidence is written down for people: as many digits as it carries, never one that hides its side of a limit."""

from __future__ import annotations

import math

from automl.evidence import Estimate, NotMeasured, ProbabilityCalibration, Ratio, Value

MINUS = "\N{MINUS SIGN}"
MOST_DECIMALS = 10


def fixed(value: float, decimals: int, limit: float | None = None) -> str:
    """``value`` with ``decimals`` decimals, thousands grouped; with a ``limit``, more decimals until the text stands on the value's own side of it.

    1521/4000 against 2000/4000 has an upper bound of .799639: two or three digits would print it as the limit 0.800 itself.
    """
    chosen = decimals
    if limit is not None:
        # A difference that ten decimals cannot show is floating point's, not the data's
        sides = (more for more in range(decimals, MOST_DECIMALS + 1) if _side(round(value, more), limit) == _side(value, limit))
        chosen = next(sides, decimals)
    text = f"{value:,.{chosen}f}"
    return (text.lstrip("-") if float(text.replace(",", "")) == 0 else text).replace("-", MINUS)


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def percent(share: float, decimals: int = 1) -> str:
    """A share of 0 to 1 as per cent, "7.2 %"; a share that is neither 0 nor 1 is never written as 0 or 100."""
    chosen = next((more for more in range(decimals, MOST_DECIMALS) if (round(share * 100, more) in (0, 100)) == (share in (0, 1))), decimals)
    return f"{fixed(share * 100, chosen)} %"


def significant(value: float, digits: int = 4) -> str:
    """``value`` with ``digits`` significant digits; very small and very large ones in powers of ten."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 < size < 12:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return fixed(value, max(0, digits - 1 - size))


def whole(count: float) -> str:
    """A count without decimals, thousands grouped."""
    return fixed(count, 0)


def row_count(n: int) -> str:
    """ "1 row", "17 rows", "12,345 rows"."""
    return f"{n:,} {'row' if n == 1 else 'rows'}"


def decimals_of(low: float, high: float) -> int:
    """Decimals at which the width of an interval shows two digits: the digits that an estimate really has."""
    width = high - low
    return 4 if width <= 0 else min(6, max(0, 1 - math.floor(math.log10(width))))


def estimate(value: Value, *, as_percent: bool = False, signed: bool = False) -> str:
    """ "0.927 (0.922 to 0.932)"; a `NotMeasured` as "not measured: why"."""
    if isinstance(value, NotMeasured):
        return f"not measured: {value.reason}"
    numbers = (value.value, value.low, value.high)
    if as_percent:
        decimals = min(4, max(1, decimals_of(value.low * 100, value.high * 100)))
        middle, low, high = (fixed(number * 100, decimals) for number in numbers)
    elif _huge_or_tiny(value):
        middle, low, high = (significant(number) for number in numbers)
    else:
        middle, low, high = (fixed(number, decimals_of(value.low, value.high)) for number in numbers)
    sign = "+" if signed and value.value > 0 else ""
    unit = " %" if as_percent and not signed else " pp" if as_percent else ""
    return f"{sign}{middle}{unit} ({low} to {high})"


def _huge_or_tiny(value: Estimate) -> bool:
    size = max(abs(value.low), abs(value.high))
    return size != 0 and not 1e-4 < size < 1e12


def ratio(value: Ratio | NotMeasured, limit: float) -> str:
    """ "0.272 (0.245 to 0.302)", each number with digits until its side of the limit shows."""
    if isinstance(value, NotMeasured):
        return f"not measured: {value.reason}"
    if value.label == "reference":
        return fixed(value.value, 3)
    middle, low, high = (fixed(number, 3, limit) for number in (value.value, value.low, value.high))
    return f"{middle} ({low} to {high})"


def calibration(value: ProbabilityCalibration | NotMeasured) -> str:
    """How a model's probabilities were calibrated, as one sentence without its full stop."""
    if isinstance(value, NotMeasured):
        return f"not measured: {value.reason}"
    gain = f"{estimate(value.log_loss_gain, signed=True)} of log loss and {estimate(value.brier_gain, signed=True)} of Brier score"
    if value.method == "none":
        return f"left as they are: by a map fitted out of fold the gain would be {gain}, cross-fitted, which cannot be told from noise"
    scores = "log-odds" if value.method == "platt" else "logits"
    term = "" if value.method == "temperature" else f" with {significant(value.shift)} added"
    return f"{scores} times {significant(value.slope)}{term}, fitted out of fold; the gain, cross-fitted, is {gain}"


def p_value(p: float) -> str:
    """Two significant digits, with a floor at 0.0001."""
    return "< 0.0001" if p < 0.0001 else significant(p, 2)


LABEL_WORDS = {
    "below": "below the limit beyond sampling error",
    "not_below": "not below the limit, beyond sampling error",
    "inconclusive": "inconclusive at this sample size",
    "not_computable": "not computable",
    "reference": "reference",
}
"""The words for the label of an impact ratio (evidence rule 7)."""


FAIRNESS_WORDS = {
    "demographic_parity_difference": "largest minus smallest selection rate",
    "demographic_parity_ratio": "smallest over largest selection rate",
    "equalized_odds_difference": "largest difference of true or of false positive rates",
    "equal_opportunity_difference": "largest minus smallest true positive rate",
}
"""What each metric of a fairness objective compares between groups (Fairlearn's definitions)."""


def visible(text: str, limit: int | None = None) -> str:
    """``text`` for a label: characters that control layout are written as their code points, and more than ``limit`` characters are cut with an ellipsis."""
    shown = "".join(character if character.isprintable() else f"[U+{ord(character):04X}]" for character in text)
    return shown if limit is None or len(shown) <= limit else shown[:limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
