"""Finding a polynomial for a formula on a piece of the line, with a proof that it is good enough.

On an interval the proof is Lagrange's: the Taylor coefficient after the last, enclosed over the whole interval. Good
enough: off by at most 1/512 of a unit of the contract, ulp(f) + u |x f'|, rounding of the evaluation included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import sympy as sp
from flint import arb, ctx

from actgen.numerics.branches import Branch, Decide
from actgen.numerics.far_ends import FarDecision
from actgen.numerics.far_values import Region, UnboundedError, Value
from actgen.numerics.forms import Form, Forms
from actgen.numerics.tables import Format, Piece, Polynomial
from actgen.numerics.taylor import NoSeriesError
from actgen.symbolic.balls import BallFunction

PRECISION = 128
"""What ``flint.ctx`` is to be set to."""

_FAR = 5  # binades from 1, from which on all forms are tried over many binades at once
_PRECISIONS = (PRECISION, 256, 512, 1024, 2048)
_HIGHEST_POWER = 7
_SLOPE_TOLERANCE = 2.0**-12
_LARGEST_EXPONENT = 16_000
_ROOM = 500  # binades of float64 left for the lower coefficients and what they leave over


class Fitter:
    """Fits polynomials to a formula on floats of one sign.

    Args:
        expression: in x alone.
        x: the variable.
        format: the float type.
        sign: of the floats.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol, format: Format, sign: int) -> None:  # noqa: A002
        self._x, self._format, self._sign = x, format, sign
        self._root = Branch(expression, x)
        self._decision = FarDecision(x)
        self._forms: dict[Branch, Forms] = {}
        self._least = arb(2) ** format.least
        self._largest = arb(2) ** format.largest

    def _branch(self, decide: Decide) -> Forms | None:
        branch = self._root.resolve(decide)
        if branch is None:
            return None
        if branch not in self._forms:
            self._forms[branch] = Forms(branch.expression, self._x)
        return self._forms[branch]

    def on_interval(self, start: float, half: float, thorough: bool) -> Piece | None:
        """A polynomial around the middle of [start, start + 2 half], if it is good enough."""
        centre = self._sign * (start + half)
        over = arb(centre) - half
        over = over.union(arb(centre) + half)

        def decide(function: BallFunction) -> object:
            return function(over)

        forms = self._branch(decide)
        if forms is None:
            return None
        for form in forms.all() if thorough else (forms.best(),):
            if not form.holds(decide):
                continue
            try:
                coefficients = self._coefficients(form, arb(centre), half, over)
            except NoSeriesError:
                continue
            if coefficients is None or not _agrees(forms, centre, coefficients[0]):
                continue
            forms.prefer(form)
            return self._piece(start, centre, half, coefficients)
        return None

    def _coefficients(self, form: Form, centre: arb, half: float, over: arb) -> list[arb] | None:
        """The coefficients at the centre, if the polynomial is good enough on the whole piece."""
        degree, tolerance = self._format.degree, self._format.tolerance
        enclosure = form.series(over, arb(half), degree + 2)
        nearest, furthest = abs(float(centre)) - half, abs(float(centre)) + half
        value, slope = abs(enclosure[0]), abs(enclosure[1])
        if enclosure[0].lower() > self._largest or enclosure[0].upper() < -self._largest:
            return [arb("inf") if enclosure[0] > 0 else arb("-inf")]
        most = value.upper() + slope.upper() * (furthest / half)
        if most < self._least:
            return [arb(0, self._least)]
        remainder = abs(enclosure[-1]).upper()
        if not remainder < most * tolerance + self._least:
            return None
        size = value.lower() + slope.lower() * (nearest / half)
        for precision in _PRECISIONS:
            ctx.prec = precision
            try:
                coefficients = form.series(centre, arb(half), degree + 1)
            finally:
                ctx.prec = PRECISION
            sizes = [abs(c).upper() for c in coefficients]
            least = abs(coefficients[0]).lower() - _sum(sizes[1:]) - remainder
            steepest = _sum([k * c for k, c in enumerate(sizes) if k > 1])
            moves = (abs(coefficients[1]).lower() - steepest) * (nearest / half)
            bound = (size.max(least.max(arb(0)) + moves.max(arb(0))) * tolerance).max(self._least)
            radius = _sum([c.rad() for c in coefficients])
            if radius * 16 < bound:
                return coefficients if remainder + radius + self._rounding(sizes) < bound else None
        return None

    def _rounding(self, sizes: Sequence[arb]) -> arb:
        """What summing up the polynomial in floating point may add."""
        split = self._format.in_double
        wide = _sum([(2 * k + 1) * size for k, size in enumerate(sizes[: split + 1])]) * 2.0**-64
        narrow = _sum([2 * (k - split) * size for k, size in enumerate(sizes) if k > split]) * 2.0**-53
        return wide + narrow

    def _piece(self, start: float, centre: float, half: float, coefficients: Sequence[arb]) -> Piece:
        scale = math.frexp(half)[1] - 1
        if not coefficients[0].is_finite() or len(coefficients) == 1:
            return Piece(start, value=_polynomial(coefficients), slope=Polynomial())  # an infinity, or as good as 0
        if scale < -1000:
            return Piece(start, is_direct=True)
        slope = _polynomial([k * c for k, c in enumerate(coefficients)][1:], extra=-scale)
        return Piece(start, centre, scale, _polynomial(coefficients), slope)

    def over_binades(self, low: int, high: int) -> Piece | None:
        """B x^p, where f is that from 2^low to 2^high."""
        region = Region(self._sign, arb(2) ** low, arb(2) ** high, high <= 0)
        decide = self._decision.over(region)
        forms = self._branch(decide)
        if forms is None:
            return None
        start = math.ldexp(1.0, low)
        is_thorough = low >= _FAR or high <= -_FAR
        for form in forms.all() if is_thorough else (forms.best(),):
            if not form.holds(decide):
                continue
            try:
                value = form.far(region)
            except UnboundedError:
                continue
            polynomial = self._monomial(value, region)
            if polynomial is None or not self._agrees_far(forms, value, region):
                continue
            forms.prefer(form)
            if not value.factor.contains(0) and polynomial.coefficients == ((0.0, 0.0),):
                return Piece(start, value=polynomial, slope=Polynomial())
            return Piece(start, value=polynomial, slope=self._far_slope(forms, value, region, decide))
        return None

    def _monomial(self, value: Value, region: Region) -> Polynomial | None:
        """The value as one number times a power of x, or 0, or an infinity."""
        most = _most(value, region)
        if most is not None and most < self._least:
            return Polynomial(coefficients=((0.0, 0.0),))
        if value.factor.contains(0):
            return Polynomial(coefficients=((0.0, 0.0),)) if value.factor.is_zero() else None
        try:
            least = value.least_over(region)
        except UnboundedError:
            return None
        if least > self._largest:
            return Polynomial(coefficients=((math.inf if value.factor > 0 else -math.inf, 0.0),))
        if value.exponent is not None or abs(value.power) > _HIGHEST_POWER:
            return None
        if not value.factor.rad() < abs(value.factor).lower() * self._format.tolerance:
            return None
        return _polynomial([value.factor * self._sign**value.power], value.power)

    def _far_slope(self, forms: Forms, value: Value, region: Region, decide: Decide) -> Polynomial | None:
        """The slope as a number times a power of x; None where that is not known to the bits that matter."""
        for form in forms.slope.all():
            if not form.holds(decide):
                continue
            try:
                slope = form.far(region)
                most = _most(Value(slope.power + 1 - value.power, slope.factor, slope.exponent), region)
                moves = _most(Value(slope.power + 1, slope.factor, slope.exponent), region)
            except UnboundedError:
                continue
            # u |x f'| far below an ULP of f counts as 0.
            negligible = abs(value.factor).lower() * _SLOPE_TOLERANCE
            if most is not None and value.exponent is None and most < negligible:
                return Polynomial()
            if moves is not None and moves < self._least:
                return Polynomial()
            if slope.exponent is not None or abs(slope.power) > _HIGHEST_POWER:
                continue
            if slope.factor.rad() <= abs(slope.factor).lower() * _SLOPE_TOLERANCE:
                return _polynomial([slope.factor * self._sign**slope.power], slope.power)
        return None

    def _agrees_far(self, forms: Forms, value: Value, region: Region) -> bool:
        point = arb(region.sign) * (region.lowest if not region.is_near_zero else region.highest)
        found = forms.declared(point)
        if found is None or not found.is_finite() or value.exponent is not None:
            return True
        return bool(found.overlaps(value.factor * abs(point) ** value.power))

    def around_0(self, high: int) -> Piece | None:
        """x^p times a polynomial around 0, up to 2^high."""
        reach = arb(2) ** high
        region = Region(self._sign, arb(2) ** self._format.lowest, reach, True)
        decide = self._decision.over(region)
        forms = self._branch(decide)
        if forms is None:
            return None
        over = arb(0).union(self._sign * reach)
        for form in forms.all():
            if not form.holds(decide):
                continue
            try:
                piece = self._series_around_0(form, forms, reach, over, high)
            except NoSeriesError:
                continue
            if piece is None:
                continue
            forms.prefer(form)
            return piece
        return None

    def _series_around_0(self, form: Form, forms: Forms, reach: arb, over: arb, high: int) -> Piece | None:
        degree = self._format.degree
        length = degree + 2 + _HIGHEST_POWER
        for precision in _PRECISIONS:
            ctx.prec = precision
            try:
                coefficients = form.series(arb(0), reach, length)
            finally:
                ctx.prec = PRECISION
            power = next((k for k, c in enumerate(coefficients) if not abs(c).upper() < self._least), length)
            kept = coefficients[power : power + degree + 1]
            if power <= _HIGHEST_POWER and kept[0].rel_accuracy_bits() > 80:
                break
        else:
            return None
        remainder = abs(form.series(over, reach, power + degree + 2)[-1]).upper()
        sizes = [abs(c).upper() for c in kept]
        radius = _sum([c.rad() for c in kept])
        bound = (abs(kept[0]).lower() - _sum(sizes[1:]) - remainder) * self._format.tolerance
        if not remainder + radius + self._rounding(sizes) < bound:
            return None
        end = _sum([c * self._sign**k for k, c in enumerate(coefficients[: power + degree + 1])])
        if not _agrees(forms, self._sign * float(reach), end + arb(0, remainder)):
            return None
        # With x = z 2^high, f = x^power 2^(-power high) times the sum.
        value = _polynomial(kept, power, -power * high)
        slope = _polynomial([(power + k) * c for k, c in enumerate(kept)], power - 1, -power * high)
        if power == 0:
            slope = _polynomial([k * c for k, c in enumerate(kept)][1:], 0, -high)
        return Piece(math.ldexp(1.0, self._format.lowest), 0.0, high, value, slope)


def _most(value: Value, region: Region) -> arb | None:
    """An upper bound of |value|; None where there is none."""
    try:
        return abs(value.over(region)).upper()
    except UnboundedError:
        return None


def _agrees(forms: Forms, point: float, value: arb) -> bool:
    """Whether the formula as declared says the same at a point: a form may come from a rule that is wrong."""
    if not value.is_finite():
        return True
    found = forms.declared(arb(point))
    return found is None or not found.is_finite() or bool(found.overlaps(value))


def _sum(parts: Sequence[arb]) -> arb:
    return reduce(lambda a, b: a + b, parts, arb(0))


def _polynomial(coefficients: Sequence[arb], power: int = 0, extra: int = 0) -> Polynomial:
    """Coefficients as sums of two float64, scaled by a power of two where float64 has no room for them."""
    if not all(c.is_finite() for c in coefficients):
        return Polynomial(coefficients=((float(coefficients[0]), 0.0),))
    largest = max((c for c in (abs(c).upper() for c in coefficients)), default=arb(0))
    shift, exponent = extra, 0
    if largest > 0:
        mantissa, binary = largest.mid().man_exp()
        size = int(binary) + int(mantissa).bit_length()
        if size + extra < -_LARGEST_EXPONENT:
            return Polynomial(power)
        if abs(size + extra) > _ROOM:
            shift, exponent = -size, min(size + extra, _LARGEST_EXPONENT)
    scale = arb(2) ** shift
    parts = []
    for c in coefficients:
        middle = (c * scale).mid()
        high = float(middle)
        parts.append((high, float(middle - high)))
    return Polynomial(power, exponent, tuple(parts))
