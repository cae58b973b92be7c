"""``python3 -m oppflow.worker``: reads one job on standard input, speaks JSON lines.

Exit status: 0 all good; 1 a run or a build failed for a reason of the model; 2 wrong job; 75 the
machine is at fault; 143 stopped on request.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from oppflow.errors import InfrastructureError, ModelError, OppflowError
from oppflow.worker.build import build
from oppflow.worker.children import prepare_for_children
from oppflow.worker.events import (
    EXIT_GOOD,
    EXIT_INFRASTRUCTURE,
    EXIT_RUN_FAILED,
    EXIT_STOPPED,
    EXIT_WRONG_JOB,
    EventWriter,
)
from oppflow.worker.jobs import BuildJob, Job, ResolveJob, WrongJobError, decode_job
from oppflow.worker.resolve import resolve
from oppflow.worker.session import Session
from oppflow.worker.simulate import simulate
from oppflow.worker.supervisor import Abandoned, Stopped, Supervisor


def main() -> int:
    """Do the job on standard input; the exit status."""
    emit = EventWriter(_own_standard_output())
    line, rest = _read_line(0)
    try:
        job = decode_job(line.decode("utf-8", "replace"))
    except WrongJobError as error:
        emit("error", kind="infrastructure", message=str(error), hint="")
        return EXIT_WRONG_JOB
    prepare_for_children()
    watches_input = os.environ.get("OPPFLOW_END_WITH_INPUT") == "1"
    supervisor = Supervisor(input_descriptor=0 if watches_input else None)
    supervisor.take_input(rest)
    try:
        return _do(job, Session(emit, supervisor, Path(job.scratch)))
    except (Abandoned, BrokenPipeError, Stopped):
        return EXIT_STOPPED
    except OppflowError as error:
        emit("error", kind=_kind(error), message=error.message, hint=error.hint)
        return EXIT_INFRASTRUCTURE if error.transient else EXIT_RUN_FAILED
    except OSError as error:
        emit("error", kind="infrastructure", message=f"The worker failed: {error}", hint="")
        return EXIT_INFRASTRUCTURE


def _do(job: Job, session: Session) -> int:
    if isinstance(job, ResolveJob):
        resolve(job, session)
    elif isinstance(job, BuildJob):
        build(job, session)
    else:
        return simulate(job, session)
    return EXIT_GOOD


def _kind(error: OppflowError) -> str:
    if isinstance(error, InfrastructureError):
        return "infrastructure"
    return "model" if isinstance(error, ModelError) else "parameter"


def _read_line(descriptor: int) -> tuple[bytes, bytes]:
    """The first line, and what came with it: nothing may wait unseen in a buffer of our own."""
    data = b""
    while b"\n" not in data:
        chunk = os.read(descriptor, 1024 * 1024)
        if not chunk:
            break
        data += chunk
    line, _, rest = data.partition(b"\n")
    return line, rest


def _own_standard_output() -> int:
    """Keep standard output for events: whatever else prints goes to standard error."""
    events = os.dup(1)
    os.dup2(2, 1)
    return events


if __name__ == "__main__":
    sys.exit(main())
