"""What the page makes of a campaign's records and results, whole and broken."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import RunError, StoreError
from oppflow.plan import PackedCampaign
from oppflow.progress import KIND as PROGRESS
from oppflow.progress import BatchProgress, progress_key
from oppflow.stages.build import build_model
from oppflow.stages.resolve import resolve_runs
from oppflow.stages.simulate import simulate_batch
from oppflow.web.again import again, missing, only_missing
from oppflow.web.details import run_details
from oppflow.web.state import CampaignState, StateReader
from oppflow.web.views import counts
from tests.support.campaigns import Finished, pack, run_campaign
from tests.web.conftest import RESOLVED, facts_about


def read(
    deployment: Deployment, packed: PackedCampaign, state: str = "success", *,
    before: CampaignState | None = None, handed_on: bool = True, **changes: Any,
) -> CampaignState:  # fmt: skip
    facts = facts_about(packed, state, **changes)
    return StateReader(deployment).read(facts, packed.as_json() if handed_on else None, before)


class NoStore:
    """A store that nobody answers for."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_args: Any, **_options: Any) -> Any:
            raise StoreError("The store cannot be reached.")

        return refuse


def without_store(deployment: Deployment) -> Deployment:
    return Deployment(deployment.settings, NoStore())  # type: ignore[arg-type]


def test_a_collected_campaign_is_as_its_manifest_says(
    deployment: Deployment, failing: Finished
) -> None:
    """Outcomes, attempts and messages of all runs."""
    state = read(deployment, failing.packed, "failed")
    assert state.runs is not None
    assert counts(state.runs) == failing.outcomes
    messages = dict(state.runs.select("run", "message").iter_rows())
    assert "cannot stand a load of 0.5" in messages[2]
    assert missing(state) == [2, 3]


def test_a_running_campaign_is_as_its_batches_say(own_deployment: Deployment) -> None:
    """Planned, then partly ended, with messages of failed runs; nothing new is nothing new."""
    packed = pack(own_deployment, model="fails", config="AtLoad", runs_per_task=2)
    assert read(own_deployment, packed, "running", tasks={}, planned="").runs is None
    resolve_runs(own_deployment, packed)
    build_model(own_deployment, packed)
    planned = read(own_deployment, packed, "running")
    assert planned.runs is not None
    assert counts(planned.runs) == {"waiting": 6}
    simulate_batch(own_deployment, packed, 0, 1)
    with pytest.raises(RunError, match="cannot stand"):
        simulate_batch(own_deployment, packed, 1, 1)
    progress = BatchProgress()
    progress.start(4)
    progress.hear(4, "\x1b[31mhello\x1b[0m")
    own_deployment.store.put_record(PROGRESS, progress_key(packed.campaign, 2), progress.as_json())
    state = read(own_deployment, packed, "running", before=planned)
    assert state.runs is not None
    assert counts(state.runs) == {"done": 2, "failed": 2, "running": 1, "waiting": 1}
    assert state.lines == {4: ["hello"]}
    assert "cannot stand" in dict(state.runs.select("run", "message").iter_rows())[2]
    assert read(own_deployment, packed, "running", before=state) is state
    cancelled = read(own_deployment, packed, "failed", before=state)
    assert cancelled.runs is not None
    assert counts(cancelled.runs) == {"done": 2, "failed": 2, "stopped": 2}


def test_a_plan_waits_for_ever(own_deployment: Deployment) -> None:
    """Nothing of it was stopped: nothing was to be simulated."""
    finished = run_campaign(own_deployment, model="mm1", config="Short", plan_only=True)
    state = read(own_deployment, finished.packed)
    assert state.runs is not None
    assert counts(state.runs) == {"waiting": 8}
    assert state.results(own_deployment) is None


def test_without_a_store_the_results_tell(deployment: Deployment, failing: Finished) -> None:
    """And what cannot be read is said."""
    broken = without_store(deployment)
    state = read(broken, failing.packed, "failed")
    assert "cannot be reached" in state.trouble
    assert state.runs is not None
    assert counts(state.runs) == failing.outcomes
    details = run_details(broken, state, 2)
    assert any("ValueError" in line for line in details["lines"])
    assert "-c AtLoad -r 2" in details["reproduce"]


def test_without_a_store_a_running_campaign_is_at_least_named(
    deployment: Deployment, failing: Finished
) -> None:
    """The DAG run's state is Airflow's."""
    state = read(without_store(deployment), failing.packed, "running")
    assert state.runs is None
    assert state.packed == failing.packed


def test_a_store_that_forgot_leaves_the_results(own_deployment: Deployment) -> None:
    """Retention took the records; the results folder has the runs."""
    finished = run_campaign(own_deployment, model="mm1", config="Short", run_filter="0,1")
    shutil.rmtree(Path(own_deployment.settings.store_url.removeprefix("file://")) / "records")
    state = read(own_deployment, finished.packed)
    assert "does not hold the campaign's plan" in state.trouble
    assert state.runs is not None
    assert counts(state.runs) == {"done": 2}
    assert run_details(own_deployment, state, 1)["files"]


def test_results_deleted_by_hand_leave_the_records(own_deployment: Deployment) -> None:
    """Progress still tells how runs ended."""
    finished = run_campaign(own_deployment, model="mm1", config="Short", run_filter="0,1")
    shutil.rmtree(finished.folder.path)
    state = read(own_deployment, finished.packed)
    assert state.runs is not None
    assert counts(state.runs) == {"done": 2}
    assert run_details(own_deployment, state, 0)["archive"]


def test_partly_missing_records_leave_the_others(own_deployment: Deployment) -> None:
    """A batch whose progress is gone waits, or was stopped."""
    finished = run_campaign(own_deployment, model="mm1", config="Short", run_filter="0,1")
    shutil.rmtree(finished.folder.path)
    own_deployment.store.delete_record(PROGRESS, progress_key(finished.packed.campaign, 0))
    state = read(own_deployment, finished.packed)
    assert state.runs is not None
    assert counts(state.runs) == {"done": 1, "stopped": 1}


def test_a_dag_run_without_a_campaign_is_none(deployment: Deployment, sweep: Finished) -> None:
    """Another DAG's, or one whose first task failed."""
    facts = facts_about(sweep.packed, run_id="nobody", tasks=RESOLVED)
    state = StateReader(deployment).read(facts, None, None)
    assert (state.packed, state.runs, state.trouble) == (None, None, "")


def test_once_more_asks_for_the_same(deployment: Deployment, failing: Finished) -> None:
    """Without the results folder, which is in use; with reuse where only the rest is wanted."""
    state = read(
        deployment, failing.packed, "failed", conf={"model": "fails", "results": "x", "odd": 1}
    )
    conf = again(state)
    assert (conf["model"], conf["config"]) == ("fails", "AtLoad")
    assert not {"results", "odd", "plan_only"} & set(conf)
    assert only_missing(state)["reuse_results"] is True
    assert pack(deployment, **only_missing(state)).request == pack(deployment, **conf).request


def test_reused_runs_have_details_too(deployment: Deployment, sweep: Finished) -> None:
    """They are in the plan and in the store under their key."""
    finished = run_campaign(deployment, model="mm1", config="Short", run_filter="0..3")
    state = read(deployment, finished.packed)
    assert state.runs is not None
    assert counts(state.runs) == {"reused": 4}
    details = run_details(deployment, state, 1)
    assert details["reason"].startswith("same inputs as in campaign")
    assert details["archive"]
    assert [file["name"] for file in details["files"]] == [
        "Short-load=0.3-#1.out",
        "Short-load=0.3-#1.sca",
    ]


def test_garbage_is_shown_as_text(deployment: Deployment) -> None:
    """Terminal codes, NUL and invalid UTF-8 of a model's output."""
    finished = run_campaign(deployment, model="garbage", config="Garbage")
    state = read(deployment, finished.packed)
    lines = run_details(deployment, state, 0)["lines"]
    assert not any("\x1b" in line or "\0" in line for line in lines)
    "\n".join(lines).encode("utf-8")


@pytest.mark.parametrize("record", [{}, {"campaign": 1}, {"request": {}}])
def test_a_record_of_another_version_is_none(
    deployment: Deployment, sweep: Finished, record: dict[str, Any]
) -> None:
    """What cannot be read is passed over."""
    facts = facts_about(sweep.packed, run_id="strange")
    assert StateReader(deployment).read(facts, record, None).packed is None


def test_files_of_one_name_are_found_where_they_are(deployment: Deployment) -> None:
    """The second run's lies in a folder of its own, and so says the page."""
    finished = run_campaign(deployment, model="extra_file", config="ExtraFile")
    state = read(deployment, finished.packed)
    for number in (0, 1):
        for file in run_details(deployment, state, number)["files"]:
            path = finished.folder.path / file["name"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]


def test_a_filter_that_names_a_run_twice_is_warned_of(own_deployment: Deployment) -> None:
    """The preview shows it."""
    finished = run_campaign(
        own_deployment, model="mm1", config="Short", run_filter="0,1,1", plan_only=True
    )
    state = read(own_deployment, finished.packed)
    assert state.planned is not None
    assert any("names a run twice" in warning for warning in state.planned.warnings)
