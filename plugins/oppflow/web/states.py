"""The states of a run on the page: the outcomes, and what a run is before it has one."""

from __future__ import annotations

from oppflow.campaign import Outcome

WAITING = "waiting"
RUNNING = "running"

STATES = (*(outcome.value for outcome in Outcome), RUNNING, WAITING)
"""All states, in the order in which a legend names them."""

BAD = tuple(outcome.value for outcome in Outcome if not outcome.is_good)
"""The outcomes of runs whose results may not be used."""

LETTERS = dict(zip(STATES, "drtfolspw", strict=True))
"""A letter for each state, for answers that name thousands: reused is r, stopped s, running p."""
