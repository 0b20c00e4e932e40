"""A spec file as text: where each of its keys and values stands, down to the characters inside a string."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from tree_sitter import Language, Node, Parser
from tree_sitter_toml import language

from actgen.spec.problem import Problem

KeyPath = tuple[str | int, ...]
"""Where something is in a TOML document: `("parameters", "beta", "default")`."""

Span = tuple[int, int]
"""Start and end of a piece of the text, in characters."""

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_TABLES = ("table", "table_array_element")


@dataclass(frozen=True)
class Source:
    """The text of one file, and the places of its keys and values."""

    path: str
    text: str
    keys: dict[KeyPath, Span] = field(default_factory=dict)
    values: dict[KeyPath, Span] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str, text: str) -> Source:
        """Find the keys and values of a TOML document that `tomllib` accepts."""
        places = _Places(text)
        places.document(_parser().parse(places.octets).root_node)
        return cls(path, text, places.keys, places.values)

    def problem(self, span: Span | None, message: str, remedy: str = "") -> Problem:
        """Return a problem whose caret underlines `span`, up to the end of its first line."""
        if span is None:
            return Problem(self.path, message, remedy, line=1, source=self.text.split("\n", 1)[0])
        start, stop = span
        begin = self.text.rfind("\n", 0, start) + 1
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        return Problem(
            self.path,
            message,
            remedy,
            line=self.text.count("\n", 0, start) + 1,
            column=start - begin + 1,
            extent=max(1, min(stop, end) - start),
            source=self.text[begin:end],
        )

    def key(self, path: KeyPath) -> Span | None:
        """Return the place of the key at `path`, or of the nearest table around it that has one."""
        return _nearest(self.keys, path)

    def value(self, path: KeyPath) -> Span | None:
        """Return the place of the value at `path`, or of the nearest key or table around it."""
        return _nearest(self.keys | self.values, path)

    def inside(self, path: KeyPath, value: str, span: Span) -> Span | None:
        """Return the place of a part of a string: of the characters `span` of the value at `path`.

        The string may be of any of TOML's four kinds. A part that is empty points at the character before it, or
        at the closing quote.
        """
        place = self.values.get(path)
        if place is None:
            return self.key(path)
        offsets = _characters(self.text[slice(*place)], value)
        if offsets is None:
            return place
        start, stop = span
        first = offsets[start]
        last = offsets[stop] if stop > start else first + 1
        return place[0] + first, place[0] + last


@cache
def _parser() -> Parser:
    return Parser(Language(language()))


def _nearest(places: dict[KeyPath, Span], path: KeyPath) -> Span | None:
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return None


class _Places:
    """Collects the places of keys and values from a syntax tree, whose positions count bytes."""

    def __init__(self, text: str) -> None:
        self.octets = text.encode()
        self.is_ascii = text.isascii()
        self.keys: dict[KeyPath, Span] = {}
        self.values: dict[KeyPath, Span] = {}
        self.elements: dict[KeyPath, int] = {}

    def document(self, root: Node) -> None:
        for node in root.named_children:
            if node.type == "pair":
                self.pair((), node)
            elif node.type in _TABLES:
                path = self.name((), node.named_children[0])
                if node.type == "table_array_element":
                    index = self.elements.get(path, -1) + 1
                    self.elements[path] = index
                    path = (*path, index)
                for child in node.named_children[1:]:
                    if child.type == "pair":
                        self.pair(path, child)

    def pair(self, table: KeyPath, node: Node) -> None:
        children = [child for child in node.named_children if child.type != "comment"]
        if len(children) == 2:
            self.value(self.name(table, children[0]), children[1])

    def name(self, table: KeyPath, node: Node) -> KeyPath:
        """Return the path that a key names, and note where each of its parts stands."""
        path = table
        for part in self.parts(node):
            written = self.octets[part.start_byte : part.end_byte].decode()
            path = (*path, written if part.type == "bare_key" else _unquote(written))
            self.keys.setdefault(path, self.span(part))
        return path

    def parts(self, node: Node) -> list[Node]:
        parts: list[Node] = []
        while node.type == "dotted_key":
            children = node.named_children
            parts[:0] = children[1:]
            node = children[0]
        return [node, *parts]

    def value(self, path: KeyPath, node: Node) -> None:
        waiting = [(path, node)]
        while waiting:
            path, node = waiting.pop()
            self.values.setdefault(path, self.span(node))
            children = [child for child in node.named_children if child.type != "comment"]
            if node.type == "array":
                waiting += [((*path, index), child) for index, child in enumerate(children)]
            elif node.type == "inline_table":
                for child in children:
                    inner = child.named_children
                    if child.type == "pair" and len(inner) == 2:
                        waiting.append((self.name(path, inner[0]), inner[1]))

    def span(self, node: Node) -> Span:
        if self.is_ascii:
            return node.start_byte, node.end_byte
        start = len(self.octets[: node.start_byte].decode())
        return start, start + len(self.octets[node.start_byte : node.end_byte].decode())


def _unquote(written: str) -> str:
    return "".join(character for character, _ in _decode(written, 1, len(written) - 1, literal=written[0] == "'"))


def _characters(written: str, value: str) -> list[int] | None:
    """Return, for each character of a string and for its end, where it stands in the string as written."""
    quote = written[:1]
    if quote not in ("'", '"'):
        return None
    marks = 3 if written.startswith(quote * 3) and len(written) >= 6 else 1
    start = marks + (marks == 3 and written[marks : marks + 1] == "\n")
    decoded = _decode(written, start, len(written) - marks, literal=quote == "'")
    if "".join(character for character, _ in decoded) != value:
        return None
    return [place for _, place in decoded] + [len(written) - marks]


def _decode(written: str, start: int, stop: int, *, literal: bool) -> list[tuple[str, int]]:
    """Return the characters that a piece of a TOML string stands for, each with its place."""
    decoded: list[tuple[str, int]] = []
    index = start
    while index < stop:
        if literal or written[index] != "\\":
            decoded.append((written[index], index))
            index += 1
            continue
        mark = written[index + 1]
        if mark in "xuU":
            digits = {"x": 2, "u": 4, "U": 8}[mark]
            decoded.append((chr(int(written[index + 2 : index + 2 + digits], 16)), index))
            index += 2 + digits
        elif mark in _ESCAPES:
            decoded.append((_ESCAPES[mark], index))
            index += 2
        else:  # the backslash at the end of a line, which eats all white space after it
            index += 1
            while index < stop and written[index] in " \t\n":
                index += 1
    return decoded
