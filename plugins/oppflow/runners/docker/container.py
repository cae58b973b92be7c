"""One worker's container: what comes out of it, and how it ended."""

from __future__ import annotations

import logging
import signal
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from oppflow.errors import InfrastructureError, ParameterError
from oppflow.runners.docker.bootstrap import UNFIT
from oppflow.runners.docker.engine import Engine, Json
from oppflow.runners.docker.images import Image
from oppflow.runners.docker.outputs import Outputs
from oppflow.worker.events import (
    EXIT_GOOD,
    EXIT_INFRASTRUCTURE,
    EXIT_RUN_FAILED,
    EXIT_STOPPED,
    EXIT_WRONG_JOB,
    Event,
    decode_event,
)

log = logging.getLogger(__name__)

_WORDED = (EXIT_GOOD, EXIT_RUN_FAILED, EXIT_WRONG_JOB, EXIT_INFRASTRUCTURE, EXIT_STOPPED)
_SIGNALS = 128  # an exit status above it tells the signal
_CANNOT_EXECUTE = (126, 127)  # as a shell has it, and the init process of containers


@dataclass
class WorkerContainer:
    """A worker's container, running or ended. ``adopted`` ones an earlier attempt started."""

    engine: Engine
    id: str
    image: Image
    adopted: bool = False
    has_spoken: bool = False

    def __post_init__(self) -> None:
        self.outputs = Outputs(self.engine, self.id)

    def events(self, runs: Collection[int]) -> Iterator[Event]:
        """What the worker says, from its start to its end.

        Left out is what nobody wants to hear again: runs that are not among ``runs`` (None: no
        matter), since an earlier attempt has recorded them.

        Raises:
            InfrastructureError: the connection ended before the worker did.
        """
        for line in self.engine.output(self.id):
            event = decode_event(line)
            if event is None:
                continue
            self.has_spoken = True
            if not (self.adopted and self._is_over(event, runs)):
                yield event
        if self._state()["Running"]:
            raise InfrastructureError(
                f"The container {self.id[:12]} runs on, but the engine tells no more about it.",
                hint="A retry goes on where this attempt stopped.",
            )

    def _is_over(self, event: Event, runs: Collection[int]) -> bool:
        number = event.get("run", -1)
        if number >= 0 and number not in runs:
            return True
        path = event.get("path")
        if event["event"] != "finished" or not path:
            return False
        # An earlier attempt took it, and what it stored is lost: the run is to be executed again.
        return not self.outputs.is_there(path)

    def exit_status(self) -> int:
        """The ended worker's exit status.

        Raises:
            ParameterError: the image is not fit for the job.
            InfrastructureError: the worker died without a word.
        """
        state = self._state()
        status = int(state["ExitCode"])
        if status in _WORDED and (self.has_spoken or status == EXIT_STOPPED):
            return status
        said = self.engine.errors(self.id)
        if status == UNFIT:
            raise self._unfit(said)
        if status in _CANNOT_EXECUTE or "Exec format error" in said:
            raise self._unfit(self._why_not_executed())
        why = ", out of memory" if state.get("OOMKilled") else ""
        told = "".join(f"\n  {line}" for line in said.splitlines())
        raise InfrastructureError(
            f"The worker in the container {self.id[:12]} ended with {_in_words(status)}{why} and "
            f"without a word.{told}"
        )

    def _why_not_executed(self) -> str:
        theirs, ours = self.image.architecture, self.engine.architecture()
        if theirs != ours:
            return f"it is for the processor {theirs}, and the container engine's is {ours}"
        return "it has no python3 on its PATH, and a worker needs 3.10 or later"

    def _unfit(self, reason: str) -> ParameterError:
        return ParameterError(
            f"The image {self.image.name} cannot be a worker: {reason}.",
            hint="Choose another image, or build one with what is missing; docs/images.md tells "
            "what a worker needs.",
        )

    def _state(self) -> Json:
        found = self.engine.inspect(self.id)
        if found is None:
            raise InfrastructureError(
                f"Somebody removed the container {self.id[:12]} while this task was at it."
            )
        state: Json = found["State"]
        return state


def may_be_adopted(found: Json) -> bool:
    """Whether a container is at work or has come to an end of its own; not: killed, never begun."""
    state = found["State"]
    ended = state["Status"] == "exited" and state["ExitCode"] < _SIGNALS
    return bool(state["Running"]) or ended


def _in_words(status: int) -> str:
    if status > _SIGNALS:
        try:
            return signal.Signals(status - _SIGNALS).name
        except ValueError:
            pass
    return f"status {status}"
