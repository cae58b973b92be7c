"""Two nights' scalars side by side: what the tests need to know of every scalar at every point.

Memory is bounded: scalars are dealt out to parts by their names, and a part is read at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from oppflow.analysis.variables import FIXED_COLUMNS

ROWS = 200_000
"""Rows of both nights together that a part has, about: some 100 MB while it is worked on."""

_SEED = 20_261
_RUN = ("repetition", "seed_set")


def variable_columns(*tables: Path) -> list[str]:
    """The columns of iteration variables in any of the tables, each once."""
    names = (name for table in tables for name in pl.scan_parquet(table).collect_schema())
    return [name for name in dict.fromkeys(names) if name not in FIXED_COLUMNS]


def differences(before: Path, now: Path, *, rows: int = ROWS) -> Iterator[pl.DataFrame]:
    """Yield a row per scalar and point of two ``scalars.parquet``, in parts, at least one.

    Columns: the variables, ``module``, ``name``, ``unit``; for each night the runs that recorded
    the scalar there (``runs_before``, ``runs_now``), and of their finite values number, mean,
    variance, least and most (``n_before`` ...); of the pairs with equal repetition and effective
    seed set, number and the same of their differences (``pairs``, ``mean_difference`` ...). Where
    pairs are all that one night has, the means of both nights are those of the pairs.
    """
    variables = variable_columns(before, now)
    tables = _alike(before, now, variables)
    height = sum(int(t.select(pl.len()).collect().item()) for t in tables)
    parts = max(1, -(-height // rows))
    for part in range(parts):
        mine = pl.concat_str("module", pl.lit("\0"), "name").hash(_SEED) % parts == part
        first, second = (_per_run(table.filter(mine), variables).collect() for table in tables)
        yield _side_by_side(first, second, variables)


def _alike(before: Path, now: Path, variables: Sequence[str]) -> list[pl.LazyFrame]:
    """Both tables with all variables, of equal types: text where they differ."""
    tables = [pl.scan_parquet(before), pl.scan_parquet(now)]
    schemas = [table.collect_schema() for table in tables]
    for name in variables:
        types = {schema[name] for schema in schemas if name in schema}
        is_mixed = len(types) > 1
        tables = [
            table.with_columns(
                (pl.col(name) if name in schema else pl.lit(None, next(iter(types)))).alias(name)
            )
            for table, schema in zip(tables, schemas, strict=True)
        ]
        if is_mixed:
            # 1 is 1.0 as a number, and stays 1 as text.
            plain = pl.col(name).cast(pl.String).str.strip_suffix(".0")
            tables = [table.with_columns(plain) for table in tables]
    return tables


def _per_run(table: pl.LazyFrame, variables: Sequence[str]) -> pl.LazyFrame:
    """A row per run and scalar; a name that a run recorded more than once has their mean."""
    return table.group_by([*variables, "module", "name", *_RUN], maintain_order=True).agg(
        pl.col("value").mean(), pl.col("unit").first()
    )


def _side_by_side(
    before: pl.DataFrame, now: pl.DataFrame, variables: Sequence[str]
) -> pl.DataFrame:
    point = [*variables, "module", "name"]
    both = now.join(
        before,
        on=[*point, *_RUN],
        how="full",
        coalesce=True,
        nulls_equal=True,
        suffix="_before",
        maintain_order="left_right",
    )
    finite = both.with_columns(
        x=_finite("value"),
        y=_finite("value_before"),
        unit=pl.coalesce("unit", "unit_before"),
    ).with_columns(d=pl.col("x") - pl.col("y"))
    paired = pl.col("d").is_not_null()
    rows = finite.group_by(point, maintain_order=True).agg(
        pl.col("unit").drop_nulls().first(),
        pl.col("value_before").count().alias("runs_before"),
        pl.col("value").count().alias("runs_now"),
        *_facts("y", "before", "n_before"),
        *_facts("x", "now", "n_now"),
        *_facts("d", "difference", "pairs"),
        pl.col("y").filter(paired).mean().alias("pairs_before"),
        pl.col("x").filter(paired).mean().alias("pairs_now"),
    )
    only_pairs = (pl.col("pairs") > 0) & (pl.col("pairs") == pl.min_horizontal("n_before", "n_now"))
    means = [
        pl.when(only_pairs).then(f"pairs_{night}").otherwise(f"mean_{night}").alias(f"mean_{night}")
        for night in ("before", "now")
    ]
    return rows.with_columns(means).drop("pairs_before", "pairs_now")


def _finite(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_finite()).then(pl.col(column))


def _facts(column: str, name: str, count: str) -> list[pl.Expr]:
    value = pl.col(column)
    return [
        value.count().cast(pl.Int64).alias(count),
        value.mean().alias(f"mean_{name}"),
        value.var(ddof=1).alias(f"variance_{name}"),
        value.min().alias(f"least_{name}"),
        value.max().alias(f"most_{name}"),
    ]
