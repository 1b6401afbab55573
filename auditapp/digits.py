"""How a number is written on a page: enough digits to read, and more where rounding would move it across the limit it is compared with."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

MOST = 15
"""No float has more digits to tell; a value that still looks equal to the limit is equal to it for every reader."""


def decimals(value: float | Fraction, *, limit: float | None = None) -> int:
    """How many decimals to print: 3 for rates, fewer for large numbers, two figures for tiny ones, and as many as show the side of ``limit``."""
    places = _plain(abs(float(value)))
    if limit is None or _side(_exact(value), limit) == 0:
        return places
    while places < MOST and _side(Fraction(_rounded(value, places)), limit) != _side(_exact(value), limit):
        places += 1
    return places


def written(value: float | Fraction, *, limit: float | None = None, places: int | None = None) -> str:
    """``value`` as text with thousands separators, rounded half to even; a rounded zero has no sign."""
    rounded = _rounded(value, decimals(value, limit=limit) if places is None else places)
    return f"{abs(rounded) if rounded == 0 else rounded:,f}"


def _plain(size: float) -> int:
    if size >= 1000:
        return 0
    if size >= 10:
        return 2 if size < 100 else 1
    if 0 < size < 0.001:
        return min(MOST, 1 - math.floor(math.log10(size)))
    return 3


def _exact(value: float | Fraction) -> Fraction:
    # repr gives 0.8 for 0.8; the binary fraction behind it is a little more, and would be "above" a limit of 0.8
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def _side(value: Fraction, limit: float) -> int:
    edge = Fraction(repr(float(limit)))
    return (value > edge) - (value < edge)


def _rounded(value: float | Fraction, places: int) -> Decimal:
    exact = _exact(value)
    # 40 digits before rounding: the division itself must not decide a tie
    quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
    return quotient.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
