"""The engine gives the recorded answers of OMNeT++ 6.1."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oppflow.engine.main import main
from tests.engine.support import CASES, Ran, normalise, simulate, write_ini

RUNLISTS = CASES / "runlists"
EXPECTED = json.loads((RUNLISTS / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: f"{case['config']} {case['filter']}")
def test_runs_are_those_of_omnetpp(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(RUNLISTS)
    run_filter = ["-r", case["filter"]] if case["filter"] else []
    words = ["-s", "-q", "runs", "-f", case["ini"], "-c", case["config"], *run_filter]
    assert main(words) == case["exit_code"]
    answer = capsys.readouterr()
    assert answer.out.splitlines() == case.get("runs", [])
    assert answer.err.strip() == case.get("error", "")


def test_all_cases_are_there() -> None:
    assert len(EXPECTED) == 34


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("no-network", ["-c", "PureAlohaExperiment", "-r", "5"]), ("no-config", ["-c", "NoSuch"])],
)
def test_errors_are_told_in_the_same_words(name: str, arguments: list[str], tmp_path: Path) -> None:
    write_ini(
        tmp_path,
        "[PureAlohaExperiment]\nnetwork = Nope\nrepeat = 2\n"
        "*.numHosts = ${numHosts=10}\n*.iaMean = ${iaMean=1,2,3}\n",
    )
    ran = simulate(tmp_path, *arguments)
    assert ran.status == 1
    assert ran.output == (CASES / "cmdenv" / f"{name}.stdout").read_text(encoding="utf-8")
    assert ran.errors == (CASES / "cmdenv" / f"{name}.stderr").read_text(encoding="utf-8")


def test_a_good_run_prints_the_same_lines(model: Callable[[str], Path]) -> None:
    """Compared with the recorded run of OMNeT++'s aloha, without the numbers that are its own."""
    folder = model("own_words")
    ran = simulate(folder, "--sim-time-limit=3s", "-r", "0")
    assert ran.status == 0
    recorded = (CASES / "cmdenv" / "success.stdout").read_text(encoding="utf-8").splitlines()
    ours = normalise(ran.output).splitlines()
    assert ours[1] == normalise(recorded[1])
    assert [line[:8] for line in ours[1:]] == [line[:8] for line in recorded[1:5]]
    assert ours[-1] == "<!> Simulation time limit reached -- at t=3s, event #1"


def test_a_status_line_has_the_recorded_form(model: Callable[[str], Path]) -> None:
    ran: Ran = simulate(model("cpu_limit"), "-c", "CpuLimit", "--cpu-time-limit=0.05s")
    status = [line for line in ran.output.splitlines() if line.startswith("** Event")]
    pattern = r"\*\* Event #\d+   t=[\d.]+   Elapsed: [\d.e-]+s \(0m 00s\)"
    pattern += r"  \d+% completed  \(\d+% total\)   ev/sec=[\d.e+]+"
    assert len(status) >= 2
    assert all(re.fullmatch(pattern, line) for line in status)
