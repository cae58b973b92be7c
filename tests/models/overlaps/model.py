"""Notes in a file when it starts and ends, and how many of its kind are at work meanwhile."""

import fcntl
import os
import time
from pathlib import Path

from oppflow.engine.model import Module


class Overlaps(Module):
    def initialize(self) -> None:
        self.folder = Path(self.parameter("folder", "."))
        self.after(1.0, self.meet)

    def meet(self) -> None:
        if self.parameter("alone", False):
            # Raises if another process holds it; the kernel lets go of it when that one dies.
            self.lock = (self.folder / "alone").open("a", encoding="utf-8")
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        here = self.folder / f"{os.getpid()}.here"
        here.touch()
        deadline = time.monotonic() + self.parameter("patience", 10.0)
        self.most = 0
        while time.monotonic() < deadline and self.most < self.parameter("wanted", 1):
            self.most = max(self.most, len(list(self.folder.glob("*.here"))))
            time.sleep(0.01)
        time.sleep(0.1)
        here.unlink()

    def finish(self) -> None:
        self.scalar("most", self.most)
