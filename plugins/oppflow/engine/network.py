"""Finding the class that a run simulates: ``network = mm1.Queue`` is class Queue of mm1.py."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from oppflow.engine.errors import EngineError
from oppflow.engine.model import Module
from oppflow.engine.runconfig import RunConfiguration

FOREIGN_SUFFIXES = (".ned", ".cc", ".cpp", ".msg")
MOST_FILES_LOOKED_AT = 20_000


class Roots(NamedTuple):
    """Folders to find models in: what the user named, and the working directory as a last one."""

    named: list[str]
    fallback: list[str]

    @property
    def all(self) -> list[str]:
        """All of them in the order of the search, absolute, each once."""
        return list(
            dict.fromkeys(str(Path(root).absolute()) for root in (*self.named, *self.fallback))
        )


def import_roots(configuration: RunConfiguration, options: Sequence[str], base_dir: str) -> Roots:
    """The ini file's folder, then the NED path.

    The NED path is what ``-n``, ``ned-path`` and the environment say together, and the working
    directory if they say nothing, as in OMNeT++.
    """
    network, ned_path = configuration.entry("network"), configuration.entry("ned-path")
    path = [part for option in options for part in _split(option)]
    if ned_path:
        path += [os.path.join(ned_path.base_dir, part) for part in _split(ned_path.value)]  # noqa: PTH118
    for variable in ("OMNETPP_NED_PATH", "NEDPATH"):
        path += _split(os.environ.get(variable, ""))
    return Roots([network.base_dir if network else base_dir, *path], [] if path else ["."])


def _split(path: str) -> list[str]:
    return [part for part in re.split("[;:]", path.strip('"')) if part]


def find_network(name: str, roots: Roots) -> type[Module]:
    """The class of this name: a module of Python, and a class in it.

    Raises:
        EngineError: There is no such class, it is no `Module`, or the model is not in Python.
        Exception: Whatever importing the model raises.
    """
    if not name:
        raise EngineError("No network specified (missing or empty network= configuration option)")
    for root in roots.named:
        _refuse_foreign(root, _files(root))
    module_name, _, class_name = name.rpartition(".")
    if not module_name or not _exists(module_name, roots.all):
        for root in roots.named:
            _refuse_foreign(root, _files_below(root))
        raise _not_found(name)
    return _import_class(name, module_name, class_name, roots.all)


def _import_class(name: str, module_name: str, class_name: str, roots: list[str]) -> type[Module]:
    top = module_name.partition(".")[0]
    if top in sys.stdlib_module_names:
        raise EngineError(
            f"Network '{name}': '{top}' is the name of a module of Python itself, rename the model"
        )
    # the models' folders may be shared and read-only, and must look the same after a run
    sys.dont_write_bytecode = True
    sys.path[:0] = [root for root in roots if root not in sys.path]
    network = getattr(importlib.import_module(module_name), class_name, None)
    if network is None:
        raise _not_found(name)
    if not isinstance(network, type) or not issubclass(network, Module):
        raise EngineError(f"Module type '{class_name}' is not a network")
    return network


def _not_found(name: str) -> EngineError:
    return EngineError(f"Network '{name}' not found, check .ini and .ned files")


def _exists(module_name: str, roots: Sequence[str]) -> bool:
    places: Sequence[str] = roots
    parts = module_name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), places)
        if not spec:
            return False
        if depth == len(parts):
            return spec.origin is not None  # a folder is a package to Python, but has no classes
        places = list(spec.submodule_search_locations or ())
    return False


def _refuse_foreign(root: str, files: Iterator[str]) -> None:
    for name in islice(files, MOST_FILES_LOOKED_AT):
        if name.endswith(FOREIGN_SUFFIXES):
            raise EngineError(
                f"The embedded engine runs models written in Python only, and '{root}' holds "
                f"'{name}': this model is for OMNeT++"
            )


def _files(root: str) -> Iterator[str]:
    yield from sorted(os.listdir(root)) if Path(root).is_dir() else ()  # noqa: PTH208 (names only)


def _files_below(root: str) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)  # noqa: PTH118
