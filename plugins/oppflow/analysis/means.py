"""The means that a report shows: those of the most telling scalars, in bounded memory.

A campaign may have recorded millions of values under tens of thousands of names, and a person looks
at a few dozen of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from oppflow.analysis.selection import rank_scalars, scalar_facts
from oppflow.analysis.statistics import CONFIDENCE, summarise
from oppflow.analysis.variables import Variable

_ROWS = 100_000  # held in memory at a time: some 10 MB
MOST_SCALARS = 60


@dataclass(frozen=True)
class Means:
    """The means of some scalars, as a table of `summarise`.

    ``left`` is how many scalars are not among them; ``skipped`` how many values of all of them were
    not a number.
    """

    points: pl.DataFrame
    left: int = 0
    skipped: int = 0


def telling_means(
    table: Path,
    variables: Sequence[Variable],
    *,
    most: int = MOST_SCALARS,
    confidence: float = CONFIDENCE,
) -> Means:
    """The means of the ``most`` telling scalars in a ``scalars.parquet``; see `rank_scalars`."""
    parts = [scalar_facts(part) for part in _parts(table)]
    facts = _together(parts)
    ranked = rank_scalars(facts)
    chosen = {
        (one.module, name) for one in ranked[:most] for name in (one.name, one.theory) if name
    }
    names = pl.DataFrame(
        sorted(chosen), schema={"module": pl.String, "name": pl.String}, orient="row"
    )
    rows = pl.concat(
        part.join(names, on=["module", "name"], how="semi", maintain_order="left")
        for part in _parts(table)
    )
    columns = [variable.column for variable in variables]
    return Means(
        summarise(rows.lazy(), columns, confidence=confidence),
        left=max(0, len(ranked) - most),
        skipped=int(facts["skipped"].sum()),
    )


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return (
        pl.concat(parts)
        .group_by("module", "name", maintain_order=True)
        .agg(pl.col("lowest").min(), pl.col("highest").max(), pl.col("skipped").sum())
    )


def _parts(table: Path) -> Iterator[pl.DataFrame]:
    """The rows of the table, some at a time, at least one part."""
    scan = pl.scan_parquet(table)
    height = int(scan.select(pl.len()).collect().item())
    for start in range(0, max(1, height), _ROWS):
        yield scan.slice(start, _ROWS).collect()
