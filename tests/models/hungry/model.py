"""Takes as much memory as it is told to, a megabyte per event."""

from oppflow.engine.model import Module


class Hungry(Module):
    def initialize(self) -> None:
        self.eaten = []
        self.wanted = self.parameter("megabytes", 16)
        self.process(self.eat())

    def eat(self):
        while len(self.eaten) < self.wanted:
            yield self.timeout(0.001)
            self.eaten.append(bytearray(1048576))

    def finish(self) -> None:
        self.scalar("megabytes", len(self.eaten))
