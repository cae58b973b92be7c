"""What ini files and command line say together: the configurations, and the runs in each.

Source: ``sectionbasedconfig.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from oppflow.engine.errors import EngineError
from oppflow.engine.expressions import evaluate
from oppflow.engine.inifile import Entry, IniReader
from oppflow.engine.runs import Runs, Setting, of_scenario
from oppflow.engine.scenario import Scenario
from oppflow.engine.sections import Sections
from oppflow.engine.validation import validate
from oppflow.engine.values import to_int
from oppflow.engine.variables import PREDEFINED, Template, Variable


@dataclass
class Collected:
    """What a configuration and those it extends hold, nearest first, and what they iterate."""

    settings: list[Setting] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)

    def raw(self, key: str, default: str = "") -> str:
        """The value that counts for a plain option, as it is written."""
        return next((each.entry.value for each in self.settings if each.entry.key == key), default)


class Configuration:
    """The configurations that the ini files and the command line describe.

    ``command_line`` are the ``--key=value`` options; names in them are relative to
    ``working_dir``.

    Raises:
        EngineError: An option has no value.
    """

    def __init__(self, ini: IniReader, command_line: Mapping[str, str], working_dir: str) -> None:
        for key, value in command_line.items():
            if not value:
                raise EngineError(f"Missing value for command-line option --{key}")
        self.file_name = ini.file_name
        self.base_dir = ini.base_dir or "."
        self.sections = Sections(ini.sections)
        # OMNeT++ keeps them in a sorted map, whatever their order was
        self.command_line = [
            Entry(key, value, working_dir, "<commandline>")
            for key, value in sorted(command_line.items())
        ]
        self._collected = lru_cache(self._collect)

    def validate(self) -> None:
        """Check names of options and sections.

        Raises:
            EngineError: With OMNeT++'s words for the first fault found.
        """
        validate(self.sections, self.command_line)

    def global_option(self, key: str) -> str:
        """A plain option from the command line or the General section, empty if not given."""
        general = self.sections.chain("General")
        entries = [*self.command_line, *(entry for part in general for entry in part.entries)]
        return next((entry.value for entry in entries if entry.key == key), "")

    def count_runs(self, name: str) -> int:
        """How many runs a configuration has, whatever the order of its loops.

        Raises:
            EngineError: There is no such configuration, or its runs cannot be computed.
        """
        collected = self._collected(name)
        try:
            if not collected.raw("iteration-nesting-order"):
                return len(self._combinations(name)[1])
            scenario = Scenario(collected.variables, collected.raw("constraint"), "")
            return len(scenario.runs())
        except EngineError as error:
            raise EngineError(
                f"Could not compute number of runs in config {name}: {error.message}"
            ) from error

    def unroll(self, name: str) -> Runs:
        """The runs of a configuration, all of them computed.

        Raises:
            EngineError: There is no such configuration, or some run cannot be computed.
        """
        runs = self.runs(name)
        runs.check()
        return runs

    def runs(self, name: str) -> Runs:
        """The runs of a configuration, to be computed when they are needed.

        Raises:
            EngineError: There is no such configuration, or its iteration is malformed.
        """
        collected = self._collected(name)
        try:
            names, combinations = self._combinations(name)
        except EngineError as error:
            raise of_scenario(error) from error
        return Runs(
            name,
            file_name=self.file_name,
            command_line=[Setting(entry, Template(entry.value)) for entry in self.command_line],
            settings=collected.settings[len(self.command_line) :],
            variable_names=names,
            combinations=combinations,
        )

    def _combinations(self, name: str) -> tuple[list[str], list[tuple[str, ...]]]:
        collected = self._collected(name)
        return _combine(
            tuple(collected.variables),
            collected.raw("constraint"),
            collected.raw("iteration-nesting-order"),
        )

    def _collect(self, name: str) -> Collected:
        chain = self.sections.chain(name)
        collected = Collected([Setting(entry, Template("")) for entry in self.command_line])
        unnamed = 0
        for section in chain:
            for entry in section.entries:
                template = _template(entry, unnamed)
                unnamed += sum(variable.name.isdigit() for variable in template.variables)
                _refuse_clashes(template.variables, collected.variables)
                collected.variables += template.variables
                if entry.key != "abstract" or section is chain[0]:  # it is not inherited
                    collected.settings.append(Setting(entry, template))
        count = to_int(evaluate(collected.raw("repeat", "1")))
        collected.variables.append(Variable("repetition", f"0..{count - 1}", ""))
        return collected


@lru_cache(maxsize=8)
def _combine(
    variables: tuple[Variable, ...], constraint: str, nesting: str
) -> tuple[list[str], list[tuple[str, ...]]]:
    scenario = Scenario(variables, constraint, nesting)
    return scenario.names, scenario.runs()


def _template(entry: Entry, unnamed: int) -> Template:
    try:
        return Template(entry.value, unnamed)
    except EngineError as error:
        raise EngineError(
            f"Scenario generator: {error.message} at {entry.key}={entry.value}"
        ) from error


def _refuse_clashes(new: list[Variable], known: list[Variable]) -> None:
    names = {variable.name for variable in known}
    for variable in new:
        if variable.name in names:
            raise EngineError(
                f"Scenario generator: Redefinition of iteration variable ${{{variable.name}}} "
                "in the configuration"
            )
        names.add(variable.name)
        if variable.name in PREDEFINED:
            raise EngineError(
                f"Scenario generator: ${{{variable.name}}} is a predefined variable and cannot "
                "be changed"
            )
