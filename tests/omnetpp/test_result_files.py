"""Whole result files are accepted and read; cut, empty and malformed ones are refused."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.omnetpp.result_samples import HEAD, write_index, write_vector_file

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_files import check_result_file, check_result_files, normalised_digest
from oppflow.omnetpp.result_items import RunHeader, Scalar, Statistic
from oppflow.omnetpp.result_lines import number, split_line
from oppflow.omnetpp.scalar_file import check_scalar_file, iter_scalar_file, read_scalar_file
from oppflow.omnetpp.vector_file import check_vector_file, iter_rows, read_vectors

CASES = Path(__file__).resolve().parents[1] / "cases" / "results"
ALOHA = CASES / "PureAlohaExperiment-numHosts=10,iaMean=2-#1.sca"
SHORT = CASES / "short-PureAlohaExperiment-numHosts=10,iaMean=4-#0.sca"
FIFO_VEC = CASES / "Fifo1-#0.vec"  # with its index, and small blocks
SHORT_VEC = SHORT.with_suffix(".vec")

BLOCKS = [
    (0, [(1, "0.5", "1"), (3, "0.75", "0")]),
    (1, [(2, "0.625", "-inf")]),
    (0, [(9, "2.000000000001", "nan")]),
]


@pytest.fixture
def vec(tmp_path):
    path = tmp_path / "General-load=0.5-#0.vec"
    write_vector_file(path, BLOCKS)
    return path


def scalar_file(tmp_path: Path, results: str, *, head: str = HEAD, version: int = 3) -> Path:
    path = tmp_path / "x.sca"
    path.write_text(f"version {version}\n{head}{results}\n")
    return path


def refused(path: Path) -> str:
    with pytest.raises(ResultFileError) as caught:
        check_result_file(path)
    assert path.stem in caught.value.message
    return caught.value.message


class TestScalarFiles:
    @pytest.mark.parametrize("path", [ALOHA, SHORT], ids=["long", "short"])
    def test_real_files_are_accepted(self, path):
        check_scalar_file(path)

    def test_a_file_that_a_full_disk_cut_is_refused(self):
        message = refused(CASES / "truncated.sca")
        assert "cut" in message
        assert "line 330" in message

    def test_every_proper_beginning_of_a_real_file_is_refused(self, tmp_path):
        path = tmp_path / "cut.sca"
        shutil.copyfile(ALOHA, path)
        accepted = []
        for size in range(ALOHA.stat().st_size - 1, -1, -1):
            os.truncate(path, size)
            try:
                check_scalar_file(path)
            except ResultFileError:
                continue
            accepted.append(size)
        assert accepted == []

    def test_the_head_alone_is_refused_and_a_run_without_results_accepted(self, tmp_path):
        path = scalar_file(tmp_path, "")
        check_scalar_file(path)
        path.write_text(f"version 3\n{HEAD}")
        assert "cut short" in refused(path)

    def test_a_whole_file_is_read(self):
        file = read_scalar_file(ALOHA)
        assert file.header.run_id == "PureAlohaExperiment-3-20261122-11:27:31-21753"
        assert file.header.variables == {"iaMean": "2", "numHosts": "10"}
        assert file.header.attributes["iterationvars"] == "$numHosts=10, $iaMean=2"
        assert file.header.config[3] == (
            "description",
            "Channel utilization in the function of packet generation frequency",
        )
        assert file.scalars[0] == Scalar("Aloha.server", "duration", 5400.0)
        assert [s.name for s in file.statistics] == [
            "collisionLength:histogram",
            "collisionMultiplicity:histogram",
        ]
        assert file.statistics[1].fields["mean"] == 2.5212818405916

    def test_version_2_with_param_lines_is_read(self, tmp_path):
        head = 'run a\nattr x 1\nparam **.q "2 packets"\n\n'
        path = scalar_file(tmp_path, "scalar m n -nan\n", head=head, version=2)
        file = read_scalar_file(path)
        assert file.header.config == (("**.q", "2 packets"),)
        assert math.isnan(file.scalars[0].value)

    def test_units_and_quoted_names(self, tmp_path):
        lines = 'scalar "a b" "c\\"\\x41\\n:mean" 1e-3\nattr unit s\nattr title "t t"\n'
        assert read_scalar_file(scalar_file(tmp_path, lines)).scalars == (
            Scalar("a b", 'c"A\n:mean', 0.001, "s"),
        )

    def test_weighted_statistics_and_infinite_edges(self, tmp_path):
        lines = (
            "statistic m q:histogram\nfield count 2\nfield weights 3.5\nfield mean nan\n"
            "attr unit pk\nbin\t-inf\t0\nbin\t1\t2\nbin\t1\t0\n"
        )
        (statistic,) = read_scalar_file(scalar_file(tmp_path, lines)).statistics
        assert statistic.fields["weights"] == 3.5
        assert statistic.unit == "pk"

    def test_two_runs_are_checked_but_not_read_as_one(self, tmp_path):
        path = scalar_file(tmp_path, f"scalar m n 1\n\n{HEAD}scalar m n 2\n")
        check_scalar_file(path)
        kinds = [type(item) for item in iter_scalar_file(path)]
        assert kinds == [RunHeader, Scalar, RunHeader, Scalar]
        with pytest.raises(ResultFileError, match="more than one run"):
            read_scalar_file(path)

    @pytest.mark.parametrize(
        ("results", "why"),
        [
            ("scalar m n\n", "3 items"),
            ("scalar m n 1_000\n", "not a number"),
            ("scalar m n 0x\n", "not a number"),
            ('scalar m "n 1\n', "quotation mark"),
            ("scalar m n 1\0\n", "NUL"),
            ("scaler m n 1\n", "keyword"),
            ("field count 1\n", "before any result"),
            ("scalar m n 1\nfield count 1\n", "outside of a statistic"),
            ("statistic m n\nattr unit s\n", "no count"),
            ("statistic m n\nfield count 0\nbin 2 0\nbin 1 0\n", "ascending"),
            ("scalar m n 1\n\nscalar m n 2\n", "'run ID'"),
            ("scalar m n 1\n\n\n", "empty line"),
        ],
    )
    def test_malformed_results_are_refused(self, tmp_path, results, why):
        assert why in refused(scalar_file(tmp_path, results))

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "empty"),
            (b"version 4\n", "version 2"),
            (b"scalar m n 1\n", "version 2"),
            (b"version 3\nattr a b\n", "'run ID'"),
            (b"version 3\nrun a\nscalar m n 1\n", "head of a run"),
            (b"version 3\nrun a\nattr b\n\n\n", "attr NAME VALUE"),
        ],
    )
    def test_malformed_heads_are_refused(self, tmp_path, content, why):
        path = tmp_path / "x.sca"
        path.write_bytes(content)
        assert why in refused(path)

    def test_a_missing_file_is_refused(self, tmp_path):
        assert "cannot be read" in refused(tmp_path / "gone.sca")

    def test_names_in_another_encoding_do_not_stop_reading(self, tmp_path):
        path = tmp_path / "x.sca"
        path.write_bytes(f"version 3\n{HEAD}".encode() + b"scalar m \xe9t\xe9 1\n\n")
        assert read_scalar_file(path).scalars[0].name == "�t�"

    def test_line_ends_of_windows_are_accepted(self, tmp_path):
        path = tmp_path / "x.sca"
        path.write_bytes(ALOHA.read_bytes().replace(b"\n", b"\r\n"))
        assert read_scalar_file(path).scalars == read_scalar_file(ALOHA).scalars


class TestVectorFiles:
    def test_a_real_file_is_accepted_and_read(self):
        check_vector_file(FIFO_VEC, compare_time=False)
        vectors = read_vectors(FIFO_VEC).vectors
        rows = [row for vector in vectors for row in iter_rows(FIFO_VEC, vector)]
        assert len(rows) == sum(vector.rows for vector in vectors) == 35
        assert any(len(vector.blocks) > 1 for vector in vectors)

    def test_a_whole_file_is_accepted_and_read(self, vec):
        check_vector_file(vec)
        index = read_vectors(vec)
        assert [v.rows for v in index.vectors] == [3, 1]
        assert index.vectors[0].module == "Net.host [1]"
        assert index.vectors[0].attributes == {"title": "my state"}
        rows = list(iter_rows(vec, index.vectors[0]))
        assert rows[:2] == [(1, Decimal("0.5"), 1.0), (3, Decimal("0.75"), 0.0)]
        assert rows[2].time == Decimal("2.000000000001")

    def test_vectors_without_event_numbers(self, tmp_path):
        path = tmp_path / "x.vec"
        write_vector_file(path, BLOCKS[:1], columns="TV")
        check_vector_file(path)
        first = next(iter_rows(path, read_vectors(path).vectors[0]))
        assert first == (None, Decimal("0.5"), 1.0)

    @pytest.mark.parametrize("adjusted", [False, True], ids=["old-index", "index-names-size"])
    def test_every_proper_beginning_is_refused(self, vec, adjusted):
        content, index = vec.read_bytes(), vec.with_suffix(".vci").read_bytes()
        rest = index.split(b"\n", 1)[1]
        for size in range(len(content) - 1, -1, -1):
            os.truncate(vec, size)
            if adjusted:  # as on a full disk: the index is told what the file system knows
                write_index(vec, rest)
            with pytest.raises(ResultFileError):
                check_vector_file(vec, compare_time=False)

    def test_every_proper_beginning_of_the_index_that_loses_rows_is_refused(self, vec):
        index = vec.with_suffix(".vci")
        last_block = index.read_bytes().rindex(b"\n", 0, -2)
        for size in range(last_block, -1, -1):
            os.truncate(index, size)
            with pytest.raises(ResultFileError):
                check_vector_file(vec)

    def test_a_missing_index_is_refused(self, tmp_path):
        path = tmp_path / "x.vec"
        shutil.copyfile(SHORT_VEC, path)
        assert "x.vci: it cannot be read" in refused(path)

    def test_a_missing_vector_file_is_refused_for_its_index(self, vec):
        vec.unlink()
        assert "missing" in refused(vec.with_suffix(".vci"))

    def test_an_index_that_the_simulation_did_not_finish_is_refused(self, vec):
        index = vec.with_suffix(".vci")
        content = index.read_bytes()
        index.write_bytes(b" " * 64 + content[content.index(b"\n") :])
        assert "never told" in refused(vec)

    def test_a_file_changed_after_its_index_is_refused_unless_times_do_not_count(self, vec):
        os.utime(vec, (1, 1))
        assert "changed after" in refused(vec)
        check_vector_file(vec, compare_time=False)

    def test_another_content_of_the_same_size_is_refused(self, vec):
        state = vec.stat()
        vec.write_bytes(vec.read_bytes().replace(b"0\t1\t0.5\t1\n", b"1\t1\t0.5\t1\n"))
        os.utime(vec, (state.st_atime, state.st_mtime))
        assert "is not whole" in refused(vec)

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            (b"file ", b"size ", "'file SIZE SECOND'"),
            (b"\n1\t", b"\n7\t", "not declared"),
            (b" 2 0 1 2 3", b" 2 0 1 2", "were expected"),
            (b" 2 0 1 2 3", b" x 0 1 2 3", "not a whole number"),
            (b"vector 0", b"wector 0", "was not expected"),
            (b"config sim-time-limit", b"konfig sim-time-limit", "head of a run"),
            (b'"my state"', b'"my state', "quotation mark"),
        ],
    )
    def test_a_malformed_index_is_refused(self, vec, old, new, why):
        index = vec.with_suffix(".vci")
        index.write_bytes(index.read_bytes().replace(old, new, 1))
        assert why in refused(vec)

    def test_overlapping_blocks_are_refused(self, tmp_path):
        path = tmp_path / "x.vec"
        write_vector_file(path, BLOCKS)
        index = path.with_suffix(".vci")
        lines = index.read_bytes().splitlines(keepends=True)
        block = next(line for line in lines if line.startswith(b"1\t"))
        index.write_bytes(b"".join([*lines, block]))
        assert "overlap" in refused(path)

    def test_rows_that_are_not_where_the_index_says(self, vec):
        vector = read_vectors(vec).vectors[1]
        vec.write_bytes(vec.read_bytes().replace(b"\n1\t2\t0.625", b"\n1\t2\t0,625"))
        with pytest.raises(ResultFileError, match="malformed"):
            list(iter_rows(vec, vector))


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
