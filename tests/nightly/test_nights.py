"""Nights in a row: what is the same, what has changed, and what is noise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oppflow.comparison import Criteria, NightTerms
from oppflow.deployment import Deployment
from tests.support.nights import ANYWAY, MODEL, Edit, in_manifest, run_night


def test_the_first_night_has_nothing_to_compare_with(deployment: Deployment, model: Path) -> None:
    """And is what the second is compared with."""
    night = run_night(deployment, 1, with_report=True, **MODEL)
    assert night.verdict == "first"
    assert night.told["last_good"] is None
    assert night.campaign.green
    assert in_manifest(night)["verdict"] == "first"
    assert "The first good night" in night.report


def test_the_second_night_names_what_changed(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """A server that is 10 % slower: with the same seeds, times and queue are told, by how much."""
    first = run_night(deployment, 1, **MODEL)
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.9")
    second = run_night(deployment, 2, with_report=True, **MODEL)
    assert second.verdict == "changed"
    assert second.comparison["results"] == first.told["results"]
    whole = in_manifest(second)["comparisons"][0]["changes"]
    times = [c for c in whole if c["name"] == "serviceRate"]
    assert [(c["variables"], c["before"], c["now"]) for c in times] == [
        ({"load": "0.3"}, 1.0, 0.9), ({"load": "0.5"}, 1.0, 0.9),
    ]  # fmt: skip
    assert times[0]["relative"] == pytest.approx(-0.1)
    assert second.campaign.green
    mean = next(c for c in whole if c["name"] == "timeInSystem:mean")
    assert mean["relative"] == pytest.approx(1 / 9, abs=1e-6)  # all times scale with the rate
    assert mean["significance"] < 0.01
    # The load is the same, so that the queue's length is: a change of time alone leaves it.
    assert not {c["name"] for c in whole if "queueLength" in c["name"]}


def test_the_report_and_the_summary_say_so(deployment: Deployment, model: Path, edit: Edit) -> None:
    """A section of the report, a manifest's entry, and words for mails."""
    run_night(deployment, 1, **MODEL)
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.9")
    night = run_night(deployment, 2, with_report=True, **MODEL)
    report = night.report
    for words in ("Beside the last good night: changed", "timeInSystem:mean", "+11.1 %"):
        assert words in report
    summary = night.told["summary"]
    assert summary.startswith("nightly_test: changed\nOf ")
    assert "serviceRate of Queue at load=0.3: 1 -> 0.9 (-10 %, no variance)" in summary
    assert len(json.dumps(night.told)) < 15_000


def test_the_same_results_are_the_same(deployment: Deployment, model: Path) -> None:
    """Also where every run was simulated again: times and places in files do not count."""
    run_night(deployment, 1, **MODEL)
    night = run_night(deployment, 2, terms=ANYWAY, reuse_results=False, **MODEL)
    assert night.campaign.outcomes == {"done": 16}
    assert (night.verdict, night.told["reason"]) == ("same", "All result files are the same.")


def test_a_remark_in_the_model_changes_nothing(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """It is simulated again, and comes out the same."""
    run_night(deployment, 1, **MODEL)
    edit("ARRIVALS, SERVICES = 0, 1", "SERVICES, ARRIVALS = 1, 0")
    night = run_night(deployment, 2, **MODEL)
    assert (night.campaign.outcomes, night.verdict) == ({"done": 16}, "same")


def test_other_seeds_are_noise(deployment: Deployment, model: Path, edit: Edit) -> None:
    """Welch's test, and no alarm: nothing but chance has changed."""
    run_night(deployment, 1, **MODEL)
    edit("seed-set = ${repetition}", "seed-set = ${repetition} + 100")
    night = run_night(deployment, 2, **MODEL)
    assert night.verdict == "changed within noise"
    assert night.comparison["counts"]["noise"] > 10
    assert night.comparison["changes"] == []


def test_a_real_change_shows_through_other_seeds(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """A server that is 30 % slower is told by Welch's test, too."""
    run_night(deployment, 1, **MODEL)
    edit("seed-set = ${repetition}", "seed-set = ${repetition} + 100")
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.7")
    night = run_night(deployment, 2, **MODEL)
    assert night.verdict == "changed"
    changes = in_manifest(night)["comparisons"][0]["changes"]
    assert {c["how"] for c in changes if c["name"] == "timeInSystem:mean"} == {"Welch's t"}


def test_a_change_below_the_minimum_is_noise(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """How much matters is for the file to say."""
    terms = NightTerms(Criteria(minimum_change=0.2))
    run_night(deployment, 1, terms=terms, **MODEL)
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.9")
    assert run_night(deployment, 2, terms=terms, **MODEL).verdict == "changed within noise"


def test_a_bug_in_a_statistic(deployment: Deployment, model: Path, edit: Edit) -> None:
    """What became a NaN, and what is not recorded any more, are named."""
    run_night(deployment, 1, **MODEL)
    edit('self.scalar("arrivalRate", self.arrival_rate', 'self.scalar("arrivalRate", float("nan")')
    edit('self.scalar("customers"', 'self.scalar("clients"')
    night = run_night(deployment, 2, **MODEL)
    how = {c["name"]: c["how"] for c in night.comparison["changes"]}
    assert how == {"arrivalRate": "not finite", "customers": "gone", "clients": "new"}
    assert "2 new, 2 gone" in night.told["reason"]


def test_slow_drift_shows_beside_a_pinned_reference(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """Each step is below the minimum; together they are not."""
    first = run_night(deployment, 1, **MODEL)
    terms = NightTerms(Criteria(minimum_change=0.05), pinned=first.told["results"])
    for number, old, new in ((2, "1.0", "0.96"), (3, "0.96", "0.92")):
        edit(f"*.serviceRate = {old}", f"*.serviceRate = {new}")
        night = run_night(deployment, number, terms=terms, **MODEL)
        assert night.verdict == "changed within noise"
    assert night.pinned["verdict"] == "changed"
    assert night.told["drift"]
    assert "the pinned reference is left behind" in night.told["summary"]


def test_a_pinned_reference_that_is_not_there(deployment: Deployment, model: Path) -> None:
    """Is told, and does no harm to the rest."""
    night = run_night(deployment, 1, terms=NightTerms(pinned="nowhere"), **MODEL)
    assert (night.verdict, night.pinned["verdict"]) == ("first", "failed")
    assert "The reference cannot be read" in night.told["summary"]
    assert not night.campaign.errors
