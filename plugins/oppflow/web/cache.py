"""A bounded cache of what is costly to read: many who look cost one reading."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass
class _Entry(Generic[V]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: V | None = None
    good_until: float = float("-inf")


class Cache(Generic[V]):
    """At most ``size`` values; the one that was used longest ago goes first.

    ``clock`` counts seconds.
    """

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[V]] = OrderedDict()

    def get(
        self, key: Hashable, make: Callable[[V | None], V], lifetime: Callable[[V], float]
    ) -> V:
        """The value, made anew where there is none or its ``lifetime`` (s) is over.

        ``make`` gets the value before, or None. Of several threads that ask, one makes it and the
        others wait.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        with entry.lock:
            if entry.value is None or self._clock() >= entry.good_until:
                try:
                    entry.value = make(entry.value)
                except BaseException:
                    self.forget(key)  # else what does not exist would push out what does
                    raise
                entry.good_until = self._clock() + lifetime(entry.value)
            return entry.value

    def forget(self, key: Hashable) -> None:
        """Have the value made anew."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
