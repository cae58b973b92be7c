"""Prints megabytes."""

import sys

from oppflow.engine.model import Module


class Chatty(Module):
    def initialize(self) -> None:
        self.after(1.0, self.talk)

    def talk(self) -> None:
        length = self.parameter("lineLength", 64)
        line = "x" * (length - 1) + "\n"
        for _ in range(self.parameter("megabytes", 5) * 1048576 // length):
            sys.stdout.write(line)
