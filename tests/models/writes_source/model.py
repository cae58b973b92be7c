"""Writes into the folder its source is in, which is shared between runs."""

from pathlib import Path

from oppflow.engine.model import Module


class WritesSource(Module):
    def finish(self) -> None:
        source = Path(__file__).resolve()
        with source.open("a", encoding="utf-8") as file:
            file.write("# changed by a run\n")
        (source.parent / "cache.txt").write_text("left by a run\n", encoding="utf-8")
        self.scalar("written", 1)
