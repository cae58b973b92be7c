"""Dockerfiles as far as these tests read them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted(ROOT.glob("images/*/Dockerfile"))
_KNOWN = re.compile(
    "ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|RUN|SHELL|USER|VOLUME|WORKDIR"
)


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals and what follows, on one line."""

    name: str
    text: str


@dataclass(frozen=True)
class Copy:
    """A COPY from the build context: patterns in it, and the place in the image."""

    sources: tuple[str, ...]
    target: str


def instructions(dockerfile: Path) -> list[Instruction]:
    """What a Dockerfile says.

    Raises:
        ValueError: a line is no instruction.
    """
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    found = []
    for text in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, rest = text.partition(" ")
        if text and not _KNOWN.fullmatch(name):
            raise ValueError(f"{dockerfile}: {text}")
        if text:
            found.append(Instruction(name, rest.strip()))
    return found


def copies(dockerfile: Path) -> list[Copy]:
    """What it takes from the build context."""
    found = []
    for instruction in instructions(dockerfile):
        if instruction.name == "COPY" and not instruction.text.startswith("--from"):
            *sources, target = shlex.split(instruction.text)
            found.append(Copy(tuple(sources), target))
    return found
