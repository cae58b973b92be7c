"""Building HTML from text that is always escaped."""

from __future__ import annotations

import html
import json
from typing import Any


class Html(str):
    """Text that is HTML already. Everything else is escaped where it enters."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: object) -> Html:
    """Return an element; content that is not `Html` is escaped.

    Attributes: ``class_`` is ``class``, other underscores are hyphens, True stands without a
    value, and None and False are left out.
    """
    shown = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        is_flag = value is True
        shown.append(f" {attribute}" if is_flag else f' {attribute}="{html.escape(str(value))}"')
    return Html(f"<{name}{''.join(shown)}>{join(*content)}</{name}>")


def join(*content: str) -> Html:
    """Return the parts one after the other, escaped where they are not `Html`."""
    return Html("".join(p if isinstance(p, Html) else html.escape(p) for p in content))


def script_json(data: Any) -> Html:
    """Return data as JSON for a script element: nothing in it can end the element.

    NaN and infinity are not JSON and raise ValueError.
    """
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
