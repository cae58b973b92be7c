"""Physical units, as ini files and expressions use them.

Source: the unit table of OMNeT++ 6.1 (``unitconversion.cc``).
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from oppflow.engine.errors import ExpressionError


class Unit(NamedTuple):
    """A unit: ``factor`` base units, or ``factor * log10`` of them where ``logarithmic``."""

    factor: float
    base: str
    logarithmic: bool = False


_K = 1024.0
_LINEAR: dict[str, dict[str, float]] = {
    "s": {
        "d": 86400, "h": 3600, "min": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9,
        "ps": 1e-12, "fs": 1e-15, "as": 1e-18,
    },
    "bps": {"bps": 1, "kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9, "Tbps": 1e12},
    "b": {
        "B": 8, "KiB": 8 * _K, "MiB": 8 * _K**2, "GiB": 8 * _K**3, "TiB": 8 * _K**4,
        "kB": 8e3, "MB": 8e6, "GB": 8e9, "TB": 8e12,
        "b": 1, "Kib": _K, "Mib": _K**2, "Gib": _K**3, "Tib": _K**4,
        "kb": 1e3, "Mb": 1e6, "Gb": 1e9, "Tb": 1e12,
    },
    "rad": {"rad": 1, "deg": math.pi / 180},
    "m": {"m": 1, "dm": 1e-1, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "km": 1e3},
    "W": {
        "W": 1, "mW": 1e-3, "uW": 1e-6, "nW": 1e-9, "pW": 1e-12, "fW": 1e-15,
        "kW": 1e3, "MW": 1e6, "GW": 1e9,
    },
    "Hz": {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12},
    "kg": {"kg": 1, "g": 1e-3, "t": 1e3},
    "K": {"K": 1},
    "J": {"J": 1, "kJ": 1e3, "MJ": 1e6, "Ws": 1, "Wh": 3600, "kWh": 3600e3, "MWh": 3600e6},
    "V": {"V": 1, "kV": 1e3, "mV": 1e-3},
    "A": {"A": 1, "mA": 1e-3, "uA": 1e-6},
    "Ohm": {"Ohm": 1, "mOhm": 1e-3, "kOhm": 1e3, "MOhm": 1e6},
    "mps": {"mps": 1, "kmps": 1e3, "kmph": 1 / 3.6},
    "As": {"C": 1, "As": 1, "mAs": 1e-3, "Ah": 3600, "mAh": 3.6},
    "x": {"x": 1},
}  # fmt: skip
_LOGARITHMIC = {
    "dBW": (10, "W"), "dBm": (10, "mW"), "dBmW": (10, "mW"), "dBV": (20, "V"), "dBmV": (20, "mV"),
    "dBA": (20, "A"), "dBmA": (20, "mA"), "dB": (20, "x"),
}  # fmt: skip

UNITS = {
    **{name: Unit(f, base) for base, names in _LINEAR.items() for name, f in names.items()},
    **{name: Unit(f, base, logarithmic=True) for name, (f, base) in _LOGARITHMIC.items()},
}

_NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|nan)"
_PART = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z]*)\s*")


def conversion_factor(unit: str, target: str) -> float:
    """How many of ``target`` one ``unit`` is; 0 where there is no linear conversion."""
    if unit == target:
        return 1.0
    if unit not in UNITS or target not in UNITS:
        return 0.0
    source, goal = UNITS[unit], UNITS[target]
    if source.logarithmic or goal.logarithmic or source.base != goal.base:
        return 0.0
    return source.factor / goal.factor if goal.factor != 1 else source.factor


def convert(value: float, unit: str, target: str) -> float:
    """The value in another unit; an empty unit is a plain number.

    Raises:
        ExpressionError: The units do not belong together.
    """
    if unit == target or (not unit and math.isnan(value)):
        return value
    if unit not in UNITS or target not in UNITS:
        raise _cannot_convert(unit, target)
    factor = conversion_factor(unit, target)
    return value * factor if factor else _from_base(_to_base(value, unit), unit, target)


def _to_base(value: float, unit: str) -> tuple[float, str]:
    known = UNITS[unit]
    if not known.logarithmic:
        return value * known.factor, known.base
    linear = 10.0 ** (value / known.factor)
    return linear * UNITS[known.base].factor, UNITS[known.base].base


def _from_base(base: tuple[float, str], unit: str, target: str) -> float:
    value, base_unit = base
    goal = UNITS[target]
    linear = UNITS[goal.base] if goal.logarithmic else goal
    if linear.base != base_unit:
        raise _cannot_convert(unit, target)
    value /= linear.factor
    return goal.factor * math.log10(value) if goal.logarithmic else value


def _cannot_convert(unit: str, target: str) -> ExpressionError:
    return ExpressionError(f"Cannot convert unit {_describe(unit)} to {_describe(target)}")


def _describe(unit: str) -> str:
    return f"'{unit}'" if unit else "none"


def parse_quantity(text: str) -> tuple[float, str]:
    """A number with its unit: ``5s``, ``2min 30s``, ``1.5``; the last unit of several counts.

    Raises:
        ExpressionError: The text is not a quantity.
    """
    first = _PART.match(text)
    if not first:
        raise ExpressionError(f"Syntax error parsing quantity '{text}': Must begin with a number")
    value, unit = float(first.group(1)), first.group(2)
    sign = -1.0 if value < 0 else 1.0
    value = abs(value)
    position = first.end()
    while position < len(text):
        part = _PART.match(text, position)
        if not unit or not part or not part.group(2):
            raise ExpressionError(f"Syntax error parsing quantity '{text}'")
        factor = conversion_factor(unit, part.group(2))
        if factor <= 1:
            raise ExpressionError(
                f"Error in quantity '{text}': Unit '{part.group(2)}' does not match '{unit}', "
                "or is not smaller"
            )
        value, unit = value * factor + float(part.group(1)), part.group(2)
        position = part.end()
    return sign * value, unit
