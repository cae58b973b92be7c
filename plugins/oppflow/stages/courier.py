"""Who delivers: threads for what must be waited for, processes for thousands of small archives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oppflow
from oppflow.deployment import Deployment
from oppflow.errors import InfrastructureError
from oppflow.stages.deliveries import Delivery, Destination, Share, deliver, troubles_of

# Large archives are fetched, decompressed and checked a few at a time, which leaves the
# interpreter to others. With small ones, threads would only wait for each other, but for those of a
# store that is far away: they wait for it.
_AT_ONCE = 4
_AT_ONCE_FROM_AFAR = 16
_LARGE = 256 * 1024  # bytes

_LEAST_SHARE = 200  # deliveries: a process of its own takes as long to start
_MOST_PROCESSES = 4  # the disk is one
_PACKAGE_ROOT = Path(oppflow.__file__).resolve().parents[1]


class Courier:
    """Brings the results of a campaign's runs home."""

    def __init__(self, deployment: Deployment, destination: Destination) -> None:
        self._deployment = deployment
        self._destination = destination

    def bring_home(self, deliveries: Sequence[tuple[Delivery, int]]) -> dict[int, str]:
        """Deliver all, each given with its archive's bytes; what went wrong, by run number.

        Raises:
            StoreError, InfrastructureError: store or disk refuse.
        """
        if self._deployment.store.is_far:
            return self._in_threads([one for one, _ in deliveries], _AT_ONCE_FROM_AFAR)
        large = [one for one, size in deliveries if size >= _LARGE]
        small = [one for one, size in deliveries if size < _LARGE]
        return {**self._in_threads(large, _AT_ONCE), **self._small(small)}

    def _small(self, deliveries: Sequence[Delivery]) -> dict[int, str]:
        cores = min(self._deployment.settings.cores, _MOST_PROCESSES)
        count = min(cores, len(deliveries) // _LEAST_SHARE)
        if count < 2:
            return self._deliver_all(deliveries, map)
        shares = [deliveries[start::count] for start in range(count)]
        with ThreadPoolExecutor(count, thread_name_prefix="collect") as pool:
            found = list(pool.map(self._in_process, shares))
        return {number: why for one in found for number, why in one.items()}

    def _deliver(self, delivery: Delivery) -> str:
        return deliver(self._deployment.store, delivery, self._destination)

    def _deliver_all(
        self,
        deliveries: Sequence[Delivery],
        by: Callable[[Callable[[Delivery], str], Sequence[Delivery]], Iterable[str]],
    ) -> dict[int, str]:
        told = zip(deliveries, by(self._deliver, deliveries), strict=True)
        return {one.number: why for one, why in told if why}

    def _in_threads(self, deliveries: Sequence[Delivery], count: int) -> dict[int, str]:
        pool = ThreadPoolExecutor(count, thread_name_prefix="collect")
        try:
            return self._deliver_all(deliveries, pool.map)
        finally:
            pool.shutdown(cancel_futures=True)

    def _in_process(self, deliveries: Sequence[Delivery]) -> dict[int, str]:
        settings = self._deployment.settings
        share = Share(settings.store_url, settings.result_ttl, self._destination, deliveries)
        done = subprocess.run(
            [sys.executable, "-m", "oppflow.stages.deliveries"],
            env={**os.environ, "PYTHONPATH": str(_PACKAGE_ROOT)},
            input=share.encode(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            last = "\n".join(done.stderr.strip().splitlines()[-20:])
            raise InfrastructureError(
                f"A process that brings results home ended with {done.returncode}:\n{last}"
            )
        return troubles_of(json.loads(done.stdout))
