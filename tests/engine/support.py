"""How the engine's tests ask it: in this process for queries, in one of its own for simulations."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from oppflow.engine.arguments import parse_arguments
from oppflow.engine.configuration import Configuration
from oppflow.engine.inifile import IniReader

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
BAD_MODELS = ROOT / "tests" / "models"
CASES = ROOT / "tests" / "cases"
QUIET = ("-s", "-u", "Cmdenv", "--cmdenv-performance-display=false")


@dataclass(frozen=True)
class Ran:
    """What a process of the engine did."""

    status: int
    output: str
    errors: str

    @property
    def last_terminator(self) -> str:
        """The last line that starts with ``<!>``."""
        lines = [line for line in self.output.splitlines() if line.startswith("<!>")]
        return lines[-1] if lines else ""


def command(*arguments: str) -> list[str]:
    """The command line of the engine, with the interpreter that runs the tests."""
    return [sys.executable, "-m", "oppflow.engine", *arguments]


def environment() -> dict[str, str]:
    """The environment that lets another process find the package, and nothing of this one's."""
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "plugins")}


def run_engine(folder: Path, *arguments: str, timeout: float = 30) -> Ran:
    """Run the engine in a folder until it ends by itself."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    output, errors = (
        text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr)
    )
    return Ran(done.returncode, output, errors)


def simulate(folder: Path, *arguments: str) -> Ran:
    """Simulate silently, as the worker does."""
    return run_engine(folder, *QUIET, *arguments)


def write_ini(folder: Path, text: str, name: str = "omnetpp.ini") -> Path:
    """An ini file with this text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def configure(folder: Path, text: str, *options: str) -> Configuration:
    """The configuration that an ini file and command-line options give."""
    reader = IniReader()
    reader.read(str(write_ini(folder, text)))
    return Configuration(reader, parse_arguments(options).long, str(folder))


def normalise(text: str) -> str:
    """The text without what differs between two equal runs: times, process numbers."""
    text = re.sub(r"\d{8}-\d\d:?\d\d:?\d\d", "TIME", text)
    text = re.sub(r"(processid |TIME-)\d+", r"\1PID", text)
    return re.sub(r"Elapsed: \S+ \(.*?\)", "Elapsed: E", text)
