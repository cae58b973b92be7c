"""How simulations end: on purpose, or by an error; and the words OMNeT++ has for where and when."""

from __future__ import annotations

from dataclasses import dataclass

SIM_TIME_LIMIT = "Simulation time limit reached"
CPU_TIME_LIMIT = "CPU time limit reached"
REAL_TIME_LIMIT = "Realtime limit reached"
NO_MORE_EVENTS = "No more events, simulation completed"
END_SIMULATION = "Simulation stopped with endSimulation()"
SIGNAL = "SIGINT or SIGTERM received, exiting"


class Ending(Exception):  # noqa: N818 (an end is no error)
    """Ends a simulation on purpose; ``where`` names the module that wanted it, if one did."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


class SimulationError(Exception):
    """An error that a model raises itself: its text is printed without a traceback."""


@dataclass(frozen=True)
class Stage:
    """What a run is doing, in the words of messages: `` at t=2s, event #33``."""

    when: str


SETUP = Stage(" during network setup")
INITIALIZATION = Stage(" during network initialization")
FINALIZATION = Stage(" during finalization")


def at_event(time: str, event: int) -> Stage:
    """The stage of executing an event."""
    return Stage(f" at t={time}s, event #{event}")


def located(text: str, where: str, stage: Stage) -> str:
    """The text with the module and the stage that it is about, as OMNeT++ joins them."""
    module = f" in module {where}," if where else ""
    return f"{text} --{module}{stage.when}"
