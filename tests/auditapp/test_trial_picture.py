"""The live picture's coordinates: where a better score lies, what the best line does, and that one outlier does not flatten it."""

from __future__ import annotations

import re

from auditapp.trial_picture import BOTTOM, HEIGHT, MOST_POINTS, TOP, TrialPoint, draw_trials


def heights(*scores: float, maximize: bool) -> list[float]:
    picture = draw_trials([TrialPoint(i, score) for i, score in enumerate(scores)], maximize=maximize)
    assert picture is not None
    return [float(mark.y) for mark in picture.marks]


def test_nothing_to_draw() -> None:
    assert draw_trials([], maximize=True) is None


def test_higher_is_higher_on_the_picture_whatever_is_better() -> None:
    for maximize in (True, False):
        low, high = heights(0.8, 0.9, maximize=maximize)
        assert high < low  # SVG counts downwards


def test_the_best_line_never_gets_worse() -> None:
    for maximize, sign in ((True, 1), (False, -1)):
        picture = draw_trials([TrialPoint(i, score) for i, score in enumerate((0.5, 0.7, 0.6, 0.9, 0.2))], maximize=maximize)
        assert picture is not None
        levels = [float(y) for y in re.findall(r"V([0-9.]+)", picture.best)]
        assert levels == sorted(levels, reverse=sign == 1)


def test_one_failed_start_does_not_press_the_others_into_a_line() -> None:
    spread = heights(0.1, 0.90, 0.91, 0.92, 0.93, 0.925, 0.928, 0.931, maximize=True)
    assert spread[0] == HEIGHT - BOTTOM  # drawn at the edge
    assert max(spread[1:]) - min(spread[1:]) > (HEIGHT - TOP - BOTTOM) / 3


def test_a_single_trial_and_equal_scores_have_a_place() -> None:
    assert all(TOP <= y <= HEIGHT - BOTTOM for y in heights(0.5, maximize=True) + heights(0.0, 0.0, maximize=False))


def test_only_the_newest_trials_are_drawn() -> None:
    picture = draw_trials([TrialPoint(i, i / 1000) for i in range(MOST_POINTS + 50)], maximize=True)
    assert picture is not None
    assert len(picture.marks) == MOST_POINTS
    assert picture.marks[-1].label.startswith(f"{MOST_POINTS + 49}:")
