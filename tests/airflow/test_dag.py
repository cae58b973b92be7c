"""The DAG as Airflow sees it, and a campaign through ``dag.test()`` in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.sdk import DAG

from oppflow.local.home import Home, environment
from oppflow.request import PARAMETERS
from oppflow.settings import PROJECT_ROOT

DAG_FILE = PROJECT_ROOT / "dags" / "simulation_campaign.py"


def in_process(code: str, env: dict[str, str]) -> str:
    """What a fresh Python prints last: Airflow reads its settings once, at the first import."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def airflow_environment(deployment_environment: Path) -> dict[str, str]:
    """An Airflow with a database of its own, and no process."""
    home = Home(deployment_environment / "in-process")
    env = environment(home, 9, "process")
    migrate = [str(Path(sys.executable).with_name("airflow")), "db", "migrate"]
    subprocess.run(migrate, env=env, check=True, capture_output=True)
    return {**env, "PYTHONPATH": f"{env['PYTHONPATH']}:{DAG_FILE.parent}"}


@pytest.fixture(scope="module")
def dag() -> Iterator[DAG]:
    sys.path.insert(0, str(DAG_FILE.parent))
    from simulation_campaign import dag

    yield dag
    sys.path.remove(str(DAG_FILE.parent))


def test_the_tasks_are_those_of_the_design(dag: DAG) -> None:
    """resolve_runs and build_model run side by side, report is the only leaf."""
    edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert edges == {
        "pack_model": {"resolve_runs", "build_model"},
        "resolve_runs": {"simulate"},
        "build_model": {"simulate"},
        "simulate": {"collect"},
        "collect": {"report"},
        "report": set(),
    }


def test_every_parameter_has_a_title_and_a_valid_default(dag: DAG) -> None:
    """The trigger form reads like a form, in the order of the design."""
    assert tuple(dag.params) == PARAMETERS
    for name in PARAMETERS:
        param = dag.params.get_param(name)
        assert param.schema["title"], name
        param.resolve()


def test_retries_start_after_five_seconds_and_grow(dag: DAG) -> None:
    """Airflow's default delay is five minutes."""
    for task in dag.tasks:
        assert task.retry_delay.total_seconds() == 5
        assert task.retry_exponential_backoff > 1
    assert not dag.is_paused_upon_creation


def test_what_users_give_is_never_a_template(dag: DAG) -> None:
    """The mapped operator has no template fields at all."""
    simulate = dag.get_task("simulate")
    assert tuple(simulate.operator_class.template_fields) == ()


def test_parsing_the_dag_imports_nothing_heavy(airflow_environment: dict[str, str]) -> None:
    """Airflow parses the file for every task: what tasks need, they import when they run."""
    heavy = ("polars", "plotly", "scipy", "redis", "docker", "simpy")
    code = f"import simulation_campaign, sys; print([m for m in {heavy} if m in sys.modules])"
    assert in_process(code, airflow_environment) == "[]"


def test_a_campaign_through_dag_test_is_green(airflow_environment: dict[str, str]) -> None:
    """All tasks in one process, without scheduler and supervisor."""
    asked = {"model": "mm1", "config": "Short", "run_filter": "0,3"}
    conf = json.dumps({**asked, "results": "tested", "reuse_results": False})
    code = (
        "import json, simulation_campaign as s\n"
        f"run = s.dag.test(run_conf=json.loads({conf!r}))\n"
        "print(run.state.value if hasattr(run.state, 'value') else run.state)"
    )
    assert in_process(code, airflow_environment) == "success"
    results = Path(airflow_environment["OPPFLOW_RESULTS"], "tested")
    assert json.loads((results / "manifest.json").read_text())["outcomes"] == {"done": 2}
