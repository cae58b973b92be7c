"""Writes files of its own besides its results."""

from pathlib import Path

from oppflow.engine.model import Module


class ExtraFile(Module):
    def initialize(self) -> None:
        self.value = self.parameter("value", 1)

    def finish(self) -> None:
        self.scalar("value", self.value)
        Path("extra.txt").write_text(f"value {self.value}\n", encoding="utf-8")
        Path("more").mkdir(exist_ok=True)
        Path("more/table.csv").write_text(f"value\n{self.value}\n", encoding="utf-8")
