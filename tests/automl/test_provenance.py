"""What a result came from, as far as it is more than a copy of versions."""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.metadata import version

import pytest

from automl.provenance import a_year_after, installed_packages


def test_every_installed_package_has_a_line_and_the_digest_is_of_all_lines() -> None:
    packages = installed_packages()
    assert packages.installed == len(packages.lines) == len(packages.versions) > 50
    assert packages.sha256 == hashlib.sha256("".join(packages.lines).encode()).hexdigest()
    [line] = [line for line in packages.lines if line.startswith("numpy==")]
    words = line.split()
    assert words[:4] == [f"numpy=={version('numpy')}", "#", "RECORD", "sha256"]
    assert len(words[4]) == 64


@pytest.mark.parametrize(("day", "later"), [(date(2026, 11, 23), date(2027, 11, 23)), (date(2028, 2, 29), date(2029, 2, 28)), (date(2027, 3, 1), date(2028, 3, 1))])
def test_a_year_after_a_leap_day_is_the_last_of_february(day: date, later: date) -> None:
    assert a_year_after(day) == later
