"""Keys: what they are made of, and what they leave out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oppflow.keys import (
    FileDigest,
    RunInputs,
    build_digest,
    build_key,
    content_digest,
    digest,
    relevant_pairs,
    run_inputs,
    unsteady_entries,
    why_new,
)

FILES = [
    FileDigest("model.cc", False, "1"),
    FileDigest("run.sh", True, "2"),
    FileDigest("Net.ned", False, "3"),
    FileDigest("omnetpp.ini", False, "4"),
    FileDigest("data.txt", False, "5"),
]


def changed(name: str, **changes: Any) -> list[FileDigest]:
    return [replace(file, **changes) if file.path == name else file for file in FILES]


def test_a_digest_is_of_the_value_and_not_of_its_writing() -> None:
    """The order of an object's keys means nothing, that of a list does."""
    assert digest({"a": 1, "b": "ü\udcff"}) == digest({"b": "ü\udcff", "a": 1})
    assert digest([1, 2]) != digest([2, 1])
    assert digest("1") != digest(1)


@pytest.mark.parametrize("name", ["Net.ned", "omnetpp.ini"])
def test_what_cannot_change_the_binary_stays_out_of_the_build(name: str) -> None:
    """NED and ini files are read by each run; its content counts there."""
    assert build_digest(changed(name, sha256="x")) == build_digest(FILES)
    assert content_digest(changed(name, sha256="x"), []) != content_digest(FILES, [])


@pytest.mark.parametrize(
    "files",
    [
        changed("model.cc", sha256="x"),
        changed("model.cc", path="other.cc"),
        changed("run.sh", executable=False),
        changed("data.txt", sha256="x"),
        FILES[1:],
    ],
)
def test_what_may_change_the_binary_counts(files: list[FileDigest]) -> None:
    """Content, name and execute bit, and whether it is there; the order of the list does not."""
    assert build_digest(files) != build_digest(FILES)
    assert content_digest(files, []) != content_digest(FILES, [])
    assert build_digest(reversed(FILES)) == build_digest(FILES)


def test_an_ini_file_that_is_read_by_entries_stays_out_of_the_content() -> None:
    """Others do not."""
    again = changed("omnetpp.ini", sha256="x")
    assert content_digest(again, ["omnetpp.ini"]) == content_digest(FILES, ["omnetpp.ini"])
    assert content_digest(again, ["sims/omnetpp.ini"]) != content_digest(FILES, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"tree": "t2"},
        {"used": ["u2"]},
        {"used": []},
        {"mode": "debug"},
        {"environment": {"v": "2"}},
    ],
)
def test_a_build_key_holds_all_that_a_build_depends_on(changes: dict[str, Any]) -> None:
    """The tree, what it uses, the mode, and the environment."""
    parts = {"tree": "t", "used": ["u"], "mode": "release", "environment": {"v": "1"}}
    assert build_key(**{**parts, **changes}) != build_key(**parts)  # type: ignore[arg-type]


PARTS: dict[str, Any] = {
    "trees": {"m": "c1"},
    "build_keys": {"m": "b1"},
    "environment": {"v": "1"},
    "options": [("*.x", "1")],
    "place": {"ini_dir": "", "ini_files": ["omnetpp.ini"]},
    "pairs": [("*.x", "1"), ("network", "N"), ("*.y", "2"), ("*.y", "3"), ("repeat", "5")],
    "run": {"config": "C", "variables": [["y", "2"]], "repetition": 0, "seed_set": "0"},
}


def inputs(**changes: Any) -> RunInputs:
    return run_inputs(**{**PARTS, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"trees": {"m": "c2"}}, "sources changed"),
        ({"trees": {"n": "c1"}}, "sources changed"),
        ({"build_keys": {"m": "b2"}}, "sources changed"),
        ({"environment": {"v": "2"}}, "engine or image changed"),
        ({"options": []}, "options changed, configuration changed"),
        ({"options": [("*.x", "2")], "pairs": [("*.x", "2"), *PARTS["pairs"][1:]]},
         "options changed"),
        ({"place": {"ini_dir": "sims"}}, "configuration changed"),
        ({"pairs": PARTS["pairs"][:2]}, "configuration changed"),
        ({"pairs": [PARTS["pairs"][i] for i in (0, 1, 3, 2)]}, "configuration changed"),
        ({"run": {**PARTS["run"], "config": "D"}}, "configuration changed"),
        ({"run": {**PARTS["run"], "variables": [["y", "3"]]}}, "configuration changed"),
        ({"run": {**PARTS["run"], "repetition": 1}}, "configuration changed"),
        ({"run": {**PARTS["run"], "seed_set": "1"}}, "seed changed"),
    ],
)  # fmt: skip
def test_whatever_matters_makes_another_key_and_has_a_name(
    changes: dict[str, Any], why: str
) -> None:
    """The order of entries matters: the first match wins."""
    earlier, now = inputs(), inputs(**changes)
    assert now.key != earlier.key
    assert why_new(now.fingerprint, earlier.fingerprint) == why


def test_what_does_not_matter_is_left_out() -> None:
    """How many repetitions there are, where results go, what is printed."""
    more = [("repeat", "9"), ("result-dir", "x"), ("cmdenv-express-mode", "true"),
            ("description", "d"), ("extends", "B"), ("qtenv-x", "y")]  # fmt: skip
    assert relevant_pairs(more) == []
    assert inputs(pairs=[*PARTS["pairs"], *more]).key == inputs().key
    assert why_new(inputs().fingerprint, inputs().fingerprint) == "no stored result"


@pytest.mark.parametrize(
    "line",
    [
        '*.tag = "${datetime}"',
        "*.id = ${ processid }",
        'output-scalar-file = "${resultdir}/${runid}.sca"',
        'scheduler-class = "cRealTimeScheduler"',
        'scheduler-class = "inet::RealTimeScheduler"',
        '*.map = xmldoc("/data/map.xml")',
        '*.trace = "~/trace.csv"',
        '*.map = xmldoc("../../../map.xml")',
        'ned-path = ".;../../../lib"',
        'seed-set = 1 # x\n*.file = "/abs"  # why',
    ],
)
def test_entries_that_forbid_reuse(line: str) -> None:
    """Another value each time, the clock, the network, or a file that no tree holds."""
    assert unsteady_entries(f"[General]\n{line}\n", "own/sims") == [line.rpartition("\n")[2]]


@pytest.mark.parametrize(
    "line",
    [
        '*.name = "${configname}-${repetition}-${seedset}"',
        'cmdenv-output-file = "/tmp/${runid}.out"',
        'result-dir = "/data"',
        "# *.tag = ${datetime}",
        "*.x = 5 # see /usr/share/doc",
        '*.map = xmldoc("../../lib/map.xml")',
        'scheduler-class = "cSequentialScheduler"',
        "*.rate = 10Mbps / 2",
        '*.address = "10.0.0.1/24"',
    ],
)
def test_entries_that_do_not(line: str) -> None:
    """What is the same each time, or cannot change a result."""
    assert unsteady_entries(f"[General]\n{line}\n", "own/sims") == []
