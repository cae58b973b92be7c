"""Reuse by run key: nothing is simulated twice, and nothing wrong is reused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import Finished, run_campaign

CopyModel = Callable[[str], Path]


def short(deployment: Deployment, **parameters: object) -> Finished:
    return run_campaign(deployment, **{"config": "Short", "runs_per_task": 8, **parameters})


def test_the_same_campaign_again_simulates_and_builds_nothing(deployment: Deployment) -> None:
    """All runs of the second campaign are reused, with the same files."""
    first, second = short(deployment), short(deployment)
    assert first.outcomes == {"done": 8}
    assert second.outcomes == {"reused": 8}
    assert second.batches == []
    assert second.built == {"built": [], "reused": ["mm1"]}
    assert second.files() == first.files()
    assert second.green


def test_one_more_repetition_executes_only_the_new_runs(deployment: Deployment) -> None:
    """The seed set follows the repetition, so that all earlier runs stay valid."""
    short(deployment)
    second = short(deployment, options={"repeat": "3"})
    # The option is left out of keys, as `repeat` cannot change a run.
    assert second.outcomes == {"reused": 8, "done": 4}
    assert {run["repetition"] for run in second.manifest.data["runs"]
            if run["outcome"] == "done"} == {2}  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("*.serviceRate = 1.0", "*.serviceRate = 2.0", "configuration changed"),
        ("seed-set = ${repetition}", "seed-set = 7", "configuration changed, seed changed"),
        ("*.customers = 200\n", "*.customers = 300\n", "configuration changed"),
    ],
)
def test_a_changed_entry_executes_what_it_affects(
    deployment: Deployment, own_model: CopyModel, old: str, new: str, reason: str
) -> None:
    """Entries of the ini file count through each run's own configuration."""
    ini = own_model("mm1") / "omnetpp.ini"
    short(deployment, model="my_mm1")
    ini.write_text(ini.read_text().replace(old, new))
    second = short(deployment, model="my_mm1")
    assert second.outcomes == {"done": 8}
    assert set(second.reasons) == {reason}


def test_another_value_executes_only_its_runs(deployment: Deployment, own_model: CopyModel) -> None:
    """Run numbers change, keys do not."""
    ini = own_model("mm1") / "omnetpp.ini"
    short(deployment, model="my_mm1")
    ini.write_text(ini.read_text().replace("load=0.3,0.5", "load=0.3,0.4,0.5"))
    assert short(deployment, model="my_mm1").outcomes == {"reused": 8, "done": 2}


def test_default_seeds_follow_run_numbers_and_are_told_apart(
    deployment: Deployment, own_model: CopyModel
) -> None:
    """Without seed-set, a run is reused only where its effective seed is the same."""
    ini = own_model("mm1") / "omnetpp.ini"
    ini.write_text(ini.read_text().replace("seed-set = ${repetition}\n", ""))
    first = short(deployment, model="my_mm1")
    assert len({run["key"] for run in first.manifest.data["runs"]}) == 8
    assert "Seeds follow run numbers" in " ".join(first.manifest.data["warnings"])
    ini.write_text(ini.read_text().replace("load=0.3,0.5", "load=0.3,0.4,0.5"))
    second = short(deployment, model="my_mm1")
    assert second.outcomes == {"reused": 2, "done": 8}
    assert second.reasons["seed changed"] == 6


def test_a_changed_source_builds_and_executes_everything(
    deployment: Deployment, own_model: CopyModel
) -> None:
    """The build key and every run key hold the source's content."""
    source = own_model("mm1") / "mm1.py"
    short(deployment, model="my_mm1")
    source.write_text(source.read_text() + "\n# another line\n")
    second = short(deployment, model="my_mm1")
    assert second.built["built"] == ["my_mm1"]
    assert second.outcomes == {"done": 8}
    assert set(second.reasons) == {"sources changed"}


def test_an_edited_ini_file_builds_nothing(deployment: Deployment, own_model: CopyModel) -> None:
    """Ini files cannot change what a build makes."""
    ini = own_model("mm1") / "omnetpp.ini"
    short(deployment, model="my_mm1")
    ini.write_text(ini.read_text() + "\n# a remark\n")
    second = short(deployment, model="my_mm1")
    assert second.built["built"] == []
    assert second.outcomes == {"reused": 8}


def test_an_option_executes_all_that_it_affects(deployment: Deployment) -> None:
    """Options come before the ini file's entries, so they may affect every run."""
    short(deployment)
    second = short(deployment, options={"*.customers": 150})
    assert set(second.reasons) == {"options changed"}
    assert second.outcomes == {"done": 8}


def test_reuse_can_be_switched_off(deployment: Deployment) -> None:
    """With reuse_results false the store's results are ignored."""
    short(deployment)
    second = short(deployment, reuse_results=False)
    assert second.outcomes == {"done": 8}
    assert set(second.reasons) == {"reuse is switched off"}


def test_what_the_store_lost_is_executed_again(deployment: Deployment) -> None:
    """A record without its archive is no result."""
    first = short(deployment, run_filter="0,1")
    deployment.store.delete(first.run(1)["archive"])
    assert short(deployment, run_filter="0,1").outcomes == {"reused": 1, "done": 1}


def test_a_changing_value_forbids_reuse(deployment: Deployment, own_model: CopyModel) -> None:
    """A run that sees the time of day is another one each time, and the plan says so."""
    ini = own_model("mm1") / "omnetpp.ini"
    ini.write_text(ini.read_text() + '\n[Config Timed]\nextends = Short\n*.tag = "${datetime}"\n')
    timed = {"model": "my_mm1", "config": "Timed", "run_filter": "0"}
    short(deployment, **timed)
    second = short(deployment, **timed)
    assert second.outcomes == {"done": 1}
    assert second.run(0)["reason"] == 'not reusable: *.tag = "${datetime}"'
