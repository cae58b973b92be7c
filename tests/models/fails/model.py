"""Raises an exception, at a time of the configuration's choice."""

from oppflow.engine.model import Module


class Fails(Module):
    def initialize(self) -> None:
        self.when = self.parameter("when", "event")
        self.load = self.parameter("load", 0.5)
        self.is_failing = self.load == self.parameter("failingLoad", 0.5)
        if self.when == "initialize":
            raise ValueError("wrong from the start")
        self.after(3.0, self.fail_perhaps)

    def fail_perhaps(self) -> None:
        if self.when == "event" and self.is_failing:
            raise ValueError(f"cannot stand a load of {self.load}")
        if self.when == "purpose":
            self.fail("This model was asked to fail")

    def finish(self) -> None:
        self.scalar("load", self.load)
        if self.when == "finish":
            raise KeyError("result")
