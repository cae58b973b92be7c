"""When a campaign will have ended, going by what is known of its runs."""

from __future__ import annotations

import polars as pl

from oppflow.web.states import RUNNING, WAITING


def seconds_left(frame: pl.DataFrame, lanes: int) -> float | None:
    """Seconds until the last run ends; None where nothing tells, 0 where no run is left.

    A run takes what was expected of it, times the factor by which those that ended took longer or
    shorter than expected; without expectations, their mean. What is left is spread over as many
    ``lanes`` as simulate at once, and takes no less than the longest run.
    """
    left = frame.filter(pl.col("state").is_in([RUNNING, WAITING]))
    if left.is_empty():
        return 0.0
    ended = frame.filter(pl.col("attempts") > 0, pl.col("wall_time").is_not_null())
    known = ended.filter(pl.col("expected") > 0)
    mean = ended["wall_time"].mean()
    factor = 1.0
    expected_sum = float(known["expected"].sum())
    if expected_sum > 0:
        factor = float(known["wall_time"].sum()) / expected_sum
    if not isinstance(mean, float):
        mean = left["expected"].mean()
    fallback = pl.lit(mean, pl.Float64)
    share = 1 - pl.col("percentage").fill_null(0) / 100
    seconds = left.select((pl.col("expected") * factor).fill_null(fallback) * share).to_series()
    if seconds.null_count():
        return None
    return max(float(seconds.sum()) / max(1, lanes), float(seconds.max() or 0.0))  # type: ignore[arg-type]
