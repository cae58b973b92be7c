"""Running `oppflow.analysis` in a process of its own, which gives its memory back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import oppflow
from oppflow.errors import InfrastructureError, ResultFileError
from oppflow.results_folder import ResultsFolder

# polars' allocator gives back at once what it does not use: a third of the memory, as fast.
_FRUGAL = {"_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}
_BAD_RESULTS = 1  # an exit status of `oppflow.analysis`
_PACKAGE_ROOT = Path(oppflow.__file__).resolve().parents[1]


def run_analysis(module: str, folder: ResultsFolder, *, task: str, given: str = "") -> str:
    """Run a module on a campaign's folder; what it printed. ``task`` is the one that calls.

    Raises:
        ResultFileError: a result file cannot be read.
        InfrastructureError: the process did not end well for another reason.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder.path)],
        env={**os.environ, "PYTHONPATH": str(_PACKAGE_ROOT), **_FRUGAL},
        input=given, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode == _BAD_RESULTS:
        raise ResultFileError(done.stderr.strip())
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-20:])
        raise InfrastructureError(
            f"The tables and charts of {folder.path} could not be made (status {done.returncode}):"
            f"\n{last}",
            hint=f"Clear the task {task} when the cause is gone; results and manifest are there.",
        )
    return done.stdout
