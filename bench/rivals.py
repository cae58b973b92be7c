"""What one would do without oppflow: `opp_runall`, or a loop over the runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.campaigns import Campaign
from oppflow.settings import PROJECT_ROOT
from tests.support.omnetpp import execute, find_omnetpp

_ENOUGH = 3  # repetitions


def names(campaign: Campaign) -> tuple[str, ...]:
    """The variants without oppflow, what ratios refer to first."""
    if find_omnetpp() is None:
        return ("loop",)
    if campaign.repeats < _ENOUGH:  # the long ones: the second says nothing that the first does not
        return ("opp_runall",)
    return ("opp_runall", "opp_runall, a process per run")


def measure(name: str, campaign: Campaign, home: Path, slots: int) -> float:
    """Seconds that all runs take, ``slots`` at a time, in the built model below ``home``."""
    folder = home / campaign.model
    # What it finds there from before, OMNeT++ would look through for NED files at every start.
    shutil.rmtree(folder / "results", ignore_errors=True)
    options = [f"--{key}={value}" for key, value in campaign.options.items()]
    if name == "loop":
        return _loop(campaign, folder, options, slots)
    batch = ("-b1",) if name.endswith("per run") else ()
    words = ("opp_runall", f"-j{slots}", *batch, f"./{campaign.model}", "-c", campaign.config)
    began = time.monotonic()
    execute(*words, *options, folder=folder)
    return time.monotonic() - began


def _loop(campaign: Campaign, folder: Path, options: list[str], slots: int) -> float:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT / "plugins")}

    def simulate(number: int) -> None:
        words = [sys.executable, "-m", "oppflow.engine", "-u", "Cmdenv", "-f", "omnetpp.ini"]
        words += ["-c", campaign.config, "-r", str(number), *options]
        quiet = subprocess.DEVNULL
        subprocess.run(words, cwd=folder, env=environment, stdout=quiet, check=True)

    began = time.monotonic()
    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(simulate, range(campaign.runs)))
    return time.monotonic() - began
