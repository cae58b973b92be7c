"""Simulated time and its events: SimPy's environment, with a loop that counts events."""

from __future__ import annotations

from heapq import heappop
from typing import Any, cast

from simpy import Environment, Event

from oppflow.engine.endings import NO_MORE_EVENTS, SIM_TIME_LIMIT, Ending

AFTER_ALL_OTHERS = 1 << 30
"""The priority of the event that is the sim-time limit: whatever happens then comes before it."""


class Clock(Environment):
    """SimPy's environment; ``event_number`` is the number of the event being executed.

    ``ending`` is looked at after each event: signals set it, and so do models that end themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self.event_number = 0
        self.ending: Ending | None = None

    @property
    def pending(self) -> int:
        """How many events are scheduled."""
        return len(self._queue)

    def limit(self, seconds: float) -> None:
        """End the simulation at this time, with an event after all others of then."""
        end = Event(self)
        end._ok = True  # noqa: SLF001 (SimPy has no way to schedule at another priority)
        end._value = None  # noqa: SLF001
        end.callbacks.append(_reach_limit)
        self.schedule(end, AFTER_ALL_OTHERS, seconds)  # type: ignore[arg-type]

    def run_events(self, count: int) -> None:
        """Execute this many events.

        What SimPy's ``step()`` does is spelt out here: a call for each event would cost as much
        as the events of a small model.

        Raises:
            Ending: There are no more events, the time limit is reached, or `ending` is set.
            Exception: Whatever a model raised.
        """
        queue = self._queue
        for _ in range(count):
            try:
                self._now, _priority, _order, event = heappop(queue)
            except IndexError:
                raise Ending(NO_MORE_EVENTS) from None
            self.event_number += 1
            callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
            for callback in callbacks:
                callback(event)
            if not event.ok and not event.defused:
                raise cast("BaseException", event.value)
            if self.ending:
                raise self.ending


def _reach_limit(_event: Event) -> Any:
    raise Ending(SIM_TIME_LIMIT)
