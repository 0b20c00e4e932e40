"""The oracle: what a formula is worth at a float, to twice the precision of float64, or the word that it is not known.

The formula is evaluated in ball arithmetic, at rising precision, until the ball is tight; where its exponentials are
beyond every exponent range, as a power of x times an exponential. Two floats hold the answer:
``high``, the float64 nearest to the exact value, and ``low``, what is left of it; together more than 80 bits, enough
to judge float64 arithmetic to a millionth of an ULP. At infinity the oracle gives the limit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import sympy as sp
from flint import arb, ctx, fmpq
from numpy.typing import NDArray

from actgen.numerics.branches import Branch
from actgen.numerics.far_ends import FarDecision, FarFunction, value_at
from actgen.numerics.far_values import Region
from actgen.symbolic.balls import BallFunction, precision

Floats = NDArray[np.float64]

_LEAST_PRECISION, _MOST_PRECISION = 128, 8192
_FEW_BITS = 40  # up to which half of the least precision does to begin with
_SPARE_BITS = 12
_OFFSETS = (fmpq(0), fmpq(641, 1024), fmpq(1403, 1024))
_PERIODIC = (sp.floor, sp.sin, sp.cos, sp.tan)
_TIGHT_BITS = 84
_UNDERFLOW = arb(2) ** -1140  # far below the smallest subnormal float64, 2**-1074
_OVERFLOW = arb(2) ** 1030


@dataclass(frozen=True)
class Exact:
    """Exact values at a list of points, each as an unevaluated sum of two float64.

    Attributes:
        high: nearest float64; infinite where the exact value lies beyond float64.
        low: exact value minus ``high``, rounded to float64; 0 where ``high`` is infinite.
        decided: False where the value could not be enclosed; ``high`` is NaN there.
    """

    high: Floats
    low: Floats
    decided: NDArray[np.bool_]


class Oracle:
    """Exact evaluation of a formula in one input and its parameters; a point asked twice is evaluated once.

    Args:
        expression: the formula, over the primitives.
        variable: the input.
        parameters: the parameters' symbols, by whose names values are passed.
        equals: formulas proved equal to the first, asked in turn where it does not decide (log(1 + exp(u)) gives no
            finite ball for u > 2**256, softplus(u) does).
        bits: the significant bits asked for.
    """

    def __init__(
        self,
        expression: sp.Expr,
        variable: sp.Symbol,
        parameters: Sequence[sp.Symbol] = (),
        equals: Sequence[sp.Expr] = (),
        bits: int = _TIGHT_BITS,
    ) -> None:
        self.expression = expression
        self._bits = bits
        self._variable = variable
        self._decision = FarDecision(variable)
        self._branches: dict[tuple[str, ...], Branch | None] = {}
        self.parameters = tuple(parameters)
        symbols = (variable, *self.parameters)
        self._functions = [BallFunction(form, symbols) for form in (expression, *equals)]
        self._known: dict[tuple[str, ...], dict[float, tuple[float, float] | None]] = {}

    def __call__(self, points: Floats, parameters: Mapping[str, Fraction | float]) -> Exact:
        """Evaluate at float64 points, ``nan`` giving NaN and the infinities giving the limit.

        Args:
            points: shape (n,), any float64.
            parameters: a value for every parameter, taken as exact.
        """
        values = [_rational(parameters[symbol.name]) for symbol in self.parameters]
        known = self._known.setdefault(tuple(map(str, values)), {})
        asked = points.tolist()
        self._learn(known, [point for point in asked if math.isfinite(point) and point not in known], values)
        high = np.full(len(points), np.nan)
        low = np.zeros(len(points))
        decided = np.ones(len(points), dtype=bool)
        for i, point in enumerate(asked):
            if math.isnan(point):
                continue
            if math.isinf(point):
                limit = self.limit(1 if point > 0 else -1, parameters)
                decided[i] = limit is not None
                high[i] = math.nan if limit is None else limit
                continue
            parts = known[point]
            if parts is None:
                decided[i] = False
            else:
                high[i], low[i] = parts
        return Exact(high, low, decided)

    def _learn(
        self, known: dict[float, tuple[float, float] | None], points: Sequence[float], parameters: Sequence[fmpq]
    ) -> None:
        """Evaluate at finite points: most are settled at the first precision, which is set once for all of them."""
        function, bits, before = self._functions[0], self._bits, ctx.prec
        ctx.prec = self._first_precision
        balls = [arb(value) for value in parameters]
        doubtful: list[tuple[float, arb | None]] = []
        try:
            for point in points:
                value = function(arb(point), *balls)
                if value is not None and value.rel_accuracy_bits() >= bits and value.is_finite():
                    known[point] = _split(value)
                else:
                    doubtful.append((point, value))
        finally:
            ctx.prec = before
        for point, value in doubtful:
            enclosure = self._enclose(point, parameters, (value,))
            known[point] = None if enclosure is None else _split(enclosure)

    @property
    def _first_precision(self) -> int:
        return _LEAST_PRECISION if self._bits > _FEW_BITS else _LEAST_PRECISION // 2

    def enclose(self, point: float, parameters: Sequence[fmpq]) -> arb | None:
        """A tight ball at a finite point, or None where the value cannot be told to as many bits as asked for."""
        return self._enclose(point, parameters, ())

    def _enclose(self, point: float | arb, parameters: Sequence[fmpq], first: Sequence[arb | None]) -> arb | None:
        """The same, where the formula's value at the first precision may have been found already."""
        before = ctx.prec
        here = arb(point)
        try:
            for function in self._functions:
                value = self._enclose_by(function, here, parameters, first if function is self._functions[0] else ())
                if value is not None:
                    return value
            value = self._enclose_far(here, parameters) if point else None
            return self._continued(here, parameters) if value is None else value
        finally:
            ctx.prec = before

    def _enclose_by(
        self, function: BallFunction, here: arb, parameters: Sequence[fmpq], found: Sequence[arb | None]
    ) -> arb | None:
        """A tight ball by one formula, at rising precision; what it gives at the first may have been found."""
        precision = first = self._first_precision
        while precision <= _MOST_PRECISION:
            ctx.prec = precision
            value, found = (found[0], ()) if found else (function(here, *map(arb, parameters)), ())
            if value is None:
                precision *= 2
            elif not value.is_finite():
                # A ball around 0 in a denominator gets smaller; an exponential beyond every exponent range does not.
                if precision > 4 * first:
                    return None
                precision *= 2
            elif _is_settled(value, self._bits):
                return value
            else:
                # As many bits more as are missing; nothing is known of them where 0 is in the ball.
                missing = self._bits - value.rel_accuracy_bits() + _SPARE_BITS
                precision = precision + missing if missing <= precision else 2 * precision
        return None

    def _enclose_far(self, here: arb, parameters: Sequence[fmpq]) -> arb | None:
        """A tight ball where exponentials beyond every exponent range cancel: exp(x) / (1 + exp(x)) at 1e300."""
        ctx.prec = _MOST_PRECISION // 4
        key = tuple(map(str, parameters))
        if key not in self._branches:
            values = {p: sp.Rational(int(v.p), int(v.q)) for p, v in zip(self.parameters, parameters, strict=True)}
            self._branches[key] = self._with(values)
        known = self._branches[key]
        if known is None:
            return None
        region = Region(1 if here > 0 else -1, abs(here), abs(here))
        branch = known.resolve(self._decision.over(region))
        if branch is None:
            return None
        value = value_at(FarFunction(branch.expression, self._variable), region)
        return value if value is not None and _is_settled(value, self._bits) else None

    def _with(self, parameters: Mapping[sp.Symbol, sp.Rational]) -> Branch | None:
        """The formula at parameters; None where SymPy refuses to compare a number that is not real."""
        try:
            return Branch(self.expression.xreplace(parameters), self._variable)
        except TypeError:
            return None

    def _continued(self, here: arb, parameters: Sequence[fmpq]) -> arb | None:
        """The value that a formula such as sin(x)/x takes by continuity where it has none of its own.

        Read off points at 2**-300 and 2**-600 on both sides: they must agree, which log(|x|) and 1/x do not, or shrink
        with the distance.
        """
        ctx.prec = _MOST_PRECISION // 2
        if any(self._is_bounded(function, here, parameters) for function in self._functions):
            return None  # no hole: the value is there, but cannot be told from its neighbours
        values = []
        for step in (arb(2) ** -300, arb(2) ** -600):
            for side in (-1, 1):
                value = self._functions[0](here + side * step, *map(arb, parameters))
                if value is None or not (value.is_zero() or value.rel_accuracy_bits() > 200):
                    return None
                values.append(value)
        middle = values[-1].mid()
        if all(abs(value - middle) <= arb(2) ** -100 * abs(middle) for value in values):
            return middle
        is_vanishing = all(
            abs(near) <= arb(2) ** -200 * abs(far) for far, near in zip(values[:2], values[2:], strict=True)
        )
        return arb(0) if is_vanishing else None

    @staticmethod
    def _is_bounded(function: BallFunction, here: arb, parameters: Sequence[fmpq]) -> bool:
        """Whether a formula is undecided at a point, or has a value there."""
        value = function(here, *map(arb, parameters))
        return value is None or bool(value.is_finite())

    def limit(self, sign: int, parameters: Mapping[str, Fraction | float]) -> float | None:
        """The limit at +inf (``sign`` 1) or -inf (-1): a float, an infinity, or None where none is seen.

        Read off values at 2**60, 2**120, 2**180 and 2**240: they converge, or they grow by steps that do not shrink.
        Of what may have no end of steps or waves it is read off between whole numbers too: x - floor(x) is 0 at each.
        """
        values = [_rational(parameters[symbol.name]) for symbol in self.parameters]
        offsets = _OFFSETS if self.expression.has(*_PERIODIC) else _OFFSETS[:1]
        found = {self._limit(sign, offset, values) for offset in offsets}
        return found.pop() if len(found) == 1 else None

    def _limit(self, sign: int, offset: fmpq, values: Sequence[fmpq]) -> float | None:
        """The same, read off that far beyond powers of 2."""
        with precision(_MOST_PRECISION):
            points = [sign * (arb(2) ** k + arb(offset)) for k in (60, 120, 180, 240)]
        balls = [self._enclose(point, values, ()) for point in points]
        tower = [ball.mid() for ball in balls if ball is not None]
        if len(tower) < len(balls):
            return None
        steps = [after - before for before, after in pairwise(tower)]
        tolerance = arb(2) ** -50 * (1 + abs(tower[-1]))
        if all(abs(step) < tolerance for step in steps[1:]):
            last = tower[-1]
            return 0.0 if abs(last) < arb(2) ** -50 else float(last)
        for direction in (1, -1):
            growth = [direction * step for step in steps]
            if all(g > 0 for g in growth) and all(b >= a * 0.99 for a, b in pairwise(growth)):
                return direction * math.inf
        return None


def _is_settled(value: arb, bits: int) -> bool:
    """Whether a ball is tight, or certainly far below the smallest or far above the largest float64."""
    if value.is_zero() or value.rel_accuracy_bits() >= bits:
        return True
    magnitude = abs(value)
    return bool(magnitude < _UNDERFLOW or magnitude > _OVERFLOW)


def _split(value: arb) -> tuple[float, float]:
    middle = value.mid()
    high = float(middle)
    if high == 0.0 and abs(value) < _UNDERFLOW:
        return 0.0, 0.0
    return (high, 0.0) if math.isinf(high) else (high, float(middle - high))


def _rational(value: Fraction | float | sp.Rational) -> fmpq:
    if isinstance(value, sp.Rational):
        return fmpq(int(value.p), int(value.q))
    exact = Fraction(value)
    return fmpq(exact.numerator, exact.denominator)
