"""Polynomials for a formula on a stretch, by interpolation at Chebyshev points in ball arithmetic.

Nothing is differentiated, and removable singularities are no matter. A polynomial is taken only where it agrees with
the formula to 2**-56 at other points, too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy as sp
from flint import arb, arb_poly, ctx

from actgen.symbolic.balls import BallFunction

_PRECISIONS = (256, 512, 1024, 2048)
_BITS = 150
_TOLERANCE = arb(2) ** -56
LARGEST_POWER = 8
# Even, so that no point is the middle, where a removable singularity may be.
_SIZES = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26)


class Function:
    """A formula at arbitrary balls, at rising precision."""

    def __init__(self, expression: sp.Expr, z: sp.Symbol) -> None:
        self._balls = BallFunction(expression, (z,))

    def __call__(self, z: arb) -> arb | None:
        before = ctx.prec
        try:
            for precision in _PRECISIONS:
                ctx.prec = precision
                value = self._balls(z)
                if value is not None and value.is_finite() and (value.is_zero() or value.rel_accuracy_bits() >= _BITS):
                    return value
            return None
        finally:
            ctx.prec = before

    def tends_to(self, limit: float) -> bool:
        """Whether the value at 0 is the limit there, or there is none to contradict it."""
        value = self(arb(0))
        return value is None or bool(abs(value - limit) <= arb(2) ** -50 * abs(limit))

    def order(self, near: arb, base: int) -> int | None:
        """The power of z with which the formula goes at a point near 0 or near infinity; None if with none."""
        values = [self(near * base**k) for k in (0, 1, 40)]
        if any(value is None or value.is_zero() for value in values):
            return None
        first, second, third = (abs(value) for value in values if value is not None)
        order = float((second / first).log() / arb(base).log())
        whole = round(order)
        steady = float((third / first).log() / arb(base).log()) / 40
        is_power = abs(order - whole) < 1e-6 and abs(steady - whole) < 1e-6
        return whole if is_power and abs(whole) <= LARGEST_POWER else None


def polynomial(
    function: Callable[[arb], arb | None], low: float, high: float, centre: float = 0.0
) -> tuple[tuple[float, ...], int] | None:
    """The coefficients of a polynomial that equals a function to 2**-56 from ``low`` to ``high``; None if it is long.

    Around 0, a function that is even is one of the square.
    """
    before = ctx.prec
    ctx.prec = _PRECISIONS[2]
    try:
        is_even = low == -high and _is_even(function, high)
        span = (arb(0), arb(high) ** 2) if is_even else (arb(low), arb(high))

        def of_variable(v: arb) -> arb | None:
            return function(v.sqrt()) if is_even else function(v)

        checks = _nodes(40, *span)
        wanted = [of_variable(v) for v in checks]
        if any(value is None for value in wanted):
            return None
        for size in _SIZES:
            nodes = _nodes(size, *span)
            values = [value for v in nodes if (value := of_variable(v)) is not None]
            if len(values) < size:
                return None
            polynomial = arb_poly.interpolate(nodes, values)
            if all(_agrees(polynomial, v, value, centre) for v, value in zip(checks, wanted, strict=True)):
                return _worth_having(polynomial, max(abs(end) for end in span)), 2 if is_even else 1
        return None
    finally:
        ctx.prec = before


def _worth_having(polynomial: arb_poly, reach: arb) -> tuple[float, ...]:
    """The coefficients, at least one; 0 for those that interpolation leaves where a power does not occur."""
    sizes = [abs(polynomial[k]) * reach**k for k in range(max(polynomial.degree(), 0) + 1)]
    least = max(size.mid() for size in sizes) * arb(2) ** -90
    return tuple(float(polynomial[k].mid()) if size > least else 0.0 for k, size in enumerate(sizes))


def _agrees(polynomial: arb_poly, v: arb, value: arb | None, centre: float) -> bool:
    """Whether a polynomial equals a value, to a fraction of it or of what moving v by such a fraction would do."""
    if value is None:
        return False
    slope = abs(polynomial.derivative()(v) * (v + centre)) if centre else arb(0)
    return bool(abs(polynomial(v) - value) <= _TOLERANCE * (abs(value) + slope))


def _is_even(function: Callable[[arb], arb | None], reach: float) -> bool:
    return mirrors(function, reach, 1)


def mirrors(function: Callable[[arb], arb | None], reach: float, sign: int) -> bool:
    """Whether f(-z) = sign f(z) at three points of [-reach, reach], as far as enclosures tell."""
    for fraction in (0.3, 0.71, 0.97):
        left, right = function(arb(-reach * fraction)), function(arb(reach * fraction))
        if left is None or right is None or not left.overlaps(sign * right):
            return False
    return True


@lru_cache(maxsize=64)
def _cosines(size: int, precision: int) -> tuple[arb, ...]:
    return tuple((arb.pi() * (2 * k + 1) / (2 * size)).cos().mid() for k in range(size))


def _nodes(size: int, low: arb, high: arb) -> list[arb]:
    """Chebyshev points of an interval."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [(middle + half * cosine).mid() for cosine in _cosines(size, ctx.prec)]
