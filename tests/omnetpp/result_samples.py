"""Result files: real ones, and some that are written as OMNeT++ does.

Vector files and their index are those of its `omnetppvectorfilewriter.cc`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_files import check_result_file

CASES = Path(__file__).resolve().parents[1] / "cases" / "results"
ALOHA = CASES / "PureAlohaExperiment-numHosts=10,iaMean=2-#1.sca"
SHORT = CASES / "short-PureAlohaExperiment-numHosts=10,iaMean=4-#0.sca"
FIFO_VEC = CASES / "Fifo1-#0.vec"  # with its index, and small blocks
SHORT_VEC = SHORT.with_suffix(".vec")

HEAD = """run General-0-20261122-11:27:31-4711
attr configname General
attr datetime 20261122-11:27:31
attr processid 4711
attr runnumber 0
itervar load 0.5
config sim-time-limit 20s
config description "two words and a \\"quote\\""

"""

Rows = Sequence[tuple[int, str, str]]


def write_vector_file(path: Path, blocks: Sequence[tuple[int, Rows]], *, columns="ETV") -> None:
    """Write PATH and its `.vci`: vectors are declared before their first block, as OMNeT++ does."""
    body = b"version 3\n" + HEAD.encode()
    index = b"version 3\n" + HEAD.encode()
    declared: set[int] = set()
    for vector, rows in blocks:
        if vector not in declared:
            declared.add(vector)
            line = f'vector {vector} "Net.host [1]" state:vector {columns}\nattr title "my state"\n'
            body += line.encode()
            index += line.encode()
        if not rows:
            continue
        text = "".join(_row(vector, row, columns) for row in rows)
        index += _block(vector, len(body), text, rows, columns)
        body += text.encode()
    path.write_bytes(body + b"\n")
    write_index(path, index + b"\n")


def write_index(path: Path, index: bytes) -> None:
    """Write the `.vci` of PATH: first what the file system says of it, then INDEX."""
    state = path.stat()
    first = f"file {state.st_size} {int(state.st_mtime)}".ljust(64) + "\n"
    path.with_suffix(".vci").write_bytes(first.encode() + index)


def _row(vector: int, row: tuple[int, str, str], columns: str) -> str:
    shown = row if columns == "ETV" else row[1:]
    return "\t".join([str(vector), *map(str, shown)]) + "\n"


def _block(vector: int, offset: int, text: str, rows: Rows, columns: str) -> bytes:
    events = f" {rows[0][0]} {rows[-1][0]}" if "E" in columns else ""
    times = f" {rows[0][1]} {rows[-1][1]}"
    return f"{vector}\t{offset} {len(text)}{events}{times} {len(rows)} 0 1 2 3\n".encode()


def scalar_file(tmp_path: Path, results: str, *, head: str = HEAD, version: int = 3) -> Path:
    path = tmp_path / "x.sca"
    path.write_text(f"version {version}\n{head}{results}\n")
    return path


def refused(path: Path) -> str:
    with pytest.raises(ResultFileError) as caught:
        check_result_file(path)
    assert path.stem in caught.value.message
    return caught.value.message
