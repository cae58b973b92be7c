"""The options that a run obeys, read once and typed."""

from __future__ import annotations

from dataclasses import dataclass

from oppflow.engine.errors import EngineError
from oppflow.engine.runconfig import RunConfiguration
from oppflow.engine.simtime import LARGEST_TEXT

_OTHER_CLASSES = (
    "scheduler-class", "futureeventset-class", "outputscalarmanager-class",
    "outputvectormanager-class", "rng-class",
)  # fmt: skip


@dataclass(frozen=True)
class RunSettings:
    """Limits and periods are seconds; a negative limit is none."""

    network: str
    sim_time_limit: float
    cpu_time_limit: float
    real_time_limit: float
    warmup_period: float
    seed_set: int
    express_mode: bool
    status_frequency: float
    performance_display: bool
    stop_batch_on_error: bool
    redirect_output: bool

    @classmethod
    def read(cls, configuration: RunConfiguration) -> RunSettings:
        """The settings of a run.

        Raises:
            EngineError: An option is malformed, or asks for what the engine does not have.
        """
        _refuse_unsupported(configuration)
        limit = configuration.quantity("sim-time-limit", "s", "-1s")
        if limit > float(LARGEST_TEXT):
            raise EngineError(
                f"simtime_t: Cannot represent {limit:g}, out of the range "
                f"(-{LARGEST_TEXT},{LARGEST_TEXT}) allowed by the current scale exponent -12"
            )
        return cls(
            network=configuration.text("network"),
            sim_time_limit=limit,
            cpu_time_limit=configuration.quantity("cpu-time-limit", "s", "-1s"),
            real_time_limit=configuration.quantity("real-time-limit", "s", "-1s"),
            warmup_period=configuration.quantity("warmup-period", "s", "0s"),
            seed_set=configuration.integer("seed-set", "${runnumber}"),
            express_mode=configuration.truth("cmdenv-express-mode", default=True),
            status_frequency=configuration.quantity("cmdenv-status-frequency", "s", "2s"),
            performance_display=configuration.truth("cmdenv-performance-display", default=True),
            stop_batch_on_error=configuration.truth("cmdenv-stop-batch-on-error", default=True),
            redirect_output=configuration.truth("cmdenv-redirect-output", default=False),
        )


def _refuse_unsupported(configuration: RunConfiguration) -> None:
    """Silence would be wrong where an option changes results or promises a file."""
    asked = [key for key in _OTHER_CLASSES if configuration.entry(key)]
    if configuration.text("fingerprint"):
        asked.append("fingerprint")
    asked += [
        key
        for key in ("record-eventlog", "parallel-simulation", "output-vector-file-append")
        if configuration.truth(key, default=False)
    ]
    if asked:
        raise EngineError(f"The embedded engine does not support the option {asked[0]}=")
