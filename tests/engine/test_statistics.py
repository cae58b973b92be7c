"""Statistics agree with the standard library's, and leave out what they should."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.engine.statistics import Statistic, TimeAverage


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50))
def test_moments_are_those_of_the_standard_library(values: list[float]) -> None:
    statistic = Statistic()
    for value in values:
        statistic.collect(value)
    fields = statistic.fields()
    assert fields["count"] == len(values)
    assert fields["mean"] == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert fields["stddev"] == pytest.approx(statistics.stdev(values), abs=1e-3)
    assert (fields["min"], fields["max"]) == (min(values), max(values))


def test_nothing_has_no_mean() -> None:
    fields = Statistic().fields()
    assert (fields["count"], fields["sum"], fields["sqrsum"]) == (0, 0, 0)
    assert all(math.isnan(fields[name]) for name in ("mean", "stddev", "min", "max"))


def test_averages_weigh_by_time() -> None:
    average = TimeAverage(now=1.0, value=2.0)
    average.change(2.0, 4.0)
    average.change(5.0, 0.0)
    assert average.average(11.0) == pytest.approx((2 * 1 + 4 * 3 + 0 * 6) / 10)
    assert average.maximum == 4.0


def test_a_reset_keeps_the_value() -> None:
    average = TimeAverage(now=0.0, value=9.0)
    average.change(1.0, 3.0)
    average.reset(2.0)
    assert math.isnan(average.average(2.0))
    assert (average.average(4.0), average.maximum) == (3.0, 3.0)
