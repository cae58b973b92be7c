"""``python -m bench``: measure, and write ``bench/results/latest.md`` and ``latest.json``."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from bench import airflow, rivals
from bench.campaign_page import measure_page
from bench.campaigns import Campaign, build_at_home, campaigns, lay_out
from bench.tables import Row, draw, machine, read, row, write
from oppflow.local.home import cores
from oppflow.settings import PROJECT_ROOT
from tests.support.containers import OMNETPP_IMAGE, why_no_containers
from tests.support.redis_server import running_redis

RESULTS = PROJECT_ROOT / "bench" / "results"
_ELSEWHERE = ("docker", "redis")  # measured under an Airflow of their own
_MIB = 1024**2

console = Console(highlight=False)
Times = dict[tuple[str, str], list[float]]


class Bench:
    """All that is measured, and what was measured so far."""

    def __init__(
        self, chosen: list[Campaign], variants: list[str], folder: Path, *, with_page: bool
    ) -> None:
        self._campaigns = chosen
        self._variants = variants
        self._with_page = with_page
        self._folder = folder
        self._models = lay_out(folder / "models")
        self._home = lay_out(folder / "home")
        self._slots = cores()
        self._times: Times = defaultdict(list)
        self._more: dict[tuple[str, str], str] = {}
        self._page: list[dict[str, Any]] = []

    def run(self) -> None:
        """Measure everything: variants take turns, so that a noisy minute hits them alike."""
        build_at_home(self._home)
        with self._airflow("process") as benched:
            for campaign in self._campaigns:
                self._note(campaign, "first ever", benched.measure(campaign, "warm"))
                for _ in range(campaign.repeats):
                    for name in filter(self._wants, rivals.names(campaign)):
                        seconds = rivals.measure(name, campaign, self._home, self._slots)
                        self._say(campaign, name, seconds)
                    for variant in filter(self._wants, ("warm", *campaign.variants)):
                        if variant not in _ELSEWHERE:
                            self._note(campaign, variant, benched.measure(campaign, variant))
                self.write()
        for variant in filter(self._wants, _ELSEWHERE):
            self._elsewhere(variant)
        if self._with_page:
            self._page = measure_page()
        self.write()

    def _wants(self, variant: str) -> bool:
        return not self._variants or variant in self._variants

    def _elsewhere(self, variant: str) -> None:
        wanted = [campaign for campaign in self._campaigns if variant in campaign.variants]
        why = why_no_containers(OMNETPP_IMAGE) if variant == "docker" else ""
        if why or not wanted:
            console.print(f"{variant}: not measured. {why}")
            return
        with self._airflow(variant) as benched:
            for campaign in wanted:
                benched.measure(campaign, "warm")
                for _ in range(campaign.repeats):
                    self._note(campaign, variant, benched.measure(campaign, "warm"))
        self.write()

    @contextlib.contextmanager
    def _airflow(self, variant: str) -> Iterator[airflow.BenchedAirflow]:
        runner = "docker" if variant == "docker" else "process"
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(running_redis()).url if variant == "redis" else ""
            folder = self._folder / variant
            yield stack.enter_context(
                airflow.running(folder, self._models, runner=runner, store_url=url)
            )

    def _note(self, campaign: Campaign, variant: str, measured: airflow.Measured) -> None:
        self._say(campaign, variant, measured.seconds)
        first = (
            "" if measured.first_run is None else f"first run after {measured.first_run:.1f} s, "
        )
        self._more[campaign.name, variant] = (
            f"{first}{measured.peak_memory / _MIB:.0f} MiB at most, "
            f"results {measured.result_bytes / _MIB:.1f} MiB, "
            f"stored {measured.stored_bytes / _MIB:.1f} MiB"
        )

    def _say(self, campaign: Campaign, variant: str, seconds: float) -> None:
        self._times[campaign.name, variant].append(seconds)
        console.print(f"{campaign.name}: {variant}: {seconds:.1f} s", markup=False)

    def write(self) -> None:
        """Write what there is so far: a benchmark takes an hour. Rows of other campaigns stay.

        So do those of other variants, where some were chosen; without `opp_runall` among them, the
        new rows have no ratio: the machine of another hour is another machine.
        """
        about = machine(self._slots)
        known, page = read(RESULTS, about)
        chosen = {campaign.name for campaign in self._campaigns}
        stay = (r for r in known if r.campaign not in chosen or not self._wants(r.variant))
        rows = [*stay, *self._rows()]
        order = [campaign.name for campaign in campaigns()]
        rows.sort(key=lambda one: order.index(one.campaign) if one.campaign in order else -1)
        write(RESULTS, about, rows, self._page or page)
        draw(PROJECT_ROOT / "docs" / "benchmark.svg", rows)

    def _rows(self) -> Iterator[Row]:
        for campaign in self._campaigns:
            reference = self._times.get((campaign.name, rivals.names(campaign)[0]))
            for (name, variant), seconds in self._times.items():
                if name == campaign.name and self._wants(variant):
                    more = self._more.get((name, variant), "")
                    base = median(reference) if reference else None
                    runs = 1 if variant == "floor" else campaign.runs
                    yield row(name, variant, runs, seconds, base, more)


def main() -> None:
    """Measure what the command line names, by default everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of campaigns' names")
    parser.add_argument("--variants", nargs="+", default=[], help="measure these alone")
    parser.add_argument("--no-page", action="store_true", help="leave the campaign page out")
    arguments = parser.parse_args()
    chosen = [one for one in campaigns() if any(part in one.name for part in arguments.only)]
    known = {"first ever", "warm"}.union(*((*rivals.names(c), *c.variants) for c in chosen))
    if not chosen:
        parser.error(f"no campaign is called so; there are {[one.name for one in campaigns()]}")
    if unknown := set(arguments.variants) - known:
        parser.error(f"no such variant: {sorted(unknown)}; there are {sorted(known)}")
    with tempfile.TemporaryDirectory(prefix="oppflow-bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(chosen, arguments.variants, Path(folder), with_page=not arguments.no_page)
        bench.run()
    console.print(f"Written to {RESULTS / 'latest.md'}.")


if __name__ == "__main__":
    main()
