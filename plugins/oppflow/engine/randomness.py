"""Random numbers that are the same on every platform and for every version of Python.

A stream draws from `random.Random`, whose ``random()`` is guaranteed to keep its sequence for a
seed; the seed is a digest of seed set and stream. The distributions are inverse transforms of our
own, because those of `random` may change between versions.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """An endless sequence of random numbers, fixed by seed set and stream number."""

    def __init__(self, seed_set: int, stream: int = 0) -> None:
        digest = hashlib.sha256(f"{seed_set}/{stream}".encode()).digest()
        self.random = random.Random(int.from_bytes(digest, "big")).random  # noqa: S311 (science)
        """Draws from [0, 1)."""

    def uniform(self, low: float, high: float) -> float:
        """From [low, high)."""
        return low + (high - low) * self.random()

    def intuniform(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int((high - low + 1) * self.random())

    def exponential(self, mean: float) -> float:
        """Exponentially distributed with this mean, by inversion."""
        return -mean * math.log(1.0 - self.random())

    def normal(self, mean: float, stddev: float) -> float:
        """Normally distributed, by the Box-Muller transform; takes two draws."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + stddev * radius * math.cos(2.0 * math.pi * self.random())

    def truncnormal(self, mean: float, stddev: float) -> float:
        """As `normal`, drawn again until it is not negative.

        Raises:
            ValueError: No draw could be: the mean is negative and there is no deviation.
        """
        if mean < 0 and stddev == 0:
            raise ValueError("truncnormal(): never non-negative with these arguments")
        value = self.normal(mean, stddev)
        while value < 0:
            value = self.normal(mean, stddev)
        return value

    def bernoulli(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def geometric(self, probability: float) -> int:
        """How many failures come before the first success, by inversion.

        Raises:
            ValueError: The probability is not in (0, 1].
        """
        if not 0.0 < probability <= 1.0:
            raise ValueError(f"geometric(): probability {probability:g} is not in (0, 1]")
        if probability == 1.0:
            return 0
        return int(math.log(1.0 - self.random()) / math.log(1.0 - probability))

    def choose(self, items: Sequence[T]) -> T:
        """One of the items, each as likely as the others.

        Raises:
            IndexError: There are none.
        """
        return items[int(len(items) * self.random())]
