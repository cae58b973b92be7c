"""Numbers, times and estimates as a person reads them."""

from __future__ import annotations

import math

NOTHING = "\N{EN DASH}"
_SIZES = (("d", 86_400), ("h", 3600), ("min", 60))


def format_number(value: float | str | None, digits: int = 5) -> str:
    """Return a number with so many significant digits, without trailing zeros; text as it is."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, NOTHING)
    if value.is_integer() and abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def format_estimate(mean: float | None, half_width: float | None) -> str:
    """Return ``mean ± half-width``: two digits of the half-width, the mean to the same place.

    Of a mean that is small against its half-width there are two digits as well.
    """
    if mean is None or half_width is None or not math.isfinite(mean):
        return format_number(mean)
    if half_width == 0:
        return f"{format_number(mean)} ± 0"
    magnitude = max(abs(mean), half_width)
    if not 1e-3 <= magnitude < 1e7:
        return f"{mean:.4g} ± {half_width:.2g}"
    places = 1 - math.floor(math.log10(half_width))
    if mean:
        places = max(places, min(places + 2, 1 - math.floor(math.log10(abs(mean)))))
    places = min(max(0, places), 9)
    return f"{mean:.{places}f} ± {half_width:.{places}f}"


def format_duration(seconds: float | None) -> str:
    """Return a span of time in its two largest units: ``2 h 5 min``, ``3 min 12 s``, ``0.4 s``."""
    if seconds is None or seconds < 0:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for index, (name, size) in enumerate(_SIZES):
        if whole >= size:
            count, rest = divmod(whole, size)
            smaller, unit = (_SIZES[index + 1]) if index + 1 < len(_SIZES) else ("s", 1)
            return f"{count} {name} {rest // unit} {smaller}" if rest // unit else f"{count} {name}"
    return NOTHING


def format_count(count: int, noun: str) -> str:
    """Return ``1 run``, ``2,500 runs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
