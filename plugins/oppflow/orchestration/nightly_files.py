"""The files of nightly campaigns: one YAML file for each, read and checked as a whole."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronTriggerTimetable, Param
from airflow.sdk.exceptions import ParamValidationError
from croniter import croniter

from oppflow.comparison import Criteria, NightTerms, Verdict
from oppflow.errors import OppflowError, ParameterError
from oppflow.orchestration.nightly_yaml import LinedYaml
from oppflow.orchestration.parameters import campaign_parameters
from oppflow.request import PARAMETERS, CampaignRequest
from oppflow.settings import Choices

DRIFT = "drift"
WHEN = (*(verdict.value for verdict in Verdict), DRIFT)
"""What one may want to be told of: verdicts, and that of a pinned reference if it is changed."""

_TOLD = (Verdict.CHANGED.value, Verdict.FAILED.value, DRIFT)
_KEYS = ("name", "description", "enabled", "schedule", "timezone", "parameters", "compare",
         "skip_unchanged", "notify", "tags")  # fmt: skip
_COMPARE_KEYS = ("false_discovery_rate", "minimum_change", "reference")
_NOTIFY_KEYS = ("notifier", "arguments", "when")
_LONGEST_TAG = 100
_TAKEN = ("simulation_campaign",)


@dataclass(frozen=True)
class Notifier:
    """Whom to tell: a notifier's class by its path, its arguments, and of which verdicts."""

    path: str
    arguments: dict[str, Any]
    when: tuple[str, ...]


@dataclass(frozen=True)
class NightlyCampaign:
    """What a file says. ``schedule`` is a cron expression or a preset, in ``timezone``."""

    path: Path
    name: str
    description: str
    schedule: str
    timezone: str
    parameters: dict[str, Any]
    terms: NightTerms
    notifiers: tuple[Notifier, ...]
    tags: tuple[str, ...]
    enabled: bool = True


def read_folder(folder: Path, choices: Choices) -> tuple[list[NightlyCampaign], list[OppflowError]]:
    """The campaigns of all good ``*.yaml`` and ``*.yml`` files, and what is wrong with others.

    Of two files with one name, none is loaded: which of them was meant, nobody knows. Files that
    are switched off are checked, and have no part in that.
    """
    found: list[NightlyCampaign] = []
    errors: list[OppflowError] = []
    paths = sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
    for path in paths:
        try:
            campaign = read_file(path, choices)
        except OppflowError as error:  # noqa: PERF203 - a broken file leaves the others alone
            errors.append(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            errors.append(ParameterError(f"{path}, line 1: it cannot be read: {error!r}."))
        else:
            found += [campaign] if campaign.enabled else []
    names = [campaign.name for campaign in found]
    for campaign in found:
        if names.count(campaign.name) > 1:
            others = [o.path.name for o in found if o.name == campaign.name and o is not campaign]
            lined = LinedYaml.read(campaign.path)
            what = f"the name {campaign.name} is that of {', '.join(others)}, too."
            errors.append(lined.error(("name",), what, "Give each its own name."))
    return [c for c in found if names.count(c.name) == 1], errors


def check_folder(folder: Path, choices: Choices) -> None:
    """Return if all files of a folder are good.

    Raises:
        ParameterError: the message names every wrong file, and the line.
    """
    errors = read_folder(folder, choices)[1]
    if errors:
        raise ParameterError("\n\n".join(["Nightly campaigns are wrong.", *map(str, errors)]))


def read_file(path: Path, choices: Choices) -> NightlyCampaign:
    """Read and check one file; ``choices`` are the deployment's.

    Raises:
        ParameterError: the message names file and line.
    """
    return _Reader(LinedYaml.read(path), choices).campaign()


class _Reader:
    def __init__(self, lined: LinedYaml, choices: Choices) -> None:
        self._lined = lined
        self._data = lined.data
        self._choices = choices

    def campaign(self) -> NightlyCampaign:
        self._check_keys((), self._data, _KEYS)
        timezone = self._timezone()
        return NightlyCampaign(
            path=self._lined.path,
            name=self._name(),
            description=self._text("description", ""),
            schedule=self._schedule(timezone),
            timezone=timezone,
            parameters=self._parameters(),
            terms=self._terms(),
            notifiers=tuple(self._notifiers()),
            tags=self._tags(),
            enabled=self._flag("enabled"),
        )

    def _check_keys(
        self, place: tuple[str | int, ...], data: Iterable[Any], known: Sequence[str]
    ) -> None:
        noun = "parameter" if place == ("parameters",) else "key"
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                guess = f" (did you mean {near[0]}?)" if near else ""
                raise self._lined.error(
                    (*place, str(key)),
                    f"there is no {noun} {key}{guess}.",
                    f"There are {', '.join(known)}.",
                )

    def _text(self, key: str, default: str) -> str:
        value = self._data.get(key, default)
        if not isinstance(value, str):
            raise self._lined.error((key,), f"{key} must be a text, not {value!r}.")
        return value.strip()

    def _flag(self, key: str) -> bool:
        value = self._data.get(key, True)
        if not isinstance(value, bool):
            raise self._lined.error((key,), f"{key} must be true or false, not {value!r}.")
        return value

    def _list(self, key: str) -> list[Any]:
        value = self._data.get(key) or []
        if not isinstance(value, list):
            raise self._lined.error((key,), f"{key} must be a list, not {value!r}.")
        return value

    def _tags(self) -> tuple[str, ...]:
        tags = self._list("tags")
        for index, tag in enumerate(tags):
            if not isinstance(tag, str) or not 0 < len(tag) <= _LONGEST_TAG:
                raise self._lined.error(("tags", index), f"{tag!r} cannot be a tag in Airflow.")
        return tuple(tags)

    def _mapping(self, key: str) -> dict[str, Any]:
        value = self._data.get(key) or {}
        if not isinstance(value, dict):
            raise self._lined.error((key,), f"{key} must be a mapping, not {value!r}.")
        return value

    def _name(self) -> str:
        name = self._text("name", f"nightly_{self._lined.path.stem}")
        if not re.fullmatch(r"[\w.-]{1,200}", name, re.ASCII) or name in _TAKEN:
            raise self._lined.error(
                ("name",),
                f"{name!r} cannot be the name of a nightly campaign.",
                "Take letters, digits, _, . and -; another than simulation_campaign.",
            )
        return name

    def _timezone(self) -> str:
        name = self._text("timezone", "UTC")
        try:
            ZoneInfo(name)
        except (ValueError, KeyError, OSError) as error:
            raise self._lined.error(
                ("timezone",), f"there is no time zone {name!r}.", "Write it as in Europe/Berlin."
            ) from error
        return name

    def _schedule(self, timezone: str) -> str:
        if "schedule" not in self._data:
            raise self._lined.error(
                (), "there is no schedule.", 'As in schedule: "0 2 * * *", at two each night.'
            )
        schedule = self._text("schedule", "")
        try:
            timetable = CronTriggerTimetable(schedule, timezone=timezone)
            timetable.validate()
            croniter(timetable.expression).get_next()  # there is no 31 February
            if len(timetable.expression.split()) != 5:
                raise ValueError("it must have five fields")
        except Exception as error:  # noqa: BLE001 - croniter raises whatever its text led it to
            raise self._lined.error(
                ("schedule",),
                f"{schedule!r} is neither a cron expression nor a preset: {error}",
                "As in 0 2 * * * (minute, hour, day, month, weekday), or @daily.",
            ) from None
        return schedule

    def _parameters(self) -> dict[str, Any]:
        given = self._mapping("parameters")
        self._check_keys(("parameters",), given, PARAMETERS)
        for name in ("model", "config"):
            if not given.get(name):
                raise self._lined.error(("parameters",), f"the parameter {name} is missing.")
        reasons = {
            "results": "each night has a folder of its own",
            "plan_only": "there would be nothing to compare",
        }
        for name, why in reasons.items():
            if given.get(name):
                raise self._lined.error(("parameters", name), f"{name} cannot be given: {why}.")
        for name, value in given.items():
            self._check_json(name, value)
        params = campaign_parameters(self._choices, given)
        for name, value in given.items():
            self._check_parameter(name, value, params[name])
        return given

    def _check_json(self, name: str, value: Any) -> None:
        """YAML knows more than JSON: dates, and aliases that hold themselves."""
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            what = f"{name} cannot be {value!r}: {error}."
            raise self._lined.error(("parameters", name), what, "Put it in quotes.") from None

    def _check_parameter(self, name: str, value: Any, param: Param) -> None:
        """As the trigger form would, and then as the first task will."""
        place = ("parameters", name)
        try:
            param.resolve()
            CampaignRequest.from_parameters({"model": "m", name: value})
        except ParameterError as error:
            raise self._lined.error(place, error.message, error.hint) from None
        except ParamValidationError as error:
            first = str(error).splitlines()[0].rstrip(".")
            raise self._lined.error(place, f"{name} cannot be {value!r}: {first}.") from None

    def _terms(self) -> NightTerms:
        given = self._mapping("compare")
        self._check_keys(("compare",), given, _COMPARE_KEYS)
        numbers = {}
        for key in ("false_discovery_rate", "minimum_change"):
            value = numbers[key] = given.get(key, getattr(Criteria, key))
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 <= value < 1:
                what = f"{key} must be a number from 0 to less than 1, not {value!r}."
                raise self._lined.error(("compare", key), what)
        pinned = given.get("reference") or ""
        try:
            CampaignRequest.from_parameters({"model": "m", "results": pinned})
        except ParameterError as error:
            raise self._lined.error(("compare", "reference"), error.message, error.hint) from None
        return NightTerms(Criteria(**numbers), str(pinned), self._flag("skip_unchanged"))

    def _notifiers(self) -> Iterable[Notifier]:
        for index, given in enumerate(self._list("notify")):
            place = ("notify", index)
            if not isinstance(given, dict):
                raise self._lined.error(place, "this must be a mapping with a notifier.")
            self._check_keys(place, given, _NOTIFY_KEYS)
            path, arguments = given.get("notifier"), given.get("arguments") or {}
            when = given.get("when", list(_TOLD))
            when = [when] if isinstance(when, str) else when
            if not isinstance(path, str) or not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)+", path):
                what = f"{path!r} is not the path of a notifier's class."
                hint = "As in airflow.providers.smtp.notifications.smtp.SmtpNotifier."
                raise self._lined.error((*place, "notifier"), what, hint)
            if not isinstance(arguments, dict):
                raise self._lined.error((*place, "arguments"), "arguments must be a mapping.")
            wrong = [one for one in when if one not in WHEN] if isinstance(when, list) else [when]
            if wrong:
                what = f"when cannot be {wrong[0]!r}."
                raise self._lined.error((*place, "when"), what, f"There are {', '.join(WHEN)}.")
            yield Notifier(path, arguments, tuple(when))
