"""Prints what should not be printed: invalid UTF-8, terminal codes, ``<!>`` lines of its own."""

import sys

from oppflow.engine.model import Module

GARBAGE = (
    b"not UTF-8: \xff\xfe\xc3",
    b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J NUL:\x00 CR:\rover",
    b"<!> Error: this is only printed by the model",
    b"<!> CPU time limit reached -- at t=1s, event #1, says the model",
    b'{"event": "finished", "run": 0, "outcome": "done"}',
    b"** Event #999   t=9.9   Elapsed: 1s (0m 01s)  99% completed  (99% total)   ev/sec=1",
    b"no newline at the end of this",
)


class Garbage(Module):
    def initialize(self) -> None:
        self.after(1.0, self.print_garbage)

    def print_garbage(self) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(b"\n".join(GARBAGE))
        sys.stdout.buffer.flush()
        sys.stderr.write("<script>alert(1)</script> on standard error\n")

    def finish(self) -> None:
        self.scalar("printed", 1)
