"""``python -m oppflow.local``: what the Makefile calls."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from oppflow.errors import OppflowError
from oppflow.local.client import AirflowClient
from oppflow.local.containers import choose_runner
from oppflow.local.demo import WHERE, cancel_all, run_demo
from oppflow.local.home import USER, Home, environment
from oppflow.local.nightly_demo import run_nightly_demo
from oppflow.local.stack import Stack, airflow_command


def main() -> int:
    """Do what the command line says; the exit status."""
    arguments, rest = _parser().parse_known_args()
    console = Console(highlight=False)
    try:
        commands: dict[str, Callable[[], int]] = {
            "demo": lambda: _demo(arguments, console),
            "demo-nightly": lambda: run_nightly_demo(console),
            "up": lambda: _up(console),
            "down": lambda: _down(console),
            "airflow": lambda: _airflow(rest),
        }
        return commands[arguments.command]()
    except OppflowError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m oppflow.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="run one campaign and show its results")
    demo.add_argument("--model", default="")
    demo.add_argument("--config", default="")
    demo.add_argument("--runs", default="")
    commands.add_parser("demo-nightly", help="run nights in a row and show what changed")
    commands.add_parser("up", help="start Airflow and leave it running")
    commands.add_parser("down", help="end what is running")
    commands.add_parser("airflow", help="Airflow's own command", add_help=False)
    return parser


def _demo(arguments: argparse.Namespace, console: Console) -> int:
    conf: dict[str, Any] = {}
    roots: tuple[Path, ...] = ()
    if arguments.model:
        conf["model"], roots = _model(arguments.model)
        conf["config"] = arguments.config or "General"
    elif arguments.config:
        conf["config"] = arguments.config
    if arguments.runs:
        conf["run_filter"] = arguments.runs
    return run_demo(conf, roots, console)


def _model(name: str) -> tuple[str, tuple[Path, ...]]:
    """The model as a parameter, and the folder that must be allowed for it."""
    place, mark, subdir = name.partition("#")
    path = Path(place).expanduser()
    if place.startswith("git+") or not path.exists():
        return name, ()
    path = path.resolve()
    return f"{path}{mark}{subdir}", (path.parent,)


def _up(console: Console) -> int:
    home = Home.of_project()
    stack = Stack.running(home)
    if stack is None:
        console.print("Starting Airflow ...")
        stack = Stack.start(home)
    console.print(f"Airflow is up at {stack.url}")
    console.print(f"Simulations run {WHERE[stack.runner]}.")
    console.print(f"Sign in as {USER} with the password {home.password()}", markup=False)
    console.print("make down ends it; bin/airflow is its command.")
    return 0


def _down(console: Console) -> int:
    home = Home.of_project()
    stack = Stack.running(home)
    if stack is None:
        console.print("Airflow is not up.")
        return 0
    with (
        contextlib.suppress(OppflowError),
        contextlib.closing(AirflowClient(stack.url, USER, home.password())) as client,
    ):
        cancel_all(client)
    stack.stop()
    console.print("Airflow is down.")
    return 0


def _airflow(words: list[str]) -> int:
    home = Home.of_project()
    state = home.read_state()
    port, runner = state.get("port", 8080), state.get("runner") or choose_runner()
    command = [*airflow_command(), *words]
    env = environment(home, port, runner)
    os.execve(command[0], command, env)  # noqa: S606 -- no shell is what we want


if __name__ == "__main__":
    sys.exit(main())
