"""The shell command that executes one run of a campaign again, to be pasted as it stands."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import oppflow
from oppflow.omnetpp.commands import CommandLine

if TYPE_CHECKING:
    from oppflow.plan import PackedCampaign, Tree

_PACKAGE_ROOT = Path(oppflow.__file__).resolve().parents[1]


def reproduction(packed: PackedCampaign, number: int, command: str = "") -> str:
    """Execute the run in the folder of its ini file, as a person would.

    Sources that lie on this machine are used where they are. Where one came from an archive or a
    clone, all are laid out side by side in a new folder first, as they were in the campaign, and
    built there.
    ``command`` is what executed an OMNeT++ model there: only its build tells the program's name.
    """
    tops, steps = _tops(packed)
    folder = os.path.normpath(Path(tops[-1], packed.ini_dir))
    if packed.engine == "embedded" or not command:
        command = _environment(packed) + shlex.join(_line(packed, tops, folder).reproduce(number))
    return " && ".join([*steps, f"cd {shlex.quote(folder)}", command])


def _tops(packed: PackedCampaign) -> tuple[list[str], list[str]]:
    """Where the trees are, and the commands that put them there."""
    if all(tree.home for tree in packed.trees):
        return [tree.home for tree in packed.trees], []
    steps = ['cd "$(mktemp -d)"', *(step for tree in packed.trees for step in _lay_out(tree))]
    return [tree.place for tree in packed.trees], steps


def _line(packed: PackedCampaign, tops: Sequence[str], folder: str) -> CommandLine:
    request = packed.request
    return CommandLine(
        _PROGRAMS[packed.engine], request.ini_files, request.config, request.options,
        ned_path=tuple(os.path.relpath(top, folder) for top in (tops[-1], *tops[:-1])),
        exclude_ned=request.exclude_ned,
    )  # fmt: skip


_PROGRAMS = {
    "embedded": (sys.executable, "-m", "oppflow.engine"),
    "omnetpp": ("opp_run",),
}


def _environment(packed: PackedCampaign) -> str:
    if packed.engine != "embedded":
        return ""
    return f"PYTHONPATH={shlex.quote(str(_PACKAGE_ROOT))} "


def _lay_out(tree: Tree) -> list[str]:
    """The commands that put a tree at its place below a new folder, and build it there."""
    above = os.path.dirname(tree.place)  # noqa: PTH120 -- of a relative path
    steps = [f"mkdir -p {shlex.quote(above)}"] if above else []
    if tree.home:
        steps.append(f"cp -R {shlex.quote(tree.home)} {shlex.quote(tree.place)}")
    else:
        steps.append(tree.fetch)
    if tree.build:
        steps.append(f"({' && '.join([f'cd {shlex.quote(tree.place)}', *tree.build])})")
    return steps
