"""Kills its own process."""

import os
import signal

from oppflow.engine.model import Module


class Killed(Module):
    def initialize(self) -> None:
        self.vector("before:vector").record(1.0)
        self.after(1.0, self.die)

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
