"""How runs end, through all stages: what is told of each, and what is kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from oppflow.deployment import Deployment
from tests.support.campaigns import Finished, run_campaign

Tiny = Callable[..., Path]

ENDINGS = [
    ("killed/Killed", {}, "lost", "ended by SIGKILL"),
    ("no_sca/NoScalars", {}, "failed", "left no scalar file (.sca)"),
    ("half_sca/HalfScalars", {}, "lost", "left a damaged file"),
    ("cpu_limit/CpuLimit", {}, "time_limited", "reached its cpu-time-limit"),
    ("cpu_limit/RealTimeLimit", {}, "time_limited", "reached its real-time-limit"),
    ("cpu_limit/Endless", {"wall_time_limit": 1}, "time_limited", "wall-clock limit of 1 s"),
    ("exits/Zero", {}, "failed", "without saying why: a model that calls exit()"),
    ("exits/Three", {}, "failed", "exit status 3"),
    ("hungry/Hungry", {"memory": "256m"}, "out_of_memory", "its limit of 256 MiB"),
    ("broken_syntax/Broken", {}, "failed", "SyntaxError"),
    ("fails/InFinish", {}, "failed", "KeyError: 'result' -- in module"),
]


@pytest.mark.parametrize(("what", "more", "outcome", "why"), ENDINGS)
def test_a_run_that_is_not_good(
    deployment: Deployment, what: str, more: dict[str, object], outcome: str, why: str
) -> None:
    """The outcome and the reason, in the manifest and in the verdict."""
    model, config = what.split("/")
    finished = run_campaign(deployment, model=model, config=config, runs_per_task=9, **more)
    run = finished.run(0)
    assert set(finished.outcomes) == {outcome}
    assert why in run["message"]
    assert run["last_lines"] or model == "killed"
    assert not finished.green
    verdict = str(finished.errors["report"])
    assert why in verdict
    assert run["reproduce"] in verdict
    assert f"{run['result_name']}.out" in finished.files()


@pytest.mark.parametrize(
    ("model", "config", "more"),
    [
        ("own_words", "OwnWords", {}),
        ("hungry", "Modest", {"memory": "1g"}),
        ("chatty", "OneLine", {}),
    ],
)
def test_a_run_that_is_good_all_the_same(
    deployment: Deployment, model: str, config: str, more: dict[str, object]
) -> None:
    """Own last words, memory within the limit, a line of a megabyte."""
    finished = run_campaign(deployment, model=model, config=config, runs_per_task=9, **more)
    assert set(finished.outcomes) == {"done"}
    assert finished.green


def test_megabytes_go_to_the_out_file_and_not_to_the_log(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says where the rest is."""
    with caplog.at_level(logging.INFO):
        finished = run_campaign(deployment, model="chatty", config="Chatty")
    assert finished.outcomes == {"done": 1}
    (out,) = finished.folder.path.glob("*.out")
    assert out.stat().st_size > 5 * 2**20
    assert len(caplog.text) < 2**20
    assert "over 2000 lines: the rest is in the run's .out file only" in caplog.text


def test_garbage_on_the_output_is_only_output(deployment: Deployment) -> None:
    """Invalid UTF-8, terminal codes and lines that look like ours or OMNeT++'s deceive nobody."""
    finished = run_campaign(deployment, model="garbage", config="Garbage")
    assert finished.outcomes == {"done": 1}
    (out,) = finished.folder.path.glob("*.out")
    assert b"not UTF-8: \xff\xfe\xc3" in out.read_bytes()
    told = "\n".join(finished.run(0)["last_lines"])
    assert "\x1b" not in told
    assert "\0" not in told
    assert "<script>alert(1)</script>" not in finished.folder.report.read_text()


def test_files_of_ones_own_go_to_the_runs_folder(deployment: Deployment) -> None:
    """Every run writes files of the same names; none overwrites another's."""
    finished = run_campaign(deployment, model="extra_file", config="ExtraFile", runs_per_task=4)
    assert finished.outcomes == {"done": 4}
    for value in (1, 2):
        for repetition in (0, 1):
            name = finished.run(2 * (value - 1) + repetition)["result_name"]
            own = finished.folder.path / "runs" / name
            assert (own / "extra.txt").read_text() == f"value {value}\n"
            assert (own / "more" / "table.csv").read_text() == f"value\n{value}\n"
            assert (finished.folder.path / f"{name}.sca").is_file()


RESULT_WRITER = """
    def finish(self):
        self.scalar("x", 1)
        folder = Path(self._simulation.configuration.file_name(
            "output-scalar-file", "${resultdir}/x.sca")).parent
        for name in ("report.html", "manifest.json", "stats.csv"):
            (folder / name).write_text(f"of run {self.value}")
        (folder / ".oppflow").mkdir()
        (folder / ".oppflow" / "owner").write_text("me")
"""


def test_files_in_the_result_folder_overwrite_nothing(deployment: Deployment, tiny: Tiny) -> None:
    """Neither each other's, nor the campaign's own manifest, report and claim."""
    model = tiny("*.value = ${value=1,2}")
    source = (model / "tiny.py").read_text().partition("    def finish")[0]
    (model / "tiny.py").write_text(f"from pathlib import Path\n{source}{RESULT_WRITER}")
    finished = run_campaign(deployment, model="tiny", config="General", runs_per_task=2)
    assert finished.outcomes == {"done": 2}
    for number in (0, 1):
        own = finished.folder.path / "runs" / finished.run(number)["result_name"]
        assert (own / "stats.csv").read_text() == f"of run {number + 1}"
        assert (own / "manifest.json").is_file()
        assert (own / ".oppflow" / "owner").is_file()
    assert "of run" not in finished.folder.report.read_text()[:100]


def digest_of_trees(deployment: Deployment) -> str:
    """Of every name and byte that workers share."""
    digest = hashlib.sha256()
    for path in sorted((deployment.settings.work_dir / "trees").rglob("*")):
        digest.update(str(path).encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def test_what_runs_share_stays_as_it_was_built(deployment: Deployment) -> None:
    """A run that writes into its own source fails, as root too, and changes nothing."""
    finished = run_campaign(deployment, model="writes_source", config="WritesSource")
    before = digest_of_trees(deployment)
    assert "PermissionError" in finished.run(0)["message"]
    again = run_campaign(deployment, model="writes_source", config="WritesSource")
    assert "PermissionError" in again.run(0)["message"]
    assert digest_of_trees(deployment) == before


ODD = r"""
*.text = ${value="a b", "it's", "{{ ds }}", "/x/y", "$(date);&|", "\"q\"", "ü", "."}
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A campaign whose iteration variable has values that some program might take for more."""
    from tests.support.campaigns import make_deployment
    from tests.support.tiny import write_tiny

    folder = tmp_path_factory.mktemp("odd")
    write_tiny(folder / "models" / "tiny", ODD)
    return run_campaign(make_deployment(folder), model="tiny", config="General", runs_per_task=4)


def test_odd_values_are_only_values(odd: Finished) -> None:
    """Blanks, quotes, dots, slashes, templates and shell words arrive as they were written."""
    assert not odd.errors
    assert odd.outcomes == {"done": 8}
    values = [run["variables"]["value"] for run in odd.manifest.data["runs"]]
    assert values[:4] == ['"a b"', '"it\'s"', '"{{ ds }}"', '"/x/y"']
    assert [batch["label"] for batch in odd.batches] == [
        '#0 value="a b" rep=0 and 3 more',
        '#4 value="$(date);&|" rep=0 and 3 more',
    ]


def test_odd_values_give_files_in_the_campaigns_folder_only(odd: Finished) -> None:
    """Whatever a value looks like, its files are inside, one set for every run."""
    names = odd.files()
    assert len([name for name in names if name.endswith(".sca")]) == 8
    assert len([name for name in names if name.endswith(".out")]) == 8
    outside = {path.name for path in odd.folder.path.parent.iterdir()}
    assert outside == {odd.folder.path.name}
    for run in odd.manifest.data["runs"]:
        for file in run["files"]:
            data = (odd.folder.path / file["name"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
