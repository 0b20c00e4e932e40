"""Text from a spec file on its way into source code: made tidy when read, made inert when written.

Titles, summaries, authors and descriptions end up in docstrings and comments of emitted code. Reading them
collapses white space and refuses what nobody types on purpose; writing them goes through :func:`inert`, which
holds for any text whatever.
"""

from __future__ import annotations

import re
import unicodedata

_QUOTED = 60  # characters of a text shown in a message
_SPACE = re.compile(r"[ \t\r\n]+")
_QUOTES = re.compile(r'"{2,}')
# Unicode categories that a reader cannot see or that move the text around them: controls, formats (bidirectional
# overrides, zero-width marks, tags), surrogates, private use, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def inert(text: str) -> str:
    """Return `text` on one line, unable to end or escape a docstring or a comment.

    The result can stand anywhere inside a triple-double-quoted docstring, raw or not, before its closing quotes,
    and behind `#` in a comment: line breaks become spaces, invisible characters (controls, bidirectional marks,
    U+2028, U+2029, U+0085) become `?`, backslashes become slashes, and double quotes become single ones where
    they touch each other or an end of the text. Text that holds none of these is returned as it is.
    """
    tidy = _SPACE.sub(" ", text).replace("\\", "/")
    tidy = "".join("?" if is_invisible(character) else character for character in tidy)
    tidy = _QUOTES.sub(lambda run: "'" * len(run[0]), tidy)
    if tidy.startswith('"'):
        tidy = "'" + tidy[1:]
    if tidy.endswith('"'):
        tidy = tidy[:-1] + "'"
    return tidy


def collapse(text: str) -> str:
    """Return `text` with each run of spaces, tabs and line breaks made one space, and none at the ends."""
    return _SPACE.sub(" ", text).strip(" ")


def quoted(text: str) -> str:
    """Return `text` in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "...")


def is_invisible(character: str) -> bool:
    """Whether a character is a control, a format or bidirectional mark, or another that no reader can see."""
    return unicodedata.category(character) in _INVISIBLE


def first_invisible(text: str) -> int | None:
    """Return the index of the first character that no reader can see, spaces, tabs and line breaks apart."""
    for index, character in enumerate(text):
        if character not in "\t\r\n" and is_invisible(character):
            return index
    return None


def visible(text: str) -> str:
    """Return one line of a file fit for a terminal: tabs become spaces, invisible characters U+FFFD."""
    return "".join(
        " " if character == "\t" else "\N{REPLACEMENT CHARACTER}" if is_invisible(character) else character
        for character in text
    )


def width(text: str) -> int:
    """Return how many columns a terminal gives to `text`."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
