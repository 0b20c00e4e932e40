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
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flint import arb

from actgen.numerics.interpolation import LARGEST_POWER, Function, mirrors, polynomial
from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import ONE, ZERO, call, power
from actgen.numerics.shape import Shape


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
_MOST_STRETCHES = 8
"""Where a form fails on more, it is not for polynomials to mend it."""

MOST_PATCHES = 6
"""On all stretches together."""

_NEAR = 2.0**-3
_FAR = 2.0**10


def around_zero(shape: Shape, failing: Sequence[float]) -> tuple[Patch, ...]:
    """Patches around 0, as far as points lie near it at which a form fails; none where it does not fail there."""
    near = [point for point in failing if abs(point) <= _REACHES[0]]
    if not any(abs(point) <= _NEAR for point in near):
        return ()
    function = Function(shape.function, shape.z)
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


def _on_one_side(function: Function, side: int, reaches: Sequence[float]) -> Patch | None:
    """The patch from 0 on one side as far as there is a polynomial for."""
    for reach in reaches:
        patch = _fitted(function, min(0.0, side * reach), max(0.0, side * reach))
        if patch is not None:
            return patch
    return None


def elsewhere(shape: Shape, failing: Sequence[float], most: int = MOST_PATCHES, least: int = 1) -> tuple[Patch, ...]:
    """Patches for other stretches on which a form fails, those with most failing points first.

    Args:
        shape: the formula.
        failing: values of z at which the form fails.
        most: how many patches there may be.
        least: how many failing points a stretch has that is worth one.
    """
    function = Function(shape.function, shape.z)
    parity = _parity(function, failing)
    found: list[Patch] = []
    stretches = _stretches([abs(p) for p in failing] if parity else failing)
    worth_one = sorted((group for group in stretches if len(group) >= least), key=len, reverse=True)
    for group in worth_one if len(worth_one) <= _MOST_STRETCHES else ():
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


def _stretches(failing: Sequence[float]) -> list[list[float]]:
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


def _between(function: Function, sign: int, least: float, most: float) -> list[Patch]:
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
        if patch is None or len(found) == MOST_PATCHES:
            return []
        found.append(patch)
        reached = max(abs(patch.low), abs(patch.high))
        start = reached * (1 - 1e-9)
    return found


def _towards_infinity(function: Function, sign: int, least: float) -> Patch | None:
    order = function.order(sign * arb(2) ** 100, 2)
    if order is None:
        return None
    for start in (least / 1.02, least * 1.5, least * 4, least * 16):
        # g(1/z) over z in (0, 1/start]; the power z^-order is taken outside.
        span = 1 / start

        def inverted(z: arb) -> arb | None:
            value = function(sign / z)
            return None if value is None else value * (sign * z) ** order

        found = polynomial(inverted, 0.0, span)
        if found is None:
            continue
        coefficients, step = found
        signed = tuple(c if (k * step) % 2 == 0 or sign > 0 else -c for k, c in enumerate(coefficients))
        edges = (start, math.inf) if sign > 0 else (-math.inf, -start)
        return Patch(*edges, 0.0, signed, step, order)
    return None


def _fitted(function: Function, low: float, high: float) -> Patch | None:
    """A patch for a finite stretch, in z where 0 is one of its ends or its middle, else in z - c."""
    if low == -high or low == 0 or high == 0:
        sign = 1 if high > 0 else -1
        order = function.order(sign * arb(2) ** -100, 2)
        if order is None or not 0 <= order <= LARGEST_POWER:
            return None

        def reduced(z: arb) -> arb | None:
            value = function(z)
            return None if value is None else value / z**order

        found = polynomial(reduced, low, high)
        if found is None:
            return None
        coefficients, step = found
        has_zero = low == -high or function.tends_to(0.0 if order else coefficients[0])
        return Patch(low, high, 0.0, coefficients, step, order, has_zero)
    centre = _short((low + high) / 2)
    reach = max(high - centre, centre - low)

    def shifted(z: arb) -> arb | None:
        return function(z + centre)

    found = polynomial(shifted, -reach, reach, centre)
    if found is None:
        return None
    return Patch(centre - reach, centre + reach, centre, found[0], found[1], 0)


def _short(value: float) -> float:
    """A number near to one, with few digits, so that z less it is exact."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 256), exponent - 8)


def _parity(function: Function, failing: Sequence[float]) -> int:
    """1 for an even function, -1 for an odd one, 0 for any other; found out at a few points, to 150 bits.

    Some of them are where it matters: a formula in pieces may be symmetric far out only.
    """
    sizes = sorted({abs(point) for point in failing if 0 < abs(point) < _FAR})
    reaches = (8.0, 1.0, *sizes[:: max(len(sizes) // 6, 1)])
    return next((sign for sign in (1, -1) if all(mirrors(function, reach, sign) for reach in reaches)), 0)


def _horner(coefficients: Sequence[float], variable: Node) -> Node:
    """Horner's scheme; powers that do not occur are skipped."""
    present = [k for k, coefficient in enumerate(coefficients) if coefficient] or [0]
    node: Node = Constant(coefficients[present[-1]])
    for k, above in zip(reversed(present[:-1]), reversed(present), strict=False):
        node = call("add", call("multiply", node, power(variable, above - k)), Constant(coefficients[k]))
    return call("multiply", node, power(variable, present[0])) if present[0] else node
