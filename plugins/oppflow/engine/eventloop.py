"""Executing events until a simulation ends, with a look at clocks and signals in between."""

from __future__ import annotations

import signal
from types import FrameType
from typing import TextIO

from oppflow.engine.clock import Clock
from oppflow.engine.endings import SIGNAL, Ending
from oppflow.engine.settings import RunSettings
from oppflow.engine.simtime import format_time
from oppflow.engine.status import Status

EVENTS_BETWEEN_STATUS = 256
STATUS_BETWEEN_LIMITS = 4
"""OMNeT++ looks at its limits every 1024 events, to keep events cheap."""


class EventLoop:
    """Runs a clock's events, and prints status lines as it goes."""

    def __init__(self, clock: Clock, settings: RunSettings, status: Status, output: TextIO) -> None:
        self._clock = clock
        self._settings = settings
        self._status = status
        self._output = output
        self.was_interrupted = False

    def run(self) -> Ending:
        """Execute events until one ends the simulation.

        A signal lets the current event be completed, so that results can be recorded.

        Raises:
            Exception: Whatever a model raised.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        try:
            run = self._run_fast if self._settings.express_mode else self._run_step_by_step
            run()
        except Ending as ending:
            return ending
        finally:
            default_signals()
        raise AssertionError("the loop ends by an exception")

    def _run_fast(self) -> None:
        try:
            self._print_status()
            while True:
                for _ in range(STATUS_BETWEEN_LIMITS):
                    self._clock.run_events(EVENTS_BETWEEN_STATUS)
                    if self._status.is_due:
                        self._print_status()
                self._status.check_limits()
        except Exception:
            # not for SystemExit: a model that leaves so leaves at once
            self._print_status()
            raise

    def _run_step_by_step(self) -> None:
        clock = self._clock
        while True:
            if clock.pending:
                number, time = clock.event_number + 1, clock.peek()
                self._output.write(
                    f"** Event #{number}  t={format_time(time)}{self._status.percentage(time)}   \n"
                )
            clock.run_events(1)
            self._status.check_limits()

    def _print_status(self) -> None:
        self._output.write(self._status.lines())
        self._output.flush()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.was_interrupted = True
        self._clock.ending = self._clock.ending or Ending(SIGNAL)


def default_signals() -> None:
    """Let SIGINT and SIGTERM end the process at once, as they do outside of the event loop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
