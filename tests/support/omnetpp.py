"""An OMNeT++ on this machine: where it is, and what its own tools leave of the same simulations."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oppflow.omnetpp.commands import RESERVED_OPTIONS
from oppflow.omnetpp.result_files import normalised_digest
from oppflow.omnetpp.vector_file import check_vector_file

RESULT_SUFFIXES = (".sca", ".vec", ".vci", ".elog", ".out")


def find_omnetpp() -> Path | None:
    """The root of the OMNeT++ that campaigns would use here."""
    root = os.environ.get("OMNETPP_ROOT")
    found = shutil.which("opp_run", path=f"{root}/bin" if root else None)
    return Path(found).resolve().parents[1] if found else None


def why_not() -> str:
    """Why tests with OMNeT++ cannot run here; empty if they can."""
    if find_omnetpp() is None:
        return "no OMNeT++ here: put the bin folder of an OMNeT++ 6.1 on PATH, or set OMNETPP_ROOT"
    return ""


def execute(*command: str, folder: Path) -> str:
    """Run one of OMNeT++'s programs as a person would; what it printed."""
    root = find_omnetpp()
    environment = {**os.environ, "PATH": f"{root}/bin{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def opp_runall(
    program: Sequence[str], folder: Path, config: str, options: Mapping[str, str]
) -> Path:
    """Execute all runs of a configuration with OMNeT++'s own tool; the folder of the results."""
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    settings = [f"--{key}={value}" for key, value in options.items()]
    execute("opp_runall", "-j2", *program, "-c", config, *settings, folder=folder)
    return results


@dataclass(frozen=True)
class Compared:
    """How many files of each kind were found equal."""

    scalars: int
    vectors: int
    indices: int
    others: int


def assert_equal_results(own: Path, reference: Path, ignore: Sequence[str] = ()) -> Compared:
    """Same names; equal ``.sca`` and ``.vec``; every ``.vci`` made for the ``.vec`` beside it.

    ``ignore`` are configuration keys whose values hold the result folder.
    """
    names = _result_names(own)
    assert names == _result_names(reference)
    compared = {".sca": 0, ".vec": 0, ".vci": 0, ".elog": 0, ".out": 0}
    for name in sorted(names):
        suffix = Path(name).suffix
        compared[suffix] += 1
        if suffix in (".sca", ".vec"):
            digests = [
                normalised_digest(folder / name, ignore_config={*RESERVED_OPTIONS, *ignore})
                for folder in (own, reference)
            ]
            assert digests[0] == digests[1], name
        if suffix == ".vec":
            check_vector_file(own / name, compare_time=True)
    others = compared[".elog"] + compared[".out"]
    return Compared(compared[".sca"], compared[".vec"], compared[".vci"], others)


def _result_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix in RESULT_SUFFIXES}
