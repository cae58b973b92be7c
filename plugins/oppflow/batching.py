"""Which runs are executed together, as one mapped task. No I/O.

A task costs Airflow about a second of a core, so short runs share one. A batch is never so long
that the cores wait for the last one, as far as one can know.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import TypeVar

from oppflow.errors import ParameterError

Item = TypeVar("Item")

MOST_TASKS = 200
"""Mapped tasks of one campaign: more would slow Airflow's scheduler and freeze its grid."""

_MOST_ASKED_FOR = 1000  # Airflow maps over 1,024 items at most
_BATCH_SECONDS = 45.0
_LEAST_BATCH_SECONDS = 5.0  # another task pays from here on
_LONG_RUN_SECONDS = 30.0


def split(
    runs: Sequence[Item],
    seconds: Sequence[float | None],
    *,
    slots: int,
    lanes: int,
    runs_per_task: int | None = None,
) -> list[tuple[Item, ...]]:
    """Batches of runs, in the order in which they are to be started.

    ``seconds`` is how long each run is expected to take, None where nothing is known; ``slots`` how
    many runs of a batch are executed at once, ``lanes`` how many batches are.

    - ``runs_per_task`` is obeyed.
    - Where durations are known, the longest runs come first, and a batch takes some 45 s; long
      runs have a task of their own each, up to `MOST_TASKS`.
    - Where nothing is known, a run a task, up to `MOST_TASKS`; beyond that each batch takes an
      equal share of what the batches before it left: few tasks, and small ones last (guided
      self-scheduling: Polychronopoulos and Kuck 1987, IEEE Trans. Comput. C-36).

    Raises:
        ParameterError: ``runs_per_task`` would make more tasks than Airflow maps.
    """
    if runs_per_task:
        return _equal(runs, runs_per_task)
    known = [value for value in seconds if value is not None]
    if not known:
        return _guided(runs, lanes) if len(runs) > MOST_TASKS else [(run,) for run in runs]
    mean = sum(known) / len(known)
    expected = [mean if value is None else value for value in seconds]
    order = sorted(range(len(runs)), key=lambda index: -expected[index])
    count = _count(expected, slots, lanes)
    loads = [(0.0, number) for number in range(count)]
    batches: list[list[Item]] = [[] for _ in range(count)]
    for index in order:  # each to the batch with the least to do
        load, number = loads[0]
        batches[number].append(runs[index])
        heapq.heapreplace(loads, (load + expected[index], number))
    return [tuple(batch) for batch in batches if batch]


def _equal(runs: Sequence[Item], size: int) -> list[tuple[Item, ...]]:
    if len(runs) > size * _MOST_ASKED_FOR:
        raise ParameterError(
            f"{len(runs)} runs, {size} a task, would make {math.ceil(len(runs) / size)} tasks; "
            "Airflow maps 1,024 at most.",
            hint="Leave runs_per_task empty, or make it larger.",
        )
    return [tuple(runs[start : start + size]) for start in range(0, len(runs), size)]


def _count(expected: Sequence[float], slots: int, lanes: int) -> int:
    """How many batches."""
    total = sum(expected)
    if total >= _LONG_RUN_SECONDS * len(expected) and len(expected) <= MOST_TASKS:
        return len(expected)
    count = math.ceil(total / (_BATCH_SECONDS * slots))
    if count > lanes:
        count = math.ceil(count / lanes) * lanes  # the last round keeps all of them busy, too
    else:
        count = max(count, min(lanes, int(total / (_LEAST_BATCH_SECONDS * slots))))
    return max(1, min(count, MOST_TASKS, len(expected)))


def _guided(runs: Sequence[Item], lanes: int) -> list[tuple[Item, ...]]:
    least = 1
    while len(sizes := _guided_sizes(len(runs), lanes, least)) > MOST_TASKS:
        least *= 2
    batches, start = [], 0
    for size in sizes:
        batches.append(tuple(runs[start : start + size]))
        start += size
    return batches


def _guided_sizes(left: int, lanes: int, least: int) -> list[int]:
    sizes = []
    while left:
        size = min(left, max(least, math.ceil(left / (2 * lanes))))
        sizes.append(size)
        left -= size
    return sizes
