"""What a worker says, one JSON object per line on standard output.

=============  ===============================================================================
``output``     ``run``, ``line``: a line that a simulation or a build printed (``run`` -1: none)
``progress``   ``run``, ``percentage`` or null, ``simulated_time``, ``events``,
               ``events_per_second``
``started``    ``run``
``finished``   ``run``, ``record``: a `RunRecord` as JSON, whose ``archive`` is the SHA-256 of the
               plain tar at ``path`` (relative to the output folder), complete by then
``resolved``   ``answer``: the runs and what their keys need
``built``      ``tree``, ``path``, ``archive``: the tar of what the build of one tree made;
               ``commands``: the shell commands that made it
``error``      ``kind`` (``model``, ``parameter`` or ``infrastructure``), ``message``, ``hint``
=============  ===============================================================================
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

EXIT_GOOD = 0
EXIT_RUN_FAILED = 1
EXIT_WRONG_JOB = 2
EXIT_INFRASTRUCTURE = 75  # sysexits.h: EX_TEMPFAIL
EXIT_STOPPED = 143

Event = Mapping[str, Any]


class EventWriter:
    """Writes events to a file descriptor, each in one piece, at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __call__(self, event: str, **fields: Any) -> None:
        """Write one event.

        Raises:
            BrokenPipeError: nobody listens any more: the task is gone, and the worker must end.
        """
        data = (json.dumps({"event": event, **fields}) + "\n").encode()
        while data:
            data = data[os.write(self._descriptor, data) :]


def decode_event(line: bytes) -> Event | None:
    """The event on a line, or None for something else (a library that prints, say)."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
