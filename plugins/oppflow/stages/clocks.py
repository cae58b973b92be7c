"""Telling of machines whose clocks differ: a run's times are those of the machine it was on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from oppflow.campaign import Outcome, RunRecord
from oppflow.plan import PackedCampaign

log = logging.getLogger(__name__)

_TOLERATED = timedelta(seconds=5)


def tell_of_clocks(
    packed: PackedCampaign, records: Sequence[RunRecord], now: datetime | None = None
) -> list[str]:
    """Warn of hosts whose runs began before the campaign did, or ended after now; their names.

    Nothing that oppflow decides depends on it: durations come from one clock each. Files and
    Airflow's pages have wrong times, and object stores refuse a clock that is minutes off.
    """
    began = _instant(packed.started)
    now = now or datetime.now(timezone.utc)
    worst: dict[str, timedelta] = {}
    for record in records:
        if record.outcome is Outcome.REUSED or not (record.started and record.ended):
            continue
        early = began - _instant(record.started)
        late = _instant(record.ended) - now
        off = max(early, late)
        if off > _TOLERATED:
            worst[record.host] = max(off, worst.get(record.host, off))
    for host, off in sorted(worst.items()):
        log.warning(
            "The clock of %s differs from this machine's by %d s or more: the times of its runs "
            "are wrong by as much. What to do: run an NTP service on all machines.",
            host or "a worker",
            off.total_seconds(),
        )
    return sorted(worst)


def _instant(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))  # Python 3.10 knows no Z
