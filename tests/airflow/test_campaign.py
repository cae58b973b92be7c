"""Whole campaigns through a real scheduler, API server and DAG processor."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil

from oppflow.settings import PROJECT_ROOT
from tests.airflow.conftest import LiveAirflow
from tests.support.campaigns import MODELS
from tests.support.processes import at_work


def test_a_campaign_through_rest_brings_every_result_home(airflow: LiveAirflow) -> None:
    """Trigger to collected results: tasks are named by their runs, and all files are there."""
    ended = airflow.run(
        model="mm1", config="Short", run_filter="$load < 0.6", reuse_results=False, runs_per_task=1
    )
    assert ended.green
    names = {t["rendered_map_index"] for t in ended.tasks if t["task_id"] == "simulate"}
    assert names == {f"#{2 * i + r} load={load} rep={r}"
                     for i, load in enumerate((0.3, 0.5)) for r in (0, 1)}  # fmt: skip
    assert ended.manifest.data["outcomes"] == {"done": 4}
    for name in ("runs.csv", "scalars.parquet", "report.html", "Short-load=0.3-#0.sca"):
        assert (ended.results / name).stat().st_size > 0


def test_many_runs_are_few_tasks_and_few_bytes(airflow: LiveAirflow) -> None:
    """Airflow's database grows with the batches, by a few kB each, not with the runs."""
    ended = airflow.run(model="mm1", config="Short", options={"repeat": "60"}, keep=["sca"])
    assert ended.green
    assert len(ended.manifest.runs) == 240
    simulate = [task for task in ended.tasks if task["task_id"] == "simulate"]
    assert len(simulate) < 40
    with contextlib.closing(sqlite3.connect(airflow.stack.home.database)) as database:
        row = database.execute(
            "select count(*), sum(length(value)) from xcom where run_id = ?", (ended.run_id,)
        ).fetchone()
    count, size = row
    assert count <= len(simulate) * 2 + 10
    assert size < 10_000 + 1000 * len(simulate)


def test_only_the_plan(airflow: LiveAirflow) -> None:
    """Nothing is simulated, the log tells the plan, and the campaign is green."""
    ended = airflow.run(model="mm1", config="MM1", run_filter="0..2", plan_only=True)
    assert ended.green
    assert ended.states("simulate") == ["skipped"]
    assert "3 runs: " in ended.log("resolve_runs")
    assert "Nothing was simulated" in ended.log("report")


def test_again_it_simulates_nothing(airflow: LiveAirflow) -> None:
    """Nothing is mapped where every run is reused, and the campaign is green."""
    airflow.run(model="mm1", config="Short", run_filter="0,1")
    ended = airflow.run(model="mm1", config="Short", run_filter="0,1")
    assert ended.green
    assert ended.manifest.data["outcomes"] == {"reused": 2}
    assert ended.states("simulate") == ["skipped"]


def test_one_failing_run_makes_the_campaign_red_and_takes_no_other_along(
    airflow: LiveAirflow,
) -> None:
    """The others are collected; the errors name run, variables, last words and a command."""
    ended = airflow.run(model="fails", config="AtLoad", reuse_results=False, runs_per_task=1)
    assert not ended.green
    assert Counter(ended.states("simulate")) == {"success": 4, "failed": 2}
    assert ended.states("collect") == ["success"]
    assert ended.manifest.data["outcomes"] == {"done": 4, "failed": 2}
    told = ended.log("report")
    for words in ("2 of 6 runs are not good", "load=0.5 rep=0", "ValueError", "To see it again:"):
        assert words in told


def test_a_failing_run_is_not_tried_again(airflow: LiveAirflow) -> None:
    """A model's error is no infrastructure fault."""
    ended = airflow.run(model="fails", config="OnPurpose")
    tasks = [task for task in ended.tasks if task["task_id"] == "simulate"]
    assert [task["try_number"] for task in tasks] == [1]


def test_a_failed_resolve_makes_the_campaign_red(airflow: LiveAirflow) -> None:
    """All that comes after runs, and the last task gives the verdict."""
    ended = airflow.run(model="mm1", config="NoSuch")
    assert not ended.green
    assert ended.states("resolve_runs") == ["failed"]
    assert ended.states("collect") == ["success"]
    assert "Configurations here: General, MM1, Short" in ended.log("resolve_runs")
    assert "resolve_runs" in ended.log("report")


def test_a_failed_build_makes_the_campaign_red(airflow: LiveAirflow) -> None:
    """The compiler's last lines are in the error of the task that saw them."""
    broken = Path(shutil.copytree(MODELS / "mm1", airflow.folder / "models" / "unbuildable"))
    (broken / "mm1.py").write_text("def queue(:\n    pass\n")
    ended = airflow.run(model="unbuildable", config="Short")
    assert not ended.green
    assert ended.states("build_model") == ["failed"]
    assert "SyntaxError" in ended.log("build_model")
    assert "build_model" in ended.log("report")


def test_a_users_mistake_has_no_traceback(airflow: LiveAirflow) -> None:
    """Unknown parameters are refused by the first task, with the likely meaning."""
    ended = airflow.run(modell="mm1")
    assert not ended.green
    told = ended.log("pack_model")
    assert "Unknown parameter: modell (did you mean model?)" in told
    assert "Traceback" not in told
    assert ended.states("report") == ["failed"]


def test_templates_in_a_models_names_are_not_rendered(airflow: LiveAirflow) -> None:
    """What a user gives is text: Jinja never sees it."""
    ended = airflow.run(
        model="mm1", config="Short", run_filter="0", results="{{ 40+2 }} 'x' .. y",
        options={"*.tag": '"{{ 40+2 }}"'},
    )  # fmt: skip
    assert ended.green
    assert ended.results.name == "{{ 40+2 }} 'x' .. y"
    assert "{{ 40+2 }}" in (ended.results / "Short-load=0.3-#0.sca").read_text()


def test_it_works_from_airflows_command_line(airflow: LiveAirflow) -> None:
    """The wrapper gives the airflow command this deployment's environment."""
    conf = json.dumps({"model": "mm1", "config": "Short", "run_filter": "0"})
    done = subprocess.run(
        [sys.executable, "-m", "oppflow.local", "airflow", "dags", "trigger",
         "simulation_campaign", "--conf", conf, "--run-id", "from-the-command-line"],
        cwd=PROJECT_ROOT / "plugins", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert airflow.wait("from-the-command-line").green


def test_nothing_listens_beyond_loopback(airflow: LiveAirflow) -> None:
    """Neither the API server nor a log server can be reached from elsewhere."""
    listening = [
        connection.laddr.ip
        for process in airflow.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_nothing_is_left_at_work_after_a_campaign(airflow: LiveAirflow) -> None:
    """Workers and simulations end with their tasks, and scratch space is given back."""
    airflow.run(model="mm1", config="Short", run_filter="0", reuse_results=False)
    assert at_work(airflow.work_dir) == []
    assert list((airflow.work_dir / "scratch").iterdir()) == []
