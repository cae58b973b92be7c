"""``python3 -m oppflow.engine``: what ``opp_run`` does, for models written in Python.

Source: ``startup.cc`` and ``envirbase.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from oppflow.engine.arguments import Arguments, parse_arguments
from oppflow.engine.configuration import Configuration
from oppflow.engine.errors import EngineError
from oppflow.engine.inifile import IniReader
from oppflow.engine.queries import ANSWERS, answer, count_all, option_value
from oppflow.engine.version import BANNER, versions

EXIT_GOOD = 0
EXIT_ERROR = 1


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    # ini files may hold any bytes, and what they say is printed as it came
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    words = sys.argv[1:] if words is None else words
    errors = sys.stdout  # until it is known whether standard error is wanted, as in OMNeT++
    verbose = False
    try:
        arguments = parse_arguments(words)
        errors = sys.stdout if arguments.given("m") else sys.stderr
        verbose = not arguments.given("s")
        status = _run(arguments, verbose=verbose)
    except EngineError as error:
        sys.stdout.flush()
        errors.write(f"\n<!> Error: {error.message}\n")
        status = EXIT_ERROR
    if verbose:
        sys.stdout.write("\nEnd.\n")
    sys.stdout.flush()
    return status


def _run(arguments: Arguments, *, verbose: bool) -> int:
    if verbose:
        sys.stdout.write(f"{BANNER}\n\n")
    configuration = _read_configuration(arguments)
    configuration.validate()
    interface = arguments.last("u") or configuration.global_option("user-interface").strip('"')
    if interface not in ("", "Cmdenv"):
        raise EngineError(f"Could not start user interface '{interface}'")
    if verbose:
        sys.stdout.write("Setting up Cmdenv...\n\n")
    if arguments.given("h"):
        sys.stdout.write(HELP)
    elif arguments.given("v"):
        sys.stdout.write(f"{BANNER}\n")
        sys.stdout.writelines(f"{name}: {value}\n" for name, value in versions().items())
    elif arguments.given("a") or arguments.given("q") or arguments.given("e"):
        return _answer(arguments, configuration, verbose=verbose)
    else:
        return _simulate(arguments, configuration)
    return EXIT_GOOD


def _simulate(arguments: Arguments, configuration: Configuration) -> int:
    try:
        from oppflow.engine.cmdenv import Cmdenv  # noqa: PLC0415 (queries need no SimPy)
    except ModuleNotFoundError as error:
        if error.name != "simpy":
            raise
        raise EngineError(
            f"The embedded engine needs SimPy to simulate, and {sys.executable} has none: "
            "install the package simpy"
        ) from error
    return Cmdenv(arguments, configuration).run()


def _read_configuration(arguments: Arguments) -> Configuration:
    reader = IniReader()
    names = [*arguments.all("f"), *arguments.files]
    if not names:
        may_lack = arguments.given("v") or arguments.given("h") or "network" in arguments.long
        if Path("omnetpp.ini").is_file():
            names = ["omnetpp.ini"]
        elif not may_lack:
            raise EngineError(
                "Missing configuration: No ini files specified and no 'omnetpp.ini' in the current "
                "working directory (specify at least --network=<name> to suppress this message)"
            )
    for name in names:
        reader.read(name)
    return Configuration(reader, arguments.long, os.getcwd())  # noqa: PTH109 (a plain string)


def _answer(arguments: Arguments, configuration: Configuration, *, verbose: bool) -> int:
    name, run_filter = arguments.last("c", "General"), arguments.last("r")
    if arguments.given("a"):
        pieces: Iterator[str] = count_all(configuration)
    elif arguments.given("q"):
        query = arguments.last("q").lower()
        if query not in ANSWERS:
            if "run" in query:  # OMNeT++ looks at the runs before it looks at the word
                list(answer(configuration, "runs", name, run_filter, verbose=verbose))
            raise EngineError(f"Unrecognized -q argument '{query}'")
        pieces = answer(configuration, query, name, run_filter, verbose=verbose)
    else:
        key = arguments.last("e")
        pieces = iter([option_value(configuration, key, name, run_filter)])
    sys.stdout.writelines(pieces)
    return EXIT_GOOD


HELP = f"""{BANNER}

It runs models written in Python on SimPy, and takes the command line of OMNeT++'s opp_run:

  <inifile> or -f <inifile>
                Read the ini file instead of omnetpp.ini. There may be several.
  --<option>=<value>
                Options and parameters; they come before those of the ini files.
  -u Cmdenv     The only user interface.
  -c <config>   The configuration; General if not given.
  -r <filter>   Which runs: 1,2,5-10 or an expression like '$load > 0.5 && $repetition == 0'.
  -n <path>     Folders to find Python models in, separated by ; or :
  -x, -l, -i    Accepted, and without meaning here.
  -s            Silent: only what was asked for.
  -m            Errors on standard output.
  -a            All configurations with their numbers of runs.
  -q <what>     {", ".join(ANSWERS)}
  -e <option>   The option's value in the one run that -c and -r select.
  -v, -h        Versions; this help.
"""
