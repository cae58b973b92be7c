"""Physical units, as ini files and expressions use them.

Source: the unit table of OMNeT++ 6.1 (``unitconversion.cc``).
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from oppflow.engine.errors import ExpressionError


class Unit(NamedTuple):
    """A unit: ``factor`` base units, or ``factor * log10`` of them where ``logarithmic``."""

    name: str
    factor: float
    base: str
    long_name: str
    logarithmic: bool = False


_K = 1024.0
_LINEAR: dict[str, tuple[tuple[str, float, str], ...]] = {
    "s": (
        ("d", 86400, "day"), ("h", 3600, "hour"), ("min", 60, "minute"), ("s", 1, "second"),
        ("ms", 1e-3, "millisecond"), ("us", 1e-6, "microsecond"), ("ns", 1e-9, "nanosecond"),
        ("ps", 1e-12, "picosecond"), ("fs", 1e-15, "femtosecond"), ("as", 1e-18, "attosecond"),
    ),
    "bps": (
        ("bps", 1, "bit/sec"), ("kbps", 1e3, "kilobit/sec"), ("Mbps", 1e6, "megabit/sec"),
        ("Gbps", 1e9, "gigabit/sec"), ("Tbps", 1e12, "terabit/sec"),
    ),
    "b": (
        ("B", 8, "byte"), ("KiB", 8 * _K, "kibibyte"), ("MiB", 8 * _K**2, "mebibyte"),
        ("GiB", 8 * _K**3, "gibibyte"), ("TiB", 8 * _K**4, "tebibyte"), ("kB", 8e3, "kilobyte"),
        ("MB", 8e6, "megabyte"), ("GB", 8e9, "gigabyte"), ("TB", 8e12, "terabyte"),
        ("b", 1, "bit"), ("Kib", _K, "kibibit"), ("Mib", _K**2, "mebibit"),
        ("Gib", _K**3, "gibibit"), ("Tib", _K**4, "tebibit"), ("kb", 1e3, "kilobit"),
        ("Mb", 1e6, "megabit"), ("Gb", 1e9, "gigabit"), ("Tb", 1e12, "terabit"),
    ),
    "rad": (("rad", 1, "radian"), ("deg", math.pi / 180, "degree")),
    "m": (
        ("m", 1, "meter"), ("dm", 1e-1, "decimeter"), ("cm", 1e-2, "centimeter"),
        ("mm", 1e-3, "millimeter"), ("um", 1e-6, "micrometer"), ("nm", 1e-9, "nanometer"),
        ("km", 1e3, "kilometer"),
    ),
    "W": (
        ("W", 1, "watt"), ("mW", 1e-3, "milliwatt"), ("uW", 1e-6, "microwatt"),
        ("nW", 1e-9, "nanowatt"), ("pW", 1e-12, "picowatt"), ("fW", 1e-15, "femtowatt"),
        ("kW", 1e3, "kilowatt"), ("MW", 1e6, "megawatt"), ("GW", 1e9, "gigawatt"),
    ),
    "Hz": (
        ("Hz", 1, "hertz"), ("kHz", 1e3, "kilohertz"), ("MHz", 1e6, "megahertz"),
        ("GHz", 1e9, "gigahertz"), ("THz", 1e12, "terahertz"),
    ),
    "kg": (("kg", 1, "kilogram"), ("g", 1e-3, "gram"), ("t", 1e3, "tonne")),
    "K": (("K", 1, "kelvin"),),
    "J": (
        ("J", 1, "joule"), ("kJ", 1e3, "kilojoule"), ("MJ", 1e6, "megajoule"),
        ("Ws", 1, "watt-second"), ("Wh", 3600, "watt-hour"), ("kWh", 3600e3, "kilowatt-hour"),
        ("MWh", 3600e6, "megawatt-hour"),
    ),
    "V": (("V", 1, "volt"), ("kV", 1e3, "kilovolt"), ("mV", 1e-3, "millivolt")),
    "A": (("A", 1, "ampere"), ("mA", 1e-3, "milliampere"), ("uA", 1e-6, "microampere")),
    "Ohm": (
        ("Ohm", 1, "ohm"), ("mOhm", 1e-3, "milliohm"), ("kOhm", 1e3, "kiloohm"),
        ("MOhm", 1e6, "megaohm"),
    ),
    "mps": (
        ("mps", 1, "meter/sec"), ("kmps", 1e3, "kilometer/sec"),
        ("kmph", 1 / 3.6, "kilometer/hour"),
    ),
    "As": (
        ("C", 1, "coulomb"), ("As", 1, "ampere-second"), ("mAs", 1e-3, "milliampere-second"),
        ("Ah", 3600, "ampere-hour"), ("mAh", 3.6, "milliampere-hour"),
    ),
    "x": (("x", 1, "times"),),
}  # fmt: skip
_LOGARITHMIC = (
    ("dBW", 10, "W", "decibel-watt"), ("dBm", 10, "mW", "decibel-milliwatt"),
    ("dBmW", 10, "mW", "decibel-milliwatt"), ("dBV", 20, "V", "decibel-volt"),
    ("dBmV", 20, "mV", "decibel-millivolt"), ("dBA", 20, "A", "decibel-ampere"),
    ("dBmA", 20, "mA", "decibel-milliampere"), ("dB", 20, "x", "decibel"),
)  # fmt: skip

_UNITS = {
    **{
        name: Unit(name, factor, base, long_name)
        for base, rows in _LINEAR.items()
        for name, factor, long_name in rows
    },
    **{name: Unit(name, f, base, long, logarithmic=True) for name, f, base, long in _LOGARITHMIC},
}
_LONG_NAMES = {unit.long_name: unit for unit in reversed(_UNITS.values())}

_NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|nan)"
_PART = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z]*)\s*")


@lru_cache(maxsize=256)
def find_unit(name: str) -> Unit | None:
    """The unit with this name, be it ``ms`` or ``Milliseconds``; None if there is none."""
    if name in _UNITS:
        return _UNITS[name]
    if len(name) >= 3 and name.lower() in _LONG_NAMES:
        return _LONG_NAMES[name.lower()]
    return find_unit(name[:-1]) if len(name) >= 4 and name.endswith("s") else None


def conversion_factor(unit: str, target: str) -> float:
    """How many of ``target`` one ``unit`` is; 0 where there is no linear conversion."""
    if unit == target:
        return 1.0
    source, goal = find_unit(unit), find_unit(target)
    if not source or not goal or source.logarithmic or goal.logarithmic:
        return 0.0
    if source.base != goal.base:
        return 0.0
    return source.factor / goal.factor if goal.factor != 1 else source.factor


def convert(value: float, unit: str, target: str) -> float:
    """The value in another unit; an empty unit is a plain number.

    Raises:
        ExpressionError: The units do not belong together.
    """
    if unit == target or (not unit and math.isnan(value)):
        return value
    factor = conversion_factor(unit, target)
    if factor:
        return value * factor
    source, goal = find_unit(unit), find_unit(target)
    if not source or not goal or _root(source) != _root(goal):
        raise ExpressionError(f"Cannot convert unit {_describe(unit)} to {_describe(target)}")
    return _from_root(_to_root(value, source), goal)


def _root(unit: Unit) -> str:
    return _UNITS[unit.base].base


def _to_root(value: float, unit: Unit) -> float:
    linear = 10.0 ** (value / unit.factor) if unit.logarithmic else value * unit.factor
    return linear * _UNITS[unit.base].factor


def _from_root(value: float, unit: Unit) -> float:
    value /= _UNITS[unit.base].factor
    return unit.factor * math.log10(value) if unit.logarithmic else value / unit.factor


def _describe(name: str) -> str:
    unit = find_unit(name) if name else None
    return (f"'{name}'" + (f" ({unit.long_name})" if unit else "")) if name else "none"


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
            reason = (
                "Units must be in strictly decreasing order of magnitude"
                if factor
                else f"Unit {_describe(part.group(2))} does not match {_describe(unit)}"
            )
            raise ExpressionError(f"Error in quantity '{text}': {reason}")
        value, unit = value * factor + float(part.group(1)), part.group(2)
        position = part.end()
    return sign * value, unit
