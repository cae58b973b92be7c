"""Which files of a tree git tracks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_TIMEOUT = 60.0  # seconds; listing Linux' own sources takes less than one

HARMLESS = (
    # A tree usually belongs to its user, not to Airflow's: git must not refuse to look at it.
    *("-c", "safe.directory=*"),
    # A repository's own settings must not start programs here.
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)
"""Options of git for looking at a tree of somebody else's, besides `without_filters`."""


def tracked_files(folder: Path) -> frozenset[str]:
    """Paths that git tracks below ``folder``, relative to it; none where git knows nothing of it.

    Files of a repository inside another one are not listed: ask for that one's folder.
    """
    command = ["git", *HARMLESS, "-C", str(folder), "ls-files", "-z"]
    try:
        listing = subprocess.run(
            command, capture_output=True, check=True, env=_environment(), timeout=_TIMEOUT
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(os.fsdecode(path) for path in listing.stdout.split(b"\0") if path)


def without_filters(folder: Path) -> list[str]:
    """Options that keep git from running the filters that the repository itself sets."""
    command = ["git", *HARMLESS, "-C", str(folder), "config", "--local", "--includes"]
    asked = subprocess.run(
        [*command, "--null", "--name-only", "--get-regexp", r"^filter\."],
        capture_output=True, check=False, env=_environment(), timeout=_TIMEOUT,
    )  # fmt: skip
    names = (os.fsdecode(name) for name in asked.stdout.split(b"\0") if name)
    empty = {"clean": "", "process": "", "required": "false"}
    return [
        option
        for name in names
        if (last := name.rpartition(".")[2]) in empty
        for option in ("-c", f"{name}={empty[last]}")
    ]


def _environment() -> dict[str, str]:
    # GIT_DIR and its like, set while a git hook runs, would point at another repository.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Listing never needs a remote, and a partial clone's must not be asked.
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_OPTIONAL_LOCKS": "0"}
