"""The C++ M/M/1 queue: against theory, and against the same queue in the embedded engine."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from oppflow.analysis.statistics import summarise
from tests.support.campaigns import make_deployment, run_campaign

MEASURED, THEORY = "timeInSystem:mean", "timeInSystem:theory"
LOADS = [0.3, 0.5, 0.7, 0.8]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    made = make_deployment(tmp_path_factory.mktemp("mm1"))
    return dataclasses.replace(made, settings=dataclasses.replace(made.settings, slots=2))


@pytest.fixture(scope="module")
def finished(deployment):
    """The whole sweep: 40 runs."""
    return run_campaign(deployment, model="mm1-omnetpp", config="MM1", runs_per_task=40)


def means(finished, name: str, confidence: float = 0.999) -> pl.DataFrame:
    scalars = pl.scan_parquet(finished.folder.scalars_table)
    points = summarise(scalars, ["load"], confidence=confidence).filter(pl.col("name") == name)
    return points.sort("load")


def test_the_sweep_is_that_of_the_embedded_model(finished) -> None:
    """Same runs, same seeds, all good."""
    assert finished.green, finished.errors
    assert finished.outcomes == {"done": 40}
    assert {run["seed_set"] for run in finished.manifest.data["runs"]} == set(map(str, range(10)))


def test_the_theory_lies_within_the_intervals(finished) -> None:
    """1/(mu - lambda), at every load; the model records it too."""
    points = means(finished, MEASURED)
    assert points["load"].to_list() == LOADS
    for load, mean, half_width in points.select("load", "mean", "half_width").iter_rows():
        assert abs(mean - 1 / (1 - load)) < half_width
    told = means(finished, THEORY)["mean"].to_list()
    assert told == pytest.approx([1 / (1 - load) for load in LOADS])


def test_the_server_is_as_busy_as_the_load(finished) -> None:
    """What is averaged over time begins after the warm-up."""
    points = means(finished, "busy:timeavg")
    assert points["mean"].to_list() == pytest.approx(LOADS, rel=0.05)


def test_the_embedded_engine_agrees(deployment, finished) -> None:
    """Two engines, other random numbers, the same means within their intervals."""
    embedded = run_campaign(deployment, model="mm1", config="MM1", runs_per_task=40)
    pairs = means(finished, MEASURED).join(means(embedded, MEASURED), on="load", suffix="_embedded")
    assert pairs.height == len(LOADS)
    for row in pairs.iter_rows(named=True):
        room = row["half_width"] + row["half_width_embedded"]
        assert abs(row["mean"] - row["mean_embedded"]) < room


def test_a_second_campaign_builds_nothing_and_runs_nothing(deployment, finished) -> None:
    """Same sources, same OMNeT++."""
    again = run_campaign(deployment, model="mm1-omnetpp", config="MM1")
    assert again.built == {"built": [], "reused": ["mm1-omnetpp"]}
    assert again.outcomes == {"reused": 40}
    assert again.packed.environment == finished.packed.environment
    assert again.packed.environment["kind"] == "OMNeT++"
