"""Results in SQLite, files' digests, and how words and numbers are written."""

from __future__ import annotations

import math
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_files import check_result_file, check_result_files, normalised_digest
from oppflow.omnetpp.result_items import RunHeader, Scalar, Statistic
from oppflow.omnetpp.result_lines import number, split_line
from oppflow.omnetpp.scalar_file import iter_scalar_file
from tests.omnetpp.result_samples import (
    ALOHA,
    SHORT,
    SHORT_VEC,
    refused,
    scalar_file,
)


class TestSqliteFiles:
    @pytest.fixture
    def base(self, tmp_path):
        path = tmp_path / "x.sca"
        with sqlite3.connect(path) as base:
            base.executescript((Path(__file__).parent / "sqlite_results.sql").read_text())
        base.close()
        return path

    def test_a_whole_data_base_is_accepted_and_read(self, base):
        check_result_file(base)
        header, *items = iter_scalar_file(base)
        assert header == RunHeader("r-1", {"configname": "General"}, {"q": "2"}, (("a", "b"),))
        assert items[0] == Scalar("Net.a", "n:mean", 1.5, "s")
        assert math.isnan(items[1].value)
        assert items[2] == Statistic("Net.a", "h", {"count": 3.0, "mean": 2.0}, "")

    def test_every_page_that_is_missing_is_noticed(self, base):
        for size in (base.stat().st_size - 1, base.stat().st_size - 4096, 4096, 60):
            os.truncate(base, size)
            assert "SQLite" in refused(base)

    def test_an_unfinished_transaction_is_refused(self, base):
        base.with_name("x.sca-journal").write_bytes(b"\xd9\xd5\x05\xf9")
        assert "not finished" in refused(base)

    def test_damaged_pages_are_refused(self, base):
        content = bytearray(base.read_bytes())
        content[4096:8192] = b"\xff" * 4096
        base.write_bytes(content)
        assert "damaged" in refused(base)

    def test_a_data_base_with_other_tables_is_refused(self, tmp_path):
        path = tmp_path / "x.sca"
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE t (a)")
        base.close()
        with pytest.raises(ResultFileError, match="as OMNeT"):
            list(iter_scalar_file(path))

    def test_a_vector_data_base_needs_no_index(self, base):
        vec = base.rename(base.with_suffix(".vec"))
        check_result_file(vec)

    def test_it_has_no_digest(self, base):
        with pytest.raises(ResultFileError, match="no digest"):
            normalised_digest(base)


class TestDigests:
    def test_where_and_when_a_run_was_simulated_does_not_count(self, tmp_path):
        other = tmp_path / "x.sca"
        text = ALOHA.read_text()
        for old, new in [
            ("-20261122-11:27:31-21753", "-20270101-00:00:00-1"),
            ("attr datetime 20261122-11:27:31", "attr datetime 20270101-00:00:00"),
            ("attr datetimef 20261122-112731", "attr datetimef 20270101-000000"),
            ("attr processid 21753", "attr processid 1"),
            ("attr resultdir results", 'attr resultdir "/tmp/my results"'),
        ]:
            assert old in text
            text = text.replace(old, new)
        other.write_text(text)
        assert normalised_digest(other) == normalised_digest(ALOHA)

    def test_results_count(self, tmp_path):
        other = tmp_path / "x.sca"
        other.write_text(ALOHA.read_text().replace("duration 5400", "duration 5401"))
        assert normalised_digest(other) != normalised_digest(ALOHA)

    def test_further_keys_can_be_ignored(self, tmp_path):
        other = tmp_path / "x.sca"
        text = ALOHA.read_text().replace("attr runnumber 3", "attr runnumber 7")
        other.write_text(text.replace("config result-dir results\n", ""))
        ignored = {"ignore_config": ["result-dir"], "ignore_attributes": ["runnumber"]}
        assert normalised_digest(other) != normalised_digest(ALOHA)
        assert normalised_digest(other, **ignored) == normalised_digest(ALOHA, **ignored)

    def test_an_attribute_of_a_result_is_no_attribute_of_the_run(self, tmp_path):
        one = scalar_file(tmp_path, "scalar m n 1\nattr processid 5\n")
        first = normalised_digest(one)
        assert normalised_digest(scalar_file(tmp_path, "scalar m n 1\n")) != first

    def test_a_vector_file_has_one(self):
        assert len(normalised_digest(SHORT_VEC)) == 64


def test_all_bad_files_of_a_run_are_told(tmp_path, vec):
    (tmp_path / "a.sca").touch()
    vec.with_suffix(".vci").unlink()
    (tmp_path / "a.elog").touch()
    errors = check_result_files([tmp_path / "a.sca", vec, tmp_path / "a.elog", SHORT])
    assert ["a.sca" in errors[0].message, "vci" in errors[1].message] == [True, True]
    assert len(errors) == 2


def quoted(item: str) -> str:
    """Quote as OMNeT++'s opp_quotestr does."""
    special = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    special |= {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(special.get(c, f"\\x{ord(c):02X}" if c < " " else c) for c in item) + '"'


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_whatever_omnetpp_quotes_is_read_back(items):
    line = "scalar " + " ".join(map(quoted, items))
    assert [item.decode() for item in split_line(line.encode()) or ()] == ["scalar", *items]


@pytest.mark.parametrize(
    ("item", "value"), [(b"-inf", -math.inf), (b"1e-06", 1e-6), (b"1_0", None), (b"1.#IND", None)]
)
def test_numbers_as_c_prints_them(item, value):
    assert number(item) == value
