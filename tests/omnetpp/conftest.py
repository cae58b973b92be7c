"""A vector file as OMNeT++ writes one."""

from __future__ import annotations

import pytest

from tests.omnetpp.result_samples import (
    write_vector_file,
)

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
