"""One run from set-up to finish."""

from __future__ import annotations

from typing import TextIO

from oppflow.engine import endings
from oppflow.engine.clock import Clock
from oppflow.engine.endings import Stage, at_event
from oppflow.engine.errors import EngineError
from oppflow.engine.expressions import evaluate
from oppflow.engine.model import Module
from oppflow.engine.randomness import Stream
from oppflow.engine.runconfig import RunConfiguration
from oppflow.engine.scalarfile import ScalarFile
from oppflow.engine.settings import RunSettings
from oppflow.engine.simtime import format_time
from oppflow.engine.values import to_int
from oppflow.engine.vectorfile import VectorFile


class Simulation:
    """What the modules of one run share: configuration, clock, random streams, result files.

    ``stage`` says what the run is doing, for messages.

    Raises:
        EngineError: An option of the result files is malformed, or old files cannot be deleted.
    """

    def __init__(
        self, configuration: RunConfiguration, settings: RunSettings, output: TextIO
    ) -> None:
        self.configuration = configuration
        self.settings = settings
        self.clock = Clock()
        self.logs = not settings.express_mode
        self._setup_stage: Stage | None = endings.SETUP
        self._output = output
        self._streams: dict[int, Stream] = {}
        self._modules = 0
        self.scalars = ScalarFile(configuration)
        self.vectors = VectorFile(configuration)

    @property
    def stage(self) -> Stage:
        """What the run is doing."""
        clock = self.clock
        return self._setup_stage or at_event(format_time(clock.now), clock.event_number)

    def initialize(self, network: type[Module]) -> Module:
        """Make the network and initialize it, after which events can be executed."""
        made = network(self, network.__name__, None, None)
        self._setup_stage = endings.INITIALIZATION
        if self.settings.sim_time_limit >= 0:
            self.clock.limit(self.settings.sim_time_limit)
        made.initialize()
        self._setup_stage = None
        return made

    def finish(self, network: Module) -> None:
        """Record parameters and results."""
        self.logs = True
        self._setup_stage = endings.FINALIZATION
        network.call_finish()

    def close(self) -> None:
        """End the result files.

        Raises:
            EngineError: One could not be written, because the disk is full for example.
        """
        try:
            self.scalars.close()
        finally:
            self.vectors.close()

    def next_module_id(self) -> int:
        """A number for a new module."""
        self._modules += 1
        return self._modules

    def stream(self, path: str, number: int) -> Stream:
        """The random stream that a module gets for this number, as ``**.rng-K`` maps it.

        Raises:
            EngineError: The mapping is no integer.
        """
        mapped = self.configuration.setting(path, f"rng-{number}", str(number))
        try:
            key = int(mapped) if mapped.isdecimal() else to_int(evaluate(mapped))
        except EngineError as error:
            raise EngineError(f"Wrong value for {path}.rng-{number}: {error.message}") from error
        if key not in self._streams:
            self._streams[key] = Stream(self.settings.seed_set, key)
        return self._streams[key]

    def log(self, text: str, level: str) -> None:
        """Print a line if logging is on."""
        if self.logs:
            self._output.write(f"[{level}]\t{text}\n")
