"""Whole scalar files are accepted and read; cut, empty and malformed ones are refused."""

from __future__ import annotations

import math
import os
import shutil

import pytest

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_items import RunHeader, Scalar
from oppflow.omnetpp.scalar_file import check_scalar_file, iter_scalar_file, read_scalar_file
from tests.omnetpp.result_samples import (
    ALOHA,
    CASES,
    HEAD,
    SHORT,
    refused,
    scalar_file,
)


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
