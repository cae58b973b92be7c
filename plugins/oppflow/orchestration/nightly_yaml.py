"""YAML that knows its lines: what is wrong in a file is told with the line it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from oppflow.errors import ParameterError

Place = tuple[str | int, ...]
"""Where a value is: keys and indexes from the top."""


@dataclass(frozen=True)
class LinedYaml:
    """A YAML file's mapping, and in which line each key or item of it stands, from 1."""

    path: Path
    data: dict[str, Any]
    lines: dict[Place, int]

    @classmethod
    def read(cls, path: Path) -> LinedYaml:
        """Read a file whose top is a mapping.

        Raises:
            ParameterError: it cannot be read, is no YAML, or names a key twice.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ParameterError(f"{path}: the file cannot be read: {error}.") from error
        lines: dict[Place, int] = {(): 1}
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            if node is not None:
                _note_lines(path, node, (), lines)
            data = loader.construct_document(node) if node is not None else {}
        except yaml.reader.ReaderError as error:
            line = text[: error.position].count("\n") + 1
            raise ParameterError(f"{path}, line {line}: no YAML: {error.reason}.") from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = f", line {mark.line + 1}" if mark else ""
            raise ParameterError(
                f"{path}{at}: no YAML: {error.problem or error.context}."
            ) from None
        except ValueError as error:  # a date that is none, for instance
            raise ParameterError(f"{path}, line 1: no YAML: {error}.") from None
        if not isinstance(data, dict):
            raise ParameterError(f"{path}, line 1: this must be a mapping, as in model: mm1.")
        return cls(path, data, lines)

    def error(self, place: Place, what: str, hint: str = "") -> ParameterError:
        """An error that names file and line: the place's, or that of what it is in."""
        while place not in self.lines:
            place = place[:-1]
        return ParameterError(f"{self.path}, line {self.lines[place]}: {what}", hint=hint)


def _note_lines(
    path: Path,
    node: yaml.Node,
    place: Place,
    lines: dict[Place, int],
    seen: set[int] | None = None,
) -> None:
    seen = set() if seen is None else seen
    if id(node) in seen:  # an alias; what it stands for may even hold itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            here: Place = (*place, index)
            lines[here] = item.start_mark.line + 1
            _note_lines(path, item, here, lines, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            here = (*place, str(key.value))
            if here in lines:
                raise ParameterError(
                    f"{path}, line {line}: {key.value} is there already, in line {lines[here]}."
                )
            lines[here] = line
            _note_lines(path, value, here, lines, seen)
