"""Source trees as they come: src and simulations, frameworks, projects; and editing them."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from oppflow.deployment import Deployment
from tests.support.campaigns import Finished, run_campaign
from tests.support.omnetpp import assert_equal_results, execute, find_omnetpp, opp_runall

Copy = Callable[..., Path]


def simulate(deployment: Deployment, model: str, **parameters: object) -> Finished:
    finished = run_campaign(deployment, model=model, **{"config": "General", **parameters})
    assert finished.green, finished.errors
    return finished


def paste(command: str) -> str:
    """Run a command as somebody who pastes it into a terminal; what it printed."""
    path = f"export PATH={find_omnetpp()}/bin:$PATH; "
    done = subprocess.run(
        ["bash", "-c", path + command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def scalar(finished: Finished, file: str, name: str) -> float:
    lines = (finished.folder.path / file).read_text().splitlines()
    return float(next(line for line in lines if f" {name} " in line).split()[-1])


def make_at_home(tree: Path, *options: str) -> None:
    execute("opp_makemake", "-f", "--deep", *options, folder=tree)
    execute("make", "-j2", "MODE=release", folder=tree)


def test_src_and_simulations(deployment: Deployment, copy_model: Copy) -> None:
    """No Makefile and no .nedfolders; what is pasted later does the same at home."""
    tree = copy_model("src_and_simulations")
    finished = simulate(deployment, "src_and_simulations#simulations", config="Times")
    assert finished.outcomes == {"done": 4}
    assert scalar(finished, "Times-times=4-#1.sca", "seen") == 4
    make_at_home(tree, "-o", "src_and_simulations")
    paste(finished.run(0)["reproduce"])
    left = tree / "simulations" / "results" / "Times-times=2-#0.sca"
    assert left.read_text().count("scalar Game.ping seen 2") == 1


def test_result_files_with_names_of_their_own(deployment: Deployment, copy_model: Copy) -> None:
    """They come home under those names, as opp_runall leaves them."""
    tree = copy_model("src_and_simulations")
    finished = simulate(deployment, "src_and_simulations#simulations", config="Named")
    make_at_home(tree, "-o", "src_and_simulations")
    program = ["../src_and_simulations", "-n", ".:../src"]
    results = opp_runall(program, tree / "simulations", "Named", {})
    own = {name for name in finished.files() if name.endswith(".sca")}
    assert own == {f"own-{times}-{repetition}.sca" for times in (2, 4) for repetition in (0, 1)}
    assert assert_equal_results(finished.folder.path, results, ["output-vector-file"]).scalars == 4


def test_editing_ned_and_ini_builds_nothing(deployment: Deployment, copy_model: Copy) -> None:
    """It executes the runs anew; editing C++ builds anew."""
    tree = copy_model("src_and_simulations")
    model = "src_and_simulations#simulations"
    assert simulate(deployment, model, config="Times").built["built"] == ["src_and_simulations"]
    ned, ini = tree / "src" / "Ping.ned", tree / "simulations" / "omnetpp.ini"
    ned.write_text(ned.read_text().replace("default(3)", "default(5)"))
    edited = simulate(deployment, model, config="General")
    assert edited.built == {"built": [], "reused": ["src_and_simulations"]}
    assert scalar(edited, "General-#0.sca", "seen") == 5
    ini.write_text(ini.read_text().replace("times=2,4", "times=2,4,6"))
    edited = simulate(deployment, model, config="Times")
    assert edited.built["built"] == []
    assert edited.outcomes == {"done": 6}
    source = tree / "src" / "Ping.cc"
    source.write_text(source.read_text().replace("++seen <", "++seen + 1 <"))
    edited = simulate(deployment, model, config="General")
    assert edited.built["built"] == ["src_and_simulations"]
    assert scalar(edited, "General-#0.sca", "seen") == 4


def test_a_model_within_a_framework(deployment: Deployment, copy_model: Copy) -> None:
    """Its makefiles target, its features, its NED folders, an ini file of a sibling folder."""
    copy_model("netlib")
    finished = simulate(deployment, "netlib/examples/counting", projects=["netlib"])
    assert [tree.place for tree in finished.packed.trees] == ["netlib"]
    assert finished.outcomes == {"done": 2}
    assert scalar(finished, "General-ticks=5-#0.sca", "total") == 5
    command = finished.run(0)["reproduce"]
    assert "-l ../../src/netlib" in command
    assert "-n '../../src;..' -x netlib.loud" in command
    whole = simulate(deployment, "netlib#examples/counting")
    assert whole.outcomes == {"reused": 2}


def test_a_model_that_uses_a_project(deployment: Deployment, copy_model: Copy) -> None:
    """It includes the project's header and links its library; only what changed is built."""
    home, tree = copy_model("netlib"), copy_model("netlib_user")
    finished = simulate(deployment, "netlib_user", projects=["netlib"])
    assert finished.built["built"] == ["netlib", "netlib_user"]
    assert scalar(finished, "General-#0.sca", "total") == 20
    source = tree / "Doubler.cc"
    source.write_text(source.read_text().replace("return 2", "return 3"))
    edited = simulate(deployment, "netlib_user", projects=["netlib"])
    assert edited.built == {"built": ["netlib_user"], "reused": ["netlib"]}
    assert scalar(edited, "General-#0.sca", "total") == 30
    execute("make", "makefiles", folder=home)
    execute("make", "-j2", "MODE=release", folder=home)
    make_at_home(tree, "-o", "netlib_user", "-I../netlib/src", "-L../netlib/src", "-lnetlib")
    paste(edited.run(0)["reproduce"])
    assert "total 30" in (tree / "results" / "General-#0.sca").read_text()


def test_an_archive_is_built_by_the_command_that_reproduces(
    deployment: Deployment, copy_model: Copy, tmp_path: Path
) -> None:
    """Nobody has built it at home: there is none. What is laid out anew is built first."""
    copy_model("netlib")
    tree = copy_model("netlib_user")
    with tarfile.open(tmp_path / "models" / "user.tar.gz", "w:gz") as tar:
        tar.add(tree, "netlib_user")
    finished = simulate(deployment, "user.tar.gz", projects=["netlib"])
    assert finished.outcomes == {"done": 1}
    command = finished.run(0)["reproduce"]
    assert "makefiles" in command
    assert "opp_makemake" in command
    assert "Simulation time limit" in paste(command)


def test_a_network_of_the_folder_of_an_included_ini_file(
    deployment: Deployment, copy_model: Copy
) -> None:
    """OMNeT++ looks for it in the package of the folder of the ini file that names it."""
    folder = copy_model("netlib") / "examples" / "sibling"
    folder.mkdir()
    (folder / "omnetpp.ini").write_text("include ../counting/omnetpp.ini\n")
    finished = simulate(deployment, "netlib#examples/sibling", run_filter="0")
    assert finished.outcomes == {"done": 1}


def test_the_same_tree_as_a_model_and_as_a_project(
    deployment: Deployment, copy_model: Copy
) -> None:
    """A program the one time, a library the other: one is no build of the other."""
    tree = copy_model("src_and_simulations")
    model = "src_and_simulations#simulations"
    assert simulate(deployment, model).built["built"] == ["src_and_simulations"]
    user = tree.parent / "user"
    user.mkdir()
    (user / "Two.ned").write_text("network Two { submodules: a: Ping; b: Ping; }\n")
    (user / "omnetpp.ini").write_text("[General]\nnetwork = Two\nsim-time-limit = 50s\n")
    finished = simulate(deployment, "user", projects=["src_and_simulations"])
    assert finished.built["built"] == ["src_and_simulations", "user"]
    assert "-l ../src_and_simulations/src_and_simulations" in finished.run(0)["reproduce"]
