"""A model of a few lines, whose ini file a test writes."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''"""Records a scalar, and ends."""

from oppflow.engine.model import Module


class Tiny(Module):
    def initialize(self):
        self.value = self.parameter("value", 1)
        self.text = self.parameter("text", "")
        self.after(1.0, self.note)

    def note(self):
        print("the value is", self.value, self.text)

    def finish(self):
        self.scalar("value", self.value)
        self.scalar("length", len(self.text))
'''
INI = "[General]\nnetwork = tiny.Tiny\nsim-time-limit = 10s\ncpu-time-limit = 30s\n"


def write_tiny(folder: Path, ini: str = "", *, sources: Path | None = None) -> Path:
    """The model's folder, with ``ini`` behind what every ini file needs; sources here or there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "omnetpp.ini").write_text(f"{INI}{ini}\n", encoding="utf-8")
    where = sources or folder
    where.mkdir(parents=True, exist_ok=True)
    (where / "tiny.py").write_text(SOURCE, encoding="utf-8")
    return folder
