"""The live run's picture: each trial's score and the best so far, as plain coordinates for a small SVG template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditapp.languages.chosen import numbers
from automl.printing import decimals_of, fixed, significant

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 34
MOST_POINTS = 400
"""More marks than this say nothing more; the newest are kept."""


@dataclass(frozen=True)
class Mark:
    x: str
    y: str
    label: str


@dataclass(frozen=True)
class Tick:
    at: str
    label: str


@dataclass(frozen=True)
class TrialPicture:
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    marks: tuple[Mark, ...]
    best: str
    """SVG path of the best score so far, as steps."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class TrialPoint:
    number: int
    score: float
    family: str = ""


def draw_trials(points: Sequence[TrialPoint], *, maximize: bool) -> TrialPicture | None:
    """Coordinates for the template; None while no trial has a score."""
    points = sorted(points, key=lambda point: point.number)[-MOST_POINTS:]
    if not points:
        return None
    best: list[float] = []
    for point in points:
        best.append(point.score if not best else (max if maximize else min)(best[-1], point.score))
    # A failed start far below the rest would press all later trials into one line: the axis begins at the lower quartile's neighbourhood
    shown = _window([point.score for point in points], best[-1], maximize)
    first, last = points[0].number, max(points[-1].number, points[0].number + 1)

    def x(number: int) -> float:
        return LEFT + (number - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(score: float) -> float:
        low, high = shown
        inside = min(max(score, low), high)
        return TOP + (high - inside) / (high - low) * (HEIGHT - TOP - BOTTOM)

    marks = tuple(Mark(f"{x(p.number):.1f}", f"{y(p.score):.1f}", f"{p.number}: {numbers(significant(p.score))} {p.family}".strip()) for p in points)
    path = " ".join(f"{'M' if i == 0 else 'H'}{x(p.number):.1f} V{y(b):.1f}" if i else f"M{x(p.number):.1f} {y(b):.1f}" for i, (p, b) in enumerate(zip(points, best, strict=True)))
    middle = sorted({first, (first + last) // 2, last})
    places = decimals_of(*shown)
    return TrialPicture(
        WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM, marks, path,
        tuple(Tick(f"{x(n):.1f}", str(n)) for n in middle), tuple(Tick(f"{y(v):.1f}", numbers(fixed(v, places))) for v in (shown[0], sum(shown) / 2, shown[1])))


def _window(scores: Sequence[float], best: float, maximize: bool) -> tuple[float, float]:
    ordered = sorted(scores, reverse=not maximize)
    start = ordered[len(ordered) // 4]
    low, high = min(start, best), max(start, best)
    margin = (high - low) * 0.1 or max(abs(best) * 0.01, 1e-6)
    return low - margin, high + margin
