"""Ini files are read as OMNeT++ reads them, and refused with its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from oppflow.engine.errors import EngineError
from oppflow.engine.inifile import IniReader
from tests.engine.support import write_ini


def read(folder: Path, text: str) -> dict[str, list[tuple[str, str]]]:
    """The sections of an ini file, each with its keys and values."""
    reader = IniReader()
    reader.read(str(write_ini(folder, text)))
    return {
        section.name: [(entry.key, entry.value) for entry in section.entries]
        for section in reader.sections
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b = 1 # why", "1"),
        ('a.b = "x # y" # why', '"x # y"'),
        ('a.b = "say \\"#\\""', '"say \\"#\\""'),
        ("a.b=1=2", "1=2"),
        ("a.b = 1 \\\n  2", "1   2"),
        ("a.b = 1\n  2 # two\n  # three\n  4", "1\n  2\n \n  4"),
        ("a.b =", ""),
        ("a.b = 1\r\n", "1"),
        ("a.b = \N{GREEK SMALL LETTER ALPHA}", "\N{GREEK SMALL LETTER ALPHA}"),
    ],
)
def test_values(tmp_path: Path, text: str, value: str) -> None:
    assert read(tmp_path, text) == {"General": [("a.b", value)]}


def test_bytes_that_are_no_utf8_survive(tmp_path: Path) -> None:
    (tmp_path / "t.ini").write_bytes(b'**.a = "\xff"\n')
    reader = IniReader()
    reader.read(str(tmp_path / "t.ini"))
    assert reader.sections[0].entries[0].value.encode("utf-8", "surrogateescape") == b'"\xff"'


def test_config_is_an_optional_word_in_headings(tmp_path: Path) -> None:
    assert list(read(tmp_path, "[Config A]\n**.a=1\n[B]\n**.b=2\n[ Config  C ]\n")) == [
        "A",
        "B",
        "C",
    ]


def test_include_reads_beside_the_file_and_keeps_the_section(tmp_path: Path) -> None:
    write_ini(tmp_path, "**.deep = 1\n[Other]\n**.o = 2\ninclude d.ini\n", "sub/c.ini")
    write_ini(tmp_path, "**.d = 3\n", "sub/d.ini")
    assert read(tmp_path, "[A]\ninclude sub/c.ini\n**.a = 4\n") == {
        "A": [("**.deep", "1"), ("**.a", "4")],
        "Other": [("**.o", "2"), ("**.d", "3")],
    }


def test_entries_know_their_file_and_line(tmp_path: Path) -> None:
    reader = IniReader()
    reader.read(str(write_ini(tmp_path, "[A]\n\n**.a = 1\n")))
    entry = reader.sections[0].entries[0]
    assert entry.location == f"{tmp_path}/omnetpp.ini:3"
    assert entry.base_dir == str(tmp_path)


def test_several_files_add_to_the_same_sections(tmp_path: Path) -> None:
    reader = IniReader()
    reader.read(str(write_ini(tmp_path, "[A]\n**.a = 1\n", "first/a.ini")))
    reader.read(str(write_ini(tmp_path, "[A]\n**.b = 2\n", "second/b.ini")))
    assert [entry.key for entry in reader.sections[0].entries] == ["**.a", "**.b"]
    assert reader.base_dir == str(tmp_path / "first")
    assert reader.file_name == str(tmp_path / "second" / "b.ini")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "Line must be in the form key=value, "),
        ("= 1", "Line must be in the form key=value, "),
        ("[A", "Syntax error in section heading, "),
        ("[]", "Section name cannot be empty, "),
        ("[A]\n[Config A]", "Duplicate section 'A' within file, "),
        ("  a.b = 1", "Content must begin on column 1 because indentation is used"),
        ("; old", "Use hash mark instead of semicolon to start comments, "),
        ("#% old-wildcards", "Old-wildcards mode"),
        ('a.b = "x', "Unterminated string constant, "),
        ("include omnetpp.ini", "Ini file 'omnetpp.ini' includes itself, directly or indirectly"),
        ("include nope.ini", "Cannot open ini file 'nope.ini'"),
    ],
)
def test_faults(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        read(tmp_path, text)
    assert caught.value.message.startswith(message)
