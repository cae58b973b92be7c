"""Build keys and run keys: what a stored result depends on. Standard library only, no I/O.

A wrong reuse is silent wrong science, a miss only costs time: what may matter is in the key.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

Pair = tuple[str, str]

SCHEME = "2026-11"
"""Part of every key: a change of the keys' meaning makes all older results unusable."""

# Not .txt, .xml or .dat: a compiler can include those, and a needless build only costs time.
_CANNOT_CHANGE_BINARY = {".ned", ".ini", ".anf", ".md", ".rst", ".png", ".svg", ".jpg", ".gif"}
_IGNORED_PAIRS = {
    "repeat", "constraint", "iteration-nesting-order", "extends", "abstract", "description",
    "result-dir",
}  # fmt: skip
_IGNORED_PREFIXES = ("cmdenv-", "qtenv-")
_CHANGING = re.compile(r"\$\{\s*(datetimef?|processid|runid)\s*\}")
# Schedulers that follow the clock or a socket: OMNeT++'s, INET's, and models' own of such names.
_LIVE = re.compile(r"real-?time|RTScheduler|socket|emulation", re.IGNORECASE)
_COMMENT = re.compile(r"#[^\"]*\Z")
_WORD = re.compile(r"[^\s\"';:,()=]+")
_CHANGES = {
    "sources": "sources changed",
    "environment": "engine or image changed",
    "options": "options changed",
    "configuration": "configuration changed",
    "seed": "seed changed",
}


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class FileDigest:
    """What keys know of a source file: path in its tree, execute bit, digest of its content."""

    path: str
    executable: bool
    sha256: str


def build_digest(files: Iterable[FileDigest]) -> str:
    """Of the files that can change what a build makes: NED, ini, text and pictures stay out."""
    return digest(
        sorted(
            (file.path, file.executable, file.sha256)
            for file in files
            if PurePosixPath(file.path).suffix.lower() not in _CANNOT_CHANGE_BINARY
        )
    )


def content_digest(files: Iterable[FileDigest], ini_files: Iterable[str]) -> str:
    """Of all files of a tree but those ini files whose entries count by themselves."""
    read = set(ini_files)
    return digest(sorted((f.path, f.executable, f.sha256) for f in files if f.path not in read))


def build_key(
    *,
    tree: str,
    used: Sequence[str],
    mode: str,
    environment: Mapping[str, str],
    beside_sources: str = "",
) -> str:
    """The key of one tree's build: its `build_digest`, the keys of the trees it uses, the rest.

    ``beside_sources`` is what else the build's product depends on.
    """
    return digest(
        {
            "scheme": SCHEME,
            "tree": tree,
            "used": list(used),
            "mode": mode,
            "environment": dict(environment),
            "beside_sources": beside_sources,
        }
    )


@dataclass(frozen=True)
class RunInputs:
    """All that a run's results depend on, in parts that a person would name."""

    sources: str
    environment: str
    options: str
    configuration: str
    seed: str

    @property
    def key(self) -> str:
        """The run key."""
        return digest({"scheme": SCHEME, **vars(self)})

    @property
    def fingerprint(self) -> str:
        """The beginning of each part's digest: enough to tell what changed, not to reuse by."""
        return ".".join(getattr(self, part)[:8] for part in _CHANGES)


def why_new(fingerprint: str, earlier: str) -> str:
    """Why an earlier result of the same run cannot be used: what differs, in words."""
    parts = zip(_CHANGES.values(), fingerprint.split("."), earlier.split("."), strict=False)
    changed = [words for words, own, other in parts if own != other]
    return ", ".join(changed) or "no stored result"


def relevant_pairs(pairs: Iterable[Pair]) -> list[Pair]:
    """A configuration's pairs without those that cannot change results; order is kept."""
    return [
        (key, value)
        for key, value in pairs
        if key not in _IGNORED_PAIRS and not key.startswith(_IGNORED_PREFIXES)
    ]


def unsteady_entries(ini_text: str, folder: str) -> list[str]:
    """Entries of an ini file in ``folder`` (below the trees' folder) that forbid reuse.

    Their value is another one each time, they bind the simulation to the clock or the network, or
    they name files that are in no tree, which no key can know.
    """
    found = []
    for line in ini_text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith("#") and relevant_pairs([(key.strip(), value)]):
            value = _COMMENT.sub("", value)
            live = key.strip() == "scheduler-class" and _LIVE.search(value)
            if live or _CHANGING.search(value) or _leaves_trees(value, folder):
                found.append(line.strip())
    return found


def _leaves_trees(value: str, folder: str) -> bool:
    for word in _WORD.findall(value):
        if re.match(r"(/|~/?)\w", word):
            return True
        if ".." in word.split("/") and posixpath.normpath(f"{folder}/{word}").startswith(".."):
            return True
    return False


def run_inputs(
    *,
    trees: Mapping[str, str],
    build_keys: Mapping[str, str],
    environment: Mapping[str, str],
    options: Sequence[Pair],
    place: Mapping[str, Any],
    pairs: Sequence[Pair],
    run: Mapping[str, Any],
) -> RunInputs:
    """The inputs of one run.

    ``trees`` are content digests and ``build_keys`` build keys, both by the tree's place; ``pairs``
    the run's whole configuration in order; ``place`` says where the ini files are, the NED path,
    exclusions and what is kept; ``run`` holds configuration, variables, repetition and seed set.
    """
    option_set = dict(options)
    own = [pair for pair in relevant_pairs(pairs) if option_set.get(pair[0]) != pair[1]]
    numbered = {key: value for key, value in run.items() if key != "seed_set"}
    return RunInputs(
        sources=digest([dict(trees), dict(build_keys)]),
        environment=digest(dict(environment)),
        options=digest(sorted(relevant_pairs(options))),
        configuration=digest([own, numbered, dict(place)]),
        seed=digest(run["seed_set"]),
    )
