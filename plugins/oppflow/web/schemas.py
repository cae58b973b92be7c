"""The shapes of the API's answers, for its OpenAPI description. Times are ISO 8601, durations s."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

Value = float | str | None


class CampaignHead(BaseModel):
    """A campaign in a list. ``counts`` are null where they have to be asked for one by one."""

    dag_id: str
    run_id: str
    state: str = Field(description="That of the DAG run: queued, running, success, failed.")
    is_over: bool
    queued: str | None
    started: str | None
    ended: str | None
    user: str
    is_campaign: bool = Field(description="False while, or because, nothing was packed.")
    model: str
    config: str
    run_filter: str
    results: str = Field(description="The campaign's folder below the results root.")
    plan_only: bool
    counts: dict[str, int] | None = Field(description="Runs by state.")
    cpu_time: float | None
    total: int | None = None


class CampaignList(BaseModel):
    """A page of the list of campaigns, the newest first."""

    campaigns: list[CampaignHead]
    total: int
    trouble: str
    dags: list[dict[str, Any]] = Field(description="Campaign DAGs: dag_id, may_act.")


class VariableFacts(BaseModel):
    """An iteration variable, its column in the table of runs, how many values it has."""

    name: str
    column: str
    values: int
    number: bool


class Overview(CampaignHead):
    """One campaign without its runs."""

    tasks: dict[str, dict[str, int]] = Field(description="Task instances by task and state.")
    estimated_end: str | None
    variables: list[VariableFacts]
    columns: list[str]
    warnings: list[str]
    trouble: str = Field(description="What could not be read, and why.")
    collected: bool
    parameters: dict[str, Any]
    unsteady: list[str] = Field(description="Ini entries that forbid reuse.")
    may_act: bool
    version: str


class RunsPage(BaseModel):
    """Some of the runs that a filter leaves: rows with the overview's columns."""

    total: int
    matching: int
    counts: dict[str, int]
    rows: list[dict[str, Any]]


class Matrix(BaseModel):
    """Runs over two columns: see `oppflow.web.views.matrix` for the cells."""

    x: str | None
    y: str | None
    x_values: list[Value]
    y_values: list[Value]
    x_total: int
    y_total: int
    letters: dict[str, str]
    cells: list[list[Any]]


class FailureGroup(BaseModel):
    """Runs that failed alike; the numbers of the first of them."""

    state: str
    message: str
    count: int
    runs: list[int]


class Failures(BaseModel):
    """Runs that are not good, by what is said of them."""

    groups: list[FailureGroup]


class FileFacts(BaseModel):
    """A file that a run left."""

    name: str
    size: int
    sha256: str


class RunDetails(BaseModel):
    """All that is known of a run; further fields are the columns of the table of runs."""

    run: int
    state: str
    variables: dict[str, Value]
    lines: list[str] = Field(description="The last lines that it printed.")
    message: str
    files: list[FileFacts]
    archive: str | None = Field(description="SHA-256 of its archive in the store.")
    archive_bytes: int
    started: str
    ended: str
    events: int | None
    exit_status: int | None
    reproduce: str = Field(description="The shell command that executes it again.")
    task_log: str = Field(description="Its task's log in Airflow, relative to the base address.")


class Vectors(BaseModel):
    """The vectors that a run recorded: vector (its number), module, name, unit, rows."""

    vectors: list[dict[str, Any]]


class VectorPoints(BaseModel):
    """A vector, thinned: ``rows`` is how many it has, ``rows_read`` how many were looked at."""

    module: str
    name: str
    unit: str
    rows: int
    rows_read: int
    time: list[float]
    value: list[float]


class Scalars(BaseModel):
    """The scalars that can be drawn: module, name, theory."""

    scalars: list[dict[str, Any]]


class Chart(BaseModel):
    """Means with their 95 % intervals: a figure for Plotly, and the same as rows."""

    title: str
    unit: str
    figure: dict[str, Any]
    notes: list[str]
    columns: list[str]
    rows: list[list[Any]]


class Start(BaseModel):
    """A campaign to start: its parameters; with ``plan_only``, a plan of it alone."""

    conf: dict[str, Any] = Field(default_factory=dict)


class Again(BaseModel):
    """A campaign to start once more: all of it, or what it lacks."""

    only_missing: bool = False


class Started(BaseModel):
    """The DAG run that was started."""

    dag_id: str
    run_id: str


class Done(BaseModel):
    """The action was carried out."""

    done: bool = True
