"""The operator that simulates one batch with the deployment's runner."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from oppflow.errors import HostError
from oppflow.orchestration.endings import explained

if TYPE_CHECKING:
    from airflow.sdk import Context

    from oppflow.runners.interface import Runner

log = logging.getLogger(__name__)

POOL = "oppflow"

_TIME_FOR_OTHERS = 60.0  # seconds


class SimulatesBatch(BaseOperator):
    """Executes the runs of one batch: what the operators of all runners have in common.

    ``batch`` is an item of what ``resolve_runs`` returned. Nothing here is a template: names and
    values from a model must never be rendered.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, batch: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch
        self._runner: Runner | None = None

    def execute(self, context: Context) -> Any:
        """Simulate; how many runs had which outcome."""
        with explained():
            from oppflow.deployment import Deployment
            from oppflow.orchestration.leftovers import remove_leftovers_here
            from oppflow.orchestration.tasks import packed_campaign
            from oppflow.stages.simulate import simulate_batch

            packed = packed_campaign()
            assert packed is not None  # this task is mapped over what came after it
            deployment = Deployment.from_environment()
            remove_leftovers_here(deployment.settings)
            try:
                return simulate_batch(
                    deployment,
                    packed,
                    self.batch["index"],
                    attempt=context["ti"].try_number,
                    on_runner=self._remember,
                )
            except HostError as error:
                leave_to_others(error)
                raise

    def _remember(self, runner: Runner) -> None:
        self._runner = runner

    def on_kill(self) -> None:
        """End the batch's simulations: Airflow kills this task 5 s after asking."""
        if self._runner is not None:
            self._runner.stop()


class SimulateOperator(SimulatesBatch):
    """Simulates in subprocesses of the task."""


def leave_to_others(error: HostError) -> None:
    """Wait where there may be other machines: a slot that is taken lets them take the retry.

    A machine that fails at once is always free, and would take every try of every task.
    """
    from airflow.sdk.configuration import conf

    if "Celery" in str(conf.get("core", "executor")):
        log.error("%s", error)
        log.info("Waiting for %g s, so that another machine takes the next try.", _TIME_FOR_OTHERS)
        time.sleep(_TIME_FOR_OTHERS)


def simulate_operator(runner: str) -> type[SimulatesBatch]:
    """The operator of a deployment, by its runner's name."""
    if runner != "docker":
        return SimulateOperator
    # It imports Airflow's Docker provider, which takes a while whenever the DAG is parsed.
    from oppflow.orchestration.docker_operator import DockerSimulateOperator

    return DockerSimulateOperator
