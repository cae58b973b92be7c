"""Whether a symbolic link stays in its tree, without asking the file system."""

from __future__ import annotations

from collections.abc import Mapping

# Linux gives up after as many links on one path (path_resolution(7)), so such a path leads nowhere
_MAX_HOPS = 40


def resolve(path: str, target: str, links: Mapping[str, str]) -> str | None:
    """Where the link at ``path`` leads, relative to the tree, or None if that is out of it.

    ``links`` maps the paths of all links of the tree to their targets: a ``..`` behind another link
    is taken from where that one leads, as the kernel does it, so that links that look harmless one
    by one cannot leave the tree together. One that is out as it is spelt is out, too, wherever the
    kernel would go: container engines refuse to unpack it.
    """
    if target.startswith("/") or _leaves_as_spelt(path, target):
        return None
    place = path.split("/")[:-1]
    todo = list(reversed(target.split("/")))
    hops = 0
    while todo:
        step = todo.pop()
        if step in ("", "."):
            continue
        if step == "..":
            if not place:
                return None
            place.pop()
            continue
        place.append(step)
        onward = links.get("/".join(place))
        if onward is None:
            continue
        hops += 1
        if onward.startswith("/"):
            return None
        if hops > _MAX_HOPS:
            return path
        place.pop()
        todo.extend(reversed(onward.split("/")))
    return "/".join(place)


def _leaves_as_spelt(path: str, target: str) -> bool:
    depth = path.count("/")
    for step in target.split("/"):
        if step not in ("", "."):
            depth += -1 if step == ".." else 1
        if depth < 0:
            return True
    return False
