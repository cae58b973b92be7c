"""What models are written with: `Module`, the base class of networks and their parts.

A model is a Python file beside its ``omnetpp.ini``. The ini file names the network's class::

    [General]
    network = mm1.Queue          # class Queue in mm1.py
    sim-time-limit = 1000s
    **.serviceTime = 0.5s

and the class describes it, with SimPy's processes for what happens over time::

    from oppflow.engine.model import Module

    class Queue(Module):
        def initialize(self):
            self.service_time = self.parameter("serviceTime", 1.0, unit="s")
            self.waiting = self.statistic("waitingTime", unit="s")
            self.process(self.arrivals())

        def arrivals(self):
            random = self.random()
            while True:
                yield self.timeout(random.exponential(2.0))
                ...

        def finish(self):
            self.scalar("customers", self.waiting.count)

Times are seconds. What a model does not catch ends the run with an error; `Module.fail` raises one
without a traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from oppflow.engine.endings import END_SIMULATION, Ending, SimulationError
from oppflow.engine.parameters import ParameterValue, read_parameter
from oppflow.engine.randomness import Stream
from oppflow.engine.recorders import Recorder, StatisticRecorder, TimeAverageRecorder
from oppflow.engine.recorders import VectorRecorder as Vector

if TYPE_CHECKING:
    import simpy

    from oppflow.engine.simulation import Simulation

__all__ = ["Module", "SimulationError", "Stream"]

SomeModule = TypeVar("SomeModule", bound="Module")


class Module:
    """A network, or a part of one. Subclasses override `initialize` and `finish`.

    Modules are not made directly: the engine makes the network, and `submodule` makes its parts.
    """

    def __init__(
        self, simulation: Simulation, name: str, parent: Module | None, index: int | None
    ) -> None:
        self.name = name if index is None else f"{name}[{index}]"
        self.index = index
        self.parent = parent
        self.path: str = f"{parent.path}.{self.name}" if parent else self.name
        """The module's full path, as patterns in the ini file match it: ``Aloha.host[3]``."""
        self.submodules: list[Module] = []
        self.env: simpy.Environment = simulation.clock
        """SimPy's environment, for resources, conditions and whatever else SimPy offers."""
        self.id = simulation.next_module_id()
        self._simulation = simulation
        self._recorders: list[Recorder] = []
        self._parameters: dict[str, tuple[str, str]] = {}
        if parent:
            parent.submodules.append(self)

    def initialize(self) -> None:
        """Called once before the first event: read parameters, make submodules, start processes."""

    def finish(self) -> None:
        """Called once after the last event, however it ended unless by an error: record results."""

    @property
    def now(self) -> float:
        """The simulated time, in seconds."""
        return self.env.now

    @property
    def warmup_period(self) -> float:
        """``warmup-period``, in seconds: vectors and statistics leave out what comes before."""
        return self._simulation.settings.warmup_period

    def submodule(self, kind: type[SomeModule], name: str, index: int | None = None) -> SomeModule:
        """Make and initialize a part of this module; an index makes it ``name[index]``."""
        module = kind(self._simulation, name, self, index)
        module.initialize()
        return module

    def parameter(self, name: str, default: ParameterValue | None = None, *, unit: str = "") -> Any:
        """A parameter's value from the ini file or the command line.

        The default's type is what the value must be; with a unit, the value is a float in it.

        Raises:
            EngineError: There is no value and no default, or it has another type or unit.
        """
        found = read_parameter(self._simulation.configuration, self.path, name, default, unit)
        self._parameters[name] = (found.spelling, found.unit)
        return found.value

    def random(self, stream: int = 0) -> Stream:
        """The random number stream of this number; all modules share the streams.

        ``**.rng-K = N`` in the ini file gives a module stream N where it asks for K.
        """
        return self._simulation.stream(self.path, stream)

    def process(self, generator: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        """Start a SimPy process."""
        return self.env.process(generator)

    def timeout(self, delay: float, value: Any = None) -> simpy.Timeout:
        """A SimPy event that happens after a delay in seconds.

        Raises:
            ValueError: The delay is negative.
        """
        return self.env.timeout(delay, value)

    def event(self) -> simpy.Event:
        """A SimPy event that happens when somebody calls its ``succeed()``."""
        return self.env.event()

    def after(self, delay: float, action: Callable[[], object]) -> None:
        """Call a function after a delay in seconds: cheaper than a process, where that is enough.

        Raises:
            ValueError: The delay is negative.
        """

        def call(_event: simpy.Event) -> None:
            action()

        self.env.timeout(delay).callbacks.append(call)

    def scalar(self, name: str, value: float, **attributes: str) -> None:
        """Record a result now; attributes such as ``unit`` and ``title`` go with it."""
        self._simulation.scalars.scalar(self.path, name, value, attributes)

    def vector(self, name: str, **attributes: str) -> Vector:
        """A result over time: call ``record(value)`` whenever there is a new value."""
        return Vector(self._simulation, self.path, name, attributes)

    def statistic(
        self, name: str, record: Sequence[str] = ("stats", "mean"), **attributes: str
    ) -> StatisticRecorder:
        """Collects values with ``collect(value)``, and is recorded after `finish` by itself.

        ``record`` says as what: ``stats`` is a ``statistic`` with all its fields; count, mean,
        stddev, min, max, sum and sqrsum are scalars ``name:mean`` and so on.
        """
        recorder = StatisticRecorder(self._simulation, self.path, name, record, attributes)
        self._recorders.append(recorder)
        return recorder

    def time_average(self, name: str, value: float = 0.0, **attributes: str) -> TimeAverageRecorder:
        """Averages a value over time: call ``change(value)`` whenever it changes.

        The scalars ``name:timeavg`` and ``name:max`` are recorded after `finish` by themselves.
        """
        recorder = TimeAverageRecorder(self._simulation, self.path, name, value, attributes)
        self._recorders.append(recorder)
        return recorder

    def log(self, text: str, level: str = "INFO") -> None:
        """Print a line, if logging is on: in `finish`, or always without express mode."""
        self._simulation.log(text, level)

    def end_simulation(self, reason: str = END_SIMULATION) -> NoReturn:
        """End the simulation well, in these words; results are recorded."""
        ending = Ending(reason, self.described)
        self._simulation.clock.ending = ending  # SimPy would raise it one event later
        raise ending

    def fail(self, text: str) -> NoReturn:
        """End the run with an error.

        Raises:
            SimulationError: Always.
        """
        raise SimulationError(text)

    @property
    def described(self) -> str:
        """How messages name the module: ``(Queue) Queue (id=1)``."""
        return f"({type(self).__name__}) {self.path} (id={self.id})"

    def call_finish(self) -> None:
        """Record the parameters and results of the submodules, then of the module itself."""
        for module in self.submodules:
            module.call_finish()
        scalars = self._simulation.scalars
        scalars.parameter(self.path, "typename", f'"{type(self).__name__}"', "")
        for name, (spelling, unit) in self._parameters.items():
            scalars.parameter(self.path, name, spelling, unit)
        self.finish()
        for recorder in self._recorders:
            recorder.write(scalars)
