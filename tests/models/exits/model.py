"""Leaves the program from within an event."""

import sys

from oppflow.engine.model import Module


class Exits(Module):
    def initialize(self) -> None:
        self.after(1.0, self.leave)

    def leave(self) -> None:
        sys.exit(self.parameter("status", 0))
