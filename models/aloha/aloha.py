"""Slotted ALOHA with a finite number of hosts.

A host gets a new frame some time after its last one went through. In every slot each host that has
a frame sends it with the same probability; a sender alone succeeds, several collide and try again.

Theory (Bertsekas and Gallager, Data Networks, 4.2.3): if every host always has a frame, the share
of successful slots is n p (1 - p)^(n - 1), at its largest for p = 1 / n.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from oppflow.engine.model import Module

IDLE, SUCCESS, COLLISION = range(3)
STATES = "IDLE=0,SUCCESS=1,COLLISION=2"
FRAMES, DECISIONS = 0, 1  # random number streams


class Host(Module):
    """Makes frames, and keeps one until it went through.

    Parameter: ``interarrivalTime`` (s), the mean time between a frame's success and the next one.
    """

    def initialize(self) -> None:
        self.mean = self.parameter("interarrivalTime", 0.1, unit="s")
        self.has_frame = False
        self.since = 0.0
        self.sent = 0
        self.delay = self.statistic("delay", record=["mean", "max"], unit="s")
        self.expect_frame()

    def expect_frame(self) -> None:
        self.after(self.random(FRAMES).exponential(self.mean), self.get_frame)

    def get_frame(self) -> None:
        self.has_frame = True
        self.since = self.now

    def succeed(self) -> None:
        self.has_frame = False
        self.sent += 1
        self.delay.collect(self.now - self.since)
        self.expect_frame()

    def finish(self) -> None:
        self.scalar("framesSent", self.sent)


class Aloha(Module):
    """The channel, and the hosts that share it.

    Parameters: ``numHosts``, ``slotTime`` (s), ``sendProbability`` of a host with a frame.
    """

    def initialize(self) -> None:
        self.slot_time = self.parameter("slotTime", 0.01, unit="s")
        self.probability = self.parameter("sendProbability", 0.1)
        number = self.parameter("numHosts", 10)
        self.hosts = [self.submodule(Host, "host", index) for index in range(number)]
        self.slots = [0, 0, 0]
        self.state = self.vector("channelState:vector", title="channel state", enum=STATES)
        self.backlog = self.vector("backlog:vector", title="hosts with a frame")
        self.process(self.run_slots())

    def run_slots(self) -> Generator[Any, Any, None]:
        """Slot after slot; what hosts decide takes effect at a slot's end."""
        random = self.random(DECISIONS)
        while True:
            yield self.timeout(self.slot_time)
            ready = [host for host in self.hosts if host.has_frame]
            senders = [host for host in ready if random.bernoulli(self.probability)]
            outcome = min(len(senders), COLLISION)
            if outcome == SUCCESS:
                senders[0].succeed()
            self.slots[outcome] += 1
            self.state.record(outcome)
            self.backlog.record(len(ready))

    def finish(self) -> None:
        total = max(sum(self.slots), 1)
        for name, count in zip(("idle", "success", "collision"), self.slots, strict=True):
            self.scalar(f"{name}Ratio", count / total, title=f"share of slots: {name}")
