"""Gets stuck in one event: no limit is looked at, and SIGTERM is not obeyed."""

import time

from oppflow.engine.model import Module


class Hangs(Module):
    def initialize(self) -> None:
        self.after(1.0, self.hang)

    def hang(self) -> None:
        while True:
            time.sleep(0.05)
