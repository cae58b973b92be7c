"""Which night is simulated, and with which earlier one it is compared."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.stages.nights import NIGHTS, UnchangedError
from tests.support.nights import ANYWAY, MODEL, Edit, in_manifest, run_night


def test_a_failed_night_keeps_the_last_good_one(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """And the next good night is compared with that."""
    first = run_night(deployment, 1, **MODEL)
    edit("def initialize(self) -> None:\n", "def initialize(self) -> None:\n        1 / 0\n")
    failed = run_night(deployment, 2, with_report=True, **MODEL)
    assert failed.verdict == "failed"
    assert not failed.campaign.green
    assert "16 of 16 runs are not good" in failed.told["reason"]
    assert "The last good night stays that of 2026-11-02" in failed.told["reason"]
    assert in_manifest(failed)["verdict"] == "failed"
    edit("        1 / 0\n", "        1 / 1\n")
    third = run_night(deployment, 3, **MODEL)
    assert (third.verdict, third.comparison["results"]) == ("same", first.told["results"])


def test_a_night_without_changes_does_nothing(deployment: Deployment, model: Path) -> None:
    """It says since when, with which verdict, and leaves no folder."""
    first = run_night(deployment, 1, **MODEL)
    with pytest.raises(UnchangedError) as caught:
        run_night(deployment, 2, **MODEL)
    for words in ("have changed since the good night of 2026-11-02", first.told["results"],
                  "nothing is simulated", "The verdict stays: first"):  # fmt: skip
        assert words in str(caught.value)
    assert len(list(deployment.settings.results_root.iterdir())) == 1


@pytest.mark.parametrize(
    "changes",
    [{"run_filter": "$load < 0.4"}, {"options": {"*.customers": 300}}, {"keep": ["sca"]}],
)
def test_other_parameters_are_simulated(
    deployment: Deployment, model: Path, changes: dict[str, object]
) -> None:
    """What could change results, or what is compared, is a reason to run."""
    run_night(deployment, 1, **MODEL)
    assert run_night(deployment, 2, **{**MODEL, **changes}).verdict != "skipped"


def test_a_campaign_that_sees_the_clock_is_never_skipped(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """What it depends on may have changed unseen."""
    edit("repeat = 8", 'repeat = 2\n*.tag = "${datetime}"')
    run_night(deployment, 1, **MODEL)
    assert run_night(deployment, 2, **MODEL).campaign.outcomes == {"done": 4}


def test_one_started_by_hand_with_other_parameters_is_no_night(
    deployment: Deployment, model: Path
) -> None:
    """It is compared, but later nights are not compared with it."""
    first = run_night(deployment, 1, **MODEL)
    by_hand = run_night(deployment, 2, by_hand=True, options={"*.serviceRate": 0.5}, **MODEL)
    assert by_hand.verdict == "changed"
    third = run_night(deployment, 3, terms=ANYWAY, **MODEL)
    assert (third.verdict, third.comparison["results"]) == ("same", first.told["results"])


def test_a_night_that_is_cleared_is_compared_as_before(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """Neither with itself nor with a later one."""
    first = run_night(deployment, 1, **MODEL)
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.9")
    run_night(deployment, 2, **MODEL)
    run_night(deployment, 3, terms=ANYWAY, **MODEL)
    again = run_night(deployment, 2, terms=ANYWAY, **MODEL)
    assert again.comparison["results"] == first.told["results"]


def test_a_night_that_is_cleared_is_done_again(deployment: Deployment, model: Path) -> None:
    """It is no reason for itself to be skipped."""
    first = run_night(deployment, 1, **MODEL)
    again = run_night(deployment, 1, **MODEL)
    assert (again.verdict, again.told["results"]) == ("first", first.told["results"])


def test_a_cleared_night_that_fails_is_no_good_one_any_more(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """Later nights are compared with the one before it."""
    first = run_night(deployment, 1, **MODEL)
    run_night(deployment, 2, terms=ANYWAY, **MODEL)
    edit("def initialize(self) -> None:\n", "def initialize(self) -> None:\n        1 / 0\n")
    assert run_night(deployment, 2, **MODEL).verdict == "failed"
    edit("        1 / 0\n", "")
    third = run_night(deployment, 3, terms=ANYWAY, **MODEL)
    assert third.comparison["results"] == first.told["results"]


def test_a_store_that_forgot_finds_the_nights_by_their_folders(
    deployment: Deployment, model: Path
) -> None:
    """Redis with a retention may; results stay where they are."""
    first = run_night(deployment, 1, **MODEL)
    deployment.store.delete_record(NIGHTS, "nightly_test")
    night = run_night(deployment, 2, terms=ANYWAY, **MODEL)
    assert (night.verdict, night.comparison["results"]) == ("same", first.told["results"])


def test_results_that_somebody_removed(deployment: Deployment, model: Path) -> None:
    """The good night before them serves; without any, the night is a first one again."""
    first = run_night(deployment, 1, **MODEL)
    second = run_night(deployment, 2, terms=ANYWAY, **MODEL)
    root = deployment.settings.results_root
    shutil.rmtree(root / second.told["results"])
    third = run_night(deployment, 3, terms=ANYWAY, **MODEL)
    assert third.comparison["results"] == first.told["results"]
    for night in (first, third):
        shutil.rmtree(root / night.told["results"])
    assert run_night(deployment, 4, **MODEL).verdict == "first"


def test_a_damaged_night_is_not_in_the_way_for_ever(deployment: Deployment, model: Path) -> None:
    """Nothing can be compared with it, so that the night after it is a first one."""
    first = run_night(deployment, 1, **MODEL)
    root = deployment.settings.results_root
    table = root / first.told["results"] / "scalars.parquet"
    table.write_bytes(table.read_bytes()[:-40])
    second = run_night(deployment, 2, terms=ANYWAY, options={"*.customers": 300}, **MODEL)
    assert second.verdict == "first"
    assert "of no use any more" in second.told["reason"]
    third = run_night(deployment, 3, terms=ANYWAY, options={"*.customers": 300}, **MODEL)
    assert (third.verdict, third.comparison["results"]) == ("same", second.told["results"])
