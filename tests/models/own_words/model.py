"""Ends the simulation itself, in its own words."""

from oppflow.engine.model import Module


class OwnWords(Module):
    def initialize(self) -> None:
        self.after(4.0, self.end)

    def end(self) -> None:
        self.end_simulation("The wanted precision was reached, error below 5%")

    def finish(self) -> None:
        self.scalar("error", 0.04)
