"""What can be told of the documentation by reading it: links, marks, parameters, messages."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from oppflow.request import PARAMETERS, CampaignRequest
from oppflow.settings import PROJECT_ROOT
from tests.support.pages import (
    CHANGELOG,
    DOCS,
    PAGES,
    anchors_of,
    blocks_of,
    inline_code_of,
    links_of,
    tokens_of,
)

MARKED = ("sh", "python")
UNMARKED = ("", "dockerfile", "{toctree}")
CHECKED_ELSEWHERE = {
    "object-storage.md": "json",
    "nightly.md": "yaml",
}  # tests/nightly/test_nightly_files.py reads these

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.mark.parametrize("page", [*PAGES, CHANGELOG], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file or folder of the project, and a heading in it."""
    for link in links_of(page):
        if re.match(r"\w+:", link):
            continue
        place, _, anchor = unquote(link).partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        assert target.is_relative_to(PROJECT_ROOT), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_page_is_in_the_contents() -> None:
    """In Sphinx' and in those that a reader on GitHub sees, once each."""
    names = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    (toctree,) = (b.text for b in blocks_of(DOCS / "index.md") if b.language == "{toctree}")
    listed = [line for line in toctree.splitlines() if line and not line.startswith(":")]
    assert sorted(listed) == sorted(names)
    linked = [link.removesuffix(".md") for link in links_of(DOCS / "index.md")]
    assert sorted(linked) == sorted(names)
    in_readme = {Path(link).stem for link in links_of(PAGES[0]) if link.startswith("docs/")}
    assert names <= in_readme


@every_page
def test_every_command_is_marked(page: Path) -> None:
    """As run, as tested by a test that is there, or as not run with the reason."""
    for block in blocks_of(page):
        if block.language not in MARKED:
            known = (*UNMARKED, CHECKED_ELSEWHERE.get(page.name))
            assert block.language in known, f"{block}: {block.language}"
            continue
        tested = re.fullmatch(r"tested by (\S+)", block.mark)
        if tested:
            check_test(tested[1])
        else:
            assert re.fullmatch(r"run|not run: .+", block.mark), f"{block} has no mark"


@every_page
def test_no_command_hides_in_an_indented_block(page: Path) -> None:
    """Those have no language, so nobody would ask for their mark."""
    assert [token.map for token in tokens_of(page) if token.type == "code_block"] == []


@every_page
def test_tests_that_are_named_are_there(page: Path) -> None:
    """In text and tables, too: a page must not lean on a test that is gone."""
    for name in re.findall(r"tests/[\w/]+(?:\.py)?(?:::\w+)?", page.read_text(encoding="utf-8")):
        check_test(name)


def check_test(name: str) -> None:
    file, _, function = name.partition("::")
    assert (PROJECT_ROOT / file).exists(), name
    text = (PROJECT_ROOT / file).read_text(encoding="utf-8") if function else ""
    assert f"def {function}(" in text or not function, name


@every_page
def test_parameters_in_commands_are_good(page: Path) -> None:
    """Whether or not the command is run: every key is one, every value can be."""
    confs = []
    for block in blocks_of(page):
        if block.language == "sh":
            confs += re.findall(r"--conf '(.*?)'(?=\s)", block.text, re.DOTALL)
            confs += re.findall(r"-d '\{\"conf\": (.*?)\}'(?=\s)", block.text, re.DOTALL)
    for code in inline_code_of(page):
        if code.startswith("trigger {"):
            confs.append(code.removeprefix("trigger "))
        elif re.match(r'"[a-z_]+": ', code):
            confs.append(f"{{{code}}}")
    for conf in confs:
        given: dict[str, Any] = json.loads(conf)
        assert CampaignRequest.from_parameters({"model": "any", **given}, given)


def test_every_parameter_and_setting_is_described() -> None:
    """In the tables of the page that is about them, and no other ones."""
    text = (DOCS / "parameters.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`([^`]+)`", line.split(" | ")[0]) for line in text.splitlines()]
    told = {name for names in rows for name in names}
    assert set(PARAMETERS) <= told
    settings = (PROJECT_ROOT / "plugins" / "oppflow" / "settings.py").read_text(encoding="utf-8")
    known = set(re.findall(r'"(OPPFLOW_\w+)"', settings)) | {"OPPFLOW_HOME"}
    assert {name for name in told if name.startswith("OPPFLOW_")} == known


def test_messages_are_those_of_the_program() -> None:
    """What stands between the dots is in the sources, word for word."""
    told = "\0".join(
        node.value
        for path in sorted((PROJECT_ROOT / "plugins" / "oppflow").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    tables = re.findall(r"\| message \|.*?\n\n", text, re.DOTALL)
    rows = [line for table in tables for line in table.splitlines()[2:] if line]
    messages = [one for row in rows for one in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(messages) > 50
    missing = [part for message in messages for part in re.split(r"\s*\.\.\.\s*", message)
               if part.strip("., :()") and part not in told]  # fmt: skip
    assert missing == []


def test_sphinx_has_no_complaint(tmp_path: Path) -> None:
    """As ``make docs`` calls it: a warning is an error."""
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", DOCS, tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").exists()
