"""The worker's only loop: children, the task's wishes on standard input, and signals.

One thread, so that forking is safe and the kernel's parent-death signal means the worker's death.
"""

from __future__ import annotations

import os
import selectors
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

from oppflow.worker.children import Child, Ending, die_with_parent
from oppflow.worker.strays import adopt_orphans, end_strays

DRAIN = b"drain"  # a line on standard input: start no more children
DRAIN_SIGNAL = "SIGUSR1"  # says the same to a worker whose input has ended, as in a container


class Abandoned(Exception):  # noqa: N818 -- not an error: the task that wanted the work is gone
    """The task is gone: end everything at once, and report to nobody."""


class Stopped(Exception):  # noqa: N818 -- not an error: somebody asked for it
    """The worker was asked to stop before it could do its job."""


class Supervisor:
    """Runs children, a few at a time, until there are no more or somebody says stop.

    ``stopping`` is true after SIGTERM, ``draining`` after the task asked for no new children.
    ``helper`` is a process that starts children for the supervisor, and is none itself.
    """

    LONGEST_WAIT = 0.25  # seconds: limits are looked at this often

    def __init__(self, *, input_descriptor: int | None = None) -> None:
        """Watch ``input_descriptor``, where given: its end means that the task is gone."""
        self.stopping = False
        self.draining = False
        self.helper: int | None = None
        self._input = input_descriptor
        self._parent = os.getppid()
        self._is_abandoned = False
        self._children: dict[Child, Callable[[Ending], None]] = {}
        self._selector = selectors.DefaultSelector()
        adopt_orphans()
        self._listen_to_signals()
        if input_descriptor is not None:
            die_with_parent(signal.SIGTERM, self._parent)
            os.set_blocking(input_descriptor, False)
            self._selector.register(input_descriptor, selectors.EVENT_READ, self._read_input)

    def _listen_to_signals(self) -> None:
        reader, writer = os.pipe()
        for descriptor in (reader, writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.Signals[DRAIN_SIGNAL], self._on_drain)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop
        self._selector.register(reader, selectors.EVENT_READ, lambda: os.read(reader, 4096))

    def _on_stop(self, *_: object) -> None:
        self.stopping = True
        # At once, also in the middle of packing gigabytes; but never in the middle of cleaning up.
        if self._task_is_gone and not self._is_abandoned:
            self._abandon()

    def _on_drain(self, *_: object) -> None:
        self.draining = True

    @property
    def _task_is_gone(self) -> bool:
        return self._input is not None and os.getppid() != self._parent

    def _abandon(self) -> NoReturn:
        self._is_abandoned = True
        raise Abandoned

    def _read_input(self) -> None:
        assert self._input is not None
        data = os.read(self._input, 4096)
        if not data:
            self._abandon()
        self.take_input(data)

    def take_input(self, data: bytes) -> None:
        """Follow the wishes in what came on standard input."""
        if DRAIN in data.split():
            self.draining = True

    def run(
        self, starts: Iterator[Callable[[], tuple[Child, Callable[[Ending], None]]]], slots: int
    ) -> None:
        """Start children as long as there are, at most ``slots`` at once, and wait for them all.

        Each start returns the child and what to call with its ending.

        Raises:
            Abandoned: the task is gone; no child is left.
        """
        try:
            exhausted = False
            while not exhausted or self._children:
                while not exhausted and len(self._children) < slots and not self._halted:
                    start = next(starts, None)
                    exhausted = start is None
                    if start is not None:
                        self._add(*start())
                exhausted = exhausted or self._halted
                self._turn()
        except BaseException:
            self._kill_all()
            raise

    @property
    def _halted(self) -> bool:
        return self.stopping or self.draining

    def run_one(self, start: Callable[[], Child]) -> Ending:
        """Run one child to its end.

        Raises:
            Stopped: the worker was asked to stop before or while the child ran.
            Abandoned: the task is gone.
        """
        endings: list[Ending] = []
        self.run(iter([lambda: (start(), endings.append)]), slots=1)
        if not endings or endings[0].stopped:
            raise Stopped
        return endings[0]

    def _add(self, child: Child, on_end: Callable[[Ending], None]) -> None:
        self._children[child] = on_end
        self._selector.register(child.fileno(), selectors.EVENT_READ, child)

    def _turn(self) -> None:
        if not self._children:
            return
        for key, _ in self._selector.select(self.LONGEST_WAIT):
            if isinstance(key.data, Child):
                self._read_child(key.fd, key.data)
            else:
                key.data()
        if self._task_is_gone:
            self._abandon()
        for child, on_end in list(self._children.items()):
            if self.stopping:
                child.terminate()
            before = None if child.at_end else child.fileno()
            ending = child.tick()
            if ending is None:
                continue
            if before is not None:
                self._selector.unregister(before)
            del self._children[child]
            # With other runs at work, only what bears this one's place; else whatever there is.
            others = [other.pid for other in self._children]
            known = others if self.helper is None else [*others, self.helper]
            end_strays(known, child.place if others else "")
            on_end(ending)

    def _read_child(self, descriptor: int, child: Child) -> None:
        child.read()
        if child.at_end:
            self._selector.unregister(descriptor)

    def _kill_all(self) -> None:
        for child in self._children:
            child.kill()
        end_strays(())
