"""Real tasks, workers and simulations are killed: nothing is left, and nothing runs twice."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from oppflow.archive import Limits
from oppflow.errors import InfrastructureError, ParameterError, StoreError
from oppflow.runners import leftovers
from oppflow.runners.leftovers import attempt_lock, prune_scratch
from oppflow.runners.process import ProcessRunner
from tests.support.workers import gone_within, processes_with, wait_until

if TYPE_CHECKING:
    from tests.runners.conftest import Tasks

STUCK = ["hangs/Hangs", "spawns/Hangs"]


def marked() -> tuple[str, dict[str, str]]:
    """An argument by which the children of a model are known, and the option that sets it."""
    marker = f"10{time.monotonic_ns() % 10**10}"
    return marker, {"*.marker": f'"{marker}"'}


def sleepers(marker: str) -> list[psutil.Process]:
    return [one for one in processes_with(marker) if one.name() == "sleep"]


def test_a_task_that_ends_well_leaves_nothing(tasks: Tasks) -> None:
    """Neither a process, nor scratch space, nor a lock; the trees stay for the next task."""
    task = tasks.start("own_words/OwnWords", 2)
    assert task.process.wait(60) == 0
    assert task.outcomes == ["done", "done"]
    assert list((tasks.work_dir / "scratch").iterdir()) == []
    assert len(list((tasks.work_dir / "trees").iterdir())) == 1
    assert processes_with(str(tasks.work_dir)) == []


@pytest.mark.parametrize("what", STUCK)
def test_a_killed_task_takes_everything_with_it(tasks: Tasks, what: str) -> None:
    """Within 5 s: worker, simulation, and what that started, also in a session of its own."""
    marker, options = marked()
    task = tasks.start(what, options=options)
    task.await_event("output", 2)
    if "spawns" in what:
        wait_until(lambda: len(sleepers(marker)) == 2)
    task.process.send_signal(signal.SIGKILL)
    assert gone_within(5, str(tasks.work_dir), marker)


@pytest.mark.parametrize("what", STUCK)
def test_a_killed_worker_takes_everything_with_it(tasks: Tasks, what: str) -> None:
    """The kernel ends the simulation, the task what that started; then it may be tried again."""
    marker, options = marked()
    task = tasks.start(what, options=options)
    task.await_event("output", 2)
    if "spawns" in what:
        wait_until(lambda: len(sleepers(marker)) == 2)
    task.worker().kill()
    assert gone_within(5, str(tasks.work_dir), marker)
    assert task.process.wait(20) == 99
    (raised,) = task.named("raised")
    assert "ended with status -9 and without a word" in raised["message"]


def test_after_both_were_killed_the_next_attempt_ends_what_is_left(tasks: Tasks) -> None:
    """Nobody is there to do it before: children of a simulation live on until then."""
    marker, options = marked()
    task = tasks.start("spawns/Hangs", options=options)
    wait_until(lambda: len(sleepers(marker)) == 2)
    worker = task.worker()
    task.process.send_signal(signal.SIGSTOP)
    worker.kill()
    task.process.send_signal(signal.SIGKILL)
    task.process.wait()
    again = tasks.start("spawns/Spawns", 2)
    assert again.process.wait(60) == 0
    assert again.outcomes == ["done", "done"]
    assert gone_within(1, marker)


def alone(tasks: Tasks, patience: float) -> dict[str, str]:
    """Options of a run that fails if another one is at work at the same time."""
    return {
        "*.folder": f'"{tasks.root}"',
        "*.alone": "true",
        "*.wanted": "9",
        "*.patience": str(patience),
    }


def at_work(tasks: Tasks) -> bool:
    return any(tasks.root.glob("*.here"))


def test_no_run_is_executed_twice_at_once(tasks: Tasks) -> None:
    """The next attempt starts right after the kill, and finds nobody at work."""
    first = tasks.start("overlaps/Overlaps", 1, options=alone(tasks, 60.0))
    wait_until(lambda: at_work(tasks))
    first.process.send_signal(signal.SIGKILL)
    second = tasks.start("overlaps/Overlaps", 1, options=alone(tasks, 0.2))
    assert second.process.wait(60) == 0
    assert second.outcomes == ["done"]
    assert first.outcomes == []


def test_an_attempt_waits_for_one_whose_task_is_alive(tasks: Tasks) -> None:
    """It is not taken from it; once it is done, the next one goes on."""
    first = tasks.start("overlaps/Overlaps", 1, options=alone(tasks, 4.0))
    wait_until(lambda: at_work(tasks))
    second = tasks.start("overlaps/Overlaps", 1, options=alone(tasks, 0.2))
    time.sleep(1.5)
    assert second.events == []
    assert first.process.wait(60) == 0
    assert second.process.wait(60) == 0
    assert (first.outcomes, second.outcomes) == (["done"], ["done"])


def test_an_attempt_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while it fails in a way that is tried again."""
    monkeypatch.setattr(leftovers, "_PATIENCE", 0.3)
    lock, place = tmp_path / "x.lock", tmp_path / "x"
    refused = pytest.raises(InfrastructureError, match="still at work")
    with attempt_lock(lock, place), refused as caught, attempt_lock(lock, place):
        pass
    assert caught.value.transient
    assert not lock.exists()


def test_a_stopped_task_gets_the_results_so_far(tasks: Tasks) -> None:
    """Within 4 s, deaf simulations too: Airflow kills the task 5 s after asking."""
    task = tasks.start("hangs/Hangs", 2)
    task.await_event("output", 2)
    before = time.monotonic()
    task.process.send_signal(signal.SIGTERM)
    assert task.process.wait(20) == 143
    assert time.monotonic() - before < 4
    assert task.outcomes == ["stopped", "stopped"]
    assert task.named("finished")[0]["path"]


def test_a_worker_ends_when_its_task_cannot_listen(tasks: Tasks) -> None:
    """The store refuses, say: the simulation is ended, and the error is the store's."""

    def refuse(*_: object) -> None:
        raise StoreError("full")

    archive = tasks.archive("chatty")
    runner = ProcessRunner(tasks.work_dir, lambda _: archive.open("rb"), Limits())
    with pytest.raises(StoreError, match="full"):
        runner.run(tasks.work("chatty/Chatty"), refuse)
    assert gone_within(5, str(tasks.work_dir))
    assert list((tasks.work_dir / "scratch").glob("work")) == []


def test_only_the_embedded_engine_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OMNeT++ model gets an error that says so."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("OMNETPP_ROOT", raising=False)
    runner = ProcessRunner(tmp_path, lambda _: (tmp_path / "x").open("rb"), Limits())
    assert "simpy" in runner.environment("embedded")
    with pytest.raises(ParameterError, match="OMNeT"):
        runner.environment("omnetpp")


def test_scratch_that_nobody_came_back_for_goes(tmp_path: Path) -> None:
    """After two weeks, and never what somebody works in."""
    import os

    old = time.time() - 15 * 24 * 3600
    for name in ("old", "new", "used"):
        (tmp_path / name / "scratch").mkdir(parents=True)
        (tmp_path / f"{name}.lock").touch()
    with attempt_lock(tmp_path / "used.lock", tmp_path / "used"):
        for name in ("old", "used"):
            os.utime(tmp_path / f"{name}.lock", (old, old))
        prune_scratch(tmp_path)
        left = {path.name for path in tmp_path.iterdir()}
    assert left == {"new", "new.lock", "used", "used.lock"}
