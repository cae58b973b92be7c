"""Campaigns on several machines: spread evenly, each fetches a model once, and one may die."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.airflow.conftest import Ended
from tests.celery.conftest import HOSTS, SLOTS, Lab
from tests.support.processes import eventually, simulations

_LONG = {"*.customers": 150_000}


def hosts_of(ended: Ended) -> Counter[str]:
    """How many runs each machine executed."""
    return Counter(run["host"] for run in ended.manifest.data["runs"])


def campaign(**more: Any) -> dict[str, Any]:
    """Twelve runs, each in a task of its own, that take a second or two."""
    return {
        "model": "mm1",
        "config": "MM1",
        "run_filter": "0..11",
        "runs_per_task": 1,
        "reuse_results": False,
        "options": _LONG,
        **more,
    }


def test_runs_spread_over_the_machines_and_each_fetches_the_model_once(lab: Lab) -> None:
    """Twelve runs on three machines with two slots each; two campaigns, one tree a machine."""
    for _ in range(2):
        ended = lab.airflow.run(**campaign())
        assert ended.green
        shares = hosts_of(ended)
        assert sum(shares.values()) == 12
        assert set(shares) == set(HOSTS)
        assert max(shares.values()) <= 2 * 12 / len(HOSTS), shares
    for name in HOSTS:
        assert len(lab.hosts[name].trees()) == 1, name
    # Where nothing is simulated, the model is unpacked to ask which runs there are.
    assert len(lab.hosts["main"].trees()) == 1


def test_a_queue_goes_to_the_machines_that_serve_it(lab: Lab) -> None:
    """The parameter says which; packing and collecting stay where they are."""
    ended = lab.airflow.run(**campaign(queue="large", run_filter="0..3"))
    assert ended.green
    assert set(hosts_of(ended)) == {"three"}
    where = {task["task_id"]: task["queue"] for task in ended.tasks}
    assert where["simulate"] == "large"
    assert {where[name] for name in where if name != "simulate"} == {"default"}


def test_a_machine_that_dies_loses_nothing(lab: Lab) -> None:
    """Its runs are executed by the others, all others once; back again, it takes work."""
    victim = lab.hosts["two"]
    run_id = lab.airflow.client.trigger(campaign(options={"*.customers": 400_000}))
    eventually(lambda: len(simulations(victim.work_dir)) == SLOTS, within=120)
    victim.die()
    ended = lab.airflow.wait(run_id, within=300)
    assert ended.green
    runs = ended.manifest.data["runs"]
    assert [run["number"] for run in runs] == list(range(12))
    assert {run["outcome"] for run in runs} == {"done"}
    again = [run for run in runs if run["attempts"] > 1]
    assert len(again) == SLOTS
    assert "two" not in {run["host"] for run in again}
    victim.start()
    assert hosts_of(lab.airflow.run(**campaign()))["two"] > 0
