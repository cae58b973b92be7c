"""OMNeT++'s rules for text: quoting, splitting at delimiters, file names.

Source: ``stringutil.cc`` and ``stringtokenizer.cc`` of OMNeT++ 6.1, as behaviour.
"""

from __future__ import annotations

import re

from oppflow.engine.errors import EngineError

SPACE = " \t\n\v\f\r"
_ESCAPES = {character: repr(character)[1:-1] for character in "\n\r\t\\"}
_ESCAPES.update({"\b": "\\b", "\f": "\\f", '"': '\\"'})
_UNESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "\n": ""}
_NEEDS_QUOTES = re.compile(r"""[\s\\"\x00-\x1f\x7f]""")
_PARTNERS = {")": "(", "}": "{", "]": "["}
_NOT_IN_FILE_NAMES = frozenset("/\\:?*<>|'`\"$%{}^&")


def starts_name(character: str) -> bool:
    """Whether a variable's name may start so: letters, and whatever is not ASCII; no underscore."""
    return character.isalpha() or character > "\x7f"


def continues_name(character: str) -> bool:
    """Whether a variable's name may go on so: as `starts_name`, and digits."""
    return character.isalnum() or character > "\x7f"


def quote(text: str) -> str:
    """The text as a string literal."""
    characters = []
    for character in text:
        if character in _ESCAPES:
            characters.append(_ESCAPES[character])
        elif character < " " or character == "\x7f":
            characters.append(f"\\x{ord(character):02X}")
        else:
            characters.append(character)
    return '"' + "".join(characters) + '"'


def quote_if_needed(text: str) -> str:
    """The text as result files spell it: quoted if empty or with spaces, quotes or backslashes."""
    return quote(text) if not text or _NEEDS_QUOTES.search(text) else text


def unquote(literal: str) -> str:
    """The text of a string literal.

    Raises:
        EngineError: The literal is malformed, or something follows it.
    """
    text, end = _read_literal(literal.lstrip(SPACE))
    if end.strip(SPACE):
        raise EngineError("Trailing garbage after string literal")
    return text


def _read_literal(literal: str) -> tuple[str, str]:
    mark = literal[:1]
    if mark not in ('"', "'") or not mark:
        raise EngineError("Missing opening quote")
    result = []
    position = 1
    while position < len(literal) and literal[position] != mark:
        if literal[position] == "\\":
            character, position = _read_escape(literal, position + 1, mark)
            result.append(character)
        else:
            result.append(literal[position])
            position += 1
    if position >= len(literal):
        raise EngineError("Missing closing quote")
    return "".join(result), literal[position + 1 :]


def _read_escape(literal: str, position: int, mark: str) -> tuple[str, int]:
    character = literal[position : position + 1]
    if character == "x":
        digits = re.compile(r"[0-9A-Fa-f]{0,2}").match(literal, position + 1)
        code = digits.group() if digits else ""
        return chr(int(code or "0", 16)), position + 1 + len(code)
    if character == mark:
        return mark, position + 1
    if character not in _UNESCAPES:
        raise EngineError(f"Illegal escape sequence '\\{character}'")
    return _UNESCAPES[character], position + 1


def find_delimiter(text: str, start: int, delimiter: str) -> int:
    """Where the delimiter next stands outside quotes and parentheses; the text's length if nowhere.

    Raises:
        EngineError: Quotes or parentheses do not match.
    """
    open_parentheses: list[str] = []
    position = start
    while position < len(text):
        character = text[position]
        if character == delimiter and not open_parentheses:
            return position
        if character in "\"'":
            position = find_closing_quote(text, position)
            if position < 0:
                raise EngineError("Unclosed string constant")
        elif character in "({[":
            open_parentheses.append(character)
        elif character in ")}]":
            if not open_parentheses or open_parentheses[-1] != _PARTNERS[character]:
                raise EngineError(f"Unmatched close parenthesis '{character}'")
            open_parentheses.pop()
        position += 1
    if open_parentheses:
        raise EngineError(f"Unclosed parenthesis '{open_parentheses[-1]}'")
    return position


def find_closing_quote(text: str, start: int) -> int:
    """Where the string that opens at ``start`` ends, or -1; a backslash protects a character."""
    position = start + 1
    while position < len(text):
        if text[position] == text[start]:
            return position
        position += 2 if text[position] == "\\" else 1
    return -1


def split_outside_quotes(text: str, delimiter: str) -> list[str]:
    """The trimmed, non-empty pieces between delimiters that stand outside quotes and brackets."""
    pieces = []
    position = 0
    while position < len(text):
        end = find_delimiter(text, position, delimiter)
        pieces.append(text[position:end].strip(SPACE))
        position = end + 1
    return [piece for piece in pieces if piece]


def split_and_trim(text: str, delimiter: str) -> list[str]:
    """The trimmed pieces between delimiters; quotes mean nothing here."""
    return [piece.strip(SPACE) for piece in text.split(delimiter)] if text.strip(SPACE) else []


def encode_for_file_name(text: str) -> str:
    """The text as ``${iterationvarsf}`` spells it: what file systems dislike becomes ``#hex``."""
    characters = []
    for byte in text.encode("utf-8", "surrogateescape"):
        character = chr(byte)
        if character == " ":
            characters.append("_")
        elif character in "_#":
            characters.append("#" + character)
        elif byte > 127:  # OMNeT++ prints a signed character as a 32-bit number
            characters.append(f"#ffffff{byte:x}")
        elif byte < 32 or byte == 127 or character in _NOT_IN_FILE_NAMES:
            characters.append(f"#{byte:2x}")
        else:
            characters.append(character)
    return "".join(characters)


def indent_lines(text: str) -> str:
    """The text with a TAB before each of its lines."""
    if not text:
        return text
    indented = "\t" + text.replace("\n", "\n\t")
    return indented[:-1] if text.endswith("\n") else indented
