"""The folder of a campaign's results: its paths, and who may write there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oppflow.errors import InfrastructureError, ParameterError

PRIVATE = ".oppflow"
"""The start of names, in a campaign's folder, that are no results."""


def name_in_use(name: str, where: str) -> ParameterError:
    """The error for a name of results that another campaign has."""
    return ParameterError(
        f"The results name {name!r} is in use: {where} has results in it.",
        hint="Choose another name, or leave results empty to get a new one.",
    )


@dataclass(frozen=True)
class ResultsFolder:
    """All paths of a campaign's results. A file exists if and only if it is whole."""

    path: Path

    @classmethod
    def named(cls, root: Path, name: str) -> ResultsFolder:
        """The folder of that name below the results root."""
        return cls(root / name)

    @property
    def manifest(self) -> Path:
        """Written last: where it is, the campaign was collected."""
        return self.path / "manifest.json"

    @property
    def runs_table(self) -> Path:
        """A line for each run."""
        return self.path / "runs.csv"

    @property
    def scalars_table(self) -> Path:
        """A row for each scalar of each run."""
        return self.path / "scalars.parquet"

    @property
    def report(self) -> Path:
        """Tables and charts, in one file."""
        return self.path / "report.html"

    @property
    def night(self) -> Path:
        """What a nightly campaign was, if this is one: a few hundred bytes."""
        return self.path / "night.json"

    def comparison_table(self, reference: str) -> Path:
        """A row for each scalar and point, beside those of the ``last`` or ``pinned`` reference."""
        return self.path / f"comparison-{reference}.parquet"

    @property
    def aside(self) -> Path:
        """Where files are written before they get their names; gone when all is done."""
        return self.path / PRIVATE / "aside"

    def check_free(self, owner: str) -> None:
        """Refuse a name that another campaign has.

        Raises:
            ParameterError: the folder is somebody else's.
        """
        if not self.path.exists() or self._owner() == owner:
            return
        if self.path.is_dir() and not any(self.path.iterdir()):
            return
        raise name_in_use(self.path.name, str(self.path))

    def claim(self, owner: str) -> None:
        """Make the folder the owner's, at most once.

        Raises:
            ParameterError: another campaign was faster.
            InfrastructureError: the folder cannot be made.
        """
        self.check_free(owner)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / PRIVATE).mkdir(exist_ok=True)
            aside = self.path / PRIVATE / f"owner.{owner}"
            aside.write_text(owner, encoding="utf-8")
            # A link is made once: of two campaigns that claim one name, one is refused.
            try:
                os.link(aside, self._claim_file)
            except FileExistsError:
                self.check_free(owner)
            aside.unlink()
        except OSError as error:
            raise InfrastructureError(
                f"The results folder {self.path} cannot be made: {error}.",
                hint="Check OPPFLOW_RESULTS and the rights of Airflow's user.",
            ) from error

    @property
    def _claim_file(self) -> Path:
        return self.path / PRIVATE / "owner"

    def _owner(self) -> str:
        try:
            return self._claim_file.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def write_json(self, path: Path, value: Mapping[str, Any]) -> None:
        """Write a JSON object aside, then give it its name: a line for each entry."""
        self.aside.mkdir(parents=True, exist_ok=True)
        aside = self.aside / path.name
        # A file's name may hold bytes that are no text: then JSON's own escapes say which.
        with aside.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(_lines(value))
        aside.replace(path)

    def clean(self) -> None:
        """Remove what was put aside; who owns the folder stays known."""
        shutil.rmtree(self.aside, ignore_errors=True)


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    """An object as JSON, to be read by people too: 10,000 runs are as many lines."""
    yield "{"
    before = "\n "
    for key, inner in value.items():
        yield f"{before}{_as_json(key)}: "
        if isinstance(inner, list) and inner:
            yield from _entries("[]", map(_as_json, inner))
        elif isinstance(inner, dict) and inner:
            pairs = (f"{_as_json(str(name))}: {_as_json(one)}" for name, one in inner.items())
            yield from _entries("{}", pairs)
        else:
            yield _as_json(inner)
        before = ",\n "
    yield "\n}\n"


def _entries(brackets: str, entries: Iterable[str]) -> Iterator[str]:
    yield brackets[0]
    before = "\n  "
    for entry in entries:
        yield before + entry
        before = ",\n  "
    yield "\n " + brackets[1]


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
