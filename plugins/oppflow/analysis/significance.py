"""Whether the means of two nights differ: tests for every scalar at every point.

The tables here have a row per scalar and point, with what `oppflow.analysis.differences` gathers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import stdtr
from scipy.stats import false_discovery_control

Numbers = npt.NDArray[np.float64]

PAIRED, WELCH = "paired t", "Welch's t"
EQUAL, UNTESTED = "equal", "untested"
NO_VARIANCE, NOT_FINITE, NEW, GONE = "no variance", "not finite", "new", "gone"
CERTAIN = (NO_VARIANCE, NOT_FINITE, NEW, GONE)
"""Ways to tell a change that need no test."""


def how_to_tell() -> pl.Expr:
    """How each row is judged: one of the words above.

    Values of equal effective seeds make pairs; pairs count where they are all that one night has
    at the point. Without variance there is nothing to test: equal values are equal, and others have
    changed. One value a night does not say how far it scatters.
    """
    n_before, n_now, pairs = pl.col("n_before"), pl.col("n_now"), pl.col("pairs")
    least, most = pl.min_horizontal("n_before", "n_now"), pl.max_horizontal("n_before", "n_now")
    paired = (pairs > 0) & (pairs == least)
    steady_pairs = paired & (pl.col("least_difference") == pl.col("most_difference"))
    steady = (
        ~paired
        & (pl.col("least_before") == pl.col("most_before"))
        & (pl.col("least_now") == pl.col("most_now"))
    )
    same = pl.col("mean_before") == pl.col("mean_now")
    # All of several values were numbers, and none of several is one any more, or the reverse.
    flipped = (
        (most >= 2)
        & (pl.min_horizontal("runs_before", "runs_now") >= 2)
        & ((n_before == pl.col("runs_before")) | (n_now == pl.col("runs_now")))
    )
    return (
        pl.when(pl.col("runs_before") == 0).then(pl.lit(NEW))
        .when(pl.col("runs_now") == 0).then(pl.lit(GONE))
        .when(most == 0).then(pl.lit(EQUAL))
        .when((least == 0) & flipped).then(pl.lit(NOT_FINITE))
        .when(least == 0).then(pl.lit(UNTESTED))
        .when(steady_pairs & (pl.col("least_difference") == 0)).then(pl.lit(EQUAL))
        .when(steady & same).then(pl.lit(EQUAL))
        .when(least < 2).then(pl.lit(UNTESTED))
        .when(steady_pairs | steady).then(pl.lit(NO_VARIANCE))
        .when(paired).then(pl.lit(PAIRED))
        .otherwise(pl.lit(WELCH))
    )  # fmt: skip


def with_p_values(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``how`` and ``p``, two-sided: 1 for equal values, null where nothing was tested.

    A p-value that cannot be computed, as squares of such numbers overflow, is as good as no test.
    """
    rows = rows.with_columns(how=how_to_tell())
    how = rows["how"].to_numpy()
    p = np.full(rows.height, np.nan)
    p[how == EQUAL] = 1.0
    for test, function in ((PAIRED, _paired), (WELCH, _welch)):
        chosen = how == test
        if chosen.any():
            p[chosen] = function(rows.filter(pl.col("how") == test))
    p_value = pl.Series("p", p).fill_nan(None)
    overflowed = pl.col("how").is_in([PAIRED, WELCH]) & pl.col("p").is_null()
    return rows.with_columns(p_value).with_columns(
        how=pl.when(overflowed).then(pl.lit(UNTESTED)).otherwise(pl.col("how"))
    )


def _paired(rows: pl.DataFrame) -> Numbers:
    """The paired t-test: t = d / (s / sqrt(n)), n - 1 degrees of freedom.

    d and s are mean and standard deviation of the n differences. Source: A. M. Law, Simulation
    Modeling and Analysis, 5th ed. 2015, 10.2.1 (the paired-t confidence interval).
    """
    n, mean, variance = _numbers(rows, "pairs", "mean_difference", "variance_difference")
    with np.errstate(all="ignore"):
        t = mean / np.sqrt(variance / n)
        return _two_sided(t, n - 1)


def _welch(rows: pl.DataFrame) -> Numbers:
    """Welch's t-test, for samples of unequal sizes and variances, not paired.

    t = (m2 - m1) / sqrt(v1/n1 + v2/n2), with (v1/n1 + v2/n2)^2 / ((v1/n1)^2 / (n1 - 1) +
    (v2/n2)^2 / (n2 - 1)) degrees of freedom. Source: B. L. Welch, The generalization of "Student's"
    problem when several different population variances are involved, Biometrika 34 (1947), 28-35.
    """
    n1, m1, v1 = _numbers(rows, "n_before", "mean_before", "variance_before")
    n2, m2, v2 = _numbers(rows, "n_now", "mean_now", "variance_now")
    with np.errstate(all="ignore"):
        a, b = v1 / n1, v2 / n2
        t = (m2 - m1) / np.sqrt(a + b)
        # As shares of their sum: the squares of small variances would vanish.
        share = a / (a + b)
        freedom = 1 / (share**2 / (n1 - 1) + (1 - share) ** 2 / (n2 - 1))
        return _two_sided(t, freedom)


def _two_sided(t: Numbers, freedom: Numbers) -> Numbers:
    p: Numbers = 2 * stdtr(freedom, -np.abs(t))
    return p


def _numbers(rows: pl.DataFrame, *columns: str) -> list[Numbers]:
    return [rows[column].cast(pl.Float64).to_numpy() for column in columns]


def adjusted(p: pl.Series) -> pl.Series:
    """The p-values, adjusted by Benjamini and Hochberg's procedure; null stays null.

    What is at most q is called changed with a false discovery rate of at most q, for independent
    tests and for such that depend on each other positively. Sources: Y. Benjamini, Y. Hochberg,
    Controlling the false discovery rate, J. R. Statist. Soc. B 57 (1995), 289-300; Y. Benjamini,
    D. Yekutieli, Ann. Statist. 29 (2001), 1165-1188.
    """
    values = p.to_numpy().astype(np.float64)
    known = ~np.isnan(values)
    result: Any = np.full(len(values), np.nan)
    if known.any():
        result[known] = false_discovery_control(values[known], method="bh")
    return pl.Series("significance", result).fill_nan(None)


def is_changed(false_discovery_rate: float, minimum_change: float) -> pl.Expr:
    """Whether a row with ``significance`` has changed: surely or significantly, and by enough."""
    before, now = pl.col("mean_before"), pl.col("mean_now")
    least = minimum_change * pl.max_horizontal(before.abs(), now.abs())
    enough = (now - before).abs() > least
    told = pl.col("significance") <= false_discovery_rate
    return (
        pl.col("how").is_in([NEW, GONE, NOT_FINITE])
        | ((pl.col("how") == NO_VARIANCE) & enough)
        | (pl.col("how").is_in([PAIRED, WELCH]) & told & enough)
    ).fill_null(value=False)
