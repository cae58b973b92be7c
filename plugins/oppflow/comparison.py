"""What the comparison of a night with an earlier one says: its criteria, verdict and changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Verdict(str, Enum):
    """What became of a night, beside an earlier good one."""

    SAME = "same"
    NOISE = "changed within noise"
    CHANGED = "changed"
    FAILED = "failed"
    FIRST = "first"
    """There is no good night yet to compare with."""
    SKIPPED = "skipped"
    """Nothing that results depend on has changed, so nothing was simulated."""


@dataclass(frozen=True)
class Criteria:
    """When a difference counts as a change.

    ``false_discovery_rate`` is the share of wrong ones among all that are called changed;
    ``minimum_change`` the least difference of two means, relative to the larger of them.
    """

    false_discovery_rate: float = 0.01
    minimum_change: float = 0.001


@dataclass(frozen=True)
class Change:
    """A scalar at a point whose values changed.

    ``before`` and ``now`` are means, None where there is no finite value; ``relative`` is the
    difference over ``before``; ``significance`` is the adjusted p-value, None where nothing was
    tested; ``how`` says what told: a test (``paired t``, ``Welch's t``), ``no variance``,
    ``not finite``, ``new`` or ``gone``.
    """

    variables: Mapping[str, str]
    module: str
    name: str
    unit: str
    before: float | None
    now: float | None
    relative: float | None
    significance: float | None
    how: str

    @property
    def point(self) -> str:
        """The point in words, as runs are named: ``load=0.5``; empty without variables."""
        return " ".join(f"{name}={value}" for name, value in self.variables.items())


@dataclass(frozen=True)
class Comparison:
    """A night beside one reference.

    ``reference`` is ``last`` or ``pinned``; ``results`` names its folder, ``started`` says when it
    was. ``counts`` are numbers of scalars at points: ``equal``, ``noise``, ``changed``,
    ``untested`` (too few values), ``new``, ``gone``. ``changes`` are the clearest of those that
    make the verdict ``changed``; all are in ``table``, a file beside the manifest.
    """

    reference: str
    results: str
    started: str
    verdict: Verdict
    reason: str
    counts: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    table: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Comparison:
        """Inverse of `as_json`."""
        changes = tuple(Change(**change) for change in data["changes"])
        return cls(**{**data, "verdict": Verdict(data["verdict"]), "changes": changes})

    def as_json(self) -> dict[str, Any]:
        """A JSON object with the fields' names."""
        return {**dataclasses.asdict(self), "verdict": self.verdict.value}


@dataclass(frozen=True)
class NightTerms:
    """What a nightly campaign's file says about its nights.

    ``pinned`` names the results folder of a reference that stays, if there is one.
    """

    criteria: Criteria = Criteria()
    pinned: str = ""
    skip_unchanged: bool = True


@dataclass(frozen=True)
class Night:
    """A good night: its DAG run, results folder, start (UTC, ISO 8601), inputs' digest, verdict.

    ``commit`` is that of the model's tree, where it has one.
    """

    dag_id: str
    run_id: str
    results: str
    started: str
    inputs: str
    verdict: str
    commit: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Night:
        """Inverse of `as_json`; fields of a later version are ignored."""
        known = {one.name for one in dataclasses.fields(cls)}
        return cls(**{name: str(value) for name, value in data.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        """A JSON object with the fields' names."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class NightVerdict:
    """A night's verdict, why, and the comparisons that it comes from, as a manifest holds them."""

    verdict: str
    reason: str
    comparisons: tuple[Comparison, ...] = ()

    @classmethod
    def from_manifest(cls, data: Mapping[str, Any]) -> NightVerdict | None:
        """What the manifest of a nightly campaign says; None for other campaigns'."""
        told = data.get("comparison")
        if told is None:
            return None
        comparisons = tuple(map(Comparison.from_json, told["comparisons"]))
        return cls(told["verdict"], told["reason"], comparisons)
