"""The M/M/1 queue: Poisson arrivals, exponential service times, one server, first come first out.

Theory (Kleinrock, Queueing Systems, vol. 1, 3.2): with arrival rate lambda and service rate mu,
the mean time in the system is 1 / (mu - lambda).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

from oppflow.engine.model import Module

ARRIVALS, SERVICES = 0, 1  # random number streams


class Queue(Module):
    """Serves customers until enough of them have been measured.

    Parameters: ``serviceRate`` (customers per second), ``load`` (arrival rate over service rate),
    ``warmupCustomers`` (how many leave before measuring starts), ``customers`` (how many are
    measured).
    """

    def initialize(self) -> None:
        self.service_rate = self.parameter("serviceRate", 1.0)
        self.arrival_rate = self.parameter("load", 0.5) * self.service_rate
        self.to_skip = self.parameter("warmupCustomers", 2000)
        self.to_measure = self.parameter("customers", 20000)
        if not 0 < self.arrival_rate < self.service_rate:
            self.fail(f"The queue is not stable with a load of {self.parameter('load'):g}")

        self.waiting: deque[float] = deque()  # when those who wait have come
        self.wake_server = self.event()
        self.time_in_system = self.statistic("timeInSystem", unit="s", title="time in system")
        self.queue_length = self.time_average("queueLength", title="customers waiting")
        self.busy = self.time_average("busy", title="share of time the server is busy")
        self.process(self.arrivals())
        self.process(self.server())

    def arrivals(self) -> Generator[Any, Any, None]:
        """Customers come, for ever."""
        random, mean = self.random(ARRIVALS), 1 / self.arrival_rate
        while True:
            yield self.timeout(random.exponential(mean))
            self.waiting.append(self.now)
            self.queue_length.change(len(self.waiting))
            if not self.busy.value and not self.wake_server.triggered:
                self.wake_server.succeed()

    def server(self) -> Generator[Any, Any, None]:
        """Serve whoever waits longest; sleep while nobody does."""
        random, mean = self.random(SERVICES), 1 / self.service_rate
        waiting, queue_length = self.waiting, self.queue_length
        while True:
            if not waiting:
                self.busy.change(0)
                self.wake_server = self.event()
                yield self.wake_server
                self.busy.change(1)
            came = waiting.popleft()
            queue_length.change(len(waiting))
            yield self.timeout(random.exponential(mean))
            self.depart(came)

    def depart(self, came: float) -> None:
        """Count a customer, and end the simulation with the last one."""
        if self.to_skip:
            self.to_skip -= 1
            if not self.to_skip:
                self.queue_length.reset()
                self.busy.reset()
            return
        self.time_in_system.collect(self.now - came)
        if self.time_in_system.count >= self.to_measure:
            self.end_simulation("All customers measured")

    def finish(self) -> None:
        self.scalar("arrivalRate", self.arrival_rate, title="lambda")
        self.scalar("serviceRate", self.service_rate, title="mu")
        theory = 1 / (self.service_rate - self.arrival_rate)
        self.scalar("timeInSystem:theory", theory, unit="s", title="1/(mu - lambda)")
        self.scalar("customers", self.time_in_system.count, title="customers measured")
