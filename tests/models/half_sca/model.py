"""Ends with good words and exit status 0, and leaves half a result file."""

import os
import sys
from pathlib import Path

from oppflow.engine.model import Module
from oppflow.engine.scalarfile import DEFAULT_NAME


class HalfScalars(Module):
    def initialize(self) -> None:
        self.after(1.0, self.leave)

    def leave(self) -> None:
        self.scalar("first", 1.0)
        self.scalar("second", 2.0)
        self._simulation.scalars.close()
        path = Path(self._simulation.configuration.file_name("output-scalar-file", DEFAULT_NAME))
        path.write_bytes(path.read_bytes()[:-12])
        sys.stdout.write("\n<!> Simulation time limit reached -- at t=10s, event #3\n")
        sys.stdout.flush()
        os._exit(0)
