"""A formula over all floats of a type as a table of short polynomials, each with a proof of its error.

Each sign's floats are cut into binades, the binades into halves, until a polynomial is good enough on each piece:
within 2^-8 of a unit of the contract, ulp(f) + u |x f'|. What is left, kinks and what oscillates too fast, is marked to
be asked of the ball oracle float by float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import sympy as sp
from flint import arb, ctx
from numpy.typing import NDArray

from actgen.numerics.branches import Branch
from actgen.numerics.oracle import Floats
from actgen.numerics.rules import rewrite
from actgen.numerics.taylor import NoSeriesError, SeriesFunction
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.primitives import sigmoid


@dataclass(frozen=True)
class Format:
    """What a float type asks of a table.

    Attributes:
        lowest, highest: positive floats lie in [2^lowest, 2^highest).
        digits: bits of a significand.
        degree: of the polynomials.
        in_double: the coefficients above this power are summed up in float64 and the others in long double;
            -1 where float64 is enough for all.
        least: absolute errors below 2^least count as none: far below the spacing of subnormal numbers.
        largest: exact values beyond 2^largest are given as infinite.
    """

    lowest: int
    highest: int
    digits: int
    degree: int
    in_double: int
    least: int
    largest: int

    @property
    def tolerance(self) -> float:
        """The largest error against |f| + |x f'|."""
        return 2.0 ** -(self.digits + 9)


FORMATS = {
    "float32": Format(-149, 128, 24, 10, -1, -160, 140),
    "float64": Format(-1074, 1024, 53, 17, 5, -1084, 1030),
}

_MOST_ATTEMPTS = 30_000
_DEEPEST = 11
_PRECISION = 128
_MOST_PRECISION = 4096


@dataclass
class Table:
    """Pieces in the order of the magnitude of their floats, for one sign.

    Attributes:
        starts: the lower end of each piece in magnitude; a piece ends where the next begins.
        centres: the point each polynomial is around.
        scales: half the length of a piece as a power of two: the polynomial's variable is (x - centre) / 2^scale.
        powers: the power of x that multiplies the polynomial.
        exponents: the power of two that multiplies it.
        high, low: coefficients, constant term first, as unevaluated sums of two float64; shape (degree + 1, pieces).
        is_direct: where the oracle is to be asked.
    """

    starts: Floats
    centres: Floats
    scales: NDArray[np.int32]
    powers: NDArray[np.int32]
    exponents: NDArray[np.int32]
    high: Floats
    low: Floats
    is_direct: NDArray[np.bool_]


@dataclass(frozen=True)
class _Piece:
    """One row of a table."""

    start: float
    centre: float = 0.0
    scale: int = 0
    power: int = 0
    exponent: int = 0
    coefficients: tuple[tuple[float, float], ...] = ()
    is_direct: bool = False


class _Forms:
    """An analytic formula in all the ways it is evaluated in.

    Attributes:
        declared: as it stands.
        written: forms proved equal to it, in which an interval grows less, the best so far first.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol) -> None:
        self.declared = BallFunction(expression, (x,))
        self.expression = expression
        self.is_zero = expression == 0
        self.written = [SeriesFunction(form, x) for form in _forms(expression)]

    def prefer(self, form: SeriesFunction) -> None:
        """Put the form that served first."""
        if self.written[0] is not form:
            self.written.remove(form)
            self.written.insert(0, form)


def _forms(expression: sp.Expr) -> list[sp.Expr]:
    tidied = _tidied(rewrite(expression)[0])
    factored = _tidied(rewrite(sp.factor_terms(tidied))[0])
    return list(dict.fromkeys([tidied, factored, expression]))


def _tidied(expression: sp.Expr) -> sp.Expr:
    """exp(u) sigmoid(-u) = sigmoid(u), which an interval of u does not blow up."""
    if not expression.has(sigmoid):
        return expression
    u = sp.Wild("u")
    a = sp.Wild("a")
    return expression.replace(a * sp.exp(u) * sigmoid(-u), a * sigmoid(u))


@dataclass
class Builder:
    """Cuts one sign's floats into pieces.

    Attributes:
        expression: in x alone.
        sign: of the floats.
    """

    expression: sp.Expr
    x: sp.Symbol
    format: Format
    sign: int
    attempts: int = 0
    pieces: list[_Piece] = field(default_factory=list)
    forms: dict[Branch, _Forms] = field(default_factory=dict)

    def build(self) -> Table:
        """All pieces, the binades around 1 first, so that what is beyond reach takes nothing away from them."""
        self.root = Branch(self.expression, self.x)
        before = ctx.prec
        ctx.prec = _PRECISION
        try:
            for binade in sorted(range(self.format.lowest, self.format.highest), key=abs):
                self._binade(binade)
        finally:
            ctx.prec = before
        self.pieces.append(_Piece(0.0, is_direct=True))
        if self.format.highest < 1024:
            self.pieces.append(_Piece(2.0**self.format.highest, is_direct=True))
        return self._table()

    def _binade(self, binade: int) -> None:
        start, end = math.ldexp(1.0, binade), math.ldexp(1.0, binade)
        self._cut(start, start + end, _DEEPEST) if binade < 1023 else self._cut(start, math.inf, _DEEPEST)

    def _cut(self, start: float, end: float, depth: int) -> None:
        """Find a polynomial on [start, end), or on parts of it."""
        length = (end if end < math.inf else 2.0**1023) - (start if end < math.inf else 0.0)
        spacing = max(math.ldexp(1.0, math.frexp(start)[1] - self.format.digits), math.ldexp(1.0, self.format.lowest))
        half = length / 2
        if length <= spacing or start + half in (start, end) or self.attempts > _MOST_ATTEMPTS:
            self.pieces.append(_Piece(start, is_direct=True))
            return
        piece = self._fit(start, half)
        if piece is not None:
            self.pieces.append(piece)
            return
        self._cut(start, start + half, depth - 1)
        self._cut(start + half, end, depth - 1)

    def _fit(self, start: float, half: float) -> _Piece | None:
        self.attempts += 1
        centre = self.sign * (start + half)
        scale = math.frexp(half)[1] - 1
        over = arb(self.sign * start).union(arb(self.sign * start) + self.sign * 2 * arb(half))
        branch = self.root.resolve(lambda function: function(over))
        if branch is None:
            return None
        if branch not in self.forms:
            self.forms[branch] = _Forms(branch.expression, self.x)
        forms = self.forms[branch]
        if not branch.expression.has(self.x):
            return self._constant(start, forms)
        for form in tuple(forms.written):
            try:
                enclosure = form(over, arb(half), self.format.degree + 2)
            except NoSeriesError:
                continue
            coefficients = self._coefficients(form, centre, half, enclosure)
            if coefficients is not None:
                forms.prefer(form)
                if not self._agrees(forms.declared, centre, coefficients[0]):
                    return None
                return _row(start, centre, scale, coefficients)
        return None

    def _constant(self, start: float, forms: _Forms) -> _Piece | None:
        value = forms.declared(arb(0))
        if value is None or not value.is_finite() or value.rel_accuracy_bits() < 80:
            return None
        return _row(start, 0.0, 0, [value])

    def _coefficients(self, form: SeriesFunction, centre: float, half: float, over: list[arb]) -> list[arb] | None:
        """The coefficients at the centre, if the polynomial is good enough on the whole piece."""
        nearest = abs(centre) - half
        least = arb(2) ** self.format.least
        size = over[0].abs_lower() + (over[1] / half).abs_lower() * nearest
        remainder = abs(over[-1]).upper()
        biggest = abs(over[0]).upper() + (abs(over[1]) / half).upper() * nearest
        if not remainder < biggest * self.format.tolerance + least:
            return None
        precision = _PRECISION
        while precision <= _MOST_PRECISION:
            ctx.prec = precision
            try:
                coefficients = form(arb(centre), arb(half), self.format.degree + 1)
            except NoSeriesError:
                return None
            finally:
                ctx.prec = _PRECISION
            sizes = [abs(c).upper() for c in coefficients]
            rest = sum(sizes[2:], arb(0))
            slopes = sum((k * c for k, c in enumerate(sizes[2:], start=2)), arb(0))
            value = (abs(coefficients[0]).lower() - sizes[1] - rest - remainder).nonnegative_part()
            slope = ((abs(coefficients[1]).lower() - slopes) * nearest / half).nonnegative_part()
            bound = (size.max(value + slope)) * self.format.tolerance
            bound = bound.max(least)
            radius = sum((c.rad() for c in coefficients), arb(0))
            if radius * 8 < bound:
                break
            precision *= 2
        else:
            return None
        error = remainder + radius + self._rounding(sizes)
        return coefficients if error < bound else None

    def _rounding(self, sizes: list[arb]) -> arb:
        """What evaluation of the polynomial in floating point may add."""
        split = self.format.in_double
        wide = sum(((2 * k + 1) * size for k, size in enumerate(sizes[: split + 1])), arb(0)) * arb(2) ** -64
        narrow = sum((2 * (k - split) * size for k, size in enumerate(sizes) if k > split), arb(0)) * arb(2) ** -53
        return wide + narrow

    def _agrees(self, declared: BallFunction, centre: float, value: arb) -> bool:
        """Whether the formula as declared says the same at the centre: the form may come from a rule that is wrong."""
        found = declared(arb(centre))
        return found is None or not found.is_finite() or bool(found.overlaps(value))

    def _table(self) -> Table:
        rows: list[_Piece] = []
        for piece in sorted(self.pieces, key=lambda piece: piece.start):
            if not (rows and rows[-1].is_direct and piece.is_direct):
                rows.append(piece)
        high = np.zeros((self.format.degree + 1, len(rows)))
        low = np.zeros_like(high)
        for i, row in enumerate(rows):
            for k, (a, b) in enumerate(row.coefficients):
                high[k, i], low[k, i] = a, b
        return Table(
            np.array([row.start for row in rows]),
            np.array([row.centre for row in rows]),
            np.array([row.scale for row in rows], dtype=np.int32),
            np.array([row.power for row in rows], dtype=np.int32),
            np.array([row.exponent for row in rows], dtype=np.int32),
            high,
            low,
            np.array([row.is_direct for row in rows]),
        )


def _row(start: float, centre: float, scale: int, coefficients: list[arb], power: int = 0) -> _Piece:
    largest = max((abs(c).upper() for c in coefficients), default=arb(0))
    exponent = 0
    if not 2.0**-800 < largest < 2.0**900 and largest > 0:
        exponent = math.frexp(float(largest))[1] if largest.is_finite() and 2.0**-1000 < largest < 2.0**1000 else 0
    parts = []
    for c in coefficients:
        middle = (c * arb(2) ** -exponent).mid()
        high = float(middle)
        parts.append((high, float(middle - high)))
    return _Piece(start, centre, scale, power, exponent, tuple(parts))
