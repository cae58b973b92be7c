"""Starts processes of its own, and does not wait for them."""

import os
import subprocess
import time
from pathlib import Path

from oppflow.engine.model import Module


class Spawns(Module):
    def initialize(self) -> None:
        self.after(1.0, self.start)

    def start(self) -> None:
        # A marker in the arguments: a test knows its own processes by it.
        marker = self.parameter("marker", "1000")
        for detached in (False, True):
            subprocess.Popen(["/bin/sleep", marker], start_new_session=detached)
        if self.parameter("daemon", False):
            # A daemon as they come: forked twice, in a session of its own, without an environment.
            command = f"setsid env -i /bin/sleep {marker} >/dev/null 2>&1 &"
            subprocess.run(["/bin/sh", "-c", command], check=True)
        note = self.parameter("note", "")
        if note:
            with Path(note).open("a", encoding="utf-8") as file:
                file.write(f"start {os.getpid()}\n")
        if self.parameter("hangs", False):
            time.sleep(1000)

    def finish(self) -> None:
        self.scalar("spawned", 2)
