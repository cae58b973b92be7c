"""Reading ini files: sections, entries, ``include``, comments and continued lines.

Source: ``inifilereader.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oppflow.engine.errors import EngineError
from oppflow.engine.text import SPACE


@dataclass(frozen=True)
class Entry:
    """One ``key = value``, and where it stands; ``base_dir`` is what relative names refer to."""

    key: str
    value: str
    base_dir: str
    location: str = ""


@dataclass
class Section:
    """A ``[Config NAME]`` with its entries, from whichever files they come."""

    name: str
    entries: list[Entry] = field(default_factory=list)

    def find(self, key: str) -> Entry | None:
        """The first entry with exactly this key."""
        return next((entry for entry in self.entries if entry.key == key), None)


class IniReader:
    """Reads one or more ini files into one list of sections.

    ``file_name`` is the last file read, as it was named; ``base_dir`` is the first one's folder.
    """

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.file_name = ""
        self.base_dir = ""

    def read(self, name: str) -> None:
        """Add what a file holds.

        Raises:
            EngineError: The file cannot be read or is malformed.
        """
        if not self.file_name:
            self.base_dir = str(Path(name).parent)
        self.file_name = name
        self._read(name, name, None, ())

    def _read(self, shown: str, path: str, section: Section | None, outer: tuple[str, ...]) -> None:
        absolute = os.path.normpath(Path(path).absolute())
        if absolute in outer:
            raise EngineError(f"Ini file '{shown}' includes itself, directly or indirectly")
        seen: set[str] = set()
        for line, number in _joined_lines(_read_lines(shown, path)):
            place = f"'{shown}' line {number}"
            text = _strip_comments(line, shown, number)
            _refuse_odd_start(line, place)
            if line.startswith("#"):
                continue
            if text.startswith("include") and text[7:8] in tuple(SPACE):
                included = text[7:].strip(SPACE)
                target = str(Path(path).parent / included)
                self._read(included, target, section, (*outer, absolute))
            elif text.startswith("["):
                section = self._open_section(text, place, seen)
            else:
                section = section or self._section("General")
                section.entries.append(_entry(text, absolute, number, place))

    def _open_section(self, text: str, place: str, seen: set[str]) -> Section:
        if not text.endswith("]"):
            raise EngineError(f"Syntax error in section heading, {place}")
        name = text[1:-1].strip(SPACE).removeprefix("Config ").strip(SPACE)
        if not name:
            raise EngineError(f"Section name cannot be empty, {place}")
        if name in seen:
            raise EngineError(f"Duplicate section '{name}' within file, {place}")
        seen.add(name)
        return self._section(name)

    def _section(self, name: str) -> Section:
        for section in self.sections:
            if section.name == name:
                return section
        self.sections.append(Section(name))
        return self.sections[-1]


def _read_lines(shown: str, path: str) -> list[str]:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise EngineError(f"Cannot open ini file '{shown}'") from error
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if lines[-1] == "":
        lines.pop()
    # CR of files from Windows; OMNeT++ drops any control character there
    return [line[:-1] if line and _is_control(line[-1]) else line for line in lines]


def _is_control(character: str) -> bool:
    return character < " " or character == "\x7f"


def _joined_lines(lines: list[str]) -> Iterator[tuple[str, int]]:
    """Lines with their continuations, and where they start: by backslash, or by indentation."""
    joined, start = "", 0
    for number, line in enumerate(lines, 1):
        if joined.endswith("\\"):
            joined = joined[:-1] + line
        elif _continues(joined, line):
            joined += "\n" + line
        else:
            if joined.strip(SPACE):
                yield joined, start
            joined, start = line, number
    if joined.strip(SPACE):
        yield joined.removesuffix("\\"), start


def _continues(joined: str, line: str) -> bool:
    before = joined.strip(SPACE)
    return bool(
        before
        and not joined.lstrip(" \t").startswith("#")
        and line.strip(SPACE)
        and line[0] in " \t"
    )


def _refuse_odd_start(line: str, place: str) -> None:
    if line[0] in " \t":
        raise EngineError(
            "Content must begin on column 1 because indentation is used for line continuation, "
            + place
        )
    if line.startswith("#% old-wildcards"):
        raise EngineError(
            f"Old-wildcards mode (#% old-wildcards syntax) no longer supported, {place}"
        )
    if line[0] == ";":
        raise EngineError(f"Use hash mark instead of semicolon to start comments, {place}")


def _strip_comments(line: str, shown: str, number: int) -> str:
    """The line without comments and the space before them; each part of a joined one by itself."""
    if line.startswith("#"):
        return ""
    parts = [
        _content(part, f"'{shown}' line {number + offset}")
        for offset, part in enumerate(line.split("\n"))
    ]
    return "\n".join(parts).rstrip(SPACE)


def _content(line: str, place: str) -> str:
    if '"' not in line and "#" not in line:
        return line.rstrip(SPACE)
    position = 0
    while position < len(line):
        if line[position] == "#":
            break
        if line[position] == '"':
            position = _end_of_string(line, position, place)
        position += 1
    kept = line[:position].rstrip(SPACE)
    return kept or line[:1]


def _end_of_string(line: str, start: int, place: str) -> int:
    position = start + 1
    while position < len(line) and line[position] != '"':
        position += 2 if line[position] == "\\" else 1
    if position >= len(line):
        raise EngineError(f"Unterminated string constant, {place}")
    return position


def _entry(text: str, absolute: str, number: int, place: str) -> Entry:
    key, equals, value = text.partition("=")
    key = key.strip(SPACE)
    if not equals or not key:
        raise EngineError(f"Line must be in the form key=value, {place}")
    return Entry(key, value.strip(SPACE), str(Path(absolute).parent), f"{absolute}:{number}")
