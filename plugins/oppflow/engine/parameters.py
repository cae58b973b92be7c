"""The parameters of modules: their values from the configuration, and how results spell them."""

from __future__ import annotations

from typing import NamedTuple

from oppflow.engine.errors import EngineError
from oppflow.engine.expressions import evaluate
from oppflow.engine.runconfig import RunConfiguration
from oppflow.engine.values import Number, Value, spell, to_double, to_int, type_name

ParameterValue = bool | int | float | str


class Parameter(NamedTuple):
    """A parameter's value for the model, its spelling for result files, and its unit."""

    value: ParameterValue
    spelling: str
    unit: str


def read_parameter(
    configuration: RunConfiguration,
    path: str,
    name: str,
    default: ParameterValue | None,
    unit: str,
) -> Parameter:
    """The first entry that matches decides; without one, the default does.

    The default's type is the parameter's: a string, a truth value, an integer or a double. One
    with a unit is a double, whatever the default is.

    Raises:
        EngineError: There is no value, or it has another type or unit.
    """
    entry = configuration.parameter(path, name, has_default=default is not None)
    full_name = f"{path}.{name}"
    if entry is None or entry.value in ("", "default"):
        if default is None:
            raise _prompt(full_name, "unassigned")
        return Parameter(default, _spell_plain(default, unit), unit)
    if entry.value == "ask":
        raise _prompt(full_name, "ask")
    try:
        value = evaluate(entry.value)
        typed = _as_type_of(default, value, unit)
        is_double = bool(unit) or type(default) is float
        return Parameter(typed, _spell_plain(typed, unit) if is_double else spell(value), unit)
    except EngineError as error:
        raise EngineError(
            f"Cannot assign '{entry.value}' to parameter '{full_name}': {error.message} "
            f"-- at {entry.location}"
        ) from error


def _prompt(full_name: str, why: str) -> EngineError:
    return EngineError(
        "The simulation attempted to prompt for user input, set cmdenv-interactive=true to allow "
        f"it: \"Enter parameter '{full_name}' ({why}):\""
    )


def _as_type_of(default: ParameterValue | None, value: Value, unit: str) -> ParameterValue:
    for kind, name in ((str, "string"), (bool, "bool")):
        if isinstance(default, kind):
            if not isinstance(value, kind):
                raise EngineError(f"Cannot cast from type {type_name(value)} to {name}")
            return value
    if unit or isinstance(default, float):
        return to_double(_number(value, "double"), unit)
    if isinstance(default, int):
        return to_int(_number(value, "integer"))
    if isinstance(value, Number):
        return value.in_unit("") if value.unit else value.value
    if value is None:
        raise EngineError("The value is undefined")
    return value


def _spell_plain(value: ParameterValue, unit: str) -> str:
    return spell(value if isinstance(value, (bool, str)) else Number(value, unit))


def _number(value: Value, wanted: str) -> Number:
    found = type_name(value)
    if isinstance(value, Number) and wanted in ("double", found):
        return value
    note = " (note: no implicit conversion from double to int)" if found == "double" else ""
    raise EngineError(f"Cannot cast {spell(value)} from type {found} to {wanted}{note}")
