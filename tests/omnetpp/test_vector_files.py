"""Whole vector files are accepted and read with their index; cut and malformed ones are refused."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal

import pytest

from oppflow.errors import ResultFileError
from oppflow.omnetpp.vector_file import check_vector_file, iter_rows, read_vectors
from tests.omnetpp.conftest import BLOCKS
from tests.omnetpp.result_samples import (
    FIFO_VEC,
    SHORT_VEC,
    refused,
    write_index,
    write_vector_file,
)


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

    @pytest.mark.parametrize("columns", ["", "ETV"], ids=["no-vectors", "vectors"])
    def test_a_file_without_rows(self, tmp_path, columns):
        """As of runs that record no vectors: whole as it is, and refused in any other state."""
        path = tmp_path / "x.vec"
        write_vector_file(path, [(0, [])] if columns else [])
        content, index = path.read_bytes(), path.with_suffix(".vci").read_bytes()
        check_vector_file(path)
        rest = index.split(b"\n", 1)[1]
        for size in range(len(content)):
            path.write_bytes(content[:size])
            write_index(path, rest[:size])
            with pytest.raises(ResultFileError):
                check_vector_file(path)
        path.write_bytes(content.replace(b"run ", b"ruin "))
        write_index(path, rest.replace(b"run ", b"ruin "))
        with pytest.raises(ResultFileError):
            check_vector_file(path)

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
