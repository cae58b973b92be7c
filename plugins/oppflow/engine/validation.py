"""What OMNeT++ refuses in ini files before it looks at any run: unknown options and sections."""

from __future__ import annotations

from collections.abc import Iterable

from oppflow.engine.errors import EngineError
from oppflow.engine.inifile import Entry, Section
from oppflow.engine.lookup import split_key
from oppflow.engine.options import is_ignorable, lookup
from oppflow.engine.patterns import contains_wildcards
from oppflow.engine.sections import GENERAL, Sections, base_names


def validate(sections: Sections, command_line: Iterable[Entry]) -> None:
    """Check options' names and places, section names, and what sections extend.

    Raises:
        EngineError: With OMNeT++'s words for the first fault found.
    """
    for entry in command_line:
        _check_command_line(entry.key)
    for section in sections:
        _check_name(section.name)
    for section in sections:
        for entry in section.entries:
            _check_entry(section, entry, sections)
    sections.refuse_cycles()
    for section in sections:
        sections.chain(section.name)


def _check_command_line(key: str) -> None:
    has_dot = "." in key
    option_name = key.rpartition(".")[2]
    if has_dot and "-" not in option_name:
        return
    option = lookup(option_name)
    if not option:
        raise EngineError(f"Unknown command-line configuration option --{key}")
    if has_dot and not option.is_per_object:
        raise EngineError(
            f"Invalid command-line configuration option --{key}: "
            f"{option.name} is not a per-object option"
        )


def _check_name(name: str) -> None:
    if " " in name:
        raise EngineError(f"Invalid section name [{name}]: It may not contain spaces")
    if not (name[0].isalpha() or name[0] == "_" or name[0] > "\x7f"):
        raise EngineError(f"Invalid section name [{name}]: Must begin with a letter or underscore")
    for character in name:
        if not (character.isalnum() or character in "-_@" or character > "\x7f"):
            raise EngineError(
                f"Invalid section name [{name}]: Contains illegal character '{character}'"
            )


def _check_entry(section: Section, entry: Entry, sections: Sections) -> None:
    key = entry.key
    if "." in key or contains_wildcards(key):
        suffix = split_key(key)[1]
        option = lookup(suffix)
        if "-" in suffix and not (option and option.is_per_object) and not is_ignorable(suffix):
            raise EngineError(f"Unknown per-object configuration option '{suffix}' in {key}")
        return
    option = lookup(key)
    if not option:
        if is_ignorable(key):
            return
        raise EngineError(f"Unknown configuration option: {key}")
    if option.is_per_object:
        raise EngineError(
            f"Configuration option {key} should be specified per object, try **.{key}="
        )
    if option.scope == "global" and section.name != GENERAL:
        raise EngineError(f"Configuration option {key} may only occur in the [General] section")
    if key == "extends":
        _check_extends(section, entry, sections)


def _check_extends(section: Section, entry: Entry, sections: Sections) -> None:
    if section.name == GENERAL:
        raise EngineError("The [General] section cannot extend other sections")
    for name in base_names(entry.value):
        if name != GENERAL and name not in sections:
            raise EngineError(f"No such config: {name}")
