from __future__ import annotations

import math
import time

import psutil
import pytest

from automl.learn.deadline import Deadline


def test_it_counts_from_the_start_of_the_process_unless_told_otherwise() -> None:
    age = time.time() - psutil.Process().create_time()
    assert Deadline(1e6).elapsed() == pytest.approx(age, abs=5)
    assert Deadline(1e6, started=time.time() - 100).elapsed() == pytest.approx(100, abs=5)


def test_reserve_and_time_spent_earlier_come_off() -> None:
    assert Deadline(100, started=time.time(), reserve=10, spent=30).left() == pytest.approx(60, abs=5)


def test_it_never_goes_below_zero_and_says_when_it_is_over() -> None:
    deadline = Deadline(1, started=time.time() - 10)
    assert deadline.left() == 0
    assert deadline.over()


def test_without_a_limit_it_is_never_over() -> None:
    assert Deadline(None).left() == math.inf
    assert not Deadline(None).over()
