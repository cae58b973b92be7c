"""What every runner does: the same tests, over subprocesses and over containers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError
from oppflow.worker.events import Event
from tests.support.campaigns import make_deployment
from tests.support.containers import container_deployment, why_no_containers
from tests.support.runners import Client


@pytest.fixture(params=["process", "docker"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    if request.param == "process":
        yield make_deployment(tmp_path, slots=2)
        return
    if why := why_no_containers():
        pytest.skip(why)
    with container_deployment(tmp_path, slots=2) as made:
        yield made


class TestRunner:
    def test_the_environment_is_the_same_each_time(self, deployment: Deployment) -> None:
        """Of texts alone: it becomes a part of keys."""
        one, other = (deployment.runner().environment("embedded") for _ in range(2))
        assert one == other
        assert all(isinstance(text, str) and text for text in one.values())

    def test_resolving_tells_the_runs(self, deployment: Deployment) -> None:
        """With no folder for output."""
        heard = Client(deployment, "mm1").resolve("Short", "$load == 0.5")
        assert heard.status == 0
        (resolved,) = heard.named("resolved")
        assert [run["number"] for run in resolved["answer"]["runs"]] == [2, 3]

    def test_a_build_can_be_taken_home(self, deployment: Deployment) -> None:
        """Byte for byte what the worker made."""
        heard = Client(deployment, "mm1").build()
        assert heard.status == 0
        (built,) = heard.named("built")
        assert heard.digests[built["path"]] == built["archive"]

    def test_every_run_of_a_batch_leaves_its_results(self, deployment: Deployment) -> None:
        """In any order, each as soon as it has ended."""
        heard = Client(deployment, "own_words").simulate("OwnWords", 2, slots=2)
        assert heard.status == 0
        assert heard.outcomes == ["done"] * 2
        for event in heard.named("finished"):
            assert heard.digests[event["path"]] == event["record"]["archive"]

    def test_a_failing_run_takes_no_other_along(self, deployment: Deployment) -> None:
        """The exit status tells that there was one."""
        heard = Client(deployment, "fails").simulate("AtLoad", 6)
        assert heard.status == 1
        assert sorted(heard.outcomes) == ["done"] * 4 + ["failed"] * 2

    def test_stopping_ends_runs_at_once_and_packs_what_they_left(
        self, deployment: Deployment
    ) -> None:
        """From any thread; runs that were not started are reported, too."""
        client = Client(deployment, "mm1")

        def stop_soon(event: Event) -> None:
            if event["event"] == "progress":
                threading.Thread(target=client.runner.stop).start()

        heard = client.simulate("Endless", 2, stop_soon)
        assert heard.status == 143
        assert heard.outcomes == ["stopped", "stopped"]
        assert [record["attempts"] for record in heard.records] == [1, 0]
        assert heard.records[0]["archive"] in heard.digests.values()

    def test_a_runner_that_was_stopped_starts_nothing_that_lasts(
        self, deployment: Deployment
    ) -> None:
        """A task may be asked to end before its worker is there."""
        client = Client(deployment, "mm1")
        client.runner.stop()
        try:
            assert client.simulate("Endless").status == 143
        except InfrastructureError as error:
            if "without a word" not in error.message:  # so early that it could not say one
                raise

    def test_draining_lets_the_runs_end_and_starts_no_more(self, deployment: Deployment) -> None:
        """What was not started is told as stopped."""
        client = Client(deployment, "mm1")

        def drain(event: Event) -> None:
            if event["event"] == "started":
                client.runner.drain()

        options = {"*.customers": 100_000}
        heard = client.simulate("Short", 3, drain, options=options)
        assert heard.outcomes == ["done", "stopped", "stopped"]
        assert len(heard.named("started")) == 1

    def test_a_stuck_event_is_ended_at_the_wall_time_limit(self, deployment: Deployment) -> None:
        """Though it does not obey SIGTERM; what it had printed by then is kept."""
        heard = Client(deployment, "hangs").simulate("Hangs", wall_time_limit=1.0)
        assert heard.status == 1
        assert heard.outcomes == ["time_limited"]
        assert heard.digests

    def test_an_error_in_the_task_ends_the_worker(self, deployment: Deployment) -> None:
        """Nobody listens any more."""
        client = Client(deployment, "mm1")

        def break_down(event: Event) -> None:
            raise RuntimeError("not today")

        with pytest.raises(RuntimeError, match="not today"):
            client.simulate("Endless", 1, break_down)
        assert client.simulate("Short").outcomes == ["done"]
