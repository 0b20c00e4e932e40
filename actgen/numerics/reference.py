"""The reference: exact values of a formula at millions of floats, from polynomials with proved errors."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import sympy as sp

from actgen.numerics.oracle import Exact, Floats, Oracle
from actgen.numerics.pieces import FORMATS, Builder, Table
from actgen.numerics.rules import rewrite
from actgen.symbolic.derivatives import differentiate

_CHUNK = 16_384


class Reference:
    """A formula in one input at fixed parameters, over all floats of a type.

    Piecewise Taylor models with proved error bounds; the ball oracle where there is none. An error measured against the
    values, in units of the contract, is right to 1/256 of a unit.

    Args:
        expression: over the primitives.
        variable: the input.
        parameters: the exact value of every other symbol.
        dtype: "float32", which serves the narrower types too, or "float64".
    """

    def __init__(
        self, expression: sp.Expr, variable: sp.Symbol, parameters: Mapping[sp.Symbol, Fraction], dtype: str
    ) -> None:
        values = {symbol: sp.Rational(value.numerator, value.denominator) for symbol, value in parameters.items()}
        formula = expression.xreplace(values)
        slope = differentiate(expression, variable).xreplace(values)
        self._format = FORMATS[dtype]
        self._oracle = Oracle(formula, variable, equals=(rewrite(formula)[0],))
        self._slope_oracle = Oracle(slope, variable, equals=(rewrite(slope)[0],), bits=20)
        self._tables = {sign: Builder(formula, variable, self._format, sign).build() for sign in (1, -1)}

    def __call__(self, points: Floats) -> Exact:
        """The exact values at float64 points; NaN gives NaN, an infinity the limit."""
        high, low = np.full(len(points), np.nan), np.zeros(len(points))
        decided = np.ones(len(points), dtype=bool)
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            self._evaluate(points[part], high[part], low[part], decided[part])
        return Exact(high, low, decided)

    def slope(self, points: Floats) -> Floats:
        """|f'(x)| to about 20 bits, as far as u |x f'(x)| matters beside ulp(f(x))."""
        slopes = np.full(len(points), np.nan)
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            self._evaluate_slope(points[part], slopes[part])
        return np.asarray(np.abs(slopes))

    def _evaluate(self, points: Floats, high: Floats, low: Floats, decided: np.ndarray) -> None:
        direct = ~np.isfinite(points)
        for sign, table in self._tables.items():
            here = np.flatnonzero((points * sign > 0) | ((points == 0) & (sign > 0)))
            index = _find(table, np.abs(points[here]))
            asked = table.is_direct[index]
            direct[here[asked]] = True
            here, index = here[~asked], index[~asked]
            high[here], low[here] = self._polynomial(table, points[here], index)
        asked_at = np.flatnonzero(direct)
        if len(asked_at):
            exact = self._oracle(points[asked_at], {})
            high[asked_at], low[asked_at], decided[asked_at] = exact.high, exact.low, exact.decided

    def _polynomial(self, table: Table, points: Floats, index: np.ndarray) -> tuple[Floats, Floats]:
        z = np.ldexp(points - table.centres[index], -table.scales[index])
        split, degree = self._format.in_double, self._format.degree
        total = np.take(table.high[degree], index)
        for k in range(degree - 1, split, -1):
            total *= z
            total += np.take(table.high[k], index)
        if split < 0:
            return np.ldexp(total, table.exponents[index]), np.zeros_like(total)
        wide, variable = total.astype(np.longdouble), z.astype(np.longdouble)
        for k in range(split, -1, -1):
            wide *= variable
            wide += np.take(table.high[k].astype(np.longdouble) + table.low[k], index)
        with np.errstate(over="ignore"):
            wide = np.ldexp(wide, table.exponents[index])
            first = wide.astype(np.float64)
            return first, np.where(np.isinf(first), 0.0, (wide - first).astype(np.float64))

    def _evaluate_slope(self, points: Floats, slopes: Floats) -> None:
        direct = ~np.isfinite(points)
        for sign, table in self._tables.items():
            here = np.flatnonzero((points * sign > 0) | ((points == 0) & (sign > 0)))
            index = _find(table, np.abs(points[here]))
            asked = table.is_direct[index]
            direct[here[asked]] = True
            here, index = here[~asked], index[~asked]
            z = np.ldexp(points[here] - table.centres[index], -table.scales[index])
            degree = self._format.degree
            total = degree * np.take(table.high[degree], index)
            for k in range(degree - 1, 0, -1):
                total *= z
                total += k * np.take(table.high[k], index)
            slopes[here] = np.ldexp(total, table.exponents[index] - table.scales[index])
        asked_at = np.flatnonzero(direct)
        if len(asked_at):
            slopes[asked_at] = self._slope_oracle(points[asked_at], {}).high


def _find(table: Table, magnitudes: Floats) -> np.ndarray:
    return np.searchsorted(table.starts, magnitudes, side="right") - 1
