"""Where the pieces of a formula meet: its seams, and those among them at which it has a kink.

A seam is a root of the argument of ``Abs`` or ``sign``, a place where a condition of a ``Piecewise`` changes, or a step
of a ``floor``. At a kink the value or its slope jumps: ``Abs(x)`` has one at 0, ``x Abs(x)`` has only a seam there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp
from flint import arb
from sympy.core.relational import Relational

from actgen.symbolic.balls import BallFunction, ball, precision
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.grid import GRID, at, isolated_roots

_STEPS = range(-4, 5)  # values of a floor
_BITS = 256
_FAR, _NEAR = arb(2) ** -20, arb(2) ** -40  # farther than a float64 is from a root, and near enough


def seams(expression: sp.Expr, x: sp.Symbol, values: Mapping[sp.Symbol, sp.Rational]) -> tuple[float, ...]:
    """Return the seams of a formula, ascending, to the nearest float64; of a floor the steps next to 0.

    Args:
        expression: over the primitives.
        x: its input.
        values: of its parameters.
    """
    found: set[float] = set()
    for boundary in _boundaries(expression):
        gap = at(boundary, (x, *values), list(values.values()))
        found |= set(isolated_roots(gap, [(point, y) for point in GRID if (y := gap(point)) is not None]))
    return tuple(sorted(point + 0.0 for point in found))


def kinks(
    expression: sp.Expr, x: sp.Symbol, values: Mapping[sp.Symbol, sp.Rational], places: Sequence[float]
) -> tuple[float, ...] | None:
    """Return the seams at which the value or its slope jumps; None where there may be more than were found.

    Args:
        expression: over the primitives.
        x: its input.
        values: of its parameters.
        places: its seams.
    """
    if expression.has(sp.floor) or any(boundary.has(*_WAVES) for boundary in _boundaries(expression)):
        return None
    functions = [BallFunction(one, (x, *values)) for one in (expression, differentiate(expression, x))]
    with precision(_BITS):
        parameters = [ball(value) for value in values.values()]
        return tuple(place for place in places if any(_jumps(one, place, parameters) for one in functions))


_WAVES = (sp.sin, sp.cos, sp.tan)
"""What has no end of roots: a grid finds some of them."""


def _boundaries(expression: sp.Expr) -> Iterator[sp.Expr]:
    """Formulas that are 0 where pieces meet."""
    for piecewise in expression.atoms(sp.Piecewise):
        for _, condition in piecewise.args:
            for relation in condition.atoms(Relational):
                yield relation.lhs - relation.rhs
    for function in expression.atoms(sp.Abs, sp.sign):
        yield function.args[0]
    for function in expression.atoms(sp.floor):
        yield from (function.args[0] - step for step in _STEPS)


def _jumps(function: BallFunction, place: float, parameters: Sequence[arb]) -> bool:
    """Whether what is on the left of a place stays apart from what is on the right, or grows without bound."""
    scale = max(1.0, abs(place))
    sides = [arb(place) + sign * step * scale for step in (_FAR, _NEAR) for sign in (-1, 1)]
    found = [value for side in sides if (value := function(side, *parameters)) is not None and value.is_finite()]
    if len(found) < len(sides):
        return True
    far, near = abs(found[1] - found[0]), abs(found[3] - found[2])
    size = abs(found[2])
    is_closing = bool(near < far / 16 or near < _FAR * _FAR.sqrt() * (1 + size))
    is_growing = bool(size > 16 * abs(found[0]) and size > 1 / _FAR.sqrt())
    return is_growing or not is_closing
