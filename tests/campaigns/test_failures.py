"""A failing run stops nothing but itself, is explained, and can be seen again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from oppflow.campaign import Outcome
from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError, RunError
from oppflow.stages.build import build_model
from oppflow.stages.resolve import resolve_runs
from oppflow.stages.simulate import simulate_batch
from tests.support.campaigns import BAD_MODELS, Finished, make_deployment, pack, run_campaign
from tests.support.tiny import write_tiny
from tests.support.trees import git

WORDS = "ValueError: cannot stand a load of 0.5"


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Six runs in three batches; those of load 0.5 fail."""
    folder = tmp_path_factory.mktemp("failed")
    shutil.copytree(BAD_MODELS / "fails", folder / "models" / "it's mine")
    return run_campaign(
        make_deployment(folder),
        model="it's mine",
        config="AtLoad",
        runs_per_task=2,
        options={"*.when": '"event"'},
    )


def test_the_other_runs_are_collected(failed: Finished) -> None:
    """The campaign is red, and four runs are home."""
    assert failed.outcomes == {"done": 4, "failed": 2}
    assert not failed.green
    assert [name for name in failed.errors if name != "report"] == ["simulate[1]"]
    assert len([name for name in failed.files() if name.endswith(".sca")]) == 4
    assert len([name for name in failed.files() if name.endswith(".out")]) == 6
    assert {"manifest.json", "runs.csv", "scalars.parquet", "report.html"} <= failed.files()


@pytest.mark.parametrize("where", ["simulate[1]", "report"])
def test_the_error_says_what_and_where(failed: Finished, where: str) -> None:
    """Run, variables, campaign, configuration, last lines, and the command; and no path of ours."""
    error = failed.errors[where]
    assert isinstance(error, RunError)
    assert (
        f"Run #2 load=0.5 rep=0: failed. The simulation ended with exit status 1: {WORDS}"
        in str(error)
    )
    assert f"campaign {failed.packed.results}, configuration AtLoad, run number 2" in str(error)
    assert "Its last lines:\n    AtLoad run 2: $load=0.5, $repetition=0" in str(error)
    assert 'File "it\'s mine/model.py", line ' in str(error)
    assert f"To see it again: {failed.run(2)['reproduce']}" in str(error)
    assert "Run #3 load=0.5 rep=1" in str(error)


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Execute a command as somebody who pasted it into a terminal."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_shows_the_failure_again(failed: Finished) -> None:
    """Pasted into a shell as it stands; that of a good run gives the same scalars again."""
    again = shell(failed.run(2)["reproduce"])
    assert again.returncode == 1
    assert f"<!> Error: {WORDS}" in again.stdout + again.stderr
    good = shell(failed.run(0)["reproduce"])
    assert good.returncode == 0, good.stderr
    (again_file,) = Path(failed.packed.model.home, "results").glob("*.sca")
    collected = failed.folder.path / again_file.name
    scalars = [line for line in collected.read_text().splitlines() if line.startswith("scalar")]
    assert scalars
    assert set(scalars) <= set(again_file.read_text().splitlines())


@pytest.mark.parametrize("kind", ["git", "archive", "folders in an archive"])
def test_the_command_fetches_what_has_no_home(
    deployment: Deployment, tmp_path: Path, kind: str
) -> None:
    """A clone of the same commit, or the archive, with the projects beside it."""
    models = tmp_path / "models"
    tree = models / "my repo"
    write_tiny(models / "libs" / "shared")
    write_tiny(tree / "sims", "*.value = ${value=1,2}", sources=models / "libs" / "shared")
    model = f"git+file://{tree}#sims"
    if kind == "git":
        git(tree, "init", "--quiet")
        git(tree, "add", ".")
        git(tree, "commit", "--quiet", "-m", "first")
    else:
        top = [] if kind == "archive" else ["."]
        base = (tree, ".") if top else (models, "my repo")
        shutil.make_archive(str(models / "up"), "gztar", *base)
        model = "up.tar.gz#sims"
    packed = pack(deployment, model=model, projects=["libs/shared"], config="General")
    again = shell(packed.reproduce(1))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the value is 2" in again.stdout


def test_partial_results_can_be_allowed(deployment: Deployment) -> None:
    """Green as long as one run is good; the manifest still tells of the others."""
    finished = run_campaign(
        deployment, model="fails", config="AtLoad", runs_per_task=6, allow_partial=True
    )
    assert finished.outcomes == {"done": 4, "failed": 2}
    assert finished.green
    none_good = run_campaign(
        deployment, model="fails", config="AtLoad", run_filter="2", allow_partial=True
    )
    assert not none_good.green


@pytest.fixture
def one_by_one(tmp_path: Path) -> Deployment:
    """A deployment that simulates one run after the other."""
    return make_deployment(tmp_path, slots=1)


def test_without_keep_going_the_batch_ends(one_by_one: Deployment) -> None:
    """Runs behind the failed one are stopped before they start, here and in later batches."""
    finished = run_campaign(
        one_by_one, model="fails", config="AtLoad", runs_per_task=3, keep_going=False
    )
    outcomes = [run["outcome"] for run in finished.manifest.data["runs"]]
    assert outcomes == ["done", "done", "failed", "stopped", "stopped", "stopped"]
    assert finished.run(5)["attempts"] == 0
    assert "another run failed, and keep_going is off" in finished.run(5)["message"]
    assert not finished.green


def test_a_batch_at_work_hears_of_another_ones_failure(
    one_by_one: Deployment,
) -> None:
    """Short runs print no progress: the wish is looked for when one starts as well."""
    packed = pack(
        one_by_one, model="own_words", config="OwnWords", options={"repeat": 40},
        runs_per_task=40, keep_going=False,
    )  # fmt: skip
    resolve_runs(one_by_one, packed)
    build_model(one_by_one, packed)
    store, put = one_by_one.store, one_by_one.store.put_record

    def put_and_fail_elsewhere(kind: str, key: str, value: dict[str, object]) -> bool:
        put("stop", packed.campaign, {"run": 99})
        return put(kind, key, value)

    store.put_record = put_and_fail_elsewhere  # type: ignore[method-assign,assignment]
    with pytest.raises(RunError):
        simulate_batch(one_by_one, packed, 0, 1)
    keys = [f"{packed.campaign}/{number}" for number in range(40)]
    outcomes = [record["outcome"] for record in store.get_records("run", keys).values()]
    assert outcomes[0] == "done"
    assert outcomes[-1] == "stopped"


LOST_ONCE = """
    def note(self):
        import os, pathlib, signal
        mark = pathlib.Path(self.text)
        if self.value == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("keep_going", [True, False])
def test_a_lost_run_is_tried_again_and_only_it(
    one_by_one: Deployment, tmp_path: Path, keep_going: bool
) -> None:
    """The retry leaves the good runs alone; each is in the manifest once."""
    model = write_tiny(tmp_path / "models" / "tiny", "*.value = ${value=1,2,3}")
    source = (model / "tiny.py").read_text()
    (model / "tiny.py").write_text(source.replace("    def note", "    def old") + LOST_ONCE)
    finished = run_campaign(
        one_by_one, attempts=2, model="tiny", config="General", runs_per_task=3,
        options={"*.text": f'"{tmp_path / "mark"}"'}, keep_going=keep_going,
    )  # fmt: skip
    assert finished.green
    runs = finished.manifest.data["runs"]
    assert [run["number"] for run in runs] == [0, 1, 2]
    assert [run["attempts"] for run in runs] == [1, 2, 1 if keep_going else 2]
    assert {run["outcome"] for run in runs} == {"done"}


def test_a_lost_run_stays_lost_in_the_end(deployment: Deployment) -> None:
    """After the last attempt the run is red, with all attempts counted."""
    finished = run_campaign(
        deployment, attempts=2, model="killed", config="Killed", runs_per_task=2
    )
    assert finished.outcomes == {Outcome.LOST.value: 2}
    assert finished.run(1)["attempts"] == 2
    assert isinstance(finished.errors["simulate[0]"], InfrastructureError)
    assert not finished.green
