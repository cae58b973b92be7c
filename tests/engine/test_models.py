"""The project's own models agree with theory, and give the same results every time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.support import Ran, normalise, run_engine, simulate

T_95, T_999 = 2.262, 4.781  # Student's t for 9 degrees of freedom, two-sided


def scalars(path: Path) -> dict[str, float]:
    """The scalars of a file, by module and name."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^scalar (\S+) (\S+) (\S+)$", text, re.MULTILINE)
    return {f"{module} {name}": float(value) for module, name, value in found}


@pytest.fixture(scope="module")
def mm1_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of all runs of the M/M/1 study."""
    folder = Path(__file__).resolve().parents[2] / "models" / "mm1"
    results = tmp_path_factory.mktemp("mm1")
    ran: Ran = simulate(folder, "-c", "MM1", f"--result-dir={results}")
    assert ran.status == 0
    assert ran.output.count("<!> All customers measured -- in module (Queue) Queue (id=1), ") == 40
    return results


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7, 0.8])
def test_mm1_agrees_with_theory(mm1_results: Path, load: float) -> None:
    runs = [scalars(path) for path in sorted(mm1_results.glob(f"MM1-load={load}-*.sca"))]
    times = [run["Queue timeInSystem:mean"] for run in runs]
    assert len(times) == 10
    mean = sum(times) / 10
    error = math.sqrt(sum((time - mean) ** 2 for time in times) / 9 / 10)
    theory = 1 / (runs[0]["Queue serviceRate"] - runs[0]["Queue arrivalRate"])
    assert T_95 * error < 0.1 * mean
    assert abs(mean - theory) < T_999 * error
    busy = sum(run["Queue busy:timeavg"] for run in runs) / 10
    waiting = sum(run["Queue queueLength:timeavg"] for run in runs) / 10
    assert busy == pytest.approx(load, rel=0.02)
    assert waiting == pytest.approx(load**2 / (1 - load), rel=0.1)
    assert {run["Queue customers"] for run in runs} == {20000}


def test_an_unstable_queue_is_refused(model: Callable[[str], Path]) -> None:
    ran = simulate(model("mm1"), "-c", "Short", "-r", "0", "--**.load=1.0")
    assert ran.status == 1
    assert "The queue is not stable with a load of 1 -- in module (Queue)" in ran.errors


def test_aloha_agrees_with_theory(model: Callable[[str], Path]) -> None:
    folder = model("aloha")
    assert simulate(folder, "-c", "Saturated", "-r", "$repetition == 0").status == 0
    found = {
        float(re.findall(r"p=([\d.]+)", path.name)[0]): scalars(path)["Aloha successRatio"]
        for path in (folder / "results").glob("*.sca")
    }
    assert sorted(found) == [0.02, 0.05, 0.1, 0.2, 0.4]
    for probability, ratio in found.items():
        theory = 10 * probability * (1 - probability) ** 9
        slots = 10_000
        assert abs(ratio - theory) < 5 * math.sqrt(theory * (1 - theory) / slots)


def test_aloha_records_every_slot(model: Callable[[str], Path]) -> None:
    folder = model("aloha")
    assert run_engine(folder, "-s", "-q", "numruns", "-c", "SlottedAloha").output == "45\n"
    assert simulate(folder, "-c", "Quick", "-r", "$p == 0.4").status == 0
    lines = next((folder / "results").glob("*.vec")).read_text(encoding="utf-8").splitlines()
    for vector in (0, 1):
        assert 98 <= sum(line.startswith(f"{vector}\t") for line in lines) <= 100
    states = {line.split("\t")[3] for line in lines if line.startswith("0\t")}
    assert states == {"0", "1", "2"}


@pytest.mark.parametrize(("name", "config"), [("mm1", "Short"), ("aloha", "Quick")])
def test_two_equal_runs_have_equal_results(
    model: Callable[[str], Path], name: str, config: str
) -> None:
    folder = model(name)
    for result in ("one", "two"):
        simulate(folder, "-c", config, f"--result-dir={result}")
    names = sorted(path.name for path in (folder / "one").iterdir())
    assert names == sorted(path.name for path in (folder / "two").iterdir())
    for file in names:
        if not file.endswith(".vci"):
            one, two = (
                normalise((folder / result / file).read_text(encoding="utf-8"))
                for result in ("one", "two")
            )
            assert one == two.replace(" two\n", " one\n")


def test_repetitions_differ_and_loads_share_random_numbers(model: Callable[[str], Path]) -> None:
    folder = model("mm1")
    simulate(folder, "-c", "Short")
    found = {
        path.stem: scalars(path)["Queue timeInSystem:mean"]
        for path in (folder / "results").glob("*.sca")
    }
    assert len(set(found.values())) == len(found) == 8
