"""What the page shows of the table of runs: pages of rows, the matrix, failures, counts. No I/O."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from oppflow.web.states import BAD, LETTERS, RUNNING, STATES

MOST_ROWS = 500
MOST_VALUES = 60
"""Rows or columns of a matrix: more cannot be read, nor drawn quickly."""

_HIDDEN = ("key", "reuse")
_MOST_GROUPS = 50
_EXAMPLES = 20


def counts(frame: pl.DataFrame) -> dict[str, int]:
    """The number of runs by state, in the order of `STATES`; only those that occur."""
    found = dict(frame["state"].value_counts().iter_rows())
    return {state: found[state] for state in STATES if state in found}


def page_of(frame: pl.DataFrame, sort: str, offset: int, limit: int) -> list[dict[str, Any]]:
    """Rows of the table; ``sort`` names columns, with a minus for descending: ``-wall_time,run``.

    Columns that do not exist are passed over. Failed runs come first where nothing else is asked.
    """
    rows = slice_of(frame, sort, offset, limit)
    return rows.drop([name for name in _HIDDEN if name in rows.columns]).to_dicts()


def slice_of(frame: pl.DataFrame, sort: str, offset: int, limit: int) -> pl.DataFrame:
    """The rows of `page_of` as a table."""
    names = [name for name in sort.split(",") if name.removeprefix("-") in frame.columns]
    if names:
        keys = [name.removeprefix("-") for name in names]
        down = [name.startswith("-") for name in names]
        ordered = frame.sort(keys, descending=down, nulls_last=True, maintain_order=True)
    else:
        urgency = {**dict.fromkeys(BAD, 0), RUNNING: 1}
        order = pl.col("state").replace_strict(urgency, default=2, return_dtype=pl.Int8)
        ordered = frame.sort(order, maintain_order=True)
    return ordered.slice(offset, min(limit, MOST_ROWS))


def matrix(frame: pl.DataFrame, x: str | None, y: str | None) -> dict[str, Any]:
    """Cells over the values of two columns; None stands for a single row or column.

    ``cells`` are ``[x, y, states, mean, longest]``: places in ``x_values`` and ``y_values``, a
    letter of `LETTERS` for each run of the cell by repetition, mean and longest wall-clock time (s)
    of those that were executed.
    """
    axes = [pl.col(name) if name else pl.lit(value="") for name in (x, y)]
    cells = (
        frame.sort("repetition", maintain_order=True)
        .select(
            axes[0].alias("x"),
            axes[1].alias("y"),
            pl.col("state").replace_strict(LETTERS, return_dtype=pl.String).alias("letter"),
            pl.col("wall_time").alias("wall"),
        )
        .group_by("x", "y", maintain_order=True)
        .agg(
            pl.col("letter").str.join(""),
            pl.col("wall").mean().alias("mean"),
            pl.col("wall").max().alias("longest"),
        )
    )
    x_values, y_values = _values(frame, x), _values(frame, y)
    x_at = {value: i for i, value in enumerate(x_values[:MOST_VALUES])}
    y_at = {value: i for i, value in enumerate(y_values[:MOST_VALUES])}
    return {
        "x": x,
        "y": y,
        "x_values": list(x_at),
        "y_values": list(y_at),
        "x_total": len(x_values),
        "y_total": len(y_values),
        "letters": {letter: state for state, letter in LETTERS.items()},
        "cells": [
            [x_at[x_value], y_at[y_value], *rest]
            for x_value, y_value, *rest in cells.iter_rows()
            if x_value in x_at and y_value in y_at
        ],
    }


def _values(frame: pl.DataFrame, name: str | None) -> list[Any]:
    """Numbers ascending; text in the order of the runs."""
    if name is None:
        return [""]
    values = frame[name].unique(maintain_order=True)
    return list(values.sort() if values.dtype.is_numeric() else values)


def failures(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Runs that are not good by what is said of them, the most frequent first.

    Messages that differ only in their numbers are of one kind; the first one is told.
    """
    bad = frame.filter(pl.col("state").is_in(BAD))
    kinds = [re.sub(r"\d+", "0", message) for message in bad["message"].fill_null("")]
    groups = (
        bad.with_columns(pl.Series("kind", kinds, dtype=pl.String))
        .group_by("state", "kind", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            pl.col("message").first(),
            pl.col("run").head(_EXAMPLES).alias("runs"),
        )
        .sort("count", descending=True, maintain_order=True)
    )
    return groups.head(_MOST_GROUPS).drop("kind").to_dicts()
