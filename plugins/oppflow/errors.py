"""The errors oppflow raises: one base class and a few leaves.

A message says what happened, where, and why; ``hint`` says what to do next. ``transient`` tells
whether trying again can help: Airflow retries a task only for those.
"""

from __future__ import annotations


class OppflowError(Exception):
    """Base of all errors that oppflow raises on purpose.

    ``message`` is for a person; ``hint``, where given, is printed on a line of its own.
    """

    transient = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nWhat to do: {self.hint}" if self.hint else self.message


class ParameterError(OppflowError):
    """Something that the user asked for cannot be: a parameter, a path, a filter."""


class ModelError(OppflowError):
    """The model does not build, or OMNeT++ refuses its configuration."""


class RunError(OppflowError):
    """One or more runs of a campaign did not end well."""


class ArchiveError(OppflowError):
    """An archive is damaged, or unpacking it would be unsafe."""


class ArchiveLimitError(ArchiveError):
    """An archive that may be whole cannot be unpacked here: it is too large, or a name is."""


class ResultFileError(OppflowError):
    """A result file is truncated or malformed: it must not be taken for a result."""


class InfrastructureError(OppflowError):
    """The machine, not the model, is at fault: trying again can help."""

    transient = True


class HostError(InfrastructureError):
    """This machine lacks what it takes; another one may have it."""


class StoreError(InfrastructureError):
    """The store cannot be reached, or refuses to read or write."""


class ArchiveMissingError(StoreError):
    """The store does not hold the archive that was asked for."""

    transient = False
