"""Batches: how many, how long, in which order."""

from __future__ import annotations

import itertools

import pytest

from oppflow.batching import MOST_TASKS, split
from oppflow.errors import ParameterError


def sizes(seconds: list[float | None], lanes: int = 2, slots: int = 1, **more: int) -> list[int]:
    runs = list(range(len(seconds)))
    batches = split(runs, seconds, slots=slots, lanes=lanes, **more)
    assert sorted(itertools.chain(*batches)) == runs
    return [len(batch) for batch in batches]


def loads(seconds: list[float], lanes: int = 2) -> list[float]:
    batches = split(list(range(len(seconds))), seconds, slots=1, lanes=lanes)
    return [sum(seconds[run] for run in batch) for batch in batches]


def test_nothing_to_do() -> None:
    """Everything was reused."""
    assert sizes([]) == []


def test_runs_of_which_nothing_is_known_have_a_task_each() -> None:
    """As long as Airflow bears it."""
    assert sizes([None] * MOST_TASKS) == [1] * MOST_TASKS


@pytest.mark.parametrize("lanes", [1, 2, 16, 64, 500])
def test_many_unknown_runs_go_in_batches_that_shrink(lanes: int) -> None:
    """Whatever they take, nobody waits long for the last one."""
    found = sizes([None] * 10_500, lanes)
    assert len(found) <= MOST_TASKS
    assert found == sorted(found, reverse=True)
    assert found[0] <= 10_500 / (2 * lanes) + 60
    assert found[-1] <= 64


def test_short_runs_go_in_batches_of_some_45_s() -> None:
    """36 runs of 10 s on two cores: eight tasks."""
    assert sizes([10.0] * 36) == [5, 5, 5, 5, 4, 4, 4, 4]
    assert all(30 <= load <= 60 for load in loads([0.025] * 10_500))


def test_all_lanes_get_something_where_it_pays() -> None:
    """36 s are for two; a second is not."""
    assert sizes([1.0] * 36) == [18, 18]
    assert sizes([0.02] * 50) == [50]
    assert sizes([1.0] * 36, lanes=1, slots=2) == [36]


def test_the_last_round_keeps_all_lanes_busy() -> None:
    """Batches come in multiples of the lanes."""
    assert len(sizes([5.0] * 60, lanes=4)) == 8


def test_long_runs_have_a_task_each_and_the_longest_comes_first() -> None:
    """It is what a campaign waits for in the end."""
    seconds = [40.0, 600.0, 50.0]
    assert split("abc", seconds, slots=1, lanes=2) == [("b",), ("c",), ("a",)]


def test_a_long_run_among_short_ones() -> None:
    """It comes first, alone, and the others share the other lane."""
    batches = split(list(range(101)), [1.0] * 100 + [100.0], slots=1, lanes=2)
    assert batches[0][0] == 100
    assert max(loads([1.0] * 100 + [100.0])) == 100


def test_unknown_runs_are_taken_for_average_ones() -> None:
    """New repetitions among known ones."""
    assert sizes([1.0] * 30 + [None] * 6) == [18, 18]


def test_never_more_than_200_tasks() -> None:
    """However long they take together."""
    found = sizes([100.0] * 5000, lanes=64)
    assert len(found) == MOST_TASKS
    assert max(found) - min(found) <= 1


def test_the_user_says_how_many_runs_a_task() -> None:
    """The last batch has the rest, more than there are is all; too many tasks are refused."""
    assert sizes([None] * 7, runs_per_task=3) == [3, 3, 1]
    assert sizes([9.0] * 3, runs_per_task=50) == [3]
    with pytest.raises(ParameterError, match="would make 1001 tasks") as caught:
        sizes([None] * 1001, runs_per_task=1)
    assert "runs_per_task" in caught.value.hint
