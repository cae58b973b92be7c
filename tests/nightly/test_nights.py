"""Nights in a row, with and without a change between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.campaigns import make_deployment
from tests.support.nights import Night, run_night
from tests.support.trees import git

from oppflow.comparison import Criteria, NightTerms
from oppflow.deployment import Deployment
from oppflow.stages.nights import NIGHTS, UnchangedError

Edit = Callable[[str, str], None]

MODEL = {"model": "my_mm1", "config": "Tonight", "run_filter": "$load < 0.6"}
ANYWAY = NightTerms(skip_unchanged=False)

# Enough repetitions for a test, short enough for one.
INI = """
[Config Tonight]
extends = MM1
repeat = 8
*.warmupCustomers = 50
*.customers = 400
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return make_deployment(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    source = Path(__file__).parents[2] / "models" / "mm1"
    folder = Path(shutil.copytree(source, tmp_path / "models" / "my_mm1"))
    ini = folder / "omnetpp.ini"
    ini.write_text(ini.read_text() + INI)
    return folder


@pytest.fixture
def edit(model: Path) -> Edit:
    """Changes one of the model's files."""

    def replace(old: str, new: str) -> None:
        for path in (model / "mm1.py", model / "omnetpp.ini"):
            text = path.read_text()
            if old in text:
                path.write_text(text.replace(old, new))
                return
        raise AssertionError(old)

    return replace


def in_manifest(night: Night) -> dict[str, object]:
    assert night.campaign is not None
    return dict(night.campaign.manifest.data["comparison"])


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


def test_a_model_from_git_runs_on_that_nights_commit(
    deployment: Deployment, model: Path, edit: Edit
) -> None:
    """No new commit, nothing to do; a new one is simulated, and named."""
    git(model, "init", "--quiet", "--initial-branch=main")
    git(model, "add", ".")
    git(model, "commit", "--quiet", "-m", "one")
    repository = model.with_name("repo.git")
    git(model.parent, "clone", "--quiet", "--bare", str(model), str(repository))
    asked = {**MODEL, "model": f"git+file://{repository}@main"}
    first = run_night(deployment, 1, **asked)
    with pytest.raises(UnchangedError, match=first.told["commit"][:12]):
        run_night(deployment, 2, **asked)
    edit("*.serviceRate = 1.0", "*.serviceRate = 0.9")
    git(model, "commit", "--quiet", "-am", "two")
    git(model, "push", "--quiet", str(repository), "main")
    third = run_night(deployment, 3, **asked)
    assert third.verdict == "changed"
    assert len(third.told["commit"]) == 40
    assert third.told["commit"] != first.told["commit"]


def test_a_repository_that_cannot_be_reached_at_night(deployment: Deployment, model: Path) -> None:
    """The failure is said, with git's words, and the last good night stays what it is."""
    run_night(deployment, 1, **MODEL)
    night = run_night(deployment, 2, **{**MODEL, "model": "git+https://127.0.0.1:9/no.git@main"})
    assert night.verdict == "failed"
    assert "git cannot fetch main of https://127.0.0.1:9/no.git" in night.told["reason"]
    assert "with the verdict: first" in night.told["reason"]
    with pytest.raises(UnchangedError):
        run_night(deployment, 3, **MODEL)
