"""The vectors that a run recorded, thinned to what a screen can show."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from oppflow.omnetpp.vector_file import read_vectors
from oppflow.omnetpp.vector_index import Block, Vector
from oppflow.web.results import NotThereError
from oppflow.web.text import shown

MOST_ROWS = 500_000
"""Rows that are read to draw one curve; of longer vectors, evenly spaced blocks."""

Json = dict[str, Any]


def list_vectors(path: Path) -> list[Json]:
    """The vectors of a file by number, module, name, and how many rows they have.

    Raises:
        ResultFileError: the file or its index is damaged.
    """
    return [
        {
            "vector": vector.number,
            "module": shown(vector.module),
            "name": shown(vector.name),
            "unit": shown(vector.attributes.get("unit", "")),
            "rows": vector.rows,
        }
        for vector in read_vectors(path).vectors
    ]


def thinned_vector(path: Path, number: int, points: int) -> Json:
    """A vector as at most ``points`` pairs ``time`` (s) and ``value``.

    Of every stretch of rows its least and its greatest value remain, so that peaks do.

    Raises:
        NotThereError: the file has no such vector.
        ResultFileError: the file or its index is damaged.
    """
    found = [vector for vector in read_vectors(path).vectors if vector.number == number]
    if not found:
        raise NotThereError(f"{path.name} has no vector {number}.")
    vector = found[0]
    blocks = _some(vector.blocks, vector.rows)
    frame = thin(_read(path, vector, blocks), points)
    return {
        "module": shown(vector.module),
        "name": shown(vector.name),
        "unit": shown(vector.attributes.get("unit", "")),
        "rows": vector.rows,
        "rows_read": sum(block.rows for block in blocks),
        "time": frame["time"].to_list(),
        "value": frame["value"].to_list(),
    }


def _some(blocks: Sequence[Block], rows: int) -> Sequence[Block]:
    """All blocks, or evenly spaced ones of about `MOST_ROWS` rows."""
    return blocks if rows <= MOST_ROWS else blocks[:: -(-rows // MOST_ROWS)]


def _read(path: Path, vector: Vector, blocks: Sequence[Block]) -> pl.DataFrame:
    with path.open("rb") as file:
        parts = []
        for block in blocks:
            file.seek(block.offset)
            parts.append(file.read(block.size))
    text = b"".join(parts).replace(b" ", b"\t")
    names = ["vector", *vector.columns]
    if not text or "T" not in names or "V" not in names:
        return pl.DataFrame(schema={"time": pl.Float64, "value": pl.Float64})
    raw = pl.read_csv(
        io.BytesIO(text), has_header=False, separator="\t", new_columns=names, infer_schema=False
    )
    numbers: pl.DataFrame = raw.select(
        pl.col("T").cast(pl.Float64, strict=False).alias("time"),
        pl.col("V").cast(pl.Float64, strict=False).alias("value"),
    )
    return numbers.filter(pl.col("time").is_not_null(), pl.col("value").is_finite())


def thin(frame: pl.DataFrame, points: int) -> pl.DataFrame:
    """The least and the greatest of every stretch, in order; a short table stays as it is."""
    if frame.height <= points:
        return frame
    stretch = (pl.col("row") * max(1, points // 2) // frame.height).alias("stretch")
    extremes = (
        frame.with_row_index("row")
        .group_by(stretch, maintain_order=True)
        .agg(
            pl.concat_list(
                pl.col("row").get(pl.col("value").arg_min()),
                pl.col("row").get(pl.col("value").arg_max()),
            )
            .list.unique()
            .alias("rows")
        )
    )
    rows = extremes["rows"].explode().explode().unique().sort()
    return frame.filter(pl.int_range(pl.len()).is_in(rows.implode()))
