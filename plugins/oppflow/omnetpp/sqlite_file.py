"""Result files that are SQLite data bases: OMNeT++'s other format, chosen in the ini file.

The tables are those of OMNeT++'s ``sqliteresultfileschema.cc``; the file's own header is described
at https://www.sqlite.org/fileformat2.html#the_database_header.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from oppflow.omnetpp.result_items import RunHeader, Scalar, ScalarItem, Statistic
from oppflow.omnetpp.result_lines import damaged

# Column of the statistic table -> name of the field in a text file.
_FIELDS = {
    "statCount": "count",
    "statMean": "mean",
    "statStddev": "stddev",
    "statMin": "min",
    "statMax": "max",
    "statSum": "sum",
    "statSqrsum": "sqrsum",
    "statWeights": "weights",
    "statWeightedSum": "weightedSum",
    "statSqrSumWeights": "sqrSumWeights",
    "statWeightedSqrSum": "weightedSqrSum",
}


def check_sqlite_file(path: Path) -> None:
    """Return if the data base is whole.

    Checked are: that the file is as long as its header says (page size times page count), that no
    unfinished transaction lies beside it (``-journal``, ``-wal``), and SQLite's own ``quick_check``
    of the pages' structure.

    Raises:
        ResultFileError: it is not whole.
    """
    with path.open("rb") as file:
        head = file.read(100)
    size = path.stat().st_size
    if len(head) < 100:
        raise damaged(path, None, "it is an SQLite file that was cut in its header")
    page_size = int.from_bytes(head[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    pages = int.from_bytes(head[28:32], "big")
    if size != page_size * pages:
        raise damaged(
            path, None, f"it has {size} bytes, its SQLite header says {page_size * pages}"
        )
    for suffix in ("-journal", "-wal"):
        rest = path.with_name(path.name + suffix)
        if rest.exists() and rest.stat().st_size:
            raise damaged(path, None, f"a transaction was not finished: {rest.name} lies beside it")
    try:
        with closing(_connect(path)) as base:
            answer = base.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise damaged(path, None, f"SQLite cannot read it ({error})") from error
    if answer != "ok":
        raise damaged(path, None, f"SQLite finds it damaged ({answer})")


def iter_sqlite_file(path: Path) -> Iterator[ScalarItem]:
    """Yield the heads of the runs, then each run's scalars and statistics.

    A NULL value, which is how OMNeT++ stores "not a number" there, becomes NaN.

    Raises:
        ResultFileError: the tables are not those of an OMNeT++ scalar file.
    """
    try:
        with closing(_connect(path)) as base:
            runs = base.execute("SELECT runId, runName FROM run ORDER BY runId").fetchall()
            for run, name in runs:
                yield _header(base, run, name)
                yield from _scalars(base, run)
                yield from _statistics(base, run)
    except sqlite3.Error as error:
        raise damaged(
            path, None, f"it is not an SQLite file as OMNeT++ writes them ({error})"
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    # immutable: no lock and no journal file, so that a read-only folder will do
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)


def _header(base: sqlite3.Connection, run: int, name: str) -> RunHeader:
    attributes = base.execute("SELECT attrName, attrValue FROM runAttr WHERE runId = ?", (run,))
    variables = base.execute(
        "SELECT itervarName, itervarValue FROM runItervar WHERE runId = ? ORDER BY itervarName",
        (run,),
    )
    config = base.execute(
        "SELECT configKey, configValue FROM runConfig WHERE runId = ? ORDER BY configOrder", (run,)
    )
    return RunHeader(name, dict(attributes), dict(variables), tuple(config))


def _scalars(base: sqlite3.Connection, run: int) -> Iterator[Scalar]:
    rows = base.execute(
        "SELECT moduleName, scalarName, scalarValue, attrValue FROM scalar LEFT JOIN scalarAttr"
        " ON scalar.scalarId = scalarAttr.scalarId AND attrName = 'unit'"
        " WHERE runId = ? ORDER BY scalar.scalarId",
        (run,),
    )
    for module, name, value, unit in rows:
        yield Scalar(module, name, math.nan if value is None else float(value), unit or "")


def _statistics(base: sqlite3.Connection, run: int) -> Iterator[Statistic]:
    rows = base.execute(
        f"SELECT moduleName, statName, attrValue, {', '.join(_FIELDS)} FROM statistic"  # noqa: S608 - constant names
        " LEFT JOIN statisticAttr ON statistic.statId = statisticAttr.statId AND attrName = 'unit'"
        " WHERE runId = ? ORDER BY statistic.statId",
        (run,),
    )
    for module, name, unit, *values in rows:
        fields = zip(_FIELDS.values(), values, strict=True)
        known = {field: float(value) for field, value in fields if value is not None}
        yield Statistic(module, name, known, unit or "")
