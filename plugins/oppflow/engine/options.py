"""The configuration options that OMNeT++ 6.1 knows, and what sort each is of.

Source: ``opp_run -h config``. Unknown ones are an error there, so they are one here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# what stands for text may be written in quotes, which result files leave out
_GLOBAL_TEXT = """
cmdenv-config-name cmdenv-runs-to-execute configuration-class debugger-attach-command
load-libs parsim-communications-class parsim-synchronization-class
sectionbasedconfig-configreader-class user-interface
"""
_GLOBAL = """
cmdenv-extra-stack debugger-attach-on-error debugger-attach-on-startup
debugger-attach-wait-time fname-append-host image-path ned-package-exclusions ned-path
output-scalar-db-commit-freq output-vector-db-indexing parallel-simulation
parsim-num-partitions realtimescheduler-scaling simtime-resolution simtime-scale total-stack
"""
_PER_RUN_TEXT = """
cmdenv-log-prefix cmdenv-output-file constraint description eventlog-file
eventlogmanager-class experiment-label extends fingerprint fingerprint-events
fingerprint-ingredients fingerprint-modules fingerprint-results fingerprintcalculator-class
futureeventset-class iteration-nesting-order measurement-label network output-scalar-file
output-vector-file outputscalarmanager-class outputvectormanager-class replication-label
result-dir rng-class scheduler-class snapshot-file snapshotmanager-class
"""
_PER_RUN = """
abstract allow-object-stealing-on-deletion check-signals cmdenv-autoflush
cmdenv-event-banner-details cmdenv-event-banners cmdenv-express-mode cmdenv-fake-gui
cmdenv-fake-gui-after-event-probability cmdenv-fake-gui-before-event-probability
cmdenv-fake-gui-on-hold-numsteps cmdenv-fake-gui-on-hold-probability
cmdenv-fake-gui-on-simtime-numsteps cmdenv-fake-gui-on-simtime-probability
cmdenv-fake-gui-seed cmdenv-interactive cmdenv-performance-display cmdenv-redirect-output
cmdenv-status-frequency cmdenv-stop-batch-on-error config-recording cpu-time-limit
debug-on-errors debug-statistics-recording eventlog-index-frequency eventlog-max-size
eventlog-message-detail-pattern eventlog-min-truncated-size eventlog-options
eventlog-recording-intervals eventlog-snapshot-frequency max-module-nesting num-rngs
output-scalar-file-append output-scalar-precision output-vector-file-append
output-vector-precision output-vectors-memory-limit parameter-mutability-check
print-instantiated-ned-types print-undisposed print-unused-parameters real-time-limit
record-eventlog repeat resultdir-subdivision runnumber-width seed-%-lcg32 seed-%-mt
seed-%-mt-p% seed-set sim-time-limit warmup-period warnings
"""
_PER_OBJECT_TEXT = """
cmdenv-log-level display-name display-string partition-id result-recording-modes typename
"""
_PER_OBJECT = """
bin-recording module-eventlog-recording param-record-as-scalar param-recording rng-%
scalar-recording statistic-recording vector-buffer vector-record-empty
vector-record-eventnumbers vector-recording vector-recording-intervals
"""
_IGNORED = re.compile(r"(qtenv|parsim)-[^.]*")


@dataclass(frozen=True)
class Option:
    """An option: where it may stand (``global``, ``run`` or ``object``), and whether it is text."""

    name: str
    scope: str
    is_text: bool

    @property
    def is_per_object(self) -> bool:
        """Whether it belongs to modules, parameters or results: ``**.vector-recording``."""
        return self.scope == "object"


_OPTIONS = {
    name: Option(name, scope, is_text)
    for names, scope, is_text in (
        (_GLOBAL_TEXT, "global", True),
        (_GLOBAL, "global", False),
        (_PER_RUN_TEXT, "run", True),
        (_PER_RUN, "run", False),
        (_PER_OBJECT_TEXT, "object", True),
        (_PER_OBJECT, "object", False),
    )
    for name in names.split()
}
_NUMBERED = [
    (re.compile(re.escape(name).replace("%", r"\d+")), option)
    for name, option in _OPTIONS.items()
    if "%" in name
]


@lru_cache(maxsize=1024)
def lookup(key: str) -> Option | None:
    """The option with this name, where ``%`` in a name stands for any number; None if unknown."""
    if key in _OPTIONS:
        return _OPTIONS[key]
    return next((option for regex, option in _NUMBERED if regex.fullmatch(key)), None)


def is_ignorable(key: str) -> bool:
    """Whether the option belongs to parts that are not there: Qtenv, parallel simulation."""
    return _IGNORED.fullmatch(key) is not None
