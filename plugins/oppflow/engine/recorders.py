"""What models collect results with: vectors, statistics and averages over time.

All of them leave out what happens during ``warmup-period``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from oppflow.engine.scalarfile import ScalarFile
from oppflow.engine.statistics import Statistic, TimeAverage

if TYPE_CHECKING:
    from oppflow.engine.simulation import Simulation


class Recorder(Protocol):
    """Something that a module records after its ``finish()``."""

    def write(self, scalars: ScalarFile) -> None:
        """Record what was collected."""


class VectorRecorder:
    """A result over time, in the ``.vec`` file."""

    def __init__(
        self, simulation: Simulation, path: str, name: str, attributes: Mapping[str, str]
    ) -> None:
        self._clock = simulation.clock
        self._warmup = simulation.settings.warmup_period
        self._vector = simulation.vectors.vector(path, name, attributes)

    def record(self, value: float) -> None:
        """Record a value at the current simulated time."""
        now = self._clock.now
        if now >= self._warmup:
            self._vector.record(self._clock.event_number, now, value)


class StatisticRecorder:
    """A statistic of values, in the ``.sca`` file.

    ``record`` are the modes: ``stats`` for a ``statistic`` with all fields, or the name of a field
    (count, mean, stddev, min, max, sum, sqrsum) for a scalar ``name:mean``.
    """

    def __init__(
        self,
        simulation: Simulation,
        path: str,
        name: str,
        record: Sequence[str],
        attributes: Mapping[str, str],
    ) -> None:
        self._clock = simulation.clock
        self._configuration = simulation.configuration
        self._warmup = simulation.settings.warmup_period
        self._path = path
        self._name = name
        self._record = record
        self._attributes = attributes
        self._statistic = Statistic()

    def collect(self, value: float) -> None:
        """Count a value in."""
        if self._clock.now >= self._warmup:
            self._statistic.collect(value)

    def reset(self) -> None:
        """Forget all values: the end of a warm-up of the model's own."""
        self._statistic.reset()

    @property
    def count(self) -> int:
        """How many values there are."""
        return self._statistic.count

    @property
    def mean(self) -> float:
        """The average; NaN if there are no values."""
        return self._statistic.mean

    def write(self, scalars: ScalarFile) -> None:
        """Record what was asked for, unless ``**.statistic-recording`` says otherwise."""
        if not self._configuration.is_on(f"{self._path}.{self._name}", "statistic-recording"):
            return
        fields = self._statistic.fields()
        for mode in self._record:
            name = f"{self._name}:{mode}"
            attributes = {**self._attributes, "recordingmode": mode}
            if mode == "stats":
                scalars.statistic(self._path, name, fields, attributes)
            else:
                scalars.scalar(self._path, name, fields[mode], attributes)


class TimeAverageRecorder:
    """The average over time of a value, and its maximum, in the ``.sca`` file as scalars."""

    def __init__(
        self,
        simulation: Simulation,
        path: str,
        name: str,
        value: float,
        attributes: Mapping[str, str],
    ) -> None:
        self._clock = simulation.clock
        self._configuration = simulation.configuration
        self._path = path
        self._name = name
        self._attributes = attributes
        self._average = TimeAverage(self._clock.now, value)
        warmup = simulation.settings.warmup_period
        if warmup > self._clock.now:
            timeout = self._clock.timeout(warmup - self._clock.now)
            timeout.callbacks.append(lambda _event: self.reset())

    def change(self, value: float) -> None:
        """The value from now on."""
        self._average.change(self._clock.now, value)

    def reset(self) -> None:
        """Forget the past: the end of a warm-up of the model's own."""
        self._average.reset(self._clock.now)

    @property
    def value(self) -> float:
        """The current value."""
        return self._average.value

    @property
    def average(self) -> float:
        """The average up to now; NaN if no time has passed."""
        return self._average.average(self._clock.now)

    def write(self, scalars: ScalarFile) -> None:
        """Record average and maximum, unless ``**.statistic-recording`` says otherwise."""
        if self._configuration.is_on(f"{self._path}.{self._name}", "statistic-recording"):
            for mode, value in (("timeavg", self.average), ("max", self._average.maximum)):
                attributes = {**self._attributes, "recordingmode": mode}
                scalars.scalar(self._path, f"{self._name}:{mode}", value, attributes)
