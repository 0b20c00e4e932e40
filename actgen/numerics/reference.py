"""The reference: exact values of a formula at millions of floats, from polynomials with proved errors."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from actgen.numerics import cache
from actgen.numerics.oracle import Exact, Floats, Oracle
from actgen.numerics.pieces import Cutter
from actgen.numerics.rules import rewrite
from actgen.numerics.tables import DIRECT, FORMATS, Piece, Table
from actgen.symbolic.derivatives import differentiate

_CHUNK = 16_384
_ORACLE_ONLY = Table.of([Piece(0.0, is_direct=True)], [Piece(0.0, is_direct=True)], 0)


class Reference:
    """A formula in one input at fixed parameters, over all floats of a type.

    Piecewise Taylor models with proved error bounds; the ball oracle where there is none. An error measured against the
    values, in units of the contract ulp(f) + u |x f'|, is right to 1/256 of a unit. Values for float32 have some 34
    bits and no low part, but where the oracle was asked. Tables are cached on disk.

    float64 needs a long double of 64 bits or more; where a platform has none, the oracle is asked at every point.

    Args:
        expression: over the primitives.
        variable: the input.
        parameters: the exact value of every other symbol.
        dtype: "float32", which serves the narrower types too, or "float64".
    """

    def __init__(
        self, expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], dtype: str
    ) -> None:
        self._values = {symbol: sp.Rational(value.numerator, value.denominator) for symbol, value in parameters.items()}
        self._expression, self._variable = expression, variable
        self._format = FORMATS[dtype]
        is_beyond_reach = self._format.in_double >= 0 and np.finfo(np.longdouble).nmant < 63
        path = cache.path_of(expression, variable, parameters, dtype)
        self._table = _ORACLE_ONLY if is_beyond_reach else cache.remembered(path, self._build)

    def _build(self) -> Table:
        formula = self._expression.xreplace(self._values)
        halves = [Cutter(formula, self._variable, self._format, sign).pieces() for sign in (1, -1)]
        return Table.of(halves[0], halves[1], self._format.degree)

    @cached_property
    def _oracle(self) -> Oracle:
        formula = self._expression.xreplace(self._values)
        return Oracle(formula, self._variable, equals=(rewrite(formula)[0],))

    @cached_property
    def _slope_oracle(self) -> Oracle:
        slope = differentiate(self._expression, self._variable).xreplace(self._values)
        return Oracle(slope, self._variable, equals=(rewrite(slope)[0],), bits=20)

    def __call__(self, points: Floats) -> Exact:
        """The exact values at float64 points; NaN gives NaN, an infinity the limit."""
        high, low = np.empty(len(points)), np.zeros(len(points))
        direct = np.zeros(len(points), dtype=bool)
        with np.errstate(all="ignore"):
            for start in range(0, len(points), _CHUNK):
                part = slice(start, start + _CHUNK)
                self._sum_up(points[part], high[part], low[part], direct[part])
        decided = np.ones(len(points), dtype=bool)
        asked = np.flatnonzero(direct)
        if len(asked):
            exact = self._oracle(points[asked], {})
            high[asked], low[asked], decided[asked] = exact.high, exact.low, exact.decided
        return Exact(high, low, decided)

    def slope(self, points: Floats) -> Floats:
        """|f'(x)| to about 20 bits, as far as u |x f'(x)| matters beside ulp(f(x)); 0 where f(x) is infinite."""
        slopes = np.empty(len(points))
        direct = np.zeros(len(points), dtype=bool)
        table = self._table
        # Powers of x leave the range of float64 where the slope does not.
        in_double = min(self._format.in_double, 0)
        with np.errstate(all="ignore"):
            for start in range(0, len(points), _CHUNK):
                part = slice(start, start + _CHUNK)
                x = points[part]
                index = table.find(x)
                z = table.variable(x, index)
                slopes[part] = np.abs(table.slope.evaluate(z, x, index, in_double))
                direct[part] = table.marks.take(index) != 0
        asked = np.flatnonzero(direct)
        if len(asked):
            slopes[asked] = np.abs(self._slope_oracle(points[asked], {}).high)
        return slopes

    def _sum_up(self, x: Floats, high: Floats, low: Floats, direct: NDArray[np.bool_]) -> None:
        table = self._table
        index = table.find(x)
        total = table.value.evaluate(table.variable(x, index), x, index, self._format.in_double)
        high[:] = total
        if self._format.in_double >= 0:
            low[:] = total - high
            low[np.isinf(high)] = 0.0
        direct[:] = table.marks.take(index) == DIRECT
