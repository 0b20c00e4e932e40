"""Patches: short polynomials for stretches of the line on which every form of a formula loses accuracy.

x - tanh(x) is x^3/3 to first order, and loses every digit below 4e-4 in float32; x/(exp(x) - 1) is 0/0 near 0;
x (atan(x)/pi + 1/2) cancels towards -inf. On such a stretch the formula is replaced by a polynomial, in x - c around a
centre c, in x around 0 with the power x^v taken outside that the formula vanishes with there, or in 1/x towards an
infinity with the power taken outside that it grows with. Coefficients come from interpolation at Chebyshev points in
ball arithmetic at high precision, so nothing is differentiated and removable singularities are no matter, and they are
accepted only where the polynomial agrees with the formula to 2**-56 at other points, too.

A formula with a parameter p can be patched where it is p^m g(p x) or p^m g(x / p): then g has no parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import sympy as sp
from flint import arb, arb_poly, ctx
from sympy.core.relational import Relational

from actgen.numerics.guards import saturation
from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import ONE, ZERO, call, lower, power
from actgen.symbolic.balls import BallFunction

Floats = Sequence[float]
Function = Callable[[arb], arb | None]

_PRECISIONS = (256, 512, 1024, 2048)
_BITS = 150
_TOLERANCE = arb(2) ** -56
# Even, so that no point is the middle, where a removable singularity may be.
_SIZES = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26)
_LARGEST_POWER = 8


@dataclass(frozen=True)
class Shape:
    """A formula as a function of one variable without parameters: factor * g(z).

    Attributes:
        function: g, over z.
        z: its variable.
        node: computes z.
        factor: a power of a parameter that g is multiplied by, and whether by division; None where it is 1.
    """

    function: sp.Expr
    z: sp.Symbol
    node: Node
    factor: tuple[Node, bool] | None = None

    @cached_property
    def saturations(self) -> tuple[float | None, float | None]:
        """Where g stops moving, left and right; None where it does not."""
        function = _Function(self.function, self.z)
        left, right = (saturation(lambda point: function(arb(point)), sign) for sign in (-1, 1))
        return left, right

    def scaled(self, result: Node) -> Node:
        """A node for g times the factor."""
        if self.factor is None:
            return result
        node, is_divisor = self.factor
        return call("divide" if is_divisor else "multiply", result, node)


def shape_of(
    expression: sp.Expr, x: sp.Symbol, parameters: Sequence[sp.Symbol], known: Mapping[sp.Basic, Node]
) -> Shape | None:
    """The shape of a formula; None where its parameters do more than scale it."""
    used = [parameter for parameter in parameters if expression.has(parameter)]
    if not used:
        return Shape(expression, x, known[x])
    if len(used) > 1:
        return None
    (p,) = used
    z = sp.Dummy("z", real=True)
    for ratio, argument in ((p * x, z / p), (x / p, z * p)):
        similar = _similarity(expression.subs(x, argument), p)
        if similar is not None:
            m, function = similar
            factor = (lower(p ** abs(m), known), m < 0) if m else None
            return Shape(function, z, lower(ratio, known), factor)
    return None


def _similarity(expression: sp.Expr, p: sp.Symbol) -> tuple[int, sp.Expr] | None:
    """M and g where an expression in z and p is p^m g(z)."""
    pieces = expression.args if isinstance(expression, sp.Piecewise) else ((expression, sp.true),)
    for m in range(-4, 5):
        scaled = [(sp.expand(value * p**-m), _unscaled(condition, p)) for value, condition in pieces]
        if not any(value.has(p) or condition.has(p) for value, condition in scaled):
            return m, sp.Piecewise(*scaled) if len(scaled) > 1 else scaled[0][0]
    return None


def _unscaled(condition: sp.Basic, p: sp.Symbol) -> sp.Basic:
    """A condition such as z p > 0 without its positive factor p."""
    if isinstance(condition, Relational) and condition.rhs == 0 and p.is_positive:
        for scaled in (condition.lhs / p, condition.lhs * p):
            if not sp.expand(scaled).has(p):
                return condition.func(sp.expand(scaled), 0)
    return condition


@dataclass(frozen=True)
class Patch:
    """A polynomial for the stretch from ``low`` to ``high``.

    Attributes:
        low, high: the ends of the stretch of z; ``high`` or ``low`` may be infinite.
        centre: the polynomial is in z - centre, or in 1/z where the stretch reaches infinity.
        coefficients: constant term first.
        step: 2 where only every second power occurs.
        order: the power of z that stands outside, negative or zero for a formula that decays in 1/z.
        has_zero: whether it holds at 0 where the stretch ends there: not if a branch on the other side owns 0.
        parity: 1 where an even formula has the same polynomial in |z| on both sides, -1 where an odd one has it with
            the sign of z, 0 where the stretch is on one side only.
    """

    low: float
    high: float
    centre: float
    coefficients: tuple[float, ...]
    step: int
    order: int
    has_zero: bool = True
    parity: int = 0

    def node(self, shape: Shape) -> Node:
        """The node of the polynomial, times the factor of the shape."""
        result = self._polynomial(shape, call("absolute", shape.node) if self.parity else shape.node)
        return call("multiply", call("sign", shape.node), result) if self.parity < 0 else result

    def _polynomial(self, shape: Shape, z: Node) -> Node:
        is_far = math.isinf(self.low) or math.isinf(self.high)
        variable = z if self.centre == 0 else call("subtract", z, Constant(self.centre))
        variable = call("divide", ONE, z) if is_far else variable
        result = shape.scaled(_horner(self.coefficients, call("square", variable) if self.step == 2 else variable))
        if self.order == 0:
            return result
        # One after the other: z^2 may be 0 where 3 z^2 is not, and 1/z where 3/z is not.
        if self.order < 0:
            result = call("divide", result, z)
        for _ in range(self.order if self.order > 0 else -self.order - 1):
            result = call("multiply", result, z if self.order > 0 else variable)
        return result

    def holds(self, z: Node) -> Node:
        """The node of the condition under which it applies."""
        z = call("absolute", z) if self.parity else z
        if self.low == -self.high:
            return call("less", call("absolute", z), Constant(self.high))
        if math.isinf(self.low):
            return call("less", z, Constant(self.high))
        if math.isinf(self.high):
            return call("greater", z, Constant(self.low))
        if self.centre != 0:
            away = call("absolute", call("subtract", z, Constant(self.centre)))
            return call("less", away, Constant((self.high - self.low) / 2))
        if self.low == 0:
            from_zero = call("greater_equal" if self.has_zero else "greater", z, ZERO)
            return call("both", from_zero, call("less", z, Constant(self.high)))
        to_zero = call("less_equal" if self.has_zero else "less", z, ZERO)
        return call("both", to_zero, call("greater", z, Constant(self.low)))


_REACHES = (4.0, 3.0, 2.0, 1.5, 1.0, 0.75, 0.5, 0.375, 2.0**-2, 2.0**-3, 2.0**-4, 2.0**-6)
_MOST = 6
_NEAR = 2.0**-3
_FAR = 2.0**10


def around_zero(shape: Shape, failing: Floats) -> tuple[Patch, ...]:
    """Patches around 0, as far as points lie near it at which a form fails; none where it does not fail there."""
    near = [point for point in failing if abs(point) <= _REACHES[0]]
    if not any(abs(point) <= _NEAR for point in near):
        return ()
    function = _Function(shape.function, shape.z)
    largest = max(abs(point) for point in near)
    # The least reach that covers them, or else the longest that there is a polynomial for.
    reaches = [r for r in reversed(_REACHES) if r > largest][:1] + [r for r in _REACHES if r <= largest]
    is_two_sided = min(near) <= 0 <= max(near)
    for reach in reaches if is_two_sided else ():
        patch = _fitted(function, -reach, reach)
        if patch is not None:
            return (patch,)
    sides = [side for side in (-1, 1) if any(side * point > 0 for point in near)]
    patches = [_on_one_side(function, side, reaches) for side in sides or (-1, 1)]
    found = [patch for patch in patches if patch is not None]
    return tuple(found) if sides else tuple(patch for patch in found if patch.has_zero)[:1]


def _on_one_side(function: _Function, side: int, reaches: Floats) -> Patch | None:
    """The patch from 0 on one side as far as there is a polynomial for."""
    for reach in reaches:
        patch = _fitted(function, min(0.0, side * reach), max(0.0, side * reach))
        if patch is not None:
            return patch
    return None


def elsewhere(shape: Shape, failing: Floats, most: int = 6, least: int = 1) -> tuple[Patch, ...]:
    """Patches for other stretches on which a form fails, those with most failing points first.

    Args:
        shape: the formula.
        failing: values of z at which the form fails.
        most: how many patches there may be.
        least: how many failing points a stretch has that is worth one.
    """
    function = _Function(shape.function, shape.z)
    parity = _parity(function, failing)
    found: list[Patch] = []
    for group in sorted(_stretches([abs(p) for p in failing] if parity else failing), key=len, reverse=True):
        if len(group) < least:
            break
        sign = 1 if group[-1] > 0 else -1
        nearest, farthest = sorted((abs(group[0]), abs(group[-1])))
        if farthest <= _FAR:
            patches = _between(function, sign, nearest, farthest)
        else:
            tail = _towards_infinity(function, sign, max(nearest, 1e-3))
            if tail is None:
                continue
            start = min(abs(tail.low), abs(tail.high))
            patches = [tail, *(_between(function, sign, nearest, start) if start > nearest * 1.05 else ())]
        if len(found) + len(patches) <= most:
            found += [replace(patch, parity=parity) for patch in patches]
    return tuple(found)


def _stretches(failing: Floats) -> list[list[float]]:
    """Failing points by the stretch that they lie on, each on one side of 0."""
    points = sorted(point for point in failing if math.isfinite(point))
    groups: list[list[float]] = []
    for point in points:
        if groups and _are_neighbours(groups[-1][-1], point):
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def _are_neighbours(a: float, b: float) -> bool:
    """Whether two failing points belong together: within 1/2, or a factor of 1.5, or both where samples are sparse."""
    least, most = sorted((abs(a), abs(b)))
    return a * b > 0 and (most - least <= 0.5 or most <= 1.5 * least or least > _FAR)


def _between(function: _Function, sign: int, least: float, most: float) -> list[Patch]:
    """Patches side by side over a stretch away from 0; none where it would take too many."""
    # Between samples more may fail; but far from a root the polynomial is no better than the form.
    margin = max((most - least) * 0.2, min(least * 0.06, 0.5))
    start, end = max(least - margin, least / 2), most + margin
    found: list[Patch] = []
    reached = start
    while reached < end:
        width = min(end - start, 4 * start)
        for _ in range(5):
            low, high = sorted((sign * start, sign * (start + width)))
            patch = _fitted(function, low, high)
            if patch is not None:
                break
            width /= 2
        if patch is None or len(found) == _MOST:
            return []
        found.append(patch)
        reached = max(abs(patch.low), abs(patch.high))
        start = reached * (1 - 1e-9)
    return found


def _towards_infinity(function: _Function, sign: int, least: float) -> Patch | None:
    order = function.order(sign * arb(2) ** 100, 2)
    if order is None:
        return None
    for start in (least / 1.02, least * 1.5, least * 4, least * 16):
        # g(1/z) over z in (0, 1/start]; the power z^-order is taken outside.
        span = 1 / start

        def inverted(z: arb) -> arb | None:
            value = function(sign / z)
            return None if value is None else value * (sign * z) ** order

        found = _polynomial(inverted, 0.0, span)
        if found is None:
            continue
        coefficients, step = found
        signed = tuple(c if (k * step) % 2 == 0 or sign > 0 else -c for k, c in enumerate(coefficients))
        edges = (start, math.inf) if sign > 0 else (-math.inf, -start)
        return Patch(*edges, 0.0, signed, step, order)
    return None


def _fitted(function: _Function, low: float, high: float) -> Patch | None:
    """A patch for a finite stretch, in z where 0 is one of its ends or its middle, else in z - c."""
    if low == -high or low == 0 or high == 0:
        sign = 1 if high > 0 else -1
        order = function.order(sign * arb(2) ** -100, 2)
        if order is None or not 0 <= order <= _LARGEST_POWER:
            return None

        def reduced(z: arb) -> arb | None:
            value = function(z)
            return None if value is None else value / z**order

        found = _polynomial(reduced, low, high)
        if found is None:
            return None
        coefficients, step = found
        has_zero = low == -high or function.tends_to(0.0 if order else coefficients[0])
        return Patch(low, high, 0.0, coefficients, step, order, has_zero)
    centre = _short((low + high) / 2)
    reach = max(high - centre, centre - low)

    def shifted(z: arb) -> arb | None:
        return function(z + centre)

    found = _polynomial(shifted, -reach, reach, centre)
    if found is None:
        return None
    return Patch(centre - reach, centre + reach, centre, found[0], found[1], 0)


def _short(value: float) -> float:
    """A number near to one, with few digits, so that z less it is exact."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 256), exponent - 8)


class _Function:
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
        return whole if is_power and abs(whole) <= _LARGEST_POWER else None


def _polynomial(
    function: Function, low: float, high: float, centre: float = 0.0
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
    """The coefficients; 0 for those that interpolation leaves where a power does not occur."""
    sizes = [abs(polynomial[k]) * reach**k for k in range(polynomial.degree() + 1)]
    least = max((size.mid() for size in sizes), default=arb(0)) * arb(2) ** -90
    return tuple(float(polynomial[k].mid()) if size > least else 0.0 for k, size in enumerate(sizes))


def _agrees(polynomial: arb_poly, v: arb, value: arb | None, centre: float) -> bool:
    """Whether a polynomial equals a value, to a fraction of it or of what moving v by such a fraction would do."""
    if value is None:
        return False
    slope = abs(polynomial.derivative()(v) * (v + centre)) if centre else arb(0)
    return bool(abs(polynomial(v) - value) <= _TOLERANCE * (abs(value) + slope))


def _is_even(function: Function, reach: float) -> bool:
    return _mirrors(function, reach, 1)


def _parity(function: Function, failing: Floats) -> int:
    """1 for an even function, -1 for an odd one, 0 for any other; found out at a few points, to 150 bits.

    Some of them are where it matters: a formula in pieces may be symmetric far out only.
    """
    sizes = sorted({abs(point) for point in failing if 0 < abs(point) < _FAR})
    reaches = (8.0, 1.0, *sizes[:: max(len(sizes) // 6, 1)])
    return next((sign for sign in (1, -1) if all(_mirrors(function, reach, sign) for reach in reaches)), 0)


def _mirrors(function: Function, reach: float, sign: int) -> bool:
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


def _horner(coefficients: Sequence[float], variable: Node) -> Node:
    """Horner's scheme; powers that do not occur are skipped."""
    present = [k for k, coefficient in enumerate(coefficients) if coefficient] or [0]
    node: Node = Constant(coefficients[present[-1]])
    for k, above in zip(reversed(present[:-1]), reversed(present), strict=False):
        node = call("add", call("multiply", node, power(variable, above - k)), Constant(coefficients[k]))
    return call("multiply", node, power(variable, present[0])) if present[0] else node
