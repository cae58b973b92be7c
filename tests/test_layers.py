"""Who may import whom, as the design page says: read from the sources, lazy imports included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.campaigns import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "plugins" / "oppflow"

IN_THE_IMAGE = ("campaign", "errors", "omnetpp", "engine", "worker")
KNOW_AIRFLOW = ("orchestration", "web", "runners.docker")
KNOW_DOCKER = ("runners.docker",)
# No Airflow, no containers, and nothing of ours that has them.
PLAIN = ("store", "archive", "analysis", "stages", "local")
# Nouns and rules: what they say does not depend on where the program runs.
WITHOUT_INPUT_AND_OUTPUT = ("campaign", "errors", "keys", "plan", "request")


@cache
def modules() -> dict[str, frozenset[str]]:
    """What every module of the package imports, by its name below ``oppflow``."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = frozenset(imported(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of imported modules, at the top or in a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield str(node.module)
        else:
            yield from imported(node)


def is_in(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def offences(names: list[str], forbidden: tuple[str, ...]) -> list[str]:
    """Imports of ``forbidden`` modules, and what is in them, by the modules of these names."""
    return [
        f"{name} imports {other}"
        for name in names
        for other in sorted(modules()[name])
        if is_in(other, forbidden)
    ]


def inside(*places: str) -> list[str]:
    return sorted(name for name in modules() if is_in(name, places))


def outside(*places: str) -> list[str]:
    return sorted(set(modules()) - set(inside(*places)))


def test_the_package_is_seen() -> None:
    """A test that reads nothing finds nothing."""
    assert len(modules()) > 80
    assert "oppflow.worker.events" in modules()["runners.process"]
    assert "simpy" in modules()["engine.eventloop"] | modules()["engine.failures"]


@pytest.mark.parametrize("place", IN_THE_IMAGE)
def test_what_the_image_holds_needs_nothing_but_python(place: str) -> None:
    """The standard library and itself; SimPy for the engine alone."""
    known = {*sys.stdlib_module_names, *(["simpy"] if place == "engine" else [])}
    for name in inside(place):
        for other in modules()[name] - {"oppflow"}:
            top, _, rest = other.partition(".")
            own = top == "oppflow" and is_in(rest, IN_THE_IMAGE)
            assert own or top in known, f"{name} imports {other}"


def test_airflow_is_known_in_three_places() -> None:
    """The rest can be used, and tested, without it."""
    assert offences(outside(*KNOW_AIRFLOW), ("airflow",)) == []


def test_docker_is_known_in_one_place() -> None:
    """Its client, that is; the provider is Airflow's."""
    assert offences(outside(*KNOW_DOCKER), ("docker",)) == []


@pytest.mark.parametrize("place", PLAIN)
def test_plain_packages_know_neither_airflow_nor_docker(place: str) -> None:
    """Nor what of ours knows them."""
    forbidden = ("airflow", "docker", *(f"oppflow.{name}" for name in KNOW_AIRFLOW))
    assert offences(inside(place), forbidden) == []


def test_only_the_deployment_chooses_a_runner() -> None:
    """Stages see the interface; which runner it is, the settings say."""
    runners = ("oppflow.runners.process", "oppflow.runners.docker", "oppflow.runners.trees")
    assert offences(outside("deployment", "runners", "orchestration"), runners) == []


def test_the_engine_knows_nothing_of_campaigns() -> None:
    """It stands in for OMNeT++, which does not either."""
    others = tuple(f"oppflow.{name}" for name in outside("engine", "errors") if name)
    assert offences(inside("engine"), others) == []


@pytest.mark.parametrize("place", WITHOUT_INPUT_AND_OUTPUT)
def test_nouns_read_and_write_nothing(place: str) -> None:
    """No files, no processes, no network."""
    doing = ("subprocess", "socket", "shutil", "tempfile", "tarfile", "urllib", "httpx", "os")
    assert offences(inside(place), doing) == []


def test_arrows_point_downwards() -> None:
    """From Airflow to the stages, from those to stores and runners."""
    below = outside(*KNOW_AIRFLOW, "stages", "local")
    assert offences(below, ("oppflow.orchestration", "oppflow.web", "oppflow.stages")) == []
    assert offences(inside("store", "archive"), ("oppflow.worker", "oppflow.runners")) == []


def test_every_module_is_short() -> None:
    """One of more than 300 lines holds more than one noun."""
    paths = [*PACKAGE.rglob("*.py"), *(PROJECT_ROOT / "dags").rglob("*.py")]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert [str(path) for path, length in lengths.items() if length > 300] == []
