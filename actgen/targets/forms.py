"""How an operation is written in Python: templates with the precedence that decides about parentheses.

A target's printer table maps each operation of :data:`actgen.numerics.kernel.OPERATIONS` to a :class:`Form`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Precedence(IntEnum):
    """How tightly Python binds, loosest first."""

    ANY = 0
    COMPARISON = 1
    OR = 2
    AND = 3
    SUM = 4
    PRODUCT = 5
    UNARY = 6
    POWER = 7
    ATOM = 8


@dataclass(frozen=True)
class Form:
    """The text of one operation.

    Args:
        template: text with {0}, {1}, {2} for the operands.
        precedence: how tightly the whole text binds.
        operands: how tightly each operand must bind to stand without parentheses; all ANY if empty.
        tensors: places of which at least one must be a tensor; if numbers stand at all of them, the printer makes
            the first a tensor of the right type. Frameworks otherwise choose their default type, or refuse.
        repeated: places that the template reads more than once; what stands there gets a name first.
    """

    template: str
    precedence: Precedence = Precedence.ATOM
    operands: tuple[Precedence, ...] = ()
    tensors: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()

    def needs(self, place: int) -> Precedence:
        """Return how tightly the operand at a place must bind."""
        return self.operands[place] if self.operands else Precedence.ANY


def call(function: str, arity: int = 1, tensors: tuple[int, ...] = ()) -> Form:
    """`function({0}, {1}, ...)`."""
    return Form(f"{function}({', '.join(f'{{{place}}}' for place in range(arity))})", tensors=tensors)


def infix(symbol: str, precedence: Precedence) -> Form:
    """`{0} symbol {1}`: left-associative; comparisons do not chain."""
    tighter = Precedence(precedence + 1)
    left = tighter if precedence is Precedence.COMPARISON else precedence
    return Form(f"{{0}} {symbol} {{1}}", precedence, (left, tighter))


def prefix(symbol: str) -> Form:
    """`symbol{0}`, such as a minus sign."""
    return Form(f"{symbol}{{0}}", Precedence.UNARY, (Precedence.UNARY,))


ARITHMETIC: Mapping[str, Form] = {
    "add": infix("+", Precedence.SUM),
    "subtract": infix("-", Precedence.SUM),
    "multiply": infix("*", Precedence.PRODUCT),
    "divide": infix("/", Precedence.PRODUCT),
    "negate": prefix("-"),
    "less": infix("<", Precedence.COMPARISON),
    "less_equal": infix("<=", Precedence.COMPARISON),
    "greater": infix(">", Precedence.COMPARISON),
    "greater_equal": infix(">=", Precedence.COMPARISON),
    "equal": infix("==", Precedence.COMPARISON),
    "not_equal": infix("!=", Precedence.COMPARISON),
    "both": infix("&", Precedence.AND),
    "either": infix("|", Precedence.OR),
}
"""The operations that tensors of every framework write with Python's own operators."""
