"""Handing a job to a worker and hearing it out: what the resolve and build stages share."""

from __future__ import annotations

import logging
from collections.abc import Callable

from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, ModelError, OppflowError, ParameterError
from oppflow.plan import PackedCampaign
from oppflow.runners.interface import OpenOutput, Runner, Work
from oppflow.worker.events import EXIT_GOOD, EXIT_STOPPED, Event
from oppflow.worker.jobs import Simulation

log = logging.getLogger(__name__)

OnRunner = Callable[[Runner], None]


def simulation_of(packed: PackedCampaign) -> Simulation:
    """What a worker needs to know of the campaign to call its engine."""
    request = packed.request
    return Simulation(
        engine=packed.engine,
        model=packed.model.place,
        ini_dir=packed.ini_dir,
        ini_files=request.ini_files,
        config=request.config,
        projects=tuple(tree.place for tree in packed.trees[:-1]),
        options=request.options,
        exclude_ned=request.exclude_ned,
        mode=request.mode,
    )


def run_job(
    deployment: Deployment,
    work: Work,
    on_event: Callable[[Event, OpenOutput], None] | None = None,
    on_runner: OnRunner | None = None,
) -> list[Event]:
    """Run a worker to its end; its events other than output, which goes to the log.

    ``on_runner`` gets the runner before it starts, to be able to stop it.

    Raises:
        ParameterError, ModelError, InfrastructureError: what the worker reports as its error.
    """
    events: list[Event] = []

    def hear(event: Event, open_output: OpenOutput) -> None:
        if event["event"] == "output":
            log.info("%s", event["line"])
            return
        events.append(event)
        if on_event is not None:
            on_event(event, open_output)

    runner = deployment.runner()
    if on_runner is not None:
        on_runner(runner)
    status = runner.run(work, hear)
    for event in events:
        if event["event"] == "error":
            raise error_of(event)
    if status == EXIT_STOPPED:
        raise InfrastructureError(f"The worker of {work.name} was stopped.")
    if status != EXIT_GOOD:
        raise InfrastructureError(f"The worker of {work.name} ended with status {status}.")
    return events


def error_of(event: Event) -> OppflowError:
    """The error that an ``error`` event reports."""
    kinds: dict[str, type[OppflowError]] = {"parameter": ParameterError, "model": ModelError}
    return kinds.get(event["kind"], InfrastructureError)(event["message"], hint=event["hint"])
