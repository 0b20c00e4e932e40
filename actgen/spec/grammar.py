"""The grammar of expressions, checked token by token before Python's parser sees the text.

`ast.parse` is only ever given text that this scan has accepted: decimal numbers, names, the operators below,
parentheses that match and are not nested deeply, values and operators that take turns. So it can neither crash
(5,000 open parentheses can) nor meet anything that is not arithmetic, and every mistake has a place and a remedy.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from dataclasses import dataclass

from actgen.spec.text import quoted
from actgen.spec.vocabulary import REDUCED

LENGTH = 4000
"""The most characters of an expression."""
TOKENS = 600
"""The most numbers, names, operators and parentheses of an expression."""
NESTING = 32
"""The most parentheses open at once."""
SIGNS = 3
"""The most signs in a row."""
DEPTH = 100
"""The most operations inside each other; a sum of n terms counts as n."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<refused>//|<<|>>|->|:=|<>|&&|\|\|)
    |(?P<operator>\*\*|<=|>=|==|!=|[-+*/<>&|])
    |(?P<open>\()
    |(?P<close>\))
    |(?P<comma>,)""",
    re.VERBOSE | re.ASCII,
)

_REFUSED = {
    "//": "write floor(u / v)",
    "%": "write u - v*floor(u / v)",
    "^": "write ** for a power",
    "&&": "write &",
    "||": "write |",
    "<>": "write !=",
    "=": "write == to compare; functions take no keyword arguments",
    ":=": "an expression assigns nothing",
    ".": "an expression has no attributes; functions are called by their bare name",
    "[": "group with ( )",
    "]": "group with ( )",
    "{": "group with ( )",
    "}": "group with ( )",
    "'": "an expression holds numbers, names and functions, no text",
    '"': "an expression holds numbers, names and functions, no text",
    "!": "write a comparison the other way round",
    "~": "write a comparison the other way round",
    "×": "write *",
    "·": "write *",
    "⋅": "write *",
    "÷": "write /",
    "−": "write -",
    "–": "write -",
    "²": "write **2",
    "³": "write **3",
    "√": "write sqrt(u)",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "∞": "an expression has no infinity; use Piecewise or a limit that is finite",
}

_WORDS = {
    "and": "write & between comparisons in parentheses",
    "or": "write | between comparisons in parentheses",
    "not": "write the comparison the other way round",
    "if": "write Piecewise((value, condition), (other, True))",
    "else": "write Piecewise((value, condition), (other, True))",
    "False": "leave the branch out",
    "lambda": "a parameter needs another name, such as lambd",
}


@dataclass(frozen=True)
class Flaw:
    """Something wrong with an expression: the characters from `start` to `stop`, why, and what to do."""

    start: int
    stop: int
    message: str
    remedy: str = ""


class GrammarError(Exception):
    """The expression is outside the grammar; `flaw` says where."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


def parse(text: str) -> ast.expr:
    """Return the syntax tree of an expression, with the columns of its nodes counting characters of `text`.

    Raises `GrammarError` for text outside the grammar or beyond its bounds.
    """
    _Scan(text).run()
    if len(text) > LENGTH:
        raise GrammarError(Flaw(LENGTH, len(text), f"the expression is longer than {LENGTH} characters", "shorten it"))
    # One line, so that columns count from its start; in parentheses, so that it may begin with a space.
    line = re.sub(r"[\t\r\n]", " ", text)
    tree = ast.parse(f"({line})", mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset -= 1
            node.end_col_offset = (node.end_col_offset or 0) - 1
    _bound_depth(tree)
    return tree


class _Scan:
    """One pass over the tokens: `wanting` a value, or having one and waiting for an operator."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.opened: list[tuple[int, bool]] = []  # open parentheses, and whether each calls a function
        self.wanting = True
        self.last = ""  # kind of the previous token
        self.signs = 0

    def run(self) -> None:
        index = count = 0
        while index < len(self.text):
            found = _TOKEN.match(self.text, index)
            if found is None or found.lastgroup == "refused":
                raise GrammarError(self.stray(index, found[0] if found else self.text[index]))
            kind, token = str(found.lastgroup), found[0]
            start, index = found.span()
            if kind == "space":
                continue
            count += 1
            if count > TOKENS:
                raise GrammarError(Flaw(start, index, f"the expression has more than {TOKENS} parts", "shorten it"))
            flaw = getattr(self, kind)(token, start, index)
            if flaw is not None:
                raise GrammarError(flaw)
            self.last = kind
        flaw = self.end()
        if flaw is not None:
            raise GrammarError(flaw)

    def end(self) -> Flaw | None:
        length = len(self.text)
        if not self.last:
            return Flaw(0, length, "the expression is empty", 'write the formula, such as "x * sigmoid(x)"')
        if self.wanting:
            return Flaw(length, length, "the expression ends where a value should follow", "complete or shorten it")
        if self.opened:
            place = self.opened[-1][0]
            return Flaw(place, place + 1, "this parenthesis is never closed", "add a ')'")
        return None

    def number(self, token: str, start: int, stop: int) -> Flaw | None:
        if not self.wanting:
            return self.crowded(token, start, stop)
        touching = re.compile(r"[A-Za-z_0-9.]+", re.ASCII).match(self.text, stop)
        if touching:
            rest = touching[0]
            remedy = "write one decimal point" if rest[0] == "." else f"write {token}*u for a product"
            return Flaw(start, touching.end(), f"{quoted(token + rest)} is not a number", remedy)
        if re.match(r"0[0-9]", token):
            return Flaw(start, stop, f"the number {quoted(token)} starts with a zero", "leave the zero out")
        self.wanting = False
        return None

    def name(self, token: str, start: int, stop: int) -> Flaw | None:
        if token in _WORDS or (keyword.iskeyword(token) and token != "True"):
            remedy = _WORDS.get(token, "an expression is arithmetic only")
            return Flaw(start, stop, f"{quoted(token)} is not part of an expression", remedy)
        if token.startswith("_") or "__" in token:
            remedy = "an expression knows x, its parameters, pi, E and the listed functions"
            return Flaw(start, stop, f"{quoted(token)} is not a name that an expression can use", remedy)
        if not self.wanting:
            return self.crowded(token, start, stop)
        self.wanting = False
        return None

    def operator(self, token: str, start: int, stop: int) -> Flaw | None:
        if self.wanting:
            if token not in "+-":
                return Flaw(start, stop, f"a value is missing before {token!r}", "complete or remove the operation")
            self.signs += 1
            if self.signs > SIGNS:
                return Flaw(start, stop, f"there are more than {SIGNS} signs in a row", "write one")
            return None
        self.signs = 0
        self.wanting = True
        return None

    def open(self, _token: str, start: int, stop: int) -> Flaw | None:
        calls = not self.wanting
        if calls and self.last != "name":
            return self.crowded("(", start, stop)
        if len(self.opened) == NESTING:
            return Flaw(start, stop, f"parentheses are nested more than {NESTING} deep", "simplify the expression")
        self.opened.append((start, calls))
        self.wanting = True
        self.signs = 0
        return None

    def close(self, _token: str, start: int, stop: int) -> Flaw | None:
        if not self.opened:
            return Flaw(start, stop, "this parenthesis was never opened", "remove it or add a '('")
        _, calls = self.opened.pop()
        if self.wanting and not (self.last == "comma" or (self.last == "open" and calls)):
            return Flaw(start, stop, "a value is missing before ')'", "complete or remove the parentheses")
        self.wanting = False
        return None

    def comma(self, _token: str, start: int, stop: int) -> Flaw | None:
        if self.wanting:
            return Flaw(start, stop, "a value is missing before ','", "complete or remove the argument")
        if not self.opened:
            return Flaw(start, stop, "a comma stands between arguments only", "decimals are written with a point: 0.5")
        self.wanting = True
        self.signs = 0
        return None

    def crowded(self, token: str, start: int, stop: int) -> Flaw:
        return Flaw(start, stop, f"an operator is missing before {quoted(token)}", "write * for a product")

    def stray(self, start: int, token: str) -> Flaw:
        remedy = _REFUSED.get(token, "")
        reduction = REDUCED.get(self.called()) if token == "=" else None
        if reduction is not None:
            remedy = f'write {reduction}(u), which reduces over the axis with kind = "axiswise"'
        label = unicodedata.name(token[0], "")
        if not remedy and label.startswith("GREEK SMALL LETTER "):
            spoken = label.rsplit(" ", 1)[1].lower()
            remedy = f"write {'lambd' if spoken == 'lamda' else spoken}"
        shown = repr(token) if token.isprintable() else f"the character U+{ord(token[0]):04X}"
        remedy = remedy or "use numbers, names, functions and + - * / ** < <= > >= == != & |"
        return Flaw(start, start + len(token), f"{shown} is not part of an expression", remedy)

    def called(self) -> str:
        """The function whose arguments are read; empty outside of calls."""
        place, calls = self.opened[-1] if self.opened else (0, False)
        return re.findall(r"\w+", self.text[:place])[-1] if calls else ""


def _bound_depth(tree: ast.expr) -> None:
    level = [tree]
    for _ in range(DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if not level:
            return
    place = (level[0].col_offset, level[0].end_col_offset or 0)
    raise GrammarError(Flaw(*place, f"operations are nested more than {DEPTH} deep", "simplify the expression"))
