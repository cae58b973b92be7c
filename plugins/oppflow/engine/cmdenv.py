"""Simulating the selected runs, one after the other, and telling so in Cmdenv's words.

Source: ``cmdenv.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

from oppflow.engine.arguments import Arguments
from oppflow.engine.configuration import Configuration
from oppflow.engine.endings import SETUP, Ending, located
from oppflow.engine.errors import EngineError
from oppflow.engine.eventloop import EventLoop, default_signals
from oppflow.engine.failures import describe, traceback_text
from oppflow.engine.filters import select_runs
from oppflow.engine.model import Module
from oppflow.engine.network import find_network, import_roots
from oppflow.engine.output import Output
from oppflow.engine.runconfig import RunConfiguration
from oppflow.engine.runs import Runs
from oppflow.engine.settings import RunSettings
from oppflow.engine.simulation import Simulation
from oppflow.engine.status import Status

EXIT_GOOD, EXIT_ERROR, EXIT_SIGNAL = 0, 1, 2
OUTPUT_FILE = "${resultdir}/${configname}-${iterationvarsf}#${repetition}.out"


class Cmdenv:
    """The command-line user interface; the only one."""

    def __init__(self, arguments: Arguments, configuration: Configuration) -> None:
        self._arguments = arguments
        self._configuration = configuration
        self._output = Output(verbose=not arguments.given("s"), merge_errors=arguments.given("m"))
        self._was_interrupted = False
        self._stops_on_error = True
        self._runs_tried = 0
        self._all_runs = 0

    def run(self) -> int:
        """Simulate the runs that ``-c`` and ``-r`` select, and return the exit status.

        Raises:
            EngineError: The configuration or the run filter is wrong.
        """
        default_signals()
        name = self._option("c", "cmdenv-config-name") or "General"
        numbers = select_runs(
            self._configuration, name, self._option("r", "cmdenv-runs-to-execute")
        )
        self._all_runs = len(numbers)
        errors = 0
        runs = self._configuration.runs(name)
        for number in numbers:
            if not self._execute(runs, number):
                errors += 1
            self._runs_tried += 1
            if self._was_interrupted or (errors and self._stops_on_error):
                break
        if self._all_runs > 1:
            self._output.remark(_statistics(self._all_runs, self._runs_tried, errors))
        return EXIT_ERROR if errors else EXIT_SIGNAL if self._was_interrupted else EXIT_GOOD

    def _option(self, letter: str, key: str) -> str:
        default = self._configuration.global_option(key).strip('"')
        return self._arguments.last(letter, default)

    def _execute(self, runs: Runs, number: int) -> bool:
        """One run from preparation to its last word; whether it went well."""
        self._output.remark(f"\nPreparing for running configuration {runs.name}, run #{number}...")
        try:
            configuration = RunConfiguration(
                number, runs.entries(number), runs.variables(number), self._configuration.base_dir
            )
            settings = RunSettings.read(configuration)
            self._stops_on_error = settings.stop_batch_on_error
            self._announce(runs, configuration, settings)
            network = self._find_network(configuration, settings)
            return network is not None and self._simulate(network, configuration, settings)
        except EngineError as error:
            self._output.complain(error.message)
            return False
        finally:
            self._output.restore()

    def _announce(self, runs: Runs, configuration: RunConfiguration, settings: RunSettings) -> None:
        variables, output = configuration.variables, self._output
        values = f"{variables['iterationvars']}, $repetition={variables['repetition']}"
        if self._arguments.given("s"):
            output.say(f"{runs.name} run {configuration.number}: {values}")
        if settings.redirect_output:
            output.redirect(configuration.file_name("cmdenv-output-file", OUTPUT_FILE))
        if variables["iterationvars"]:
            output.remark(f"Scenario: {values}")
        output.remark(f"Assigned runID={variables['runid']}")

    def _find_network(
        self, configuration: RunConfiguration, settings: RunSettings
    ) -> type[Module] | None:
        try:
            roots = import_roots(
                configuration, self._arguments.all("n"), self._configuration.base_dir
            )
            return find_network(settings.network, roots)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 (importing a model runs the model's code)
            self._output.complain(describe(error, SETUP), traceback_text(error))
            return None

    def _simulate(
        self, network: type[Module], configuration: RunConfiguration, settings: RunSettings
    ) -> bool:
        output = self._output
        output.remark(f'Setting up network "{settings.network}"...')
        simulation = Simulation(configuration, settings, output.stream)
        try:
            self._run_events(simulation, network)
            is_good = True
        except Ending as ending:
            # before the first event there is nothing to end well
            output.say(f"\n<!> {located(ending.reason, ending.where, simulation.stage)}")
            is_good = False
        except Exception as error:  # noqa: BLE001 (models raise what they like)
            output.complain(describe(error, simulation.stage), traceback_text(error))
            is_good = False
        simulation.close()  # not after SystemExit: then OMNeT++ leaves unfinished files, too
        return is_good

    def _run_events(self, simulation: Simulation, network: type[Module]) -> None:
        output, settings = self._output, simulation.settings
        output.remark("Initializing...")
        made = simulation.initialize(network)
        output.remark("\nRunning simulation...")
        status = Status(simulation.clock, settings, self._runs_tried, self._all_runs)
        loop = EventLoop(simulation.clock, settings, status, output.stream)
        try:
            ending = loop.run()
        finally:
            self._was_interrupted = loop.was_interrupted
        output.say(f"\n<!> {located(ending.reason, ending.where, simulation.stage)}")
        output.stream.flush()
        number = simulation.configuration.number
        output.remark(f"\nCalling finish() at end of Run #{number}...")
        simulation.finish(made)


def _statistics(all_runs: int, tried: int, errors: int) -> str:
    counts = {"successful": tried - errors, "errors": errors, "skipped": all_runs - tried}
    parts = [f", {what} {count}" for what, count in counts.items() if count]
    return f"\nRun statistics: total {all_runs}{''.join(parts)}"
