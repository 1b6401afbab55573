from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.data.dates import PERIODS, calendar_part, on_a_circle, parts_that_vary
from automl.data.encoding import LinearEncoder, TreeEncoder

MOMENTS = pd.Series(pd.to_datetime(["1969-12-31", "1970-01-01", "2024-02-29 18:00", "2026-11-21 06:30", "1900-03-01", "2099-12-31 23:59"], format="ISO8601"))
DAYS = ((MOMENTS - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy()


@pytest.mark.parametrize(("part", "theirs"), [
    ("weekday", MOMENTS.dt.day_of_week), ("day_of_month", MOMENTS.dt.day - 1), ("day_of_year", MOMENTS.dt.day_of_year - 1), ("hour", MOMENTS.dt.hour + MOMENTS.dt.minute / 60),
])
def test_parts_are_those_of_the_calendar(part: str, theirs: pd.Series) -> None:
    assert calendar_part(DAYS, part) == pytest.approx(theirs.to_numpy(dtype=float), abs=1e-6)
    assert np.isnan(calendar_part(np.array([np.nan]), part)).all()


def test_sunday_is_next_to_monday_and_what_is_missing_stands_in_the_middle() -> None:
    monday, thursday, sunday, missing = on_a_circle(np.array([4.0, 7.0, 10.0, np.nan]), "weekday")
    assert np.hypot(*(sunday - monday)) < np.hypot(*(thursday - monday))
    assert missing.tolist() == [0, 0]


def test_only_parts_that_vary_are_columns() -> None:
    assert parts_that_vary(np.array([4.0, 11.0, np.nan])) == ("day_of_year", "day_of_month")
    assert parts_that_vary(DAYS) == tuple(PERIODS)
    assert parts_that_vary(np.array([np.nan])) == ()


def test_encoders_give_the_parts_back_to_their_column() -> None:
    frame = pd.DataFrame({"n": np.arange(60.0), "day": np.arange(60.0), "c": list("abc") * 20})
    y = ((np.arange(60) + 3) % 7 >= 5).astype(np.int64)
    trees, matrix = TreeEncoder.fit_transform(frame, y, "binary", 0, dates=["day"])
    assert (trees.sources == 1).sum() == 4, "the days and three parts of the calendar"
    assert matrix[:, 1 + 3].tolist() == ((np.arange(60) + 3) % 7).tolist()
    linear = LinearEncoder.fit(frame, dates=["day"])
    assert (linear.sources == 1).sum() == 1 + 2 * 3
    for encoder in (trees, linear):
        again = type(encoder).from_json(encoder.as_json())
        assert np.array_equal(again.transform(frame), encoder.transform(frame))
        assert encoder.transform(frame).shape[1] == len(encoder.sources)
