"""Formulas from their text, and their exact values, for the tests of the rooms symbolic and numerics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sympy as sp
from flint import arb, ctx, fmpq

from actgen.spec.expression import read_expression
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.binding import bind

x = sp.Symbol("x", real=True)
"""The input, as the spec room makes it."""


def formula(text: str, *parameters: sp.Symbol) -> sp.Expr:
    """The expression over the primitives that a text stands for."""
    symbols = {"x": x, **{symbol.name: symbol for symbol in parameters}}
    reading = read_expression(text, symbols)
    assert reading.expression is not None, reading.flaws
    return bind(reading.expression, (x,))


@contextmanager
def precision(bits: int) -> Iterator[None]:
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def exact(number: float | str | sp.Rational) -> arb:
    """A number as a ball: a float or a rational exactly, a text such as "1/3" to the working precision."""
    rational = sp.Rational(*number.as_integer_ratio()) if isinstance(number, float) else sp.Rational(number)
    return arb(fmpq(int(rational.p), int(rational.q)))


def value(expression: sp.Expr, point: float | str | sp.Rational, bits: int = 200) -> arb | None:
    """The ball that holds an expression in x at a point."""
    with precision(bits):
        return BallFunction(expression, (x,))(exact(point))


def agree(a: arb | None, b: arb | None, bits: int = 100) -> bool:
    """Whether two balls are tight and differ by less than 2**-bits of their size, or of 2**-900 near 0."""
    if a is None or b is None or not (a.is_finite() and b.is_finite()):
        return False
    with precision(400):
        return bool(abs(a - b) <= (abs(a) + arb(2) ** -900) * arb(2) ** -bits)
