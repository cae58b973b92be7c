"""The files of nightly campaigns: what they say, and what can be wrong with them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG

from oppflow.errors import ParameterError
from oppflow.orchestration.nightly import nightly_dag
from oppflow.orchestration.nightly_files import check_folder, read_file, read_folder
from oppflow.request import PARAMETERS
from oppflow.settings import PROJECT_ROOT, Choices, Settings

GOOD = """\
schedule: "0 2 * * *"
parameters:
  model: mm1
  config: MM1
"""
SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"


def write(folder: Path, text: str, name: str = "queue.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    """Named by its file, in UTC, compared with the usual criteria, told to nobody."""
    nightly = read_file(write(tmp_path, GOOD), Choices())
    assert (nightly.name, nightly.schedule, nightly.timezone) == (
        "nightly_queue", "0 2 * * *", "UTC",
    )  # fmt: skip
    assert nightly.terms.criteria.false_discovery_rate == 0.01
    assert nightly.terms.skip_unchanged
    assert nightly.notifiers == ()


def test_the_example_is_good_and_not_loaded(tmp_path: Path) -> None:
    """As it stands, and as a user switches it on."""
    choices = Settings.from_environment({}).choices
    folder = PROJECT_ROOT / "dags" / "nightly"
    assert read_folder(folder, choices) == ([], [])
    text = (folder / "example.yaml").read_text(encoding="utf-8")
    switched_on = "\n".join(line for line in text.splitlines() if not line.startswith("enabled"))
    (nightly,) = read_folder(write(tmp_path, switched_on).parent, choices)[0]
    assert nightly.name == "nightly_mm1"
    assert nightly.notifiers[0].when == ("changed", "failed", "drift")


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (GOOD.replace("0 2 * * *", "0 26 * * *"), 1, "neither a cron expression nor a preset"),
        (GOOD.replace("0 2 * * *", "0 2 31 2 *"), 1, "neither a cron expression nor a preset"),
        (GOOD.replace("0 2 * * *", "* * * * * *"), 1, "five fields"),
        (GOOD.replace("0 2 * * *", "@once"), 1, "neither a cron expression nor a preset"),
        (GOOD.replace('"0 2 * * *"', "7"), 1, "schedule must be a text"),
        (GOOD.replace('schedule: "0 2 * * *"', "description: x"), 1, "there is no schedule"),
        (GOOD + "timezone: Mars/Base\n", 5, "no time zone 'Mars/Base'"),
        (GOOD + "shedule: x\n", 5, "no key shedule (did you mean schedule?)"),
        (GOOD + "  confg: x\n", 5, "no parameter confg (did you mean config?)"),
        (GOOD + "  memory: lots\n", 5, "'lots' is not a size"),
        (GOOD + "  mode: fast\n", 5, "mode cannot be 'fast'"),
        (GOOD + "  image: nobody/knows\n", 5, "image cannot be 'nobody/knows'"),
        (GOOD + "  keep_going: perhaps\n", 5, "keep_going cannot be 'perhaps'"),
        (GOOD + "  projects: queueinglib\n", 5, "projects cannot be 'queueinglib'"),
        (GOOD + '  options: {"sim-time-limit": "${t=1,2}s"}\n', 5, "has an iteration in it"),
        (GOOD + "  results: mine\n", 5, "results cannot be given"),
        (GOOD + "  plan_only: true\n", 5, "plan_only cannot be given"),
        (GOOD.replace("  config: MM1\n", ""), 2, "the parameter config is missing"),
        (GOOD.replace("parameters:\n  model: mm1\n  config: MM1\n", ""), 1, "model is missing"),
        ('schedule: "@daily"\nparameters: mm1\n', 2, "parameters must be a mapping"),
        (GOOD + "name: a b\n", 5, "'a b' cannot be the name"),
        (GOOD + "name: simulation_campaign\n", 5, "cannot be the name"),
        (GOOD + "name: x\nname: y\n", 6, "name is there already, in line 5"),
        (GOOD + "  model: twice\n", 5, "model is there already, in line 3"),
        (GOOD + "enabled: maybe\n", 5, "enabled must be true or false"),
        (GOOD + "tags: one\n", 5, "tags must be a list"),
        (GOOD + f"tags:\n- a\n- {'x' * 101}\n", 7, "cannot be a tag"),
        (GOOD + "tags: &t [*t]\n", 5, "cannot be a tag"),
        (GOOD + "  options: &o {a: *o}\n", 5, "options cannot be"),
        (GOOD + "  memory: 2026-11-22\n", 5, "memory cannot be"),
        (GOOD + "  1: x\n", 5, "there is no parameter 1"),
        (GOOD + "compare:\n  minimum_change: 2\n", 6, "a number from 0 to less than 1"),
        (GOOD + "compare:\n  false_discovery_rate: yes\n", 6, "a number from 0 to less than 1"),
        (GOOD + "compare:\n  reference: ../x\n", 6, "cannot be the name of a result folder"),
        (GOOD + "compare:\n  pinned: x\n", 6, "there is no key pinned"),
        (GOOD + "notify:\n  - when: failed\n", 6, "not the path of a notifier's class"),
        (GOOD + f"notify:\n  - notifier: {SMTP}\n    when: never\n", 7, "when cannot be 'never'"),
        (GOOD + f"notify:\n  - notifier: {SMTP}\n    arguments: x\n", 7, "must be a mapping"),
        (GOOD + "notify:\n  - me@example.org\n", 6, "this must be a mapping with a notifier"),
        ("a: [1, 2\nb: 3\n", 2, "no YAML"),
        ("a: !!python/object:os.system x\n", 1, "no YAML"),
        ("a: \x00\n", 1, "no YAML"),
        ("- a\n", 1, "this must be a mapping"),
        ("", 1, "there is no schedule"),
        ("? {a: 1}\n: 2\n", 1, "no YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(
    tmp_path: Path, change: str, line: int, words: str
) -> None:
    """The message begins with them, and says what is wrong."""
    path = write(tmp_path, change)
    with pytest.raises(ParameterError) as caught:
        read_file(path, Choices())
    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert words in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Of bytes that are no UTF-8 there is no line."""
    path = tmp_path / "queue.yaml"
    path.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(ParameterError, match="cannot be read"):
        read_file(path, Choices())


def test_a_broken_file_leaves_the_others_alone(tmp_path: Path) -> None:
    """All that is wrong is told at once."""
    write(tmp_path, GOOD, "good.yml")
    write(tmp_path, GOOD + "x: 1\n", "one.yaml")
    write(tmp_path, "[", "two.yaml")
    write(tmp_path, "[", "notes.txt")
    found, errors = read_folder(tmp_path, Choices())
    assert [nightly.name for nightly in found] == ["nightly_good"]
    assert len(errors) == 2
    with pytest.raises(ParameterError) as caught:
        check_folder(tmp_path, Choices())
    for where in ("one.yaml, line 5:", "two.yaml, line 1:"):
        assert where in str(caught.value)


def test_of_two_files_with_one_name_none_is_loaded(tmp_path: Path) -> None:
    """Both are told, with each other's names; a third goes on."""
    write(tmp_path, GOOD + "name: queue\n", "one.yaml")
    write(tmp_path, "name: queue\n" + GOOD, "two.yaml")
    write(tmp_path, GOOD, "three.yaml")
    found, errors = read_folder(tmp_path, Choices())
    assert [nightly.name for nightly in found] == ["nightly_three"]
    assert [str(error).partition(":")[0] for error in errors] == [
        f"{tmp_path}/one.yaml, line 5", f"{tmp_path}/two.yaml, line 1",
    ]  # fmt: skip
    assert "the name queue is that of two.yaml, too" in str(errors[0])


def test_a_copy_of_a_file_that_is_switched_off(tmp_path: Path) -> None:
    """As somebody makes of the example: the name is free."""
    write(tmp_path, GOOD + "name: queue\nenabled: false\n", "example.yaml")
    write(tmp_path, GOOD + "name: queue\n", "queue.yaml")
    write(tmp_path, GOOD + "x: 1\nenabled: false\n", "wrong.yaml")
    found, errors = read_folder(tmp_path, Choices())
    assert [nightly.path.name for nightly in found] == ["queue.yaml"]
    assert len(errors) == 1


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    """A deployment without nightly campaigns."""
    assert read_folder(tmp_path / "none", Choices()) == ([], [])


def test_a_dag_has_the_tasks_of_a_campaign_and_two_more(tmp_path: Path) -> None:
    """Scheduled in its time zone, one night at a time, with a valid default for everything."""
    notify = f"notify:\n  - notifier: {SMTP}\n    arguments: {{to: a@example.org}}\n"
    path = write(tmp_path, GOOD + "timezone: Europe/Berlin\n" + notify)
    dag = nightly_dag(
        read_file(path, Choices()), Settings.from_environment({"OPPFLOW_RUNNER": "process"})
    )
    edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert edges["collect"] == {"compare"}
    assert edges["compare"] == {"tell"}
    assert edges["tell"] == {"report"}
    assert [task for task, after in edges.items() if not after] == ["report"]
    assert (dag.catchup, dag.max_active_runs, dag.is_paused_upon_creation) == (False, 1, False)
    assert dag.timetable.expression == "0 2 * * *"
    assert str(dag.timetable.timezone) == "Europe/Berlin"
    assert tuple(dag.params) == PARAMETERS
    for name in PARAMETERS:
        dag.params.get_param(name).resolve()
    assert dag.params["model"] == "mm1"
    assert [asset.name for asset in dag.get_task("compare").outlets] == ["nightly_queue"]


def test_what_a_file_says_is_never_a_template(tmp_path: Path) -> None:
    """Only a notifier's arguments are, and those when it sends."""
    text = GOOD.replace("mm1", '"{{ 40 + 2 }}"') + f"notify: [{{notifier: {SMTP}}}]\n"
    dag = nightly_dag(
        read_file(write(tmp_path, text), Choices()),
        Settings.from_environment({"OPPFLOW_RUNNER": "process"}),
    )
    for task in dag.tasks:
        assert "40 + 2" not in repr(getattr(task, "op_kwargs", "")), task.task_id


def test_the_examples_of_the_documentation_are_good(tmp_path: Path) -> None:
    """A whole file, further notifiers, and a DAG that follows."""
    text = (PROJECT_ROOT / "docs" / "nightly.md").read_text(encoding="utf-8")
    whole, notify = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert read_file(write(tmp_path, whole), Choices()).parameters["config"] == "Sweep"
    assert read_file(write(tmp_path, GOOD + notify), Choices()).notifiers[0].when == ("failed",)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    dag = names["dag"]
    assert isinstance(dag, DAG)
    assert "nightly_queue" in repr(dag.timetable.asset_condition)


def test_parsing_imports_nothing_heavy(tmp_path: Path) -> None:
    """Airflow parses the file twice a minute and for every task, and that task's DAG alone."""
    write(tmp_path, GOOD, "one.yaml")
    write(tmp_path, GOOD, "two.yaml")
    code = (
        "import sys, nightly_campaigns as n\n"
        "heavy = ('polars', 'plotly', 'scipy', 'numpy', 'redis', 'docker', 'simpy')\n"
        "print([m for m in heavy if m in sys.modules], sorted(x for x in vars(n) if '_' in x[:9]))"
    )
    folders = f"{PROJECT_ROOT / 'plugins'}:{PROJECT_ROOT / 'dags'}"
    env = {**os.environ, "OPPFLOW_NIGHTLY": str(tmp_path), "OPPFLOW_RUNNER": "process",
           "PYTHONPATH": folders, "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "nightly_one"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("[] ")
    assert "'nightly_one'" in last
    assert "'nightly_two'" not in last
