"""Collecting values during a simulation: plain statistics, and averages over time."""

from __future__ import annotations

import math


class Statistic:
    """Count, mean, standard deviation, extremes and sums of the values collected."""

    __slots__ = ("count", "maximum", "minimum", "square_sum", "sum")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all values, as at the end of a warm-up."""
        self.count = 0
        self.sum = 0.0
        self.square_sum = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf

    def collect(self, value: float) -> None:
        """Count a value in."""
        self.count += 1
        self.sum += value
        self.square_sum += value * value
        if value < self.minimum:  # noqa: PLR1730 (a call for each value would double the cost)
            self.minimum = value
        if value > self.maximum:  # noqa: PLR1730
            self.maximum = value

    @property
    def mean(self) -> float:
        """The average; NaN if there are no values."""
        return self.sum / self.count if self.count else math.nan

    @property
    def stddev(self) -> float:
        """The sample's standard deviation; NaN for fewer than two values."""
        if self.count < 2:
            return math.nan
        variance = (self.square_sum - self.sum * self.sum / self.count) / (self.count - 1)
        return math.sqrt(max(variance, 0.0))

    def fields(self) -> dict[str, float]:
        """The fields of a ``statistic`` in a ``.sca`` file, in its order."""
        empty = not self.count
        return {
            "count": self.count,
            "mean": self.mean,
            "stddev": self.stddev,
            "min": math.nan if empty else self.minimum,
            "max": math.nan if empty else self.maximum,
            "sum": self.sum,
            "sqrsum": self.square_sum,
        }


class TimeAverage:
    """The average over time of a value that keeps until it is changed: a queue's length.

    Times are seconds.
    """

    __slots__ = ("_area", "_last", "_start", "maximum", "value")

    def __init__(self, now: float, value: float) -> None:
        self.value = value
        self.reset(now)

    def reset(self, now: float) -> None:
        """Forget the past, but not the value, as at the end of a warm-up."""
        self._start = self._last = now
        self._area = 0.0
        self.maximum = self.value

    def change(self, now: float, value: float) -> None:
        """The value from now on."""
        self._area += self.value * (now - self._last)
        self._last = now
        self.value = value
        if value > self.maximum:  # noqa: PLR1730
            self.maximum = value

    def average(self, now: float) -> float:
        """The average up to now; NaN if no time has passed."""
        area = self._area + self.value * (now - self._last)
        return area / (now - self._start) if now > self._start else math.nan
