"""The command line: ``opp_run``'s options, read as OMNeT++ reads them.

Source: ``args.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from oppflow.engine.errors import EngineError

_WITH_ARGUMENT = "fulcrnxipqe"
_WITH_OPTIONAL_ARGUMENT = "h"
_PLAIN = "avwsm"


@dataclass
class Arguments:
    """Short options with all their arguments, ``--key=value`` options, and ini files."""

    short: dict[str, list[str]] = field(default_factory=dict)
    long: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def given(self, letter: str) -> bool:
        """Whether the option was given at all."""
        return letter in self.short

    def last(self, letter: str, default: str = "") -> str:
        """The option's last argument."""
        values = self.short.get(letter)
        return values[-1] if values else default

    def all(self, letter: str) -> list[str]:
        """The arguments of all uses of the option."""
        return self.short.get(letter, [])


def parse_arguments(words: Sequence[str]) -> Arguments:
    """The options in a command line, without the program's name.

    Raises:
        EngineError: An option is unknown, or its argument is missing or too much.
    """
    arguments = Arguments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments.files += rest
            break
        if word.startswith("--"):
            key, equals, value = word[2:].partition("=")
            arguments.long[key] = value if equals else rest.pop(0) if rest else ""
        elif word.startswith("-"):
            _read_short(arguments, word, rest)
        else:
            arguments.files.append(word)
    return arguments


def _read_short(arguments: Arguments, word: str, rest: list[str]) -> None:
    letter, attached = word[1:2], word[2:]
    if not letter or letter not in _WITH_ARGUMENT + _WITH_OPTIONAL_ARGUMENT + _PLAIN:
        raise EngineError(f"Invalid command-line option {word}, try -h for help")
    values = arguments.short.setdefault(letter, [])
    if letter in _PLAIN:
        if attached:
            raise EngineError(f"command-line option -{letter} expects no argument")
    elif attached:
        values.append(attached)
    elif rest:
        values.append(rest.pop(0))
    elif letter in _WITH_ARGUMENT:
        raise EngineError(f"command-line option {word} is missing required argument")
