"""What a model printed or is named, as text that can be shown: no terminal codes, valid Unicode."""

from __future__ import annotations

import re

# ECMA-48: control sequences, operating system commands up to BEL or ST, two-character escapes.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def shown(text: str) -> str:
    """Return the text without escape sequences and control characters; tab and line feed stay.

    Bytes that were no UTF-8, and halves of surrogate pairs, become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    valid = re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    return _CONTROLS.sub("", _ESCAPES.sub("", valid))
