"""Result files are written line by line as OMNeT++ 6.1 writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.support import CASES, normalise, simulate, write_ini

MODEL = """
from oppflow.engine.model import Module

class Part(Module):
    def initialize(self):
        self.rate = self.parameter("rate", 1.0, unit="s")

    def finish(self):
        self.scalar("with space", 1 / 3, unit="s", title="a title")
        self.scalar("", float("-inf"))

class Net(Module):
    def initialize(self):
        self.parameter("label", 'say "hi"')
        self.parameter("number", 3)
        self.parts = [self.submodule(Part, "part", index) for index in range(2)]
        self.values = self.statistic("values", ["stats", "max"])
        self.level = self.time_average("level", 2)
        self.curve = self.vector("curve:vector", title="a curve")
        self.empty = self.vector("empty:vector")
        self.process(self.go())

    def go(self):
        for value in (1, 2.5, 4):
            yield self.timeout(0.5)
            self.values.collect(value)
            self.curve.record(value)
            self.level.change(value)
"""
INI = """[General]
network = net.Net
sim-time-limit = 2s
description = "what for"
**.part[*].rate = ${rate=250ms}
"""
HEADER = """version 3
run General-0-TIME-PID
attr configname General
attr datetime TIME
attr datetimef TIME
attr experiment General
attr inifile omnetpp.ini
attr iterationvars $rate=250ms
attr iterationvarsd rate=250ms
attr iterationvarsf rate=250ms-
attr measurement $rate=250ms
attr network net.Net
attr processid PID
attr repetition 0
attr replication #0
attr resultdir results
attr runnumber 0
attr seedset 0
itervar rate 250ms
config cmdenv-performance-display false
config network net.Net
config sim-time-limit 2s
config description "what for"
config **.part[*].rate 250ms

"""
PART = """par Net.part[{0}] typename "\\"Part\\""
par Net.part[{0}] rate 0.25s
attr unit s
scalar Net.part[{0}] "with space" 0.33333333333333
attr title "a title"
attr unit s
scalar Net.part[{0}] (unnamed) -inf
"""
NET = """par Net typename "\\"Net\\""
par Net label "\\"say \\\\\\"hi\\\\\\"\\""
par Net number 3
statistic Net values:stats
field count 3
field mean 2.5
field stddev 1.5
field min 1
field max 4
field sum 7.5
field sqrsum 23.25
attr recordingmode stats
scalar Net values:max 4
attr recordingmode max
scalar Net level:timeavg 2.375
attr recordingmode timeavg
scalar Net level:max 4
attr recordingmode max

"""
DECLARATIONS = """vector 0 Net curve:vector ETV
attr title "a curve"
vector 1 Net empty:vector ETV
"""
RESULT = "General-rate=250ms-#0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the model above."""
    write_ini(tmp_path, MODEL, "net.py")
    write_ini(tmp_path, INI)
    return tmp_path


def results(folder: Path, suffix: str, *options: str) -> str:
    """What a run leaves in its file with this suffix."""
    ran = simulate(folder, *options)
    assert (ran.status, ran.errors) == (0, "")
    path = folder / "results" / (RESULT + suffix)
    return normalise(path.read_text(encoding="utf-8")) if path.exists() else ""


def test_scalars(folder: Path) -> None:
    assert results(folder, ".sca") == HEADER + PART.format(0) + PART.format(1) + NET


def test_vectors(folder: Path) -> None:
    values = "0\t2\t0.5\t1\n0\t3\t1\t2.5\n0\t4\t1.5\t4\n\n"
    assert results(folder, ".vec") == HEADER + DECLARATIONS + values


def test_the_index_finds_the_values(folder: Path) -> None:
    index = results(folder, ".vci")
    vectors = (folder / "results" / f"{RESULT}.vec").read_bytes()
    start = vectors.index(b"0\t2\t0.5")
    size, seconds = index.splitlines()[0].split()[1:]
    status = (folder / "results" / f"{RESULT}.vec").stat()
    assert (int(size), int(seconds)) == (len(vectors), int(status.st_mtime))
    assert len(index.splitlines()[0]) == 64
    assert index.endswith(
        f"{DECLARATIONS}0\t{start} {len(vectors) - start - 1} 2 4 0.5 1.5 3 1 4 7.5 23.25\n\n"
    )


def test_full_buffers_become_blocks(folder: Path) -> None:
    index = results(folder, ".vci", "--**.vector-buffer=64B")
    blocks = [line.split("\t")[1].split() for line in index.splitlines() if line.startswith("0\t")]
    assert [block[6] for block in blocks] == ["2", "1"]
    assert int(blocks[0][0]) + int(blocks[0][1]) == int(blocks[1][0])


@pytest.mark.parametrize(
    ("option", "absent"),
    [
        ("--**.scalar-recording=false", "scalar "),
        ("--**.param-recording=false", "par "),
        ("--**.values.statistic-recording=false", "statistic "),
        ("--**.level*.scalar-recording=false", "scalar Net level"),
        ("--config-recording=none", "config "),
    ],
)
def test_recording_can_be_switched_off(folder: Path, option: str, absent: str) -> None:
    lines = results(folder, ".sca", option).splitlines()
    assert [line for line in lines if line.startswith(absent)] == []


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--**.vector-recording=false", []),
        ("--**.vector-recording-intervals=..0.6, 1.5s..", ["1", "4"]),
        ("--warmup-period=1s", ["2.5", "4"]),
        ("--**.vector-record-eventnumbers=false", ["1", "2.5", "4"]),
    ],
)
def test_vectors_are_recorded_where_wanted(folder: Path, option: str, values: list[str]) -> None:
    lines = results(folder, ".vec", option).splitlines()
    assert [line.split("\t")[-1] for line in lines if line.startswith("0\t")] == values
    assert any(line.startswith("vector 1") for line in lines)


def test_empty_vectors_can_be_left_out(folder: Path) -> None:
    text = results(folder, ".vec", "--**.vector-record-empty=false")
    assert "vector 0 Net curve:vector" in text
    assert "empty:vector" not in text
    nothing = ("--**.vector-record-empty=false", "--**.vector-recording=false")
    assert results(folder, ".vec", *nothing) == ""


def test_warm_up_is_left_out_of_statistics(folder: Path) -> None:
    text = results(folder, ".sca", "--warmup-period=1s")
    assert "field count 2\nfield mean 3.25\n" in text
    assert "scalar Net level:timeavg 3.25\n" in text


def test_precision(folder: Path) -> None:
    text = results(folder, ".sca", "--output-scalar-precision=3")
    assert 'scalar Net.part[0] "with space" 0.333\n' in text


def test_files_go_where_options_say(folder: Path) -> None:
    simulate(folder, "--result-dir=out/${configname}", "--output-vector-file=here.vec")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert f"out/General/{RESULT}.sca" in found
    assert {"here.vec", "here.vci"} <= found


def test_a_second_ini_files_folder_does_not_count(folder: Path) -> None:
    write_ini(folder, "**.x = 1\n", "elsewhere/second.ini")
    simulate(folder.parent, "-f", f"{folder}/omnetpp.ini", "-f", f"{folder}/elsewhere/second.ini")
    text = (folder / "results" / f"{RESULT}.sca").read_text(encoding="utf-8")
    assert "second.ini" in text


def test_devices_are_not_deleted(folder: Path) -> None:
    assert simulate(folder, "--output-scalar-file=/dev/null").status == 0
    assert Path("/dev/null").is_char_device()


def test_a_recorded_file_of_omnetpp_has_the_same_kinds_of_lines(folder: Path) -> None:
    recorded = next((CASES / "results").glob("Pure*.sca")).read_text(encoding="utf-8")
    ours = results(folder, ".sca")
    kinds = {line.split(" ")[0] for line in recorded.splitlines() if not line.startswith("bin\t")}
    assert {line.split(" ")[0] for line in ours.splitlines()} == kinds
    ours_named, theirs_named = (
        [line.split()[1] for line in text.splitlines() if line.startswith("attr ")][:16]
        for text in (ours, recorded)
    )
    assert ours_named == theirs_named
