"""Where a formula has no real value: on a stretch of the line, at single points, or for some values of its parameters.

A stretch is proved by ball arithmetic: over a whole ball of inputs the argument of a logarithm is negative, and the
conditions on which the logarithm is reached hold. A point is a root of a divisor at which the formula does not continue
from both sides to one value. A hole that it does continue over, as tanh(x)/x at 0, is filled in by the kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp
from flint import arb

from actgen.symbolic.balls import BallFunction, ball, precision
from actgen.symbolic.grid import FAR, GRID, at, isolated_roots
from actgen.symbolic.requirements import Requirement

Values = Mapping[sp.Symbol, sp.Rational]

_POINTS = tuple(sorted({*GRID, *FAR}))
_PLAIN = (-1.0, 1.0, -2.0, 2.0, -0.5, 0.5, 4.0, -4.0)
_BITS = 128
_CLOSE_BITS = 1024  # for values a distance of 2**-200 from a root
_BESIDE = arb(2) ** -40  # a stretch has at least this radius
_BUDGET = 400  # intervals looked at


@dataclass(frozen=True)
class Gap:
    """Where a requirement is not met.

    Attributes:
        requirement: which.
        point: an input where it is not.
        argument: what it is asked of is there; 0 where the point is a root.
        is_stretch: whether it is not met beside the point either.
    """

    requirement: Requirement
    point: float
    argument: float
    is_stretch: bool


class Line:
    """One requirement over the whole line, with the parameters at given values.

    Args:
        requirement: what is asked.
        variable: the input; the formula may have others, which the requirement does not read.
        values: of the parameters.
    """

    def __init__(self, requirement: Requirement, variable: sp.Symbol, values: Values) -> None:
        self._requirement = requirement
        self._variable, self._parameters = variable, tuple(values)
        self._values = [values[symbol] for symbol in self._parameters]
        self._negative, self._zero = requirement.at(values)
        symbols = (variable, *self._parameters)
        self._argument = BallFunction(requirement.argument, symbols)
        self._guard = BallFunction(sp.And(*requirement.guards), symbols)

    def stretch(self, *, thoroughly: bool) -> Gap | None:
        """A stretch on which the requirement is not met, if one is found.

        Args:
            thoroughly: whether to look between the points of the grid too, wherever nothing is proved.
        """
        if self._negative and self._zero:
            return None
        with precision(_BITS):
            for point in (*_PLAIN, *_POINTS):
                here = arb(point, _BESIDE * max(1.0, abs(point)))
                if self._is_met(here) is False:
                    return self._gap(point)
            return self._between() if thoroughly else None

    def poles(self, formula: sp.Expr) -> Iterator[Gap]:
        """Points at which the requirement is not met and a formula does not continue over the hole."""
        if self._zero or not self._requirement.argument.has(self._variable):
            return
        gap = at(self._requirement.argument, (self._variable, *self._parameters), self._values)
        known = [(x, y) for x in _POINTS if (y := gap(x)) is not None]
        whole = BallFunction(formula, (self._variable, *self._parameters))
        for root in sorted(set(isolated_roots(gap, known)), key=lambda root: (abs(root), root)):
            with precision(_CLOSE_BITS):
                point = self._refined(root)
                if self._reached(point) and self._breaks(whole, point):
                    yield Gap(self._requirement, root + 0.0, 0.0, is_stretch=False)

    def _between(self) -> Gap | None:
        """Halve what is not proved, the widest first, as long as the budget lasts."""
        waiting, looked = list(pairwise(_POINTS)), 0
        while waiting and looked < _BUDGET:
            low, high = waiting.pop(0)
            looked += 1
            middle = (low + high) / 2
            met = self._is_met(arb(middle, (high - low) / 2))
            if met is False:
                return self._gap(middle)
            if met is None and high - low > 2.0**-20 * max(1.0, abs(middle)):
                waiting += [(low, middle), (middle, high)]
        return None

    def _gap(self, point: float) -> Gap:
        argument = self._told(self._argument, arb(point))
        return Gap(self._requirement, point, 0.0 if argument is None else float(argument.mid()), is_stretch=True)

    def _is_met(self, here: arb) -> bool | None:
        """Whether the requirement is met on a whole ball, or is not reached there; None if that is not proved."""
        reached = self._reached(here)
        if reached is False:
            return True
        u = self._told(self._argument, here)
        if u is None or not u.is_finite():
            return None
        if u > 0 or (self._negative and u < 0) or (self._zero and u >= 0):
            return True
        is_broken = (not self._negative and u < 0) or (not self._zero and u.is_zero())
        return False if is_broken and reached else None

    def _told(self, function: BallFunction, here: arb) -> arb | None:
        return function(here, *map(ball, self._values))

    def _reached(self, here: arb) -> bool | None:
        """Whether the operation is reached on a whole ball, or nowhere in it; None if neither is proved."""
        truth = self._told(self._guard, here)
        return None if truth is None else bool(truth)

    def _refined(self, root: float) -> arb:
        """A ball around a root, at the working precision; a double root is where it was found."""
        width = arb(2) ** -50 * max(1.0, abs(root))
        low, high = arb(root) - width, arb(root) + width
        start, stop = self._told(self._argument, low), self._told(self._argument, high)
        here = self._told(self._argument, arb(root))
        if here is None or start is None or stop is None or here.is_zero() or not start * stop < 0:
            return arb(root)
        for _ in range(_CLOSE_BITS):
            middle = ((low + high) / 2).mid()
            y = self._told(self._argument, middle)
            if y is None or y.contains(0):
                break
            if (y < 0) == (start < 0):
                low = middle
            else:
                high = middle
        return low.union(high)

    def _breaks(self, whole: BallFunction, point: arb) -> bool:
        """Whether a formula has no value at a point, nor one that it takes by continuity."""
        value = self._told(whole, point)
        if value is None or (value.is_finite() and point.is_exact()):
            return False
        middle, scale = point.mid(), max(1.0, abs(float(point.mid())))
        steps = [side * scale * arb(2) ** -k for k in (100, 200) for side in (-1, 1)]
        found = [value for step in steps if (value := self._told(whole, middle + step)) is not None]
        if len(found) < len(steps):
            return False
        if not all(value.is_finite() for value in found):
            return True
        is_close = all(abs(a - b) < arb(2) ** -20 * (1 + abs(a)) for a, b in pairwise(found))
        far, near = max(map(abs, found[:2])), max(map(abs, found[2:]))
        is_vanishing = bool(near < arb(2) ** -10 and near < far / 2)
        return not (is_close or is_vanishing)
