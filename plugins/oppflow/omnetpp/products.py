"""What a build made: the programs and shared libraries in a tree, told by their ELF headers.

A build leaves a note of them at the top of the tree; it travels with what was built.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

NOTE = ".oppflow-build.json"

_INTERMEDIATE = frozenset({".o", ".obj", ".d", ".gch", ".pch"})
_BUILD_FOLDER = "out"
_SHARED_OBJECT = 3  # ELF's e_type ET_DYN; programs are that too when they can lie anywhere
_EXECUTABLE = 2
_INTERPRETER = 3  # ELF's p_type PT_INTERP: only programs ask for one


@dataclass(frozen=True)
class Products:
    """Paths relative to the tree, in the order of their names."""

    programs: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    @classmethod
    def read(cls, tree: Path) -> Products:
        """What the tree's build noted; nothing for a tree that was not built."""
        try:
            data = json.loads((tree / NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        return cls(tuple(data["programs"]), tuple(data["libraries"]))

    def write(self, tree: Path) -> None:
        """Leave the note."""
        (tree / NOTE).write_text(json.dumps(vars(self), indent=1) + "\n", encoding="utf-8")


def find_products(tree: Path, made: Iterable[str]) -> Products:
    """The programs and libraries among the files ``made``, relative to the tree."""
    programs, libraries = [], []
    for path in sorted(made):
        kind = _elf_kind(tree / path)
        if kind == "library" and PurePosixPath(path).name.startswith("lib"):
            libraries.append(path)
        elif kind == "program" and os.access(tree / path, os.X_OK):
            programs.append(path)
    return Products(tuple(programs), tuple(libraries))


def worth_keeping(made: Iterable[str]) -> list[str]:
    """What a later build or a run may need: no object files, nothing twice.

    OMNeT++'s makefiles link or copy what they build from ``out`` to where it belongs.
    """
    files = sorted(path for path in made if PurePosixPath(path).suffix not in _INTERMEDIATE)
    outside = {PurePosixPath(path).name for path in files if not _is_in_build_folder(path)}
    return [
        path
        for path in files
        if not (_is_in_build_folder(path) and _is_double(PurePosixPath(path).name, outside))
    ]


def _is_in_build_folder(path: str) -> bool:
    return _BUILD_FOLDER in PurePosixPath(path).parts[:-1]


def _is_double(name: str, outside: set[str]) -> bool:
    return name in outside or name == ".last-copts"


def library_argument(library: str, mode: str) -> str:
    """What ``opp_run -l`` wants: no ``lib``, no ``.so``, and no ``_dbg``, which it adds itself."""
    folder, _, name = library.rpartition("/")
    stem = re.sub(r"\.so(\.\d+)*$", "", name.removeprefix("lib"))
    if mode == "debug":
        stem = stem.removesuffix("_dbg")
    return f"{folder or '.'}/{stem}"


def link_name(library: str) -> str:
    """What a linker's ``-l`` wants."""
    return re.sub(r"\.so(\.\d+)*$", "", PurePosixPath(library).name.removeprefix("lib"))


def mentions(program: Path, library: str) -> bool:
    """Whether a program names a library, as one that is linked with it does."""
    return PurePosixPath(library).name.encode() + b"\0" in program.read_bytes()


def _elf_kind(path: Path) -> str:
    """``program``, ``library``, or empty for what is neither."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if len(head) < 64 or head[:4] != b"\x7fELF":
                return ""
            wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
            (kind,) = struct.unpack_from(f"{order}H", head, 16)
            if kind == _EXECUTABLE:
                return "program"
            if kind != _SHARED_OBJECT:
                return ""
            offset = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", head, 32 if wide else 28)
            size, count = struct.unpack_from(f"{order}HH", head, 54 if wide else 42)
            file.seek(offset[0])
            table = file.read(size * count)
    except (OSError, struct.error):
        return ""
    kinds = (struct.unpack_from(f"{order}I", table, size * i)[0] for i in range(count))
    return "program" if _INTERPRETER in kinds else "library"
