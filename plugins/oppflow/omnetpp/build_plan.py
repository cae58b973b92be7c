"""How an OMNeT++ source tree is built: which commands in which folders, told from its files.

A makefile that is there is used; ``opp_makemake`` makes one where there is none, with the options
of ``.oppbuildspec``. The options that begin with ``--meta:`` are the IDE's and mean what is done
here for them (OMNeT++ User Guide, "Building from the IDE": makefile generation).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from oppflow.omnetpp.layout import (
    BuildFolder,
    build_folders,
    has_sources,
    has_target,
    makefile,
)
from oppflow.omnetpp.products import Products, link_name

_META = "--meta:"
_ALL_META = ("use-exported-libs", "use-exported-include-paths", "feature-cflags", "recurse")


@dataclass(frozen=True)
class Step:
    """One command of a build: its arguments, and its folder relative to the tree.

    ``output_file``, relative to the folder, takes what it prints.
    """

    folder: str
    arguments: tuple[str, ...]
    output_file: str = ""

    @property
    def in_shell(self) -> str:
        """The command as one types it at the top of the tree."""
        line = shlex.join(self.arguments)
        if self.output_file:
            line += f" > {shlex.quote(self.output_file)}"
        return line if self.folder == "." else f"(cd {shlex.quote(self.folder)} && {line})"


@dataclass(frozen=True)
class UsedTree:
    """A tree that was built before; ``path`` leads there from the top of the tree to build."""

    path: str
    include_folders: tuple[str, ...]
    products: Products


FeatureOptions = Callable[[str], Sequence[str]]
"""What ``opp_featuretool`` tells for a source folder: options for ``opp_makemake``."""


def used_tree(tree: Path, path: str) -> UsedTree:
    """What another tree's build may want of one that is built."""
    folders = [".", "src", *(folder.path for folder in build_folders(tree))]
    there = tuple(dict.fromkeys(name for name in folders if (tree / name).is_dir()))
    return UsedTree(path, there, Products.read(tree))


def beside_sources(tree: Path, name: str, *, as_library: bool) -> str:
    """What a build depends on that is in no file: how the tree is called, and what it is for.

    A tree that says itself how it is built is built the same, whoever wants it.
    """
    if makefile(tree) or (makefile(tree / "src") and not build_folders(tree)):
        return ""
    if build_folders(tree):
        return name
    return f"{name} as a {'library' if as_library else 'program'}"


@dataclass(frozen=True)
class BuildPlan:
    """The build of one tree: ``name`` is its program's or library's where no option says it."""

    tree: Path
    name: str
    mode: str
    used: Sequence[UsedTree]
    as_library: bool
    jobs: int = 1

    def steps(self, feature_options: FeatureOptions) -> list[Step]:
        """All commands in order; none for a tree with nothing to compile."""
        top = makefile(self.tree)
        if top is not None and has_target(top, "makefiles"):
            return [self._make(".", "makefiles"), *self._make_all(".", top)]
        generated = [folder for folder in self._folders() if self._wants_makefile(folder)]
        steps = [self._makemake(folder, feature_options(folder.path)) for folder in generated]
        if top is not None:
            return [*steps, *self._make_all(".", top)]
        for folder in _outermost([folder.path for folder in self._folders()]):
            steps += self._make_all(folder, makefile(self.tree / folder))
        return steps

    def _folders(self) -> tuple[BuildFolder, ...]:
        """Where makefiles are, or are to be."""
        specified = tuple(
            folder
            for folder in build_folders(self.tree)
            if folder.kind == "makemake" or makefile(self.tree / folder.path)
        )
        if specified:
            return specified
        if makefile(self.tree):
            return (BuildFolder(".", "custom", ()),)
        if makefile(self.tree / "src"):
            return (BuildFolder("src", "custom", ()),)
        if not has_sources(self.tree):
            return ()
        options = ["--deep", "-I.", *(f"{_META}{name}" for name in _ALL_META)]
        if (self.tree / "src").is_dir():
            options.append("-Isrc")
        if self.as_library:
            options.append("--make-so")
        return (BuildFolder(".", "makemake", tuple(options)),)

    def _wants_makefile(self, folder: BuildFolder) -> bool:
        return folder.kind == "makemake" and makefile(self.tree / folder.path) is None

    def _makemake(self, folder: BuildFolder, feature_options: Sequence[str]) -> Step:
        meta = {option.removeprefix(_META) for option in folder.options if option.startswith(_META)}
        options = [option for option in folder.options if not option.startswith(_META)]
        if not _has_output(options):
            options += ["-o", self._free_name(folder.path)]
        if "use-exported-include-paths" in meta:
            options += [f"-I{path}" for path in self._from(folder.path, self._include_paths())]
        if "use-exported-libs" in meta:
            for library in self._libraries():
                (place,) = self._from(folder.path, [os.path.dirname(library)])  # noqa: PTH120
                options += [f"-L{place}", f"-l{link_name(library)}"]
        if meta & {"feature-cflags", "feature-ldflags"}:
            options += feature_options
        if "recurse" in meta:
            options += [f"-d{inner}" for inner in self._below(folder.path)]
        return Step(folder.path, ("opp_makemake", "-f", *options))

    def _free_name(self, folder: str) -> str:
        """The program's name: not that of a folder, which would be in its way."""
        name = re.sub(r"[^\w.+-]", "_", self.name)
        return f"{name}-model" if (self.tree / folder / name).is_dir() else name

    def _include_paths(self) -> list[str]:
        return [f"{used.path}/{name}" for used in self.used for name in used.include_folders]

    def _libraries(self) -> list[str]:
        return [f"{used.path}/{name}" for used in self.used for name in used.products.libraries]

    def _from(self, folder: str, paths: Sequence[str]) -> list[str]:
        """Paths from the tree's top, as they are seen from one of its folders.

        By way of the tree's place, since ``..`` leads nowhere in the root, where a worker may be.
        """
        return [os.path.relpath(self.tree / path, self.tree / folder) for path in paths]

    def _below(self, folder: str) -> list[str]:
        others = [other.path for other in self._folders() if other.path != folder]
        return [
            os.path.relpath(other, folder)
            for other in others
            if folder == "." or other.startswith(f"{folder}/")
        ]

    def _make_all(self, folder: str, file: Path | None) -> list[Step]:
        """Make everything anew: what a tree brings along may be of another OMNeT++."""
        steps = [self._make(folder, "clean")] if file and has_target(file, "clean") else []
        return [*steps, self._make(folder, f"-j{self.jobs}", "-Otarget")]

    def _make(self, folder: str, *arguments: str) -> Step:
        return Step(folder, ("make", f"MODE={self.mode}", *arguments))


def _has_output(options: Sequence[str]) -> bool:
    return any(
        option == "--output" or option.startswith("--output=") or re.match(r"-o(?!$)|-o$", option)
        for option in options
    )


def _outermost(folders: Sequence[str]) -> list[str]:
    """Without those below another one: makefiles recurse."""
    if "." in folders:
        return ["."]
    return [
        folder
        for folder in folders
        if not any(folder != other and folder.startswith(f"{other}/") for other in folders)
    ]
