"""Has events for ever."""

from oppflow.engine.model import Module


class Endless(Module):
    def initialize(self) -> None:
        self.events = 0
        self.process(self.tick())

    def tick(self):
        while True:
            yield self.timeout(1.0)
            self.events += 1

    def finish(self) -> None:
        self.scalar("events", self.events)
