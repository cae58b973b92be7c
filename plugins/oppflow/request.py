"""What a user asks for: the parameters of a campaign, checked, as one frozen dataclass."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oppflow.errors import ParameterError
from oppflow.omnetpp.commands import RESERVED_OPTIONS
from oppflow.settings import parse_size

PARAMETERS = (
    "model", "projects", "config", "run_filter", "ini_files", "mode", "image", "options",
    "exclude_ned", "keep", "runs_per_task", "queue", "memory", "wall_time_limit", "keep_going",
    "allow_partial", "reuse_results", "plan_only", "results",
)  # fmt: skip
"""The names of a campaign's parameters, in the order in which a form asks for them."""

KINDS = ("sca", "vec", "elog")
_NAME_LENGTH = 120
_LEAST_MEMORY = 1024**2


@dataclass(frozen=True)
class CampaignRequest:
    """The parameters of a campaign: ``memory`` in bytes, ``wall_time_limit`` in s, each per run."""

    model: str
    config: str
    projects: tuple[str, ...] = ()
    run_filter: str = ""
    ini_files: tuple[str, ...] = ("omnetpp.ini",)
    mode: str = "release"
    image: str = ""
    options: tuple[tuple[str, str], ...] = ()
    exclude_ned: tuple[str, ...] = ()
    keep: tuple[str, ...] = KINDS
    runs_per_task: int | None = None
    queue: str = ""
    memory: int = 1024**3
    wall_time_limit: float = 0.0
    keep_going: bool = True
    allow_partial: bool = False
    reuse_results: bool = True
    plan_only: bool = False
    results: str = ""

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Any], given: Mapping[str, Any] | None = None
    ) -> CampaignRequest:
        """Check the parameters of a DAG run; ``given`` is what the user sent, with its own keys.

        Raises:
            ParameterError: an unknown key, or a value that cannot be; the message names it.
        """
        check_keys(given or {})
        values = {name: parameters[name] for name in PARAMETERS if parameters.get(name) is not None}
        for name in ("projects", "exclude_ned", "keep", "ini_files"):
            values[name] = _texts(name, values.get(name, ()))
        values["ini_files"] = tuple(map(_ini_name, values["ini_files"])) or ("omnetpp.ini",)
        values["options"] = _options(values.get("options", {}))
        values["memory"] = _memory(str(values.get("memory", "1g")))
        values["results"] = _results_name(str(values.get("results", "")))
        for name in ("model", "config", "run_filter", "queue"):
            values[name] = str(values.get(name, "")).strip()
        values["config"] = values["config"] or "General"
        values["keep"] = _kinds(KINDS if parameters.get("keep") is None else values["keep"])
        _check_types(values)
        if not values["model"]:
            raise ParameterError("The parameter model is empty.", hint="Name a model's folder.")
        return cls(**values)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, (str, Mapping)):
        raise ParameterError(f"{name} is {value!r}: it must be a list.", hint='As in ["a", "b"].')
    return tuple(text for item in value if (text := str(item).strip()))


def _options(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ParameterError(
            f"options is {value!r}: it must be an object.",
            hint='As in {"sim-time-limit": "10s"}.',
        )
    return tuple(_option(str(key), item) for key, item in value.items())


def _check_types(values: Mapping[str, Any]) -> None:
    """Refuse what a form would not send, but a client of the REST API may."""
    runs, limit = values.get("runs_per_task", 1), values.get("wall_time_limit", 1)
    whole = isinstance(runs, int) and not isinstance(runs, bool)
    number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    problems = {
        "mode": values.get("mode", "release") in ("release", "debug") or "release or debug",
        "runs_per_task": (whole and runs > 0) or "a whole number above 0",
        "wall_time_limit": (number and limit > 0) or "a number of seconds above 0",
    }
    for name in ("keep_going", "allow_partial", "reuse_results", "plan_only"):
        problems[name] = isinstance(values.get(name, True), bool) or "true or false"
    for name, problem in problems.items():
        if problem is not True:
            raise ParameterError(f"{name} is {values[name]!r}: it must be {problem}.")


def check_keys(given: Mapping[str, Any]) -> None:
    """Refuse parameters that do not exist: Airflow itself lets them pass.

    Raises:
        ParameterError: names the unknown keys, and the likely meaning of each.
    """
    unknown = [key for key in given if key not in PARAMETERS]
    if not unknown:
        return
    guesses = [f"{key} (did you mean {near[0]}?)" if near else key
               for key in unknown
               for near in [difflib.get_close_matches(key, PARAMETERS, n=1)]]  # fmt: skip
    raise ParameterError(
        f"Unknown parameter: {', '.join(guesses)}.",
        hint=f"The parameters are {', '.join(PARAMETERS)}. What overrides the ini file goes "
        'into options, as in {"options": {"sim-time-limit": "10s"}}.',
    )


def _memory(text: str) -> int:
    size = parse_size(text)
    if size < _LEAST_MEMORY:
        raise ParameterError(
            f"memory is {text!r}, which is {size} bytes: no simulation runs in that.",
            hint="Write it with a unit, as in 512m or 2g.",
        )
    return size


def _option(key: str, value: Any) -> tuple[str, str]:
    text = {True: "true", False: "false"}.get(value, "") if isinstance(value, bool) else str(value)
    if not key.strip() or re.search(r"[\s=]", key) or key.startswith("-"):
        raise ParameterError(
            f"{key!r} cannot be the key of an option.",
            hint="A key is what stands before the = in the ini file, such as **.server.capacity.",
        )
    if not isinstance(value, (str, int, float)):
        raise ParameterError(
            f"The option {key} is {value!r}: it must be a text, a number, true or false."
        )
    if key in RESERVED_OPTIONS:
        raise ParameterError(f"The option {key} cannot be given: {RESERVED_OPTIONS[key]}.")
    if re.search(r"\$\{[^}]*([=,]|\.\.)", text):
        raise ParameterError(
            f"The option {key}={text} has an iteration in it, and OMNeT++ does not iterate "
            "values from outside the ini file.",
            hint="Put the iteration into the ini file, or start one campaign for each value.",
        )
    if "\n" in text:
        raise ParameterError(f"The value of the option {key} has a line break in it.")
    return key, text


def _kinds(keep: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [kind for kind in keep if kind not in KINDS]
    if wrong:
        raise ParameterError(
            f"keep names {', '.join(wrong)}, which is no kind of result file.",
            hint=f"The kinds are {', '.join(KINDS)}.",
        )
    return tuple(kind for kind in KINDS if kind in keep)


def _ini_name(name: str) -> str:
    if not name or name.startswith(("/", "-")) or ".." in name.split("/"):
        raise ParameterError(
            f"{name!r} cannot be an ini file of the model.",
            hint="Give names relative to the model's folder, such as omnetpp.ini.",
        )
    return name


def _results_name(name: str) -> str:
    if not name:
        return ""
    unfit = name != name.strip() or name.startswith(".") or not name.isprintable()
    if unfit or re.search(r"[/\\]", name) or len(name.encode()) > _NAME_LENGTH:
        raise ParameterError(
            f"{name!r} cannot be the name of a result folder.",
            hint="Take one folder name without / and without a leading dot, "
            f"at most {_NAME_LENGTH} bytes.",
        )
    return name
