"""What is simulated: campaigns of OMNeT++'s samples, or of the embedded engine's models."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from oppflow.settings import PROJECT_ROOT
from tests.support.omnetpp import execute, find_omnetpp

_MESH = """
[Config MeshExperiment]
network = networks.Mesh
*.width = ${width=10..20 step 2}
*.height = ${height=10..20 step 2}
**.destAddresses = "0 18 52"
**.sendIaTime = exponential(4ms)
"""
_BUILT = shutil.ignore_patterns("out", "results", "*.so", "Makefile", "*_dbg")


@dataclass(frozen=True)
class Campaign:
    """A campaign: ``name`` as in the results, ``repeats`` how often each variant is measured.

    ``variants`` are measured beside `opp_runall`, the first campaign ever, and the warm one.
    """

    name: str
    model: str
    config: str
    runs: int
    options: Mapping[str, str] = field(default_factory=dict)
    repeats: int = 3
    variants: tuple[str, ...] = ("cold", "again")


_QUIET = {"**.vector-recording": "false"}
_TASKS = ("cold", "again", "floor", "one run per task", "docker", "redis")

OMNETPP = (
    Campaign("routing, short", "routing", "MeshExperiment", 36, {"sim-time-limit": "1s"},
             variants=_TASKS),
    Campaign("aloha, 1,050 runs", "aloha", "PureAlohaExperiment", 1050,
             {"repeat": "50", **_QUIET}, variants=("cold", "again", "docker", "redis")),
    Campaign("aloha with vectors", "aloha", "PureAlohaExperiment", 210, {"repeat": "10"},
             variants=()),
    Campaign("routing, long", "routing", "MeshExperiment", 36, {"sim-time-limit": "10s"},
             repeats=1),
    Campaign("aloha, 10,500 runs", "aloha", "PureAlohaExperiment", 10_500,
             {"repeat": "500", **_QUIET}, repeats=1),
)  # fmt: skip
"""Of OMNeT++'s samples, the short ones first."""

EMBEDDED = (
    Campaign(
        "mm1, 40 runs",
        "mm1",
        "MM1",
        40,
        {},
        variants=("again", "floor", "one run per task", "redis"),
    ),
    Campaign("mm1, 400 short runs", "mm1", "Short", 400, {"repeat": "100"}, repeats=2),
)
"""Of the embedded engine, where there is no OMNeT++."""


def campaigns() -> tuple[Campaign, ...]:
    """Those that this machine can run."""
    return OMNETPP if find_omnetpp() else EMBEDDED


def lay_out(folder: Path) -> Path:
    """Copy the models' sources below a folder, without anything that was built; that folder."""
    root = find_omnetpp()
    if root is None:
        for name in ("mm1", "aloha"):
            shutil.copytree(PROJECT_ROOT / "models" / name, folder / name)
        return folder
    for name in ("routing", "aloha"):
        tree = Path(shutil.copytree(root / "samples" / name, folder / name, ignore=_BUILT))
        (tree / name).unlink(missing_ok=True)
    with (folder / "routing" / "omnetpp.ini").open("a") as ini:
        ini.write(_MESH)
    return folder


def build_at_home(folder: Path) -> None:
    """Build every model as a person does, for `opp_runall`."""
    if find_omnetpp():
        for tree in folder.iterdir():
            execute("opp_makemake", "-f", "--deep", "-o", tree.name, folder=tree)
            execute("make", "-j2", "MODE=release", folder=tree)
