"""A machine that cannot simulate leaves the next try to others."""

from __future__ import annotations

import time

import pytest

from oppflow.errors import HostError
from oppflow.orchestration.operators import leave_to_others


@pytest.mark.parametrize(("executor", "waits"), [("CeleryExecutor", [60.0]), ("LocalExecutor", [])])
def test_it_waits_where_there_may_be_others(
    executor: str, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failing at once, it would be the one that is always free."""
    waited: list[float] = []
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    monkeypatch.setattr(time, "sleep", waited.append)
    leave_to_others(HostError("The image is not here."))
    assert waited == waits
