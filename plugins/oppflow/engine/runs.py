"""The runs of one configuration: their variables, and the entries that count for each."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oppflow.engine.errors import EngineError
from oppflow.engine.expressions import evaluate
from oppflow.engine.inifile import Entry
from oppflow.engine.options import lookup
from oppflow.engine.text import encode_for_file_name, unquote
from oppflow.engine.values import cannot_cast, to_bool, to_int
from oppflow.engine.variables import Template

_DEFAULTS = {
    "runnumber-width": "0",
    "network": "",
    "result-dir": "results",
    "resultdir-subdivision": "false",
    "seed-set": "${runnumber}",
    "experiment-label": "${configname}",
    "measurement-label": "${iterationvars}",
    "replication-label": "#${repetition}",
}


class Setting(NamedTuple):
    """An entry of a configuration, and its value ready to be filled in."""

    entry: Entry
    template: Template


class Runs:
    """The runs that a configuration unrolls to.

    ``settings`` are those of the sections, nearest first; the command line's come before them.
    What a run's variables are is computed when it is asked for: a simulation needs one of maybe
    ten thousand runs.
    """

    def __init__(
        self,
        name: str,
        *,
        file_name: str,
        command_line: Sequence[Setting],
        settings: Sequence[Setting],
        variable_names: Sequence[str],
        combinations: Sequence[Sequence[str]],
    ) -> None:
        self.name = name
        self._command_line = command_line
        self._settings = settings
        self._names = variable_names
        self._options = {key: self._option(key) for key in _DEFAULTS}
        now = time.strftime("%Y%m%d-%H:%M:%S")
        self._process = {
            "inifile": file_name,
            "configname": name,
            "processid": str(os.getpid()),
            "datetime": now,
            "datetimef": now.replace(":", ""),
        }
        self._combinations = combinations
        self._computed: dict[int, dict[str, str]] = {}

    def __len__(self) -> int:
        return len(self._combinations)

    def variables(self, number: int) -> dict[str, str]:
        """All variables of a run, predefined ones included.

        Raises:
            EngineError: The value of one cannot be computed.
        """
        if number not in self._computed:
            values = dict(zip(self._names, self._combinations[number], strict=True))
            try:
                self._computed[number] = self._compute(number, values)
            except EngineError as error:
                raise of_scenario(error) from error
        return self._computed[number]

    def check(self) -> None:
        """Compute everything, as OMNeT++ does before it answers about runs.

        Raises:
            EngineError: A variable of some run cannot be computed, or there is none of a name.
        """
        for number in range(len(self)):
            self.variables(number)
        if len(self):
            try:
                self.details(0)  # all runs know the same variables, so the first one tells
            except EngineError as error:
                raise of_scenario(error) from error

    def info(self, number: int) -> str:
        """The run's iteration variables: ``$load=0.5, $repetition=0``."""
        values = zip(self._names, self._combinations[number], strict=True)
        return ", ".join([f"${name}={value}" for name, value in values])

    def details(self, number: int) -> list[tuple[str, str]]:
        """The entries that depend on variables, with their values in this run.

        Raises:
            EngineError: One of them names an unknown variable.
        """
        variables = self.variables(number)
        return [
            (entry.key, template.fill(variables))
            for entry, template in self._settings
            if not template.is_constant
        ]

    def entries(self, number: int) -> list[Entry]:
        """All entries that count for the run, first match first, with their values filled in.

        Raises:
            EngineError: One of them names an unknown variable.
        """
        variables = self.variables(number)
        return [
            Entry(_with_owner(entry.key), template.fill(variables), entry.base_dir, entry.location)
            for entry, template in (*self._command_line, *self._settings)
        ]

    def _option(self, key: str) -> Template:
        for entry, template in (*self._command_line, *self._settings):
            if entry.key == key:
                return template
        return Template(_DEFAULTS[key])

    def _compute(self, number: int, values: dict[str, str]) -> dict[str, str]:
        variables = {**values, **self._process}
        _describe(variables, [name for name in self._names if name != "repetition"])
        width = max(0, min(6, int(self._integer("runnumber-width", variables))))
        variables["runnumber"] = f"{number:0{width}d}" if width else str(number)
        variables["network"] = self._text("network", variables)
        variables["runid"] = "-".join(
            variables[part] for part in ("configname", "runnumber", "datetime", "processid")
        )
        result_dir = self._text("result-dir", variables)
        if self._truth("resultdir-subdivision", variables):
            result_dir += f"/{self.name}/{variables['iterationvarsd']}"
        variables["resultdir"] = result_dir
        variables["seedset"] = self._integer("seed-set", variables)
        for label in ("experiment", "measurement", "replication"):
            variables[label] = self._text(f"{label}-label", variables)
        return variables

    def _text(self, key: str, variables: Mapping[str, str]) -> str:
        try:
            value = self._options[key].fill(variables)
            return _string(value) if value.startswith('"') else value
        except EngineError as error:
            raise _bad_option(key, error) from error

    def _integer(self, key: str, variables: Mapping[str, str]) -> str:
        try:
            value = self._options[key].fill(variables)
            return value if _is_plain(value) else str(to_int(evaluate(value)))
        except EngineError as error:
            raise _bad_option(key, error) from error

    def _truth(self, key: str, variables: Mapping[str, str]) -> bool:
        try:
            value = self._options[key].fill(variables)
            return value != "false" and to_bool(evaluate(value))
        except EngineError as error:
            raise _bad_option(key, error) from error


def of_scenario(error: EngineError) -> EngineError:
    """The error as one of unrolling a configuration."""
    return EngineError(f"Scenario generator: {error.message}")


def _describe(variables: dict[str, str], names: list[str]) -> None:
    """Add ``iterationvars`` and its forms for the names of files and folders."""
    segments = []
    for name in names:
        value = encode_for_file_name(_unquoted(variables[name]))
        segments.append(f"{name}={value}" if name[0].isalpha() else value)
    variables["iterationvars"] = ", ".join([f"${name}={variables[name]}" for name in names])
    variables["iterationvarsf"] = ",".join(segments) + "-" if segments else ""
    variables["iterationvarsd"] = "/".join(segments)


def _unquoted(text: str) -> str:
    if '"' not in text:
        return text
    try:
        return unquote(text)
    except EngineError:
        return text


def _string(text: str) -> str:
    value = evaluate(text)
    if isinstance(value, str):
        return value
    raise cannot_cast(value, "string")


def _is_plain(text: str) -> bool:
    return text.isdecimal() and (text == "0" or not text.startswith("0"))


def _bad_option(key: str, error: EngineError) -> EngineError:
    return EngineError(f"Error getting value of config option '{key}': {error.message}")


def _with_owner(key: str) -> str:
    """A per-object option without an object belongs to all of them."""
    if "." not in key:
        option = lookup(key)
        if option and option.is_per_object:
            return f"**.{key}"
    return key
