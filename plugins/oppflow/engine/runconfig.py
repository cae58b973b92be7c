"""The configuration of one run: typed options, per-object settings and parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping

from oppflow.engine.errors import EngineError
from oppflow.engine.expressions import evaluate
from oppflow.engine.inifile import Entry
from oppflow.engine.lookup import Lookup
from oppflow.engine.options import lookup
from oppflow.engine.text import unquote
from oppflow.engine.values import cannot_cast, to_bool, to_double, to_int
from oppflow.engine.variables import PREDEFINED, Template

_ESSENTIAL = ("network", "repeat", "sim-time-limit")


class RunConfiguration:
    """What holds for one run: its entries, first match first, and its variables.

    ``base_dir`` is what relative names refer to where no entry says otherwise.
    """

    def __init__(
        self, number: int, entries: list[Entry], variables: Mapping[str, str], base_dir: str
    ) -> None:
        self.number = number
        self.entries = entries
        self.variables = variables
        self._lookup = Lookup(entries)
        self._base_dir = base_dir

    def entry(self, key: str) -> Entry | None:
        """The entry of a plain option."""
        return self._lookup.option(key)

    def parameter(self, path: str, name: str, *, has_default: bool) -> Entry | None:
        """The entry of a module's parameter."""
        return self._lookup.parameter(path, name, has_default=has_default)

    def text(self, key: str, default: str = "") -> str:
        """An option's text, without its optional quotes; the default may hold ``${...}``.

        Raises:
            EngineError: The value is malformed; the message names the option.
        """
        value = self._value(key, default)
        if not value.startswith('"'):
            return value
        try:
            text = evaluate(value)
        except EngineError as error:
            raise _unreadable(key, error) from error
        if isinstance(text, str):
            return text
        raise _unreadable(key, cannot_cast(text, "string"))

    def file_name(self, key: str, default: str) -> str:
        """The path that a file option names, relative to the folder of the ini file it is in.

        Raises:
            EngineError: The value is malformed; the message names the option.
        """
        entry = self.entry(key)
        folder = entry.base_dir if entry else self._base_dir
        return os.path.normpath(os.path.join(folder, self.text(key, default)))  # noqa: PTH118

    def truth(self, key: str, *, default: bool) -> bool:
        """An option that is on or off.

        Raises:
            EngineError: The value is neither; the message names the option.
        """
        value = self._value(key, "true" if default else "false")
        try:
            return to_bool(evaluate(value))
        except EngineError as error:
            raise _unreadable(key, error) from error

    def integer(self, key: str, default: str) -> int:
        """An option that is a whole number.

        Raises:
            EngineError: It is none; the message names the option.
        """
        try:
            return to_int(evaluate(self._value(key, default)))
        except EngineError as error:
            raise _unreadable(key, error) from error

    def quantity(self, key: str, unit: str, default: str) -> float:
        """An option that is a number, in the given unit.

        Raises:
            EngineError: It is none, or its unit is another one; the message names the option.
        """
        try:
            return to_double(evaluate(self._value(key, default)), unit)
        except EngineError as error:
            raise _unreadable(key, error) from error

    def setting(self, path: str, option: str, default: str) -> str:
        """The value of a per-object option, as it is written."""
        entry = self._lookup.setting(path, option)
        return entry.value if entry else default

    def is_on(self, path: str, option: str) -> bool:
        """Whether a per-object option is true, as all of recording is by default.

        Raises:
            EngineError: It is neither true nor false; the message names the option.
        """
        value = self.setting(path, option, "true")
        try:
            return value == "true" or to_bool(evaluate(value))
        except EngineError as error:
            raise _unreadable(option, error) from error

    def attributes(self) -> list[tuple[str, str]]:
        """The run's predefined variables, as result files list them."""
        return [(name, self.variables[name]) for name in sorted(PREDEFINED) if name != "runid"]

    def iteration_variables(self) -> list[tuple[str, str]]:
        """The run's own variables that have a name, as result files list them."""
        return sorted(
            (name, value)
            for name, value in self.variables.items()
            if name not in PREDEFINED and not name[0].isdigit()
        )

    def recorded_entries(self) -> list[tuple[str, str]]:
        """The entries that go into result files, as ``config-recording`` wants it.

        Raises:
            EngineError: The option's value is unknown.
        """
        wanted = self._value("config-recording", "all").split()
        for word in wanted:
            if word not in ("none", "all", "config", "params", "essentials", "globalconfig"):
                raise EngineError(f"Unrecognized value '{word}' for option 'config-recording'")
        return [
            (entry.key, _without_quotes(entry))
            for entry in self.entries
            if _is_wanted(entry, wanted)
        ]

    def _value(self, key: str, default: str) -> str:
        entry = self.entry(key)
        return entry.value if entry else Template(default).fill(self.variables)


def _unreadable(key: str, error: EngineError) -> EngineError:
    return EngineError(f"Could not read option {key}= from the configuration: {error.message}")


def _is_wanted(entry: Entry, wanted: list[str]) -> bool:
    if "all" in wanted:
        return True
    _, dot, suffix = entry.key.rpartition(".")
    if not dot:
        is_essential = "essentials" in wanted and entry.key in _ESSENTIAL
        return is_essential or "config" in wanted or "globalconfig" in wanted
    return "config" in wanted if "-" in suffix else "params" in wanted


def _without_quotes(entry: Entry) -> str:
    option = lookup(entry.key.rpartition(".")[2])
    if not entry.value.startswith('"') or not option or not option.is_text:
        return entry.value
    try:
        return unquote(entry.value)
    except EngineError:
        return entry.value
