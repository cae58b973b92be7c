"""Whole campaigns in containers: what comes home is what subprocesses would have left."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from oppflow.runners.docker.engine import Engine
from tests.support.campaigns import MODELS, make_deployment, run_campaign
from tests.support.containers import containers
from tests.support.omnetpp import assert_equal_results


def test_results_equal_those_of_subprocesses(deployment: Deployment, tmp_path: Path) -> None:
    """Scalars, vectors and their indices; in a batch as well as alone."""
    what = {"model": "aloha", "config": "Quick", "run_filter": "$numHosts == 5 && $p < 0.4"}
    inside = run_campaign(deployment, **what, runs_per_task=3)
    outside = run_campaign(make_deployment(tmp_path / "outside"), **what)
    assert inside.green
    assert outside.green
    compared = assert_equal_results(inside.folder.path, outside.folder.path)
    assert compared.scalars == compared.vectors == compared.indices == 4
    assert inside.files() == outside.files()
    assert containers(deployment.settings.deployment) == []


def test_a_container_for_a_batch(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a run; resolving and building take one each."""
    started: list[str] = []
    create = Engine.create

    def counted(engine: Engine, name: str, config: Mapping[str, object]) -> str:
        made = create(engine, name, config)
        started.append(name)
        return made

    monkeypatch.setattr(Engine, "create", counted)
    finished = run_campaign(deployment, model="mm1", config="Short", runs_per_task=4)
    assert finished.outcomes == {"done": 8}
    workers = [name.rsplit("-", 2)[-2:] for name in started if "simulate" in name]
    assert sorted(workers) == [["simulate", "0"], ["simulate", "1"]]
    assert sum(name.endswith(("-resolve", "-build")) for name in started) == 2


def test_a_second_campaign_simulates_nothing(deployment: Deployment) -> None:
    """The image's ID is in the keys, and has not changed."""
    what = {"model": "mm1", "config": "Short", "run_filter": "0,3"}
    assert run_campaign(deployment, **what).outcomes == {"done": 2}
    again = run_campaign(deployment, **what)
    assert again.outcomes == {"reused": 2}
    assert again.batches == []


def test_editing_the_ini_file_builds_nothing(deployment: Deployment, tmp_path: Path) -> None:
    """And simulates what it changed."""
    model = Path(shutil.copytree(MODELS / "mm1", tmp_path / "models" / "mine"))
    what = {"model": "mine", "config": "Short", "run_filter": "0"}
    assert run_campaign(deployment, **what).built["built"] == ["mine"]
    with (model / "omnetpp.ini").open("a") as ini:
        ini.write("\n[Config More]\nextends = Short\n*.customers = 300\n")
    edited = run_campaign(deployment, **{**what, "config": "More"})
    assert edited.built == {"built": [], "reused": ["mine"]}
    assert edited.outcomes == {"done": 1}


def test_one_failing_run_takes_no_other_along(deployment: Deployment) -> None:
    """Its error names what failed, and how to see it again."""
    finished = run_campaign(deployment, model="fails", config="AtLoad", runs_per_task=6)
    assert finished.outcomes == {"done": 4, "failed": 2}
    told = str(finished.errors["report"])
    for words in ("load=0.5", "cannot stand a load", "To see it again:"):
        assert words in told


@pytest.mark.parametrize("model", ["extra_file", "chatty"])
def test_other_files_and_much_output_come_home(deployment: Deployment, model: str) -> None:
    """As they do without a container."""
    config = {"extra_file": "ExtraFile", "chatty": "Chatty"}[model]
    finished = run_campaign(deployment, model=model, config=config, run_filter="0")
    assert finished.green
    if model == "extra_file":
        assert any(name.endswith("more/table.csv") for name in finished.files())
    else:
        (out,) = finished.folder.path.glob("*.out")
        assert out.stat().st_size > 4_000_000


def test_a_model_cannot_change_the_tree_that_others_share(deployment: Deployment) -> None:
    """It is read-only for all of them."""
    finished = run_campaign(deployment, model="writes_source", config="WritesSource")
    assert not finished.green
    assert run_campaign(deployment, model="mm1", config="Short", run_filter="0").green


def test_a_model_that_does_not_build(deployment: Deployment, tmp_path: Path) -> None:
    """The compiler's words are in the error."""
    model = Path(shutil.copytree(MODELS / "mm1", tmp_path / "models" / "broken"))
    (model / "mm1.py").write_text("def queue(:\n")
    finished = run_campaign(deployment, model="broken", config="Short")
    assert "SyntaxError" in str(finished.errors["build_model"])
