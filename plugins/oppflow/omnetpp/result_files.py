"""Result files as a whole: which of them are whole, and whether two hold the same results."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

from oppflow.errors import ResultFileError
from oppflow.omnetpp.result_lines import damaged, is_sqlite, numbered_lines, split_line, text
from oppflow.omnetpp.scalar_file import check_scalar_file
from oppflow.omnetpp.vector_file import check_vector_file

# What differs between two identical runs: where, when and by which process they were simulated.
INCIDENTAL_ATTRIBUTES = frozenset({"datetime", "datetimef", "processid", "resultdir"})


def check_result_file(path: Path) -> None:
    """Return if the file is whole, or not of a kind that can be told from its content.

    ``.sca`` and ``.vec`` are read to their ends; of a ``.vci`` the ``.vec`` must be there, which is
    where it is read. Event logs and others have no end that could be missing.

    Raises:
        ResultFileError: the file is empty, cut or malformed.
    """
    if path.suffix == ".sca":
        check_scalar_file(path)
    elif path.suffix == ".vec":
        check_vector_file(path)
    elif path.suffix == ".vci" and not path.with_suffix(".vec").exists():
        raise damaged(path, None, "the vector file that it indexes is missing")


def check_result_files(paths: Iterable[Path]) -> list[ResultFileError]:
    """Check every file and return what is wrong, empty if all are whole."""
    errors = []
    for path in paths:
        try:
            check_result_file(path)
        except ResultFileError as error:  # noqa: PERF203 - one bad file must not hide the others
            errors.append(error)
    return errors


def normalised_digest(
    path: Path,
    *,
    ignore_config: Collection[str] = (),
    ignore_attributes: Collection[str] = (),
) -> str:
    """Return the SHA-256, in hexadecimal digits, of a ``.sca`` or ``.vec`` without the incidental.

    Left out of the heads of runs are the ``run`` line, the attributes of `INCIDENTAL_ATTRIBUTES`
    and of ``ignore_attributes`` (such as ``runnumber``), and the ``config`` lines whose key is in
    ``ignore_config``: two runs of the same simulation have equal digests.

    Raises:
        ResultFileError: the file is empty or cut in a line, or is an SQLite file.
    """
    if is_sqlite(path):
        raise damaged(path, None, "SQLite files of equal content can differ: it has no digest")
    attributes = INCIDENTAL_ATTRIBUTES.union(ignore_attributes)
    digest = hashlib.sha256()
    in_head = False
    for line_number, line in numbered_lines(path):
        if line.startswith(b"run "):
            in_head = True
            continue
        in_head = in_head and bool(line)
        if in_head:
            items = split_line(line)
            if items is None or len(items) < 2:
                raise damaged(path, line_number, "a line of the head is malformed")
            keyword, name = text(items[0]), text(items[1])
            if keyword == "attr" and name in attributes:
                continue
            if keyword in {"config", "param"} and name in ignore_config:
                continue
        digest.update(line + b"\n")
    return digest.hexdigest()
