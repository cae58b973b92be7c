"""The demo's campaign against the theory of the M/M/1 queue, from the tables that users get."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from oppflow.analysis.statistics import summarise
from tests.support.campaigns import make_deployment, run_campaign

MEASURED, THEORY = "timeInSystem:mean", "timeInSystem:theory"
SERVICE_RATE = 1.0
LOADS = [0.3, 0.5, 0.7, 0.8]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The whole campaign, two simulations at a time: 40 runs, seed sets 0 to 9 as they come."""
    deployment = make_deployment(tmp_path_factory.mktemp("theory"))
    settings = dataclasses.replace(deployment.settings, slots=2)
    deployment = dataclasses.replace(deployment, settings=settings)
    return run_campaign(deployment, model="mm1", config="MM1", runs_per_task=40)


def means(finished, confidence: float) -> pl.DataFrame:
    scalars = pl.scan_parquet(finished.folder.scalars_table)
    return summarise(scalars, ["load"], confidence=confidence).sort("load")


def test_seeds_are_the_repetitions(finished) -> None:
    """Nobody chose them."""
    seeds = {run["seed_set"] for run in finished.manifest.data["runs"]}
    assert seeds == {str(number) for number in range(10)}


def test_the_theory_lies_within_the_intervals(finished) -> None:
    """At every load, 1/(mu - lambda) is within the 99.9 % interval of the mean time in system."""
    points = means(finished, 0.999).filter(pl.col("name") == MEASURED)
    assert points["load"].to_list() == LOADS
    assert points["samples"].to_list() == [10] * 4
    for load, mean, half_width in points.select("load", "mean", "half_width").iter_rows():
        assert abs(mean - 1 / (SERVICE_RATE - load * SERVICE_RATE)) < half_width


def test_the_intervals_are_narrow(finished) -> None:
    """The half-width of the 95 % interval is under a tenth of the mean."""
    points = means(finished, 0.95).filter(pl.col("name") == MEASURED)
    assert (points["half_width"] / points["mean"]).max() < 0.1


def test_the_report_draws_the_theory(finished) -> None:
    """The model records it, and the chart has it beside the means."""
    points = means(finished, 0.95).filter(pl.col("name") == THEORY)
    assert points["mean"].to_list() == pytest.approx([1 / (1 - load) for load in LOADS])
    assert f"dashed: {THEORY}" in finished.folder.report.read_text(encoding="utf-8")


def test_at_least_ten_thousand_customers_were_measured(finished) -> None:
    """After a warm-up of two thousand."""
    customers = means(finished, 0.95).filter(pl.col("name") == "customers")
    assert customers["mean"].min() >= 10_000
    ini = finished.folder.path / "MM1-load=0.3-#0.sca"
    assert "config *.warmupCustomers 2000" in ini.read_text(encoding="utf-8")
