"""Errors of the embedded engine: each becomes one ``<!>`` line, as OMNeT++ prints it."""

from __future__ import annotations

from oppflow.errors import ModelError


class EngineError(ModelError):
    """What OMNeT++ would refuse: the text is printed after ``<!> Error: ``."""


class ExpressionError(EngineError):
    """An expression cannot be parsed or evaluated."""


class LocatedError(ExpressionError):
    """An error that already says which operator or function failed, if that is to be said."""
