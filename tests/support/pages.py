"""The documentation's pages as their tests read them: blocks with marks, links, anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from oppflow.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs"
_CONTENTS = (DOCS / "index.md").read_text(encoding="utf-8").split()


def _place(page: Path) -> int:
    """Where a reader who goes by the contents comes to the page."""
    return _CONTENTS.index(page.stem) if page.stem in _CONTENTS else 0


PAGES = [PROJECT_ROOT / "README.md", *sorted(DOCS.glob("*.md"), key=_place)]
CHANGELOG = PROJECT_ROOT / "CHANGELOG.md"

_COMMENT = re.compile(r"\A<!-- (.+) -->\s*\Z")
_SOURCE = re.compile(r'<img\b[^>]*\bsrc="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block; ``mark`` is the comment on the line before it, ``line`` counts from 1."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page.name}, line {self.line}"


@cache
def tokens_of(page: Path) -> tuple[Token, ...]:
    parser = MarkdownIt("commonmark").enable("table")
    return tuple(parser.parse(page.read_text(encoding="utf-8")))


def blocks_of(page: Path) -> Iterator[Block]:
    mark, ends = "", -1
    for token in tokens_of(page):
        if token.type == "html_block" and token.map and (match := _COMMENT.match(token.content)):
            mark, ends = match[1], token.map[1]
        elif token.type == "fence" and token.map:
            start = token.map[0]
            yield Block(
                page, start + 1, token.info.strip(), token.content, mark if ends == start else ""
            )


def inline_code_of(page: Path) -> Iterator[str]:
    for token in _inline(page):
        if token.type == "code_inline":
            yield token.content


def links_of(page: Path) -> Iterator[str]:
    """Where links and pictures lead, as they are written."""
    for token in _inline(page):
        if token.type == "link_open":
            yield str(token.attrs["href"])
        elif token.type == "image":
            yield str(token.attrs["src"])
        elif token.type == "html_inline":
            yield from _SOURCE.findall(token.content)
    for token in tokens_of(page):
        if token.type == "html_block":
            yield from _SOURCE.findall(token.content)


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """What GitHub calls the headings: lower case, no punctuation, hyphens, numbered if repeated."""
    found: set[str] = set()
    tokens = tokens_of(page)
    for heading, title in pairwise(tokens):
        if heading.type == "heading_open":
            words = "".join(child.content for child in title.children or ())
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            number = sum(one == slug or one.startswith(f"{slug}-") for one in found)
            found.add(f"{slug}-{number}" if slug in found else slug)
    return frozenset(found)


def _inline(page: Path) -> Iterator[Token]:
    for token in tokens_of(page):
        if token.type == "inline":
            yield from token.children or ()
