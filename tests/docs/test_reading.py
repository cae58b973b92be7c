"""That the documentation's tests see what they are to check."""

from __future__ import annotations

from pathlib import Path

from tests.support.pages import anchors_of, blocks_of, inline_code_of, links_of


def write(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_a_mark_stands_right_before_its_block(tmp_path: Path) -> None:
    """Not a line further up, and not at the block after it."""
    page = write(
        tmp_path,
        "<!-- run -->\n```sh\ntrue\n```\n\n<!-- run -->\n\n```sh\nfalse\n```\n```python\n1\n```\n"
        "- item\n\n  <!-- not run: why -->\n  ```sh\n  ls\n  ```\n",
    )
    assert [(b.language, b.mark, b.text) for b in blocks_of(page)] == [
        ("sh", "run", "true\n"),
        ("sh", "", "false\n"),
        ("python", "", "1\n"),
        ("sh", "not run: why", "ls\n"),
    ]
    assert [b.line for b in blocks_of(page)] == [2, 8, 11, 17]


def test_headings_have_githubs_anchors(tmp_path: Path) -> None:
    """Without punctuation; those that are there already get a number."""
    page = write(
        tmp_path, "# `runs.csv`, and more\n## What's OMNeT++?\n## Same\n## Same\n### Same\n"
    )
    assert anchors_of(page) == {"runscsv-and-more", "whats-omnet", "same", "same-1", "same-2"}


def test_links_and_pictures_are_found_wherever_they_are(tmp_path: Path) -> None:
    """In tables, as pictures, as HTML; not in code."""
    page = write(
        tmp_path,
        "| [a](a.md) |\n|---|\n| ![b](b.png) |\n\n"
        '<img src="c.png" width="2">\n\n[d]: d.md\nSee [this][d], not `[e](e.md)`.\n',
    )
    assert sorted(links_of(page)) == ["a.md", "b.png", "c.png", "d.md"]
    assert list(inline_code_of(page)) == ["[e](e.md)"]
