"""Quoting, splitting and file names follow OMNeT++'s rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.engine.errors import EngineError
from oppflow.engine.text import (
    encode_for_file_name,
    find_delimiter,
    quote,
    quote_if_needed,
    split_outside_quotes,
    unquote,
)


@given(st.text(st.characters(codec="utf-8")))
def test_quoted_text_comes_back(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("a b", '"a b"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("a\tb\n", '"a\\tb\\n"'),
        ("#hash", "#hash"),
        ("'", "'"),
        ("\x7f", '"\\x7F"'),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}", "\N{LATIN SMALL LETTER U WITH DIAERESIS}"),
    ],
)
def test_words_in_result_files(text: str, spelling: str) -> None:
    assert quote_if_needed(text) == spelling


@pytest.mark.parametrize("literal", ["", "a", '"a', '"a" b', '"\\q"'])
def test_malformed_literals(literal: str) -> None:
    with pytest.raises(EngineError):
        unquote(literal)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a b", "a_b"),
        ("a_b", "a#_b"),
        ("a#b", "a##b"),
        ("a/b:c*d", "a#2fb#3ac#2ad"),
        ("!()+,-.;=@[]~", "!()+,-.;=@[]~"),
        ("\t", "# 9"),
        ("\N{LATIN SMALL LETTER A WITH DIAERESIS}", "#ffffffc3#ffffffa4"),
    ],
)
def test_file_names(value: str, encoded: str) -> None:
    assert encode_for_file_name(value) == encoded


def test_splitting_respects_quotes_and_brackets() -> None:
    assert split_outside_quotes(' "a,b" , f(c,d) ,, e', ",") == ['"a,b"', "f(c,d)", "e"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(a", "Unclosed parenthesis"),
        ("a)", "Unmatched close parenthesis"),
        ('"a', "Unclosed string constant"),
    ],
)
def test_unbalanced_text(text: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        find_delimiter(text, 0, ",")
