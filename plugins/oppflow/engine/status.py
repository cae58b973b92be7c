"""Status lines: how far a simulation is, and how fast.

Source: ``cmdenv.cc``, ``speedometer.cc`` and ``stopwatch.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import time

from oppflow.engine.clock import Clock
from oppflow.engine.endings import CPU_TIME_LIMIT, REAL_TIME_LIMIT, Ending
from oppflow.engine.settings import RunSettings
from oppflow.engine.simtime import format_time

SHORTEST_INTERVAL = 0.01
"""Seconds; speeds measured over less would mislead, and are given as 0."""


class Status:
    """Watches a simulation's progress; time starts to count when it is made.

    ``earlier_runs`` and ``all_runs`` are those of this process: they make the total percentage.
    """

    def __init__(
        self, clock: Clock, settings: RunSettings, earlier_runs: int, all_runs: int
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._earlier_runs = earlier_runs
        self._all_runs = all_runs
        self._start = self._last_update = time.monotonic()
        self._start_cpu = time.process_time()
        self._interval = (self._start, 0, 0.0)

    @property
    def is_due(self) -> bool:
        """Whether it is time for a line; the time starts anew if so."""
        now = time.monotonic()
        due = now - self._last_update > self._settings.status_frequency
        if due:
            self._last_update = now
        return due

    def check_limits(self) -> None:
        """Raises Ending where the CPU time or real time is up."""
        settings = self._settings
        if 0 <= settings.real_time_limit <= self._elapsed:
            raise Ending(REAL_TIME_LIMIT)
        if 0 <= settings.cpu_time_limit <= self._cpu_time:
            raise Ending(CPU_TIME_LIMIT)

    def lines(self) -> str:
        """The current status; three lines with the performance display, else one."""
        clock = self._clock
        speeds = self._speeds()
        first = (
            f"** Event #{clock.event_number}   t={format_time(clock.now)}"
            f"   Elapsed: {_spell_duration(self._elapsed)}{self.percentage(clock.now)}"
        )
        if not self._settings.performance_display:
            return f"{first}   ev/sec={speeds[0]:g}\n"
        created = clock.event_number + clock.pending
        return (
            f"{first}\n"
            f"     Speed:     ev/sec={speeds[0]:g}   simsec/sec={speeds[1]:g}"
            f"   ev/simsec={speeds[2]:g}\n"
            f"     Messages:  created: {created}   present: {clock.pending}"
            f"   in FES: {clock.pending}\n"
        )

    def percentage(self, now: float) -> str:
        """How far the nearest limit is, of this run and of all; empty if there is no limit."""
        settings = self._settings
        measured = (
            (now, settings.sim_time_limit),
            (self._elapsed, settings.real_time_limit),
            (self._cpu_time, settings.cpu_time_limit),
        )
        ratios = [value / limit for value, limit in measured if limit > 0]
        if not ratios:
            return ""
        ratio = min(max(ratios), 1.0)
        total = (ratio + self._earlier_runs) / self._all_runs
        return f"  {int(100 * ratio)}% completed  ({int(100 * total)}% total)"

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    @property
    def _cpu_time(self) -> float:
        return time.process_time() - self._start_cpu

    def _speeds(self) -> tuple[float, float, float]:
        """Events and simulated seconds per second, and events per simulated second."""
        then, events, simulated = self._interval
        current = (time.monotonic(), self._clock.event_number, self._clock.now)
        self._interval = current
        passed, count, span = current[0] - then, current[1] - events, current[2] - simulated
        if passed < SHORTEST_INTERVAL or not count:
            return 0, 0, 0
        return count / passed, span / passed, count / span if span else 0


def _spell_duration(seconds: float) -> str:
    whole = int(seconds)
    text = f"{round(seconds, 6):g}s"
    if seconds < 3600:
        return f"{text} ({whole // 60}m {whole % 60:02}s)"
    if seconds < 86400:
        return f"{text} ({whole // 3600}h {whole % 3600 // 60:02}m)"
    return f"{text} ({whole // 86400}d {whole % 86400 // 3600:02}h)"
