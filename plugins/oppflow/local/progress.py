"""How far a campaign is, as one line: stage, runs done of total, elapsed, estimate."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

_ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}
_STAGES = {
    "pack_model": "packing the model",
    "resolve_runs": "resolving runs, building the model",
    "build_model": "resolving runs, building the model",
    "simulate": "simulating",
    "collect": "collecting results",
    "report": "writing the report",
}


@dataclass(frozen=True)
class Snapshot:
    """A campaign at one moment. ``runs`` is None until they are resolved."""

    stage: str
    runs: int | None
    done: int
    tasks: Mapping[str, int]

    @classmethod
    def of(
        cls, instances: Iterable[Mapping[str, Any]], batches: list[Mapping[str, Any]] | None
    ) -> Snapshot:
        """From Airflow's task instances and what ``resolve_runs`` returned."""
        states: dict[str, list[str]] = {}
        done = 0
        sizes = {batch["index"]: batch["runs"] for batch in batches or []}
        for instance in instances:
            state = instance["state"] or "none"
            states.setdefault(instance["task_id"], []).append(state)
            if instance["task_id"] == "simulate" and state in _ENDED:
                done += sizes.get(instance["map_index"], 0)
        stage = next(
            (words for task, words in _STAGES.items()
             if any(state not in _ENDED for state in states.get(task, ["none"]))),
            "done",
        )  # fmt: skip
        simulate = Counter(states.get("simulate", []))
        return cls(stage, sum(sizes.values()) if batches is not None else None, done, simulate)


class ProgressLine:
    """Shows snapshots: a bar on a terminal, a line at each change elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._simulating_since: float | None = None
        self._said = ""
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description:<36}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[times]}"), console=console,
            )  # fmt: skip
            self._task = self._bar.add_task("starting", total=None, times="")
            self._bar.start()

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the campaign is."""
        times = self._times(snapshot)
        if self._bar is not None:
            self._bar.update(
                self._task, description=snapshot.stage, completed=snapshot.done,
                total=snapshot.runs or None, times=times,
            )  # fmt: skip
            return
        runs = f", {snapshot.done} of {snapshot.runs} runs" if snapshot.runs else ""
        text = f"{snapshot.stage}{runs}"
        if text != self._said:
            self._said = text
            self._console.print(f"  {text}, {times}", highlight=False)

    def _times(self, snapshot: Snapshot) -> str:
        now = time.monotonic()
        text = f"{now - self._started:.0f} s"
        if snapshot.stage == "simulating" and self._simulating_since is None:
            self._simulating_since = now
        if (
            self._simulating_since is not None
            and snapshot.runs
            and 0 < snapshot.done < snapshot.runs
        ):
            spent = now - self._simulating_since
            left = spent / snapshot.done * (snapshot.runs - snapshot.done)
            text += f", about {left:.0f} s left"
        return text

    def close(self) -> None:
        """Leave the last state on the screen."""
        if self._bar is not None:
            self._bar.stop()
