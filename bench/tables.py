"""The benchmark's results as JSON, Markdown and a bar chart."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """A campaign in one variant.

    Seconds (the median, and the longest less the shortest), and the ratio to what one would do
    without oppflow. ``more`` is anything else that was measured.
    """

    campaign: str
    variant: str
    runs: int
    median_s: float
    spread_s: float
    ratio: float | None
    more: str = ""


def row(  # noqa: PLR0917 -- a table's columns
    campaign: str, variant: str, runs: int, seconds: Sequence[float], reference: float | None,
    more: str = "",
) -> Row:  # fmt: skip
    """A row from what was measured."""
    middle = median(seconds)
    ratio = round(middle / reference, 2) if reference else None
    spread = round(max(seconds) - min(seconds), 2)
    return Row(campaign, variant, runs, round(middle, 2), spread, ratio, more)


_DECISIVE = ("processor", "cores", "memory", "slots")
"""What must be equal of two machines for their rows to stand in one table."""


def machine(slots: int) -> dict[str, str]:
    """What the figures were measured on."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), ""
    )
    memory = next(line.split()[1] for line in _lines("/proc/meminfo") if "MemTotal" in line)
    return {
        "processor": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory) // 1024**2} GiB",
        "system": platform.platform(),
        "python": platform.python_version(),
        "slots": str(slots),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def write(
    folder: Path, about: dict[str, str], rows: Sequence[Row], page: Sequence[Mapping[str, Any]]
) -> None:
    """Write ``latest.json`` and ``latest.md`` there; ``page`` is what the campaign page takes."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {"machine": about, "rows": [asdict(one) for one in rows], "campaign_page": list(page)}
    (folder / "latest.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    lines = ["# Benchmark", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [
        "",
        "Seconds from trigger to collected; the ratio is to the campaign's first row.",
        "",
    ]
    lines += ["| campaign | variant | runs | median (s) | spread (s) | ratio | |"]
    lines += ["|---|---|---:|---:|---:|---:|---|"]
    for one in rows:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        cells = (one.campaign, one.variant, f"{one.runs:,}", f"{one.median_s:.1f}",
                 f"{one.spread_s:.1f}", ratio, one.more)  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    if page:
        lines += ["", "## The campaign page", ""]
        lines += [f"- {', '.join(f'{key} {value}' for key, value in one.items())}" for one in page]
    (folder / "latest.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(folder: Path, about: Mapping[str, str]) -> tuple[list[Row], list[Mapping[str, Any]]]:
    """The rows and the page's figures of ``latest.json``, if they are of such a machine."""
    try:
        data = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [], []
    # Ratios bear another kernel or Python; the rest of the machine is what they are about.
    if any(data["machine"][name] != about[name] for name in _DECISIVE):
        return [], []
    return [Row(**one) for one in data["rows"]], list(data["campaign_page"])


def draw(path: Path, rows: Sequence[Row]) -> None:
    """A bar for each ratio, as SVG: no library is needed to look at it."""
    shown = [one for one in rows if one.ratio is not None]
    widest = max(one.ratio or 0 for one in shown)
    height = 22 * len(shown) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}">',
        "<style>text { font: 13px sans-serif }</style>",
        f'<rect width="860" height="{height}" fill="#ffffff"/>',
        '<text x="10" y="20">Time, as a multiple of the first variant</text>',
    ]
    for index, one in enumerate(shown):
        top, ratio = 30 + 22 * index, one.ratio or 0
        length = 440 * ratio / widest
        color = "#2a6f97" if ratio == 1 else "#e07a1f"
        parts += [
            f'<text x="330" y="{top + 14}" text-anchor="end">{one.campaign}: {one.variant}</text>',
            f'<rect x="340" y="{top + 2}" width="{length:.0f}" height="16" fill="{color}"/>',
            f'<text x="{346 + length:.0f}" y="{top + 14}">{ratio:.2f}</text>',
        ]
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")
