"""Networks are found like Python modules, and models for OMNeT++ are left to OMNeT++."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.support import simulate, write_ini

NETWORK = "from oppflow.engine.model import Module\nclass Net(Module):\n    pass\nother = 5\n"
GOOD = "<!> Simulation time limit reached -- at t=1s, event #1"


def ini(network: str) -> str:
    """An ini file for a network."""
    return f"[General]\nnetwork = {network}\nsim-time-limit = 1s\n"


@pytest.mark.parametrize(
    ("network", "place"),
    [
        ("net.Net", "simulations/net.py"),
        ("net.Net", "src/net.py"),
        ("inner.net.Net", "src/inner/net.py"),
        ("inner.Net", "src/inner/__init__.py"),
        ('"net.Net"', "simulations/net.py"),
    ],
)
def test_networks_are_found_beside_the_ini_file_and_on_the_ned_path(
    tmp_path: Path, network: str, place: str
) -> None:
    write_ini(tmp_path, NETWORK, place)
    write_ini(tmp_path, ini(network), "simulations/omnetpp.ini")
    ran = simulate(tmp_path / "simulations", "-n", ".:../src", "-x", "a.b", "-l", "lib")
    assert (ran.last_terminator, ran.errors) == (GOOD, "")


def test_the_ini_file_counts_not_the_working_directory(tmp_path: Path) -> None:
    write_ini(tmp_path, NETWORK, "deep/net.py")
    write_ini(tmp_path, ini("net.Net"), "deep/omnetpp.ini")
    ran = simulate(tmp_path, "-f", "deep/omnetpp.ini")
    assert ran.last_terminator == GOOD
    assert (tmp_path / "deep" / "results" / "General-#0.sca").exists()


def test_ned_path_option_is_relative_to_its_ini_file(tmp_path: Path) -> None:
    write_ini(tmp_path, NETWORK, "src/net.py")
    write_ini(tmp_path, ini("net.Net") + "ned-path = ../src\n", "simulations/omnetpp.ini")
    assert simulate(tmp_path, "-f", "simulations/omnetpp.ini").last_terminator == GOOD


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("nope.Net", "Network 'nope.Net' not found, check .ini and .ned files"),
        ("net.Nope", "Network 'net.Nope' not found, check .ini and .ned files"),
        ("Net", "Network 'Net' not found, check .ini and .ned files"),
        ("net.sub.Net", "Network 'net.sub.Net' not found, check .ini and .ned files"),
        ("net.other", "Module type 'other' is not a network"),
        ("", "No network specified (missing or empty network= configuration option)"),
        ("queue.Net", "Network 'queue.Net': 'queue' is the name of a module of Python itself, "),
    ],
)
def test_networks_that_cannot_be(tmp_path: Path, network: str, message: str) -> None:
    for name in ("net.py", "queue.py"):
        write_ini(tmp_path, NETWORK, name)
    write_ini(tmp_path, ini(network))
    ran = simulate(tmp_path)
    assert (ran.status, ran.output) == (1, "General run 0: , $repetition=0\n")
    assert ran.errors.startswith(f"\n<!> Error: {message}")


@pytest.mark.parametrize("name", ["net.ned", "queue.cc", "queue.cpp", "packet.msg"])
def test_sources_of_omnetpp_models_are_refused(tmp_path: Path, name: str) -> None:
    write_ini(tmp_path, NETWORK, "net.py")
    write_ini(tmp_path, "", name)
    write_ini(tmp_path, ini("net.Net"))
    ran = simulate(tmp_path)
    assert ran.status == 1
    assert ran.errors == (
        "\n<!> Error: The embedded engine runs models written in Python only, and "
        f"'{tmp_path}' holds '{name}': this model is for OMNeT++\n"
    )


def test_a_missing_network_is_explained_by_ned_files_further_down(tmp_path: Path) -> None:
    write_ini(tmp_path, "", "src/node/App.ned")
    write_ini(tmp_path, ini("node.App"), "simulations/omnetpp.ini")
    ran = simulate(tmp_path / "simulations", "-n", "../src")
    assert "'../src' holds 'node/App.ned': this model is for OMNeT++" in ran.errors


def test_a_model_tree_is_left_as_it_was(tmp_path: Path) -> None:
    write_ini(tmp_path, "value = 1\n", "helper.py")
    write_ini(tmp_path, "import helper\n" + NETWORK, "net.py")
    write_ini(tmp_path, ini("net.Net"))
    assert simulate(tmp_path).last_terminator == GOOD
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "helper.py",
        "net.py",
        "omnetpp.ini",
        "results",
    ]
