"""Which of a campaign's scalars to show first, when there are more than a person wants to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

THEORY_SUFFIX = ":theory"

# What a name ends with -> how much it tells of a model, best first. A name without such an end was
# recorded by hand, so somebody cared.
_RANKS = {"mean": 0, "timeavg": 0, "last": 1, "max": 2, "count": 3, "sum": 3, "min": 4, "stddev": 4}
_RANK_BY_HAND = 1
_RANK_FIELD = 5  # the field of a statistic: its recorder often wrote the same as a scalar, too


@dataclass(frozen=True)
class ScalarName:
    """A scalar of a module, and the scalar that holds its theoretical value, if there is one."""

    module: str
    name: str
    theory: str | None = None


def scalar_facts(values: pl.DataFrame) -> pl.DataFrame:
    """What `rank_scalars` wants to know: a row per module and name, in the order of the table.

    ``values`` has the columns ``module``, ``name`` and ``value``. Columns: ``module``, ``name``,
    ``lowest`` and ``highest`` value, and how many were not a number, ``skipped``.
    """
    value = pl.col("value").fill_nan(None)
    return values.group_by("module", "name", maintain_order=True).agg(
        value.min().alias("lowest"),
        value.max().alias("highest"),
        pl.col("value").is_nan().sum().cast(pl.Int64).alias("skipped"),
    )


def mean_facts(points: pl.DataFrame) -> pl.DataFrame:
    """The same of a table of `summarise`, by its means."""
    return scalar_facts(points.select("module", "name", value="mean"))


def rank_scalars(facts: pl.DataFrame) -> list[ScalarName]:
    """Return the scalars of a table of `scalar_facts`, the most telling first.

    First come those with a theory to compare with, then those that vary; of names that several
    modules have, one module's each before the other modules'. The scalars ``X:theory`` are not
    among them if there is an ``X:mean``, an ``X``, or another ``X:...`` of the same module that
    they belong to.
    """
    facts = facts.select(
        "module",
        "name",
        (pl.col("lowest") < pl.col("highest")).fill_null(False).alias("varies"),
    )
    names: dict[str, list[str]] = {}
    for module, name, _ in facts.rows():
        names.setdefault(module, []).append(name)
    theories = {
        (module, subject): name
        for module, known in names.items()
        for name in known
        if (subject := _subject(name, known)) is not None
    }
    seen: dict[str, int] = {}
    ranked: list[tuple[tuple[int, ...], ScalarName]] = []
    for order, (module, name, varies) in enumerate(facts.rows()):
        if _subject(name, names[module]) is not None:
            continue
        theory = theories.get((module, name))
        turn = seen[name] = seen.get(name, -1) + 1
        key = (int(theory is None), int(not varies), turn, _rank(name), order)
        ranked.append((key, ScalarName(module, name, theory)))
    return [scalar for _, scalar in sorted(ranked, key=lambda pair: pair[0])]


def _subject(name: str, known: Sequence[str]) -> str | None:
    """The scalar that a ``X:theory`` is the theory of; None for other names and orphans."""
    if not name.endswith(THEORY_SUFFIX):
        return None
    stem = name.removesuffix(THEORY_SUFFIX)
    for candidate in (f"{stem}:mean", stem):
        if candidate in known:
            return candidate
    others = [n for n in known if n.startswith(f"{stem}:") and n != name]
    return min(others, key=_rank, default=None)


def _rank(name: str) -> int:
    stem, _, end = name.rpartition(":")
    return _RANKS.get(end, _RANK_BY_HAND) + (_RANK_FIELD if ":" in stem else 0)
