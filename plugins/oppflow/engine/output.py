"""Where a run's words go: the standard streams, or a file where output is redirected."""

from __future__ import annotations

import sys
from typing import TextIO

from oppflow.engine.resultfile import open_file


class Output:
    """Cmdenv's output; errors go to standard error unless they are merged into the output."""

    def __init__(self, *, verbose: bool, merge_errors: bool) -> None:
        self.stream: TextIO = sys.stdout
        self._is_verbose = verbose
        self._errors: TextIO = sys.stdout if merge_errors else sys.stderr
        self._redirected_to = ""

    def say(self, text: str) -> None:
        """Print a line."""
        self.stream.write(text + "\n")

    def remark(self, text: str) -> None:
        """Print a line that ``-s`` leaves out."""
        if self._is_verbose:
            self.say(text)

    def complain(self, text: str, details: str = "") -> None:
        """Print an error, after the details that belong to it."""
        self.stream.flush()
        if self._redirected_to:
            self._errors.write(f"<!> Error -- see {self._redirected_to} for details\n")
        stream = self.stream if self._redirected_to else self._errors
        stream.write(f"{details}\n<!> Error: {text}\n")
        stream.flush()

    def redirect(self, file_name: str) -> None:
        """Print into a file from now on.

        Raises:
            EngineError: It cannot be written.
        """
        self.stream.flush()
        self.stream = open_file(file_name, "w", "output redirection file")  # type: ignore[assignment]
        self._redirected_to = file_name

    def restore(self) -> None:
        """Print to standard output again."""
        self.stream.flush()
        if self._redirected_to:
            self.stream.close()
            self.stream = sys.stdout
            self._redirected_to = ""
