"""Finding the value of an option, a parameter or a per-object setting: the first match wins.

Source: ``sectionbasedconfig.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oppflow.engine.inifile import Entry
from oppflow.engine.patterns import contains_wildcards, matcher


def split_key(key: str) -> tuple[str, str]:
    """A key's pattern for the owner and its last part; the owner is empty if they do not separate.

    They do not where ``**`` stands after the last dot: then the whole path is to be matched, and
    the last part is what follows the last ``**``.
    """
    dot = _last_dot(key)
    after = key.find("**", dot) if dot >= 0 else -1
    if dot >= 0 and after < 0:
        return key[:dot], key[dot + 1 :]
    if after < 0:
        return "", "*"
    return "", key[key.rfind("**") + 1 :]


def _last_dot(key: str) -> int:
    last, closing = -1, ""
    for position, character in enumerate(key):
        if not closing and character in "[{":
            closing = "]" if character == "[" else "}"
        elif character == closing:
            closing = ""
        elif not closing and character == ".":
            last = position
    return last


class Lookup:
    """The entries that count for one run, nearest section first."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._plain: list[tuple[Callable[[str], bool], Entry]] = []
        self._by_suffix: dict[str, list[_Rule]] = {}
        self._wildcards: list[_Rule] = []
        for order, entry in enumerate(entries):
            if _last_dot(entry.key) < 0:
                self._plain.append((_exactly_or_like(entry.key), entry))
                continue
            rule = _Rule(order, entry)
            if contains_wildcards(rule.suffix):
                self._wildcards.append(rule)
            else:
                self._by_suffix.setdefault(rule.suffix, []).append(rule)

    def option(self, key: str) -> Entry | None:
        """The entry of a plain option: ``sim-time-limit``."""
        return next((entry for matches, entry in self._plain if matches(key)), None)

    def setting(self, path: str, option: str) -> Entry | None:
        """The entry of a per-object option for the object with this full path.

        As in OMNeT++, wildcards in an option's name count only if another entry names it.
        """
        named = self._by_suffix.get(option)
        return self._first(path, option, self._candidates(option)) if named else None

    def parameter(self, path: str, name: str, *, has_default: bool) -> Entry | None:
        """The entry of a module's parameter; ``default`` is skipped if there is no default."""
        for rule in self._candidates(name):
            if rule.matches(path, name) and (has_default or rule.entry.value != "default"):
                return rule.entry
        return None

    def _candidates(self, suffix: str) -> list[_Rule]:
        named = self._by_suffix.get(suffix, [])
        if not self._wildcards:
            return named
        alike = [rule for rule in self._wildcards if rule.suffix_matches(suffix)]
        return sorted([*named, *alike], key=lambda rule: rule.order)

    @staticmethod
    def _first(path: str, name: str, rules: list[_Rule]) -> Entry | None:
        return next((rule.entry for rule in rules if rule.matches(path, name)), None)


class _Rule:
    """An entry whose key is a pattern."""

    def __init__(self, order: int, entry: Entry) -> None:
        self.order = order
        self.entry = entry
        owner, self.suffix = split_key(entry.key)
        self._owner = matcher(owner) if owner else None
        self._whole = matcher(entry.key)
        self.suffix_matches = _exactly_or_like(self.suffix)

    def matches(self, path: str, name: str) -> bool:
        if self._owner is None:
            return self._whole(f"{path}.{name}")
        return self.suffix_matches(name) and self._owner(path)


def _exactly_or_like(pattern: str) -> Callable[[str], bool]:
    return matcher(pattern) if contains_wildcards(pattern) else pattern.__eq__
