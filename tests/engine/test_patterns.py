"""Wildcard patterns match what they match in OMNeT++, and the first matching entry counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.engine.errors import ExpressionError
from oppflow.engine.inifile import Entry
from oppflow.engine.lookup import Lookup, split_key
from oppflow.engine.patterns import matcher


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*", ["a", ""], ["a.b"]),
        ("**", ["a", "a.b", ""], []),
        ("?", ["a"], ["", ".", "ab"]),
        ("Net.*.app", ["Net.host.app"], ["Net.a.b.app", "Net.app"]),
        ("Net.**.app", ["Net.a.app", "Net.a.b.app"], ["Net.app"]),
        ("host[*]", ["host[3]", "host[]"], ["host"]),
        ("host[2..4]", ["host[2]", "host[4]"], ["host[1]", "host[5]", "host[a]"]),
        ("host[..4]", ["host[0]"], ["host[5]"]),
        ("a{2..}", ["a2", "a99"], ["a1", "a", "ab"]),
        ("{a-c}x", ["ax", "cx"], ["dx", "x"]),
        ("{^a-c}x", ["dx"], ["ax", "x"]),
        ("a\\*", ["a*"], ["ab"]),
        ("a+b", ["a+b"], ["aab"]),
    ],
)
def test_patterns(pattern: str, matching: list[str], other: list[str]) -> None:
    matches = matcher(pattern)
    assert [text for text in matching if not matches(text)] == []
    assert [text for text in other if matches(text)] == []


def test_an_open_brace_is_refused() -> None:
    with pytest.raises(ExpressionError, match="Unmatched"):
        matcher("a{b")


@given(st.text(st.characters(codec="ascii", exclude_characters="?*{\\["), max_size=20))
def test_text_without_wildcards_matches_itself_only(text: str) -> None:
    assert matcher(text)(text)
    assert not matcher(text)(text + "x")


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("**.host[0..5].x", ("**.host[0..5]", "x")),
        ("**.x", ("**", "x")),
        ("Net.**foo", ("", "*foo")),
        ("**", ("", "*")),
        ("*x", ("", "*")),
    ],
)
def test_keys_split_into_owner_and_name(key: str, parts: tuple[str, str]) -> None:
    assert split_key(key) == parts


def lookup(*lines: str) -> Lookup:
    """A lookup over ``key=value`` lines."""
    return Lookup([Entry(*line.split("=", 1), "") for line in lines])


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["**.x=1", "Net.host[1].x=2"], "1"),
        (["Net.host[2].x=1", "Net.host[1].x=2"], "2"),
        (["**.h*.*=1", "**.x=2"], "1"),
        (["**.x=1", "**.*=2"], "1"),
        (["**.x=default", "**.x=2"], "2"),
    ],
)
def test_the_first_match_counts(lines: list[str], value: str) -> None:
    found = lookup(*lines).parameter("Net.host[1]", "x", has_default=False)
    assert found
    assert found.value == value


def test_default_counts_where_there_is_one() -> None:
    found = lookup("**.x=default", "**.x=2").parameter("Net", "x", has_default=True)
    assert found
    assert found.value == "default"


def test_settings_of_objects_need_an_entry_that_names_them() -> None:
    assert lookup("**.vector-*=false").setting("Net.a", "vector-recording") is None
    found = lookup("**.a.vector-recording=false").setting("Net.a", "vector-recording")
    assert found
    assert found.value == "false"
