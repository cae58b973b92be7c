"""The parameters that start a campaign once more: all of it, or what it lacks. No I/O."""

from __future__ import annotations

from typing import Any

from oppflow.plan import PackedCampaign
from oppflow.request import PARAMETERS
from oppflow.web.state import CampaignState
from oppflow.web.states import BAD, RUNNING, WAITING


def again(state: CampaignState) -> dict[str, Any]:
    """The parameters that start the campaign once more, with a results folder of its own."""
    conf = {name: value for name, value in state.facts.conf.items() if name in PARAMETERS}
    if state.packed is not None:
        # Defaults may have changed since, and a schedule may have given what no conf tells.
        conf = {**_asked(state.packed), **conf}
    conf.pop("plan_only", None)
    conf.pop("results", None)
    return conf


def _asked(packed: PackedCampaign) -> dict[str, Any]:
    request = packed.as_json()["request"]
    request["options"] = dict(packed.request.options)
    request["memory"] = str(packed.request.memory)
    kept = {name: value for name, value in request.items() if value not in (None, "", (), {}, 0.0)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()
    }


def only_missing(state: CampaignState) -> dict[str, Any]:
    """The parameters of a campaign that executes what this one lacks, and reuses the rest.

    Where nothing of it may be reused, its runs are those alone that this one lacks.
    """
    conf = {**again(state), "reuse_results": True}
    if state.packed is not None and state.packed.unsteady and state.runs is not None:
        conf["run_filter"] = run_numbers(missing(state))
    return conf


def missing(state: CampaignState) -> list[int]:
    """The numbers of the runs without a good result."""
    if state.runs is None:
        return []
    lacking = (*BAD, RUNNING, WAITING)
    return [run for run, now in state.runs.select("run", "state").iter_rows() if now in lacking]


def run_numbers(numbers: list[int]) -> str:
    """A run filter that names these runs: ``0,2,5-10``."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
