"""The commands of the documentation, typed as they stand into a fresh copy of the project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import psutil
import pytest

from oppflow.local.client import AirflowClient
from oppflow.local.home import USER
from oppflow.settings import PROJECT_ROOT
from tests.support.pages import PAGES, Block, blocks_of

EXECUTED = {page: [b for b in blocks_of(page) if b.mark == "run"] for page in PAGES}
SHOWN_ADDRESS = "127.0.0.1:8080"
PATIENCE = 180  # seconds for a page


@dataclass(frozen=True)
class Checkout:
    """A copy of the project, its user's home, and the environment of that user's shell."""

    root: Path
    home: Path
    environment: dict[str, str]

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip

    def good(self, script: str) -> str:
        done = self.shell(script)
        assert done.returncode == 0, done.stdout
        return done.stdout

    @property
    def airflow(self) -> Path:
        return self.root / ".airflow"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{json.loads((self.airflow / 'running.json').read_text())['port']}"


def copy_project(root: Path) -> None:
    """What git would bring, and a virtual environment that nobody has to install into."""
    everywhere = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", "pictures")

    def left_out(folder: str, names: list[str]) -> set[str]:
        made = {".venv", ".airflow", ".cache", "results"} if Path(folder) == PROJECT_ROOT else set()
        return made | everywhere(folder, names)

    shutil.copytree(PROJECT_ROOT, root, symlinks=True, ignore=left_out)
    venv = root / ".venv"
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.startswith(".ready"):
            (venv / entry.name).symlink_to(entry)
    for name in (".ready", ".ready-test"):
        (venv / name).touch()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """With Airflow up, as ``make up`` starts it."""
    folder = tmp_path_factory.mktemp("checkout")
    root, home = folder / "oppflow", folder / "home"
    copy_project(root)
    home.mkdir()
    foreign = ("OPPFLOW", "AIRFLOW", "PYTHON", "PYTEST", "MAKE", "OMNETPP", "DEMO_")
    made = Checkout(root, home, {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "HOME": str(home),
        "PYTHON": sys.executable,
        "OPPFLOW_RUNNER": "process",
        "OPPFLOW_MODEL_ROOTS": f"{root / 'models'}:{home / 'models'}",
    })  # fmt: skip
    try:
        assert "Airflow is up at http://127.0.0.1:" in made.good("make up")
        password = json.loads((made.airflow / "passwords.json").read_text())[USER]
        client = AirflowClient(f"http://{made.address}", USER, password)
        client.wait_for_dag()
        client.close()
        yield made
    finally:
        made.shell("make down")


def typed(blocks: list[Block], checkout: Checkout) -> str:
    """The blocks as one script, each saying where it is; Python blocks in a row are one program."""
    script = ""
    for language, group in groupby(blocks, key=lambda block: block.language):
        part = list(group)
        if language == "sh":
            for block in part:
                text = block.text.replace(SHOWN_ADDRESS, checkout.address)
                script += f"\necho 'At {block}:'\n{text}"
        else:
            file = checkout.home / f"{part[0].page.stem}-{part[0].line}.py"
            file.write_text("".join(f"print('At {block}:')\n{block.text}" for block in part))
            script += f"\n.venv/bin/python {file}\n"
    return script


@pytest.mark.parametrize(
    "page", [page for page, blocks in EXECUTED.items() if blocks], ids=lambda page: page.name
)
def test_commands_of_a_page(checkout: Checkout, page: Path) -> None:
    """In one shell, in their order; every campaign they start is green."""
    said = checkout.good(typed(EXECUTED[page], checkout))
    assert not [line for line in said.splitlines() if line.startswith("failed")], said


def test_down_ends_everything(checkout: Checkout) -> None:
    """Nothing of the copy is at work afterwards."""
    parts = json.loads((checkout.airflow / "running.json").read_text())["parts"].values()
    assert all(at_work(pid) for pid, _ in parts)
    assert "Airflow is down." in checkout.good("make down")
    assert not any(at_work(pid) for pid, _ in parts)


def at_work(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
