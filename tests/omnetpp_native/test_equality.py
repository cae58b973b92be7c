"""What a campaign collects equals what ``opp_runall`` leaves: for OMNeT++'s own samples."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import make_deployment, run_campaign
from tests.support.containers import OMNETPP_IMAGE, container_deployment, why_no_containers
from tests.support.omnetpp import assert_equal_results, execute, find_omnetpp, opp_runall

SAMPLES = ("aloha", "fifo", "tictoc", "routing", "queueinglib", "queuenet", "queueinglibext")
PROGRAMS = {"queuenet": "./queuenet", "queueinglibext": "./queueing"}
PROJECTS = {"queuenet": ["queueinglib"], "queueinglibext": ["queueinglib"]}
MESH = """
[Config MeshExperiment]
network = networks.Mesh
*.width = ${width=10..20 step 2}
*.height = ${height=10..20 step 2}
**.destAddresses = "0 18 52"
"""

CASES = [
    ("aloha", "PureAloha1", "60s"),
    ("aloha", "PureAloha2", "60s"),
    ("aloha", "PureAloha3", "60s"),
    ("aloha", "PureAlohaExperiment", "5s"),
    ("aloha", "SlottedAloha1", "60s"),
    ("aloha", "SlottedAloha2", "60s"),
    ("aloha", "SlottedAloha3", "60s"),
    ("fifo", "Fifo1", "1000s"),
    ("fifo", "Fifo2", "1000s"),
    ("fifo", "TandemQueues", "1000s"),
    ("fifo", "TandemQueueExperiment", "1000s"),
    *[("tictoc", f"Tictoc{number}", "100s") for number in range(1, 18)],
    ("routing", "Net60CutThrough", "10ms"),
    ("routing", "Net60StoreAndForward", "10ms"),
    ("routing", "Net60Bursty", "5s"),
    ("routing", "Net60a", "5s"),
    ("routing", "Net5", "20s"),
    ("routing", "Net5SaturatedQueue", "20s"),
    ("routing", "Net10", "10s"),
    ("routing", "Net10Experiment", "10s"),
    ("routing", "RandomGraph", "5s"),
    ("routing", "Mesh", "2s"),
    ("routing", "RandomMesh", "2s"),
    ("routing", "NetBuilder", "2s"),
    ("routing", "MeshExperiment", "0.2s"),
    *[
        ("queuenet", config, "200s")
        for config in (
            "OneFifo", "TandemFifos", "SmallCQN", "Ring", "Terminal", "CallCenter", "ForkJoin",
            "ResourceAllocation", "AllocDealloc", "CQN",
        )
    ],
    ("queueinglibext", "OneFifo", "200s"),
]  # fmt: skip


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples' sources, without anything that was built."""
    folder = tmp_path_factory.mktemp("sources")
    root = find_omnetpp()
    assert root is not None
    for name in SAMPLES:
        left_out = shutil.ignore_patterns("out", "results", "*.so", f"{name}_dbg", "*_m.*", "*.vec")
        target = Path(shutil.copytree(root / "samples" / name, folder / name, ignore=left_out))
        if name not in PROGRAMS:
            (target / name).unlink(missing_ok=True)
    with (folder / "routing" / "omnetpp.ini").open("a") as ini:
        ini.write(MESH)
    return folder


@pytest.fixture(scope="module")
def reference(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples as a person builds them, in the order of use."""
    folder = Path(shutil.copytree(samples, tmp_path_factory.mktemp("reference") / "samples"))
    libraries = ("-I../queueinglib", "-L../queueinglib", "-lqueueinglib")
    ext = folder / "queueinglibext"
    execute("opp_makemake", "-f", "--make-so", "-o", "queueinglibext", *libraries, folder=ext)
    for name in SAMPLES:
        execute("make", "-j2", "MODE=release", folder=folder / name)
    return folder


@pytest.fixture(scope="module", params=["here", "in containers"])
def deployment(
    request: pytest.FixtureRequest, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Two simulations at a time; a sample is built once for all its configurations."""
    folder = tmp_path_factory.mktemp("deployment")
    if request.param == "here":
        yield make_deployment(folder, model_roots=(samples,), slots=2)
        return
    if why := why_no_containers(OMNETPP_IMAGE):
        pytest.skip(why)
    with container_deployment(
        folder, model_roots=(samples,), slots=2, images=(OMNETPP_IMAGE,)
    ) as made:
        yield made


@pytest.mark.parametrize(("sample", "config", "limit"), CASES)
def test_a_sample(
    sample: str, config: str, limit: str, deployment: Deployment, reference: Path
) -> None:
    """Same names, same content."""
    options = {"sim-time-limit": limit}
    finished = run_campaign(
        deployment, model=sample, config=config, projects=PROJECTS.get(sample, []),
        options=options, runs_per_task=20,
    )  # fmt: skip
    assert finished.green, finished.errors
    program = PROGRAMS.get(sample, f"./{sample}")
    results = opp_runall([program], reference / sample, config, options)
    compared = assert_equal_results(finished.folder.path, results)
    assert compared.scalars == len(finished.manifest.runs)
    print(f"EQUAL {sample} {config} runs={len(finished.manifest.runs)} {compared}")  # noqa: T201


def test_mesh_experiment_has_36_runs_in_36_tasks(deployment: Deployment, samples: Path) -> None:
    """One task a run, as the default is."""
    finished = run_campaign(
        deployment, model="routing", config="MeshExperiment",
        options={"sim-time-limit": "0.2s"}, reuse_results=False,
    )  # fmt: skip
    assert finished.green, finished.errors
    assert finished.outcomes == {"done": 36}
    assert len(finished.batches) == 36
    assert finished.built == {"built": [], "reused": ["routing"]}
