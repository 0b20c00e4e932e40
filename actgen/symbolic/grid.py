"""A formula of one input looked at point by point: a grid that is dense around 0, exact values on it, roots between.

The grid reaches 2**40; signs are proved at its points, and roots enclosed between neighbouring float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import sympy as sp
from flint import arb, ctx

from actgen.symbolic.balls import BallFunction, ball

_BITS = 128
GRID = tuple(
    sorted({sign * m * 2.0**k for sign in (-1, 1) for k in range(-12, 7) for m in (1, 1.19, 1.41, 1.68)} | {0.0})
)
FAR = tuple(sign * 2.0**k for sign in (-1, 1) for k in (8, 10, 12, 16, 20, 30, 40))

Point = Callable[[float], arb | None]


def at(expression: sp.Expr, variables: Sequence[sp.Symbol], parameters: Sequence[sp.Rational]) -> Point:
    """Return a formula of one input as a function of numbers, with the parameters at given values.

    Args:
        expression: the formula.
        variables: its input, then its parameters.
        parameters: their values.

    Returns:
        What gives for a number a ball of 128 bits around the value; None where that cannot be told or is not finite.
    """
    function = BallFunction(expression, variables)

    def evaluate(x: float) -> arb | None:
        before, ctx.prec = ctx.prec, _BITS
        try:
            y = function(arb(x), *map(ball, parameters))
            return y if y is not None and y.is_finite() else None
        finally:
            ctx.prec = before

    return evaluate


def isolated_roots(value: Point, values: Sequence[tuple[float, arb]]) -> Iterator[float]:
    """Zeros at grid points, and between grid points of opposite sign, to the nearest float64."""
    for x, y in values:
        if y.is_zero() or (y.contains(0) and abs(y) < arb(2) ** -100 and abs(x) <= 8):
            yield x
    for (a, f), (b, g) in pairwise(values):
        if (f < 0 and g > 0) or (f > 0 and g < 0):
            yield _bisected(value, a, b, rising=bool(f < 0))


def _bisected(value: Point, a: float, b: float, *, rising: bool) -> float:
    while True:
        middle = (a + b) / 2
        if middle in (a, b):
            return middle
        y = value(middle)
        if y is None or y.contains(0):
            return middle
        if (y < 0) == rising:
            a = middle
        else:
            b = middle
