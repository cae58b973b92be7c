"""Numbers, times and estimates as a person reads them."""

from __future__ import annotations

import math

import pytest

from oppflow.analysis.formatting import (
    NOTHING,
    format_count,
    format_duration,
    format_estimate,
    format_number,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (10.0, "10"), (1 / 3, "0.33333"), (1e12, "1e+12"), (-2.0, "-2"),
        (math.nan, NOTHING), (None, NOTHING), (math.inf, "∞"), (-math.inf, "-∞"), ("tcp", "tcp"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("mean", "half_width", "text"),
    [
        (2.1532, 0.2212, "2.15 ± 0.22"),
        (0.0999, 0.00402, "0.0999 ± 0.0040"),
        (12345.6, 123.4, "12346 ± 123"),
        (4.02, 17.35, "4.0 ± 17.4"),
        (1e-8, 0.5, "0.0000 ± 0.5000"),
        (1.0, 0.0, "1 ± 0"),
        (1.5, None, "1.5"),
        (None, None, NOTHING),
        (math.inf, None, "∞"),
        (1.2e-5, 3e-7, "1.2e-05 ± 3e-07"),
        (3e9, 1e8, "3e+09 ± 1e+08"),
        (0.0, 0.5, "0.00 ± 0.50"),
        (5.0, 1e-14, "5.000000000 ± 0.000000000"),
    ],
)
def test_estimates(mean, half_width, text):
    assert format_estimate(mean, half_width) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.41234, "0.412 s"), (59, "59 s"), (60, "1 min"), (192, "3 min 12 s"),
        (7500, "2 h 5 min"), (90_000, "1 d 1 h"), (86_400, "1 d"), (None, NOTHING), (-1, NOTHING),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_counts():
    assert [format_count(n, "run") for n in (0, 1, 2500)] == ["0 runs", "1 run", "2,500 runs"]
