"""A night's results beside a reference's: files, then scalars, then the verdict."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from oppflow.analysis.differences import ROWS, differences, variable_columns
from oppflow.analysis.formatting import format_count
from oppflow.analysis.same_files import Fetch, all_here, same_files
from oppflow.analysis.significance import (
    CERTAIN,
    EQUAL,
    GONE,
    NEW,
    NO_VARIANCE,
    NOT_FINITE,
    UNTESTED,
    adjusted,
    is_changed,
    with_p_values,
)
from oppflow.comparison import Change, Comparison, Criteria, Verdict
from oppflow.errors import InfrastructureError
from oppflow.manifest import Manifest
from oppflow.results_folder import ResultsFolder

MOST_CHANGES = 50


@dataclass(frozen=True)
class Reference:
    """What a night is compared with: ``kind`` is ``last`` or ``pinned``."""

    kind: str
    results: str
    started: str


def compare(
    folder: ResultsFolder,
    reference: Reference,
    criteria: Criteria,
    *,
    rows: int = ROWS,
    fetch: Fetch = all_here,
) -> Comparison:
    """Compare a night in ``folder``, whose scalars are written, with a reference beside it.

    ``fetch`` is called for the result files that are read. Leaves a table of all scalars and
    points in the folder, unless the files are the same.

    Raises:
        InfrastructureError: the night's own manifest cannot be read.
    """
    other = ResultsFolder(folder.path.with_name(reference.results))
    own = Manifest.read(folder.manifest)
    try:
        manifest = Manifest.read(other.manifest)
        pl.read_parquet_schema(other.scalars_table)
    except (InfrastructureError, OSError, pl.exceptions.PolarsError) as error:
        return _verdict(reference, Verdict.FAILED, f"The reference cannot be read: {error}")
    if same_files(other.path, manifest, folder.path, own, fetch=fetch):
        return _verdict(reference, Verdict.SAME, "All result files are the same.")
    table = folder.comparison_table(reference.kind)
    try:
        counts = _write_table(table, other.scalars_table, folder.scalars_table, criteria, rows)
    except pl.exceptions.PolarsError as error:  # tonight's was written a moment ago
        return _verdict(reference, Verdict.FAILED, f"The reference cannot be read: {error}")
    changes = _clearest(table, variable_columns(other.scalars_table, folder.scalars_table))
    changed = counts["changed"] + counts["new"] + counts["gone"]
    verdict = Verdict.CHANGED if changed else Verdict.NOISE
    return _verdict(
        reference, verdict, _reason(counts), counts=counts, changes=changes, table=table.name
    )


def _verdict(reference: Reference, verdict: Verdict, reason: str, **more: Any) -> Comparison:
    return Comparison(reference.kind, reference.results, reference.started, verdict, reason, **more)


def _write_table(
    target: Path, before: Path, now: Path, criteria: Criteria, rows: int
) -> dict[str, int]:
    """Write the table, sorted as the scalars come; how many rows are what."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        parts, p_values = [], []
        for number, part in enumerate(differences(before, now, rows=rows)):
            tested = with_p_values(part)
            parts.append(Path(scratch, f"{number:06}.parquet"))
            tested.write_parquet(parts[-1])
            p_values.append(tested["p"])
        significance = adjusted(pl.concat(p_values))
        start = 0
        for path in parts:
            judged = _judge(pl.read_parquet(path), significance, start, criteria)
            start += judged.height
            counts.update(dict(judged["result"].value_counts().iter_rows()))
            judged.write_parquet(path)
        whole = Path(scratch, "whole")
        pl.scan_parquet(parts).sink_parquet(whole)
        whole.replace(target)
    return {name: counts[name] for name in (EQUAL, "noise", "changed", UNTESTED, NEW, GONE)}


def _judge(
    rows: pl.DataFrame, significance: pl.Series, start: int, criteria: Criteria
) -> pl.DataFrame:
    """Add ``significance``, ``relative`` and ``result``."""
    relative = (pl.col("mean_now") - pl.col("mean_before")) / pl.col("mean_before").abs()
    changed = is_changed(criteria.false_discovery_rate, criteria.minimum_change)
    return rows.with_columns(
        significance.slice(start, rows.height),
        pl.when(relative.is_finite()).then(relative).alias("relative"),
    ).with_columns(
        pl.when(pl.col("how").is_in([NEW, GONE, EQUAL, UNTESTED])).then(pl.col("how"))
        .when(changed).then(pl.lit("changed"))
        .otherwise(pl.lit("noise"))
        .alias("result")
    )  # fmt: skip


def _clearest(table: Path, variables: list[str]) -> tuple[Change, ...]:
    """The changes to tell a person: sure and significant ones first, then by how large they are."""
    rows = (
        pl.scan_parquet(table)
        .filter(pl.col("result").is_in(["changed", NEW, GONE]))
        .with_columns(
            late=pl.col("result") != "changed",
            rank=pl.when(pl.col("how").is_in([NO_VARIANCE, NOT_FINITE]))
            .then(0.0)
            .otherwise(pl.col("significance")),
            size=pl.col("relative").abs().fill_null(float("inf")),
        )
        .sort("late", "rank", "size", descending=[False, False, True], maintain_order=True)
        .head(MOST_CHANGES)
        .collect()
    )
    return tuple(_change(row, variables) for row in rows.iter_rows(named=True))


def _change(row: Mapping[str, Any], variables: list[str]) -> Change:
    values = {name.removeprefix("$"): row[name] for name in variables if row[name] is not None}
    return Change(
        variables={k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in values.items()},
        module=row["module"],
        name=row["name"],
        unit=row["unit"] or "",
        before=row["mean_before"],
        now=row["mean_now"],
        relative=row["relative"],
        significance=None if row["how"] in CERTAIN else row["significance"],
        how=row["how"],
    )


def _reason(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    if not total:
        return "The result files differ, and hold no scalars to compare."
    words = {
        "changed": "changed",
        NEW: "new",
        GONE: "gone",
        "noise": "differ within noise",
        UNTESTED: "have too few values to test",
        EQUAL: "equal",
    }
    told = [f"{counts[name]:,} {word}" for name, word in words.items() if counts[name]]
    return f"Of {format_count(total, 'scalar')} at points: {', '.join(told)}."
