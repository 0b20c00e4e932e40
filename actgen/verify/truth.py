"""Where exact values come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property, partial
from typing import Protocol

import numpy as np
import sympy as sp

from actgen.numerics import cache
from actgen.numerics.oracle import Exact, Floats, Oracle
from actgen.numerics.reference import Reference
from actgen.numerics.rules import rewrite
from actgen.symbolic.derivatives import differentiate

_FEW = 2**15


class Truth(Protocol):
    """Exact values of one formula at fixed parameters."""

    def __call__(self, points: Floats) -> Exact:
        """The values at the points."""

    def slope(self, points: Floats) -> Floats:
        """The size of the derivative at the points."""


def is_few(count: int) -> bool:
    """Whether so many points are sooner evaluated one by one."""
    return count < _FEW


def truth(
    expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], wide: str, count: int
) -> Truth:
    """What a formula is worth at the numbers of a type.

    Args:
        expression: the formula.
        variable: the input.
        parameters: the value of every other symbol.
        wide: float32, which serves narrower types too, or float64.
        count: at how many points it will be asked for.
    """
    if expression == 0:
        return _Zero()
    if is_few(count):
        return _Balls(expression, variable, parameters)
    return Reference(expression, variable, parameters, wide)


class _Balls:
    """Exact values by ball arithmetic: 20 us a point, but ready at once. Kept on disk for the other frameworks."""

    def __init__(self, expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction]) -> None:
        self._asked = expression, variable, dict(parameters)
        values = {symbol: sp.Rational(value.numerator, value.denominator) for symbol, value in parameters.items()}
        self._value = _Twice(expression.xreplace(values), variable)
        self._slope = _Twice(differentiate(expression, variable).xreplace(values), variable, partial(Oracle, bits=20))

    def __call__(self, points: Floats) -> Exact:
        path = cache.path_of_values(*self._asked, points)
        return cache.remembered_values(path, lambda: self._value(points))

    def slope(self, points: Floats) -> Floats:
        return np.abs(self._slope(points).high)


class _Twice:
    """An oracle, and another for the rewritten formula where that one cannot tell: rewriting may take minutes."""

    def __init__(self, expression: sp.Expr, variable: sp.Symbol, oracle: Callable[..., Oracle] = Oracle) -> None:
        self._expression, self._variable, self._oracle = expression, variable, oracle
        self._as_it_is = oracle(expression, variable)

    @cached_property
    def _rewritten(self) -> Oracle:
        return self._oracle(rewrite(self._expression)[0], self._variable)

    def __call__(self, points: Floats) -> Exact:
        found = self._as_it_is(points, {})
        left = ~found.decided
        if left.any():
            more = self._rewritten(points[left], {})
            for name in ("high", "low", "decided"):
                getattr(found, name)[left] = getattr(more, name)
        return found


class _Zero:
    """A derivative that is 0 everywhere."""

    def __call__(self, points: Floats) -> Exact:
        return Exact(np.zeros(len(points)), np.zeros(len(points)), np.ones(len(points), dtype=bool))

    def slope(self, points: Floats) -> Floats:
        return np.zeros(len(points))
