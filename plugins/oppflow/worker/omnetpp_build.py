"""The steps of an OMNeT++ tree's build, with what must be asked of its tools on the way."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from oppflow.omnetpp.build_plan import BuildPlan, Step, used_tree
from oppflow.worker.jobs import BuildJob

_DEFINES_FILE = re.compile(r'<features\b[^>]*\bdefinesFile\s*=\s*"([^"]+)"')


class Execute(Protocol):
    """Runs one step of a build; with ``on_line`` it only asks for what the step prints."""

    def __call__(self, step: Step, on_line: Callable[[str], None] | None = None) -> None: ...


def plan_steps(job: BuildJob, copies: Path, name: str, execute: Execute) -> None:
    """Build the tree ``name`` in its copy, which lies among the others' as at home.

    Raises:
        ModelError: a step failed.
    """
    tree = copies / name
    # Built trees come before those that use them; the last of all is the model.
    trees = job.all_trees or job.tree_names
    earlier = trees[: trees.index(name)]
    plan = BuildPlan(
        tree,
        Path(name).name,
        job.mode,
        [used_tree(copies / other, os.path.relpath(other, name)) for other in earlier],
        as_library=name != trees[-1],
        jobs=len(os.sched_getaffinity(0)),
    )
    for step in plan.steps(lambda folder: _feature_options(tree, folder, execute)):
        execute(step)


def _feature_options(tree: Path, folder: str, execute: Execute) -> Sequence[str]:
    """What the enabled features ask of a source folder's makefile; their header is made too."""
    features = tree / ".oppfeatures"
    if not features.is_file():
        return ()
    defines = _DEFINES_FILE.search(features.read_text(encoding="utf-8", errors="replace"))
    if defines:
        execute(Step(".", ("opp_featuretool", "defines"), defines[1]))
    words: list[str] = []
    tell = ("opp_featuretool", "options", "-f", "-l", "-c", "-s", folder)
    execute(Step(".", tell), lambda line: words.extend(shlex.split(line)))
    return words
