"""Means and confidence intervals over repetitions."""

from __future__ import annotations

import math

import polars as pl
import pytest
from scipy import stats

from oppflow.analysis.statistics import half_width_factors, summarise


def table(*values: tuple[float, int, str, float]) -> pl.LazyFrame:
    """Rows of (variable x, run, name, value)."""
    columns = ["x", "run", "name", "value"]
    frame = pl.DataFrame(values, schema=columns, orient="row", strict=False)
    return frame.with_columns(
        pl.col("value").cast(pl.Float64),
        config=pl.lit("C"),
        module=pl.lit("m"),
        unit=pl.lit("s"),
    ).lazy()


def test_mean_and_half_width_are_those_of_scipy():
    values = [3.1, 2.9, 3.6, 3.3]
    row = summarise(table(*((1.0, i, "n", v) for i, v in enumerate(values))), ["x"]).row(
        0, named=True
    )
    low, high = stats.t.interval(0.95, 3, loc=row["mean"], scale=stats.sem(values))
    assert row["mean"] == pytest.approx(sum(values) / 4)
    assert row["half_width"] == pytest.approx((high - low) / 2)
    assert (row["samples"], row["skipped"], row["unit"]) == (4, 0, "s")


def test_the_confidence_is_a_parameter():
    rows = table((1.0, 0, "n", 1.0), (1.0, 1, "n", 2.0))
    narrow, wide = (summarise(rows, ["x"], confidence=c)["half_width"][0] for c in (0.9, 0.99))
    assert narrow < wide
    with pytest.raises(ValueError, match="between 0 and 1"):
        summarise(rows, ["x"], confidence=95)


def test_one_repetition_has_no_interval():
    assert summarise(table((1.0, 0, "n", 5.0)), ["x"]).rows() == [
        ("C", 1.0, "m", "n", "s", 5.0, None, 1, 0)
    ]


def test_nan_is_skipped_and_counted():
    rows = table((1.0, 0, "n", math.nan), (1.0, 1, "n", 2.0), (1.0, 2, "n", 4.0))
    row = summarise(rows, ["x"]).row(0, named=True)
    assert (row["mean"], row["samples"], row["skipped"]) == (3.0, 2, 1)


def test_nothing_but_nan_has_no_mean():
    row = summarise(table((1.0, 0, "n", math.nan)), ["x"]).row(0, named=True)
    assert (row["mean"], row["half_width"], row["samples"], row["skipped"]) == (None, None, 0, 1)


def test_infinite_values_have_no_interval():
    row = summarise(table((1.0, 0, "n", math.inf), (1.0, 1, "n", 2.0)), ["x"]).row(0, named=True)
    assert (row["mean"], row["half_width"]) == (math.inf, None)


def test_equal_values_have_an_interval_of_zero():
    row = summarise(table((1.0, 0, "n", 2.0), (1.0, 1, "n", 2.0)), ["x"]).row(0, named=True)
    assert row["half_width"] == 0


def test_a_name_recorded_twice_counts_as_one_repetition():
    rows = table((1.0, 0, "n", 1.0), (1.0, 0, "n", 3.0), (1.0, 1, "n", 4.0))
    row = summarise(rows, ["x"]).row(0, named=True)
    assert (row["mean"], row["samples"]) == (3.0, 2)


def test_points_keep_their_order_and_do_not_mix():
    rows = table((9.0, 0, "b", 1.0), (9.0, 0, "a", 2.0), (1.0, 1, "b", 3.0), (9.0, 2, "b", 5.0))
    result = summarise(rows, ["x"])
    assert result.select("x", "name", "mean").rows() == [
        (9.0, "b", 3.0), (9.0, "a", 2.0), (1.0, "b", 3.0),
    ]  # fmt: skip


def test_a_missing_variable_is_a_value_of_its_own():
    rows = table((None, 0, "n", 1.0), (1.0, 1, "n", 2.0))
    assert summarise(rows, ["x"])["x"].to_list() == [None, 1.0]


def test_without_variables_and_without_rows():
    assert summarise(table((1.0, 0, "n", 1.0), (2.0, 1, "n", 3.0)), []).height == 1
    assert summarise(table((1.0, 0, "n", 1.0)).limit(0), ["x"]).height == 0


def test_factors():
    factors = half_width_factors([0, 1, 2, 10], 0.95)
    assert factors[0] is None
    assert factors[1] is None
    assert factors[2] == pytest.approx(12.7062 / 2**0.5, rel=1e-5)
    assert factors[10] == pytest.approx(2.262157 / 10**0.5, rel=1e-6)
