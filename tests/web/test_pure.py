"""The parts of the page that know neither Airflow nor a store."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oppflow.campaign import Run
from oppflow.plan import Plan, PlannedRun
from oppflow.web.again import run_numbers
from oppflow.web.cache import Cache
from oppflow.web.downloads import Member, tar_of
from oppflow.web.estimate import seconds_left
from oppflow.web.filters import select_runs
from oppflow.web.results import NotThereError
from oppflow.web.runs_frame import planned_runs, with_progress
from oppflow.web.states import LETTERS, STATES
from oppflow.web.text import shown
from oppflow.web.vectors import list_vectors, thin, thinned_vector
from oppflow.web.views import counts, failures, matrix, page_of
from tests.support.campaigns import PROJECT_ROOT

VECTORS = PROJECT_ROOT / "tests" / "cases" / "results" / "Fifo1-#0.vec"


def frame(ended: int = 4) -> pl.DataFrame:
    """Six runs over load and a text variable; the first ``ended`` have ended, run 1 badly."""
    runs = [
        Run(
            n,
            (("load", str(0.1 * (n // 2))), ("kind", '"a b"' if n % 2 else '"c"')),
            n % 2,
            str(n),
            f"r{n}",
        )
        for n in range(6)
    ]
    plan = Plan(
        tuple(PlannedRun(run, "k" * 64, "f", run.number == 5, "new run", 10.0) for run in runs),
        batches=((0, 1), (2, 3, 4)),
    )
    outcome = {1: "failed"}
    progress = {
        "ended": {str(n): [outcome.get(n, "done"), 20.0, 1.0, 1] for n in range(ended)},
        "running": {
            "4": {"percentage": 50.0, "simulated_time": "1", "events_per_second": 2.0, "lines": []}
        },
    }
    return with_progress(planned_runs(plan), [progress], is_over=False)


def chosen(text: str) -> list[int]:
    return select_runs(frame(), text)["run"].to_list()


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("state=failed", [1]),
        ("outcome=failed", [1]),
        ("load>=0.1 state=done", [2, 3]),
        ("$load=0.2", [4, 5]),
        ('kind="a b"', [1, 3, 5]),
        ("kind!=c", [1, 3, 5]),
        ("kind~B", [1, 3, 5]),
        ("-state=done", [1, 4, 5]),
        ("#3", [3]),
        ("wall_time>5 run<2", [0, 1]),
        ("load=abc", []),
        ("nosuch=1", []),
        ("reused", [5]),
    ],
)
def test_a_filter_chooses_runs(text: str, runs: list[int]) -> None:
    """By comparison, by part, by any word; all words must hold."""
    assert chosen(text) == runs


@pytest.mark.parametrize(
    "text", ['"', "'; drop", "<script>alert(1)</script>", '="', "-", "$", "a=", "\0", "[", "load>"]
)
def test_odd_filters_choose_nothing_or_all(text: str) -> None:
    """Quotes, scripts and leftovers are text like any other."""
    assert len(chosen(text)) in (0, 6)


@given(st.text(max_size=60))
def test_no_filter_raises(text: str) -> None:
    """Whatever somebody types."""
    chosen(text)


def test_a_page_shows_what_is_urgent_first() -> None:
    """Failed runs, then those at work; sorting by a column overrides it."""
    assert [row["run"] for row in page_of(frame(), "", 0, 3)] == [1, 4, 0]
    assert [row["run"] for row in page_of(frame(), "-load,nosuch,-run", 0, 2)] == [5, 4]
    assert [row["run"] for row in page_of(frame(), "-$load,run", 0, 2)] == [4, 5]


def test_counts_follow_the_legend() -> None:
    """Only states that occur."""
    assert counts(frame()) == {"done": 3, "reused": 1, "failed": 1, "running": 1}
    assert len(set(LETTERS.values())) == len(STATES)


def test_the_matrix_stacks_repetitions() -> None:
    """A letter a run, in the order of repetitions; mean and longest of those executed."""
    found = matrix(frame(), "$load", None)
    assert found["x_values"] == [0.0, 0.1, 0.2]
    assert found["cells"][0] == [0, 0, "df", 20.0, 20.0]
    assert found["cells"][2][2] in ("pr", "rp")
    assert matrix(frame(), "$load", "$kind")["y_values"] == ["c", "a b"]


def test_failures_are_grouped_by_what_is_said() -> None:
    """Numbers apart."""
    texts = pl.Series("message", ["", "t=1 boom", "t=2 boom", "", "", ""])
    states = pl.Series("state", ["done", "failed", "failed", "lost", "done", "done"])
    groups = failures(frame().with_columns(texts, states))
    assert [(group["state"], group["count"], group["runs"]) for group in groups] == [
        ("failed", 2, [1, 2]),
        ("lost", 1, [3]),
    ]


def test_the_estimate_learns_from_what_ended() -> None:
    """Runs took twice as long as expected: half of run 4's twice ten seconds are left."""
    assert seconds_left(frame(), lanes=2) == pytest.approx(10)
    assert seconds_left(frame().filter(pl.col("state") == "done"), lanes=2) == 0
    unknown = frame(0).with_columns(expected=pl.lit(None, pl.Float64))
    assert seconds_left(unknown, lanes=2) is None


def test_models_words_become_plain_text() -> None:
    """Escape sequences, control characters and broken Unicode go; line ends and tabs stay."""
    assert (
        shown("\x1b[31mred\x1b[0m \x1b]0;title\x07!\x00\r\n\tend\udcff")
        == "red !\n\tend\N{REPLACEMENT CHARACTER}"
    )


def test_a_cache_reads_once_for_many_and_forgets_the_oldest() -> None:
    """Threads that ask at once wait for one reading."""
    made: list[str] = []
    cache: Cache[str] = Cache(2)

    def make(_before: str | None) -> str:
        time.sleep(0.05)
        made.append("x")
        return "value"

    threads = [threading.Thread(target=cache.get, args=("a", make, lambda _: 10)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["x"]
    for key in "bcd":
        cache.get(key, lambda _: "value", lambda _: 10)
    assert len(cache) == 2


def test_a_cache_does_not_keep_what_could_not_be_made() -> None:
    """Asked for by whoever guesses names, it would push out what people look at."""
    cache: Cache[str] = Cache(2)

    def refuse(_before: str | None) -> str:
        raise NotThereError("no such campaign")

    with pytest.raises(NotThereError):
        cache.get("a", refuse, lambda _: 10)
    assert len(cache) == 0


def test_a_cache_makes_anew_what_is_old_from_what_was() -> None:
    """The value before is handed on."""
    now = [0.0]
    cache: Cache[int] = Cache(2, clock=lambda: now[0])
    assert cache.get("a", lambda before: (before or 0) + 1, lambda _: 5) == 1
    assert cache.get("a", lambda before: (before or 0) + 1, lambda _: 5) == 1
    now[0] = 6
    assert cache.get("a", lambda before: (before or 0) + 1, lambda _: 5) == 2


def test_a_tar_holds_what_was_promised() -> None:
    """A file that shrank while it was read is filled up, one that grew is cut."""
    members = [
        Member("a", 3, 0, [b"ab", b"cd"]),
        Member("ä", 600, 0, [b"x"]),
        Member("e", 0, 0, []),
    ]
    with tarfile.open(fileobj=io.BytesIO(b"".join(tar_of(members)))) as tar:
        assert tar.getnames() == ["a", "ä", "e"]
        assert tar.extractfile("a").read() == b"abc"  # type: ignore[union-attr]


def test_a_vector_is_thinned_and_keeps_its_peaks() -> None:
    """Least and greatest of each stretch."""
    values = [0.0] * 10_000
    values[5001], values[7003] = 9.0, -9.0
    table = pl.DataFrame({"time": [float(n) for n in range(10_000)], "value": values})
    thinned = thin(table, 100)
    assert thinned.height <= 100
    assert (thinned["value"].max(), thinned["value"].min()) == (9.0, -9.0)
    assert thinned["time"].is_sorted()


def test_vectors_are_read_from_a_real_file() -> None:
    """As OMNeT++ wrote it."""
    vectors = list_vectors(VECTORS)
    assert vectors[0]["rows"] > 0
    drawn = thinned_vector(VECTORS, vectors[0]["vector"], 20)
    assert 0 < len(drawn["time"]) == len(drawn["value"]) <= max(20, drawn["rows"])
    with pytest.raises(NotThereError):
        thinned_vector(VECTORS, 10**9, 20)


def test_run_numbers_make_a_filter() -> None:
    """Spans where they follow each other."""
    assert run_numbers([7, 0, 2, 5, 6]) == "0,2,5-7"


def test_the_script_never_makes_html(tmp_path: Path) -> None:
    """What models print and are named can only become text."""
    script = (PROJECT_ROOT / "plugins/oppflow/web/static/campaigns.js").read_text(encoding="utf-8")
    for way in (
        "innerHTML",
        "dangerouslySetInnerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ):
        assert way not in script


def test_the_plugin_is_light_in_every_other_process() -> None:
    """Airflow loads it everywhere, and only its API server needs what serves pages."""
    code = (
        "import sys, oppflow.web.registration as r; r.fastapi_apps(); r.react_apps();"
        "print([m for m in ('fastapi', 'polars', 'airflow', 'httpx') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=PROJECT_ROOT / "plugins")  # fmt: skip
    assert told.stdout.strip() == "[]"
