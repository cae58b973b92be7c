"""Means over repetitions and their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from scipy.special import stdtrit

CONFIDENCE = 0.95


def summarise(
    scalars: pl.LazyFrame, variables: Sequence[str], *, confidence: float = CONFIDENCE
) -> pl.DataFrame:
    """Return a row per point: configuration, values of the variables, module and name.

    ``scalars`` is a table of `oppflow.analysis.scalars`; ``variables`` are the columns of its
    iteration variables. Columns: ``config``, the variables, ``module``, ``name``, ``unit``,
    ``mean``, ``half_width``, ``samples`` (n, the runs that entered) and ``skipped`` (runs whose
    value is not a number). ``mean`` is null if n is 0. Rows keep the order of the first value in
    ``scalars``. A name that one run recorded more than once enters with the mean of its values.

    ``half_width`` is t(1 - (1 - confidence) / 2; n - 1) * s / sqrt(n), with Student's t and the
    sample's standard deviation s (n - 1 in the denominator): half of the confidence interval of
    the mean of n independent, normally distributed values with unknown variance. Source: A. M.
    Law, Simulation Modeling and Analysis, 5th ed. 2015, eq. 4.12. Null for fewer than two runs,
    and where a value is infinite.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    point = ["config", *variables, "module", "name"]
    points = _over_runs(scalars, point)
    factors = half_width_factors(points["samples"].unique().to_list(), confidence)
    factor = pl.col("samples").replace_strict(factors, return_dtype=pl.Float64)
    half_width = pl.col("deviation") * factor
    return points.select(
        *point,
        "unit",
        "mean",
        pl.when(half_width.is_finite()).then(half_width).alias("half_width"),
        "samples",
        "skipped",
    )


def _over_runs(scalars: pl.LazyFrame, point: Sequence[str]) -> pl.DataFrame:
    """Mean, standard deviation and number of values per point."""
    per_run = (
        scalars.with_row_index("row")
        .group_by([*point, "run"])
        .agg(pl.col("value").mean(), pl.col("unit").first(), pl.col("row").min())
    )
    value = pl.col("value").filter(pl.col("value").is_not_nan())
    return (
        per_run.group_by(point)
        .agg(
            pl.col("unit").first(),
            value.mean().alias("mean"),
            value.std(ddof=1).alias("deviation"),
            value.len().cast(pl.Int64).alias("samples"),
            pl.col("value").is_nan().sum().cast(pl.Int64).alias("skipped"),
            pl.col("row").min(),
        )
        .sort("row")
        .collect()
    )


def half_width_factors(sizes: Sequence[int], confidence: float) -> dict[int, float | None]:
    """Return t / sqrt(n) by sample size n: what the standard deviation is multiplied by."""
    upper = 1 - (1 - confidence) / 2
    return {n: float(stdtrit(n - 1, upper)) / n**0.5 if n > 1 else None for n in sizes}
