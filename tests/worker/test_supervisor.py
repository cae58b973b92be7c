"""One loop: simulations side by side, limits, and an end when somebody says so."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.support.workers import Bench, Worker, gone_within, processes_with, run_worker, wait_until


@pytest.mark.parametrize("slots", [1, 3])
def test_as_many_runs_at_once_as_there_are_slots(tmp_path: Path, slots: int) -> None:
    """Runs wait for each other until so many are there; with one more wanted, they never are."""
    bench = Bench(tmp_path / "bench", "overlaps")
    options = {
        "*.folder": f'"{tmp_path}"',
        "*.wanted": str(slots + (slots == 1)),
        "*.patience": "0.3" if slots == 1 else "20.0",
    }
    worker = run_worker(bench.simulate("Overlaps", 3, slots=slots, options=options))
    assert worker.outcomes == ["done"] * 3
    most = [scalar(bench, number) for number in range(3)]
    assert most == [slots] * 3


def scalar(bench: Bench, number: int) -> int:
    """The only scalar of a run, out of the tar that the worker left."""
    import tarfile

    with tarfile.open(bench.root / "output" / f"run-{number}.tar") as tar:
        name = next(name for name in tar.getnames() if name.endswith(".sca"))
        file = tar.extractfile(name)
        assert file
        lines = file.read().decode().splitlines()
    (value,) = [line.rpartition(" ")[2] for line in lines if line.startswith("scalar")]
    return int(value)


def test_sigterm_reaches_simulations_and_their_results_are_packed(tmp_path: Path) -> None:
    """What obeys ends itself and records; what has not started is told as stopped."""
    bench = Bench(tmp_path, "cpu_limit")
    worker = Worker.start(bench.simulate("Endless", 3, slots=2, options={"repeat": "3"}))
    worker.await_event("progress", 2)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 143
    records = [event["record"] for event in worker.named("finished")]
    assert [record["outcome"] for record in records] == ["stopped"] * 3
    assert [record["attempts"] for record in records] == [1, 1, 0]
    names = {file["name"] for file in records[0]["files"]}
    assert any(name.endswith(".sca") for name in names)


def test_what_does_not_obey_is_killed_and_packed_within_4_seconds(tmp_path: Path) -> None:
    """SIGKILL after 2 s; what it printed is there."""
    worker = Worker.start(Bench(tmp_path, "hangs").simulate("Hangs"))
    worker.await_event("output", 2)
    time.sleep(0.3)
    before = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 143
    assert 1.9 < time.monotonic() - before < 4
    (finished,) = worker.named("finished")
    assert finished["record"]["outcome"] == "stopped"
    assert finished["record"]["exit_status"] == -9
    assert [file["name"] for file in finished["record"]["files"]] == ["Hangs-#0.out"]


def test_a_wall_clock_limit_ends_a_stuck_event(tmp_path: Path) -> None:
    """OMNeT++'s own limits are looked at between events only."""
    worker = run_worker(Bench(tmp_path, "hangs").simulate("Hangs", wall_time_limit=0.7))
    (finished,) = worker.named("finished")
    assert worker.process.returncode == 1
    assert finished["record"]["outcome"] == "time_limited"
    assert "0.7 s" in finished["record"]["message"]
    assert finished["record"]["wall_time"] >= 0.7


def test_drain_starts_no_more_runs(tmp_path: Path) -> None:
    """The run at work ends as it would; the others are told as stopped."""
    bench = Bench(tmp_path / "bench", "overlaps")
    options = {"*.folder": f'"{tmp_path}"', "*.wanted": "9", "*.patience": "1.5"}
    worker = Worker.start(bench.simulate("Overlaps", 3, options=options))
    worker.await_event("started")
    assert worker.process.stdin
    worker.process.stdin.write(b"drain\n")
    worker.process.stdin.flush()
    assert worker.wait() == 1
    assert worker.outcomes == ["done", "stopped", "stopped"]


@pytest.mark.parametrize("model", ["hangs/Hangs", "spawns/Hangs"])
def test_the_end_of_input_ends_everything(tmp_path: Path, model: str) -> None:
    """The task is gone: nothing is left within 5 s, and nobody is told anything."""
    name, config = model.split("/")
    bench = Bench(tmp_path, name)
    worker = Worker.start(bench.simulate(config))
    worker.await_event("output", 2)
    wait_until(lambda: len(processes_with(str(tmp_path))) >= 1)
    assert worker.process.stdin
    worker.process.stdin.close()
    assert gone_within(5, str(tmp_path))
    assert worker.wait() == 143
    assert worker.named("finished") == []


@pytest.mark.parametrize("config", ["Spawns", "Daemon"])
def test_what_a_run_left_behind_ends_with_it(tmp_path: Path, config: str) -> None:
    """Also in a session of its own, also a daemon without its environment, before the next run."""
    marker = f"10{time.monotonic_ns() % 10**9}"
    job = Bench(tmp_path, "spawns").simulate(config, 1, options={"*.marker": f'"{marker}"'})
    worker = run_worker(job)
    assert worker.outcomes == ["done"]
    assert processes_with(marker) == []


def test_one_runs_end_leaves_the_others_children_alone(tmp_path: Path) -> None:
    """Orphans bear the place of their run; one that bears none ends when nobody is at work."""
    marker = f"10{time.monotonic_ns() % 10**9}"
    options = {"*.marker": f'"{marker}"'}
    worker = Worker.start(Bench(tmp_path, "spawns").simulate("Mixed", 2, slots=2, options=options))
    worker.await_event("finished")
    wait_until(lambda: len(sleepers(marker)) == 4)  # the hanging run's two, and both daemons
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 143
    assert worker.outcomes == ["done", "stopped"]
    assert sleepers(marker) == []


def sleepers(marker: str) -> list[object]:
    return [one for one in processes_with(marker) if one.name() == "sleep"]


def test_bursts_of_output_are_read_to_their_end(tmp_path: Path) -> None:
    """The last line counts, and comes after megabytes."""
    worker = run_worker(Bench(tmp_path, "chatty").simulate("Chatty"))
    (finished,) = worker.named("finished")
    assert finished["record"]["outcome"] == "done"
    assert finished["record"]["simulated_time"] == "10"
    out = next(file for file in finished["record"]["files"] if file["name"].endswith(".out"))
    assert out["size"] > 5 * 2**20
