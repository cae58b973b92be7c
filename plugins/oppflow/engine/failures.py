"""What is printed when a model raises an exception: its traceback, and one ``<!> Error:`` line."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import TracebackType

import simpy

from oppflow.engine.endings import SimulationError, Stage, located
from oppflow.engine.errors import EngineError
from oppflow.engine.model import Module

_NOT_THE_MODELS = (
    *(str(Path(file).parent) for file in (__file__, simpy.__file__, importlib.__file__)),
    "<frozen importlib",
)


def describe(error: Exception, stage: Stage) -> str:
    """The error's text with the module and the stage it happened in."""
    text = _text(error)
    return located(text, _module_of(error.__traceback__), stage)


def traceback_text(error: Exception) -> str:
    """The traceback through the model's own code; empty for errors that need none."""
    if isinstance(error, (EngineError, SimulationError)):
        return ""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith(_NOT_THE_MODELS):
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error.with_traceback(trace), trace)
    return "".join(lines)


def _text(error: Exception) -> str:
    if isinstance(error, EngineError):
        return error.message
    if isinstance(error, SimulationError):
        return str(error)
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name


def _module_of(trace: TracebackType | None) -> str:
    """The innermost module whose method was running."""
    found = ""
    while trace:
        owner = trace.tb_frame.f_locals.get("self")
        if isinstance(owner, Module):
            found = owner.described
        trace = trace.tb_next
    return found
