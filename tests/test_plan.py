"""Plans: batches, names, and what is refused or warned about."""

from __future__ import annotations

import json

import pytest

from oppflow.campaign import Run
from oppflow.errors import ParameterError
from oppflow.plan import (
    Plan,
    PlannedRun,
    batch_label,
    check_names,
    expects_scalars,
    once_each,
    refuse_unsuitable,
    warnings_about,
)


def runs(count: int) -> list[Run]:
    return [Run(n, (("load", "0.5"),), n, str(n), f"C-{n}") for n in range(count)]


def plan(count: int, reused: int = 0) -> Plan:
    """A plan whose first runs are reused."""
    return Plan(tuple(PlannedRun(run, "k", "f", run.number < reused, "") for run in runs(count)))


def test_a_plan_survives_its_journey_as_json() -> None:
    """Through the store, to other tasks."""
    made = Plan(plan(2).runs, ("careful",), scalars_expected=False, batches=((1, 0),))
    assert Plan.from_json(json.loads(json.dumps(made.as_json()))) == made


def test_a_batch_is_named_by_its_first_run() -> None:
    """As the mapped task is."""
    batch = plan(3).runs
    assert batch_label(batch) == "#0 load=0.5 rep=0 and 2 more"
    assert batch_label(batch[:1]) == "#0 load=0.5 rep=0"


def test_a_run_that_the_filter_names_twice_is_one_run() -> None:
    """In the filter's order."""
    first, second = runs(2)
    assert once_each([(second, 0), (first, 1), (second, 0)]) == [(second, 0), (first, 1)]


def test_runs_that_would_overwrite_each_other_are_named() -> None:
    """The first few of them."""
    check_names([(run, run.result_name) for run in runs(9)])
    with pytest.raises(ParameterError) as caught:
        check_names([(run, "same") for run in runs(9)])
    assert "9 runs would write the same result files 'same': #0 load=0.5 rep=0" in str(caught.value)
    assert "#3 load=0.5 rep=3 ..." in str(caught.value)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], True),
        ([("**.scalar-recording", "false")], False),
        ([("**.scalar-recording", "true"), ("**.scalar-recording", "false")], True),
        ([("outputscalarmanager-class", '"Sqlite"')], False),
        ([("**.vector-recording", "false")], True),
    ],
)
def test_whether_scalars_are_to_be_expected(pairs: list[tuple[str, str]], expected: bool) -> None:
    """A missing .sca is an error only where there should be one; the first entry wins."""
    assert expects_scalars(pairs) is expected


@pytest.mark.parametrize("value", ["true", '"true"'])
def test_unsuitable_configurations_are_refused_in_any_spelling(value: str) -> None:
    """Unless an earlier entry says otherwise."""
    with pytest.raises(ParameterError, match="parallel-simulation = true"):
        refuse_unsuitable([("parallel-simulation", value)])
    refuse_unsuitable([("parallel-simulation", "false"), ("parallel-simulation", "true")])


def test_what_is_warned_about() -> None:
    """Abstract configurations, runs without limits, seeds that follow run numbers."""
    limit = [("sim-time-limit", "10s")]
    assert warnings_about(runs(1), limit, abstract=False, wall_time_limit=0) == []
    assert warnings_about(runs(1), [], abstract=False, wall_time_limit=5) == []
    (unlimited,) = warnings_about(runs(1), [], abstract=False, wall_time_limit=0)
    assert "Nothing limits these runs" in unlimited
    abstract, seeds = warnings_about(runs(2), limit, abstract=True, wall_time_limit=0)
    assert "abstract" in abstract
    assert "seed-set = ${repetition}" in seeds
