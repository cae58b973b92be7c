"""Giving work to a runner without the stages between."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oppflow.archive import pack_tree
from oppflow.campaign import Run
from oppflow.deployment import Deployment
from oppflow.runners.interface import OpenOutput, Runner, TreeParts, Work
from oppflow.worker.events import Event
from oppflow.worker.jobs import BuildJob, ResolveJob, SimulateJob, Simulation
from tests.support.campaigns import BAD_MODELS, MODELS

React = Callable[[Event], None]


@dataclass
class Heard:
    """What a worker said, and the digests of the files that were taken from it."""

    status: int = -1
    events: list[Event] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def named(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["event"] == kind]

    @property
    def records(self) -> list[Mapping[str, Any]]:
        return [event["record"] for event in self.named("finished")]

    @property
    def outcomes(self) -> list[str]:
        return [record["outcome"] for record in self.records]

    @property
    def lines(self) -> list[str]:
        return [event["line"] for event in self.named("output")]


@dataclass
class Client:
    """Who wants work done: one model, packed into the deployment's store."""

    deployment: Deployment
    model: str

    def __post_init__(self) -> None:
        homes = [root / self.model for root in (MODELS, BAD_MODELS)]
        home = next(home for home in homes if home.is_dir())
        stored = self.deployment.store.put(pack_tree(home).stream)
        self.trees = (TreeParts(self.model, stored.digest),)
        self.runner: Runner = self.deployment.runner()
        self._name = uuid.uuid4().hex[:16]

    def simulation(self, config: str, **options: Any) -> Simulation:
        pairs = tuple((key, str(value)) for key, value in options.items())
        return Simulation("embedded", self.model, "", ("omnetpp.ini",), config, options=pairs)

    def work(self, job: Any) -> Work:
        return Work(f"{self._name}-{job.kind}", job, self.trees)

    def resolve(self, config: str, run_filter: str = "") -> Heard:
        job = ResolveJob(self.simulation(config), run_filter, trees="", scratch="")
        return self.hear(self.work(job))

    def build(self) -> Heard:
        job = BuildJob("embedded", (self.model,), "release", trees="", scratch="", output="")
        return self.hear(self.work(job))

    def simulate(
        self, config: str, runs: int = 1, react: React | None = None, **more: Any
    ) -> Heard:
        return self.hear(self.simulate_work(config, runs, **more), react)

    def simulate_work(self, config: str, runs: int = 1, **more: Any) -> Work:
        options = more.pop("options", {})
        numbered = tuple(Run(n, (), n, str(n), f"{config}-#{n}") for n in range(runs))
        job = SimulateJob(
            self.simulation(config, **options), numbered,
            **{"trees": "", "scratch": "", "output": "", "memory": 256 * 1024**2, **more},
        )  # fmt: skip
        return self.work(job)

    def hear(self, work: Work, react: React | None = None) -> Heard:
        """Have the work done; all files are taken, and everything is remembered."""
        heard = Heard()

        def on_event(event: Event, open_output: OpenOutput) -> None:
            heard.events.append(event)
            if path := event.get("path"):
                with open_output(path) as stream:
                    heard.digests[path] = hashlib.sha256(stream.read()).hexdigest()
            if react is not None:
                react(event)

        heard.status = self.runner.run(work, on_event)
        return heard
