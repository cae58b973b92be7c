"""The trigger form: a campaign's parameters as Airflow `Param`s, with titles and help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from oppflow.request import KINDS, PARAMETERS
from oppflow.settings import Choices

# null as well, so that the form does not mark an empty list as missing
_REPEATED = {"type": ["array", "null"], "items": {"type": "string"}}
_MORE = "More options"


def campaign_parameters(
    choices: Choices, defaults: Mapping[str, Any] | None = None
) -> dict[str, Param]:
    """The parameters by name, in the form's order.

    ``defaults`` come in place of the usual ones.
    """
    definitions = {
        **_what_to_run(),
        **_how_to_build(choices.images),
        **_where_and_how_long(choices.queues),
        **_results(),
    }
    for name, value in (defaults or {}).items():
        definitions[name]["default"] = value
    return {name: Param(**definitions[name]) for name in PARAMETERS}


def _what_to_run() -> dict[str, dict[str, Any]]:
    return {
        "model": {
            "default": "mm1",
            "type": "string",
            "minLength": 1,
            "title": "Model",
            "description": "Folder or .zip/.tar archive below an allowed root, or git+URL@REF. "
            "#SUBDIR says where in the tree the ini file is: my-model#simulations.",
        },
        "projects": {
            "default": [],
            **_REPEATED,
            "title": "Projects",
            "description": "Further source trees that the model needs, such as queueinglib: one a "
            "line, written like the model.",
        },
        "config": {
            "default": "MM1",
            "type": "string",
            "minLength": 1,
            "title": "Configuration",
            "description": "A [Config ...] section of the ini file.",
        },
        "run_filter": {
            "default": "",
            "type": ["string", "null"],
            "title": "Run filter",
            "description": "As for opp_run -r: 0,2,5-10, or $load > 0.5 && $repetition == 0. "
            "Empty: all runs.",
        },
        "options": {
            "default": {},
            "type": ["object", "null"],
            "title": "Options",
            "description": 'Overrides of the ini file: {"sim-time-limit": "10s"}.',
        },
    }


def _how_to_build(images: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {
        "ini_files": {
            "default": ["omnetpp.ini"],
            **_REPEATED,
            "title": "Ini files",
            "description": "Relative to the model's folder.",
            "section": _MORE,
        },
        "mode": {
            "default": "release",
            "enum": ["release", "debug"],
            "title": "Build mode",
            "section": _MORE,
        },
        "image": {
            "default": None,
            "enum": [None, *images],
            "title": "Worker image",
            "description": "Empty: the first one that is for the model's engine. "
            "Subprocesses need none.",
            "section": _MORE,
        },
        "exclude_ned": {
            "default": [],
            **_REPEATED,
            "title": "Excluded NED packages",
            "description": "As for opp_run -x.",
            "section": _MORE,
        },
    }


def _where_and_how_long(queues: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {
        "runs_per_task": {
            "default": None,
            "type": ["integer", "null"],
            "minimum": 1,
            "title": "Runs per task",
            "description": "Empty: automatic.",
            "section": _MORE,
        },
        "queue": {
            "default": None,
            "enum": [None, *queues],
            "title": "Queue",
            "description": "On machines of which kind it is simulated, where there are several. "
            "Empty: the usual ones.",
            "section": _MORE,
        },
        "memory": {
            "default": "1g",
            "type": "string",
            "title": "Memory per run",
            "description": "Such as 512m or 2g.",
            "section": _MORE,
        },
        "wall_time_limit": {
            "default": None,
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "title": "Wall-clock limit per run (s)",
            "description": "A run that takes longer is ended; what it wrote is kept. Empty: none.",
            "section": _MORE,
        },
        "keep_going": {
            "default": True,
            "type": "boolean",
            "title": "Keep going",
            "description": "A run that fails does not stop the others.",
            "section": _MORE,
        },
    }


def _results() -> dict[str, dict[str, Any]]:
    return {
        "keep": {
            "default": list(KINDS),
            "type": ["array", "null"],
            "items": {"type": "string", "enum": list(KINDS)},
            "title": "Result files to keep",
            "section": _MORE,
        },
        "allow_partial": {
            "default": False,
            "type": "boolean",
            "title": "Allow partial results",
            "description": "The campaign is green though runs failed, as long as one is good.",
            "section": _MORE,
        },
        "reuse_results": {
            "default": True,
            "type": "boolean",
            "title": "Reuse results",
            "description": "Runs whose inputs did not change are taken from the store.",
            "section": _MORE,
        },
        "plan_only": {
            "default": False,
            "type": "boolean",
            "title": "Plan only",
            "description": "Simulate nothing: the log of resolve_runs tells the runs, which "
            "of them would be executed and why, and how long that would take.",
            "section": _MORE,
        },
        "results": {
            "default": "",
            "type": ["string", "null"],
            "title": "Results name",
            "description": "The campaign's folder below the results root. Empty: a new one, named "
            "by model, configuration and time.",
        },
    }
