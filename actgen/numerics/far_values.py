"""Values over a region that reaches over many binades: a power of |x| times a ball times an exponential.

Every value is written m^p B exp(m^q D) with m = |x|, whole powers p and q, and balls B and D that hold for all m of a
region [lowest, highest]. Powers and exponents are added and cancelled before anything is evaluated. What is small
against its neighbour in a sum goes into the ball B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

_FAR = 6  # beyond, exp(-2 |u|) is small enough to be an error
_MODERATE = arb(2) ** 40


class UnboundedError(ArithmeticError):
    """Nothing useful is known of a value over the whole region."""


@dataclass(frozen=True)
class Region:
    """All x of one sign with lowest <= |x| <= highest.

    Attributes:
        sign: of x.
        lowest, highest: exact positive numbers.
        is_near_zero: whether low powers of x are the large ones.
    """

    sign: int
    lowest: arb
    highest: arb
    is_near_zero: bool = False

    def power(self, n: int) -> arb:
        """|x|^n over the region."""
        return arb(1) if n == 0 else hull(self.lowest**n, self.highest**n)


@dataclass(frozen=True)
class Monomial:
    """m^power times a ball."""

    power: int
    factor: arb


@dataclass(frozen=True)
class Value:
    """m^power factor exp(exponent)."""

    power: int
    factor: arb
    exponent: Monomial | None = None

    def over(self, region: Region) -> arb:
        """One ball for all of a region.

        Raises:
            UnboundedError: where there is none.
        """
        return Arithmetic(region).ball(self)

    def least_over(self, region: Region) -> arb:
        """A lower bound of the magnitude.

        Raises:
            UnboundedError: where an exponential does not grow all over the region.
        """
        return Arithmetic(region).least_size(self)


class Arithmetic:
    """Operations on values over one region."""

    def __init__(self, region: Region) -> None:
        self._region = region

    def multiply(self, a: Value, b: Value) -> Value:
        if a.factor.is_zero() or b.factor.is_zero():
            return Value(0, arb(0))
        return Value(a.power + b.power, a.factor * b.factor, self._sum_of_exponents(a.exponent, b.exponent))

    def add(self, a: Value, b: Value) -> Value:
        if a.factor.is_zero():
            return b
        if b.factor.is_zero():
            return a
        inverse = None if a.exponent is None else Monomial(a.exponent.power, -a.exponent.factor)
        try:
            lead = self._sum_of_exponents(b.exponent, inverse)
        except UnboundedError:
            # exp(-(x/sqrt(2))^2) and exp(-x^2/2) are equal up to rounding, and both small.
            return Value(0, self.ball(a) + self.ball(b))
        if lead is None:
            is_swapped = a.power > b.power if self._region.is_near_zero else a.power < b.power
        else:
            is_swapped = bool(lead.factor > 0)
        if is_swapped:
            a, b = b, a
            lead = None if lead is None else Monomial(lead.power, -lead.factor)
        ratio = self.ball(Value(b.power - a.power, b.factor, lead))
        return Value(a.power, a.factor + ratio, a.exponent)

    def ball(self, value: Value) -> arb:
        """One ball for a value over the whole region."""
        if value.exponent is None:
            return value.factor * self._region.power(value.power)
        size = value.exponent.factor * self._region.power(value.exponent.power)
        if abs(size) < _MODERATE and self._region.lowest == self._region.highest:
            return value.factor * self._region.power(value.power) * size.exp()
        return value.factor * hull(arb(0), self._largest(value))

    def exp(self, u: Value) -> Value:
        if u.exponent is not None:
            if u.exponent.factor > 0 and u.factor < 0:
                return Value(0, hull(arb(0), (-abs(u.factor).lower() * self._least(u)).exp()))
            return Value(0, self.image(arb.exp, self.ball(u)))
        if not u.factor.contains(0) and self.least_size(u) > _FAR:
            return Value(0, arb(1), Monomial(u.power, u.factor))
        return Value(0, self.image(arb.exp, self.ball(u)))

    def inverse(self, a: Value) -> Value:
        exponent = None if a.exponent is None else Monomial(a.exponent.power, -a.exponent.factor)
        return Value(-a.power, 1 / a.factor, exponent)

    def decay(self, u: Value) -> arb:
        """A ball for exp(-|u|), where |u| is large."""
        return hull(arb(0), (-self.least_size(u)).exp())

    def side(self, u: Value) -> int:
        """1 or -1 where u is certainly far on that side of 0, otherwise 0."""
        if u.factor.contains(0) or (u.exponent is not None and u.exponent.factor < 0):
            return 0
        if not self.least_size(u) > _FAR:
            return 0
        return 1 if u.factor > 0 else -1

    def size(self, u: Value) -> Value:
        """|u| for u of one sign."""
        return Value(u.power, abs(u.factor), u.exponent)

    def log(self, u: Value) -> Value:
        if not u.factor > 0:
            raise UnboundedError("the logarithm of what may not be positive")
        lowest, highest = self._region.lowest, self._region.highest
        ball = u.factor.log() + u.power * hull(lowest.log(), highest.log())
        rest = Value(0, ball)
        return rest if u.exponent is None else self.add(Value(u.exponent.power, u.exponent.factor), rest)

    def _sum_of_exponents(self, a: Monomial | None, b: Monomial | None) -> Monomial | None:
        if a is None or b is None:
            return a or b
        total = self.add(Value(a.power, a.factor), Value(b.power, b.factor))
        if total.factor.is_zero():
            return None
        if total.factor.contains(0):
            raise UnboundedError("which exponential is larger is not known")
        return Monomial(total.power, total.factor)

    def _largest(self, value: Value) -> arb:
        """The largest m^p exp(-m^q |D|): at the lowest m, if it falls from there on."""
        assert value.exponent is not None
        p, q, d = value.power, value.exponent.power, value.exponent.factor
        if not d < 0:
            raise UnboundedError("an exponential that grows")
        lowest = self._region.lowest
        if q < 0:
            return self._region.power(p).upper() * (d.upper() * self._region.highest**q).exp()
        steep = -d.upper() * lowest**q
        if not q * steep >= p:
            raise UnboundedError("an exponential that does not fall yet")
        return lowest**p * (-steep).exp()

    def _least(self, value: Value) -> arb:
        """A lower bound of m^p exp(m^q D), D > 0, within the exponent range of balls."""
        assert value.exponent is not None
        p, q, d = value.power, value.exponent.power, value.exponent.factor
        lowest = self._region.lowest
        if not d > 0 or q < 0:
            raise UnboundedError("an exponential that does not grow")
        steep = d.lower() * lowest**q
        if not q * steep + p >= 0:
            raise UnboundedError("an exponential that does not grow yet")
        return lowest**p * steep.min(_MODERATE).exp()

    def least_size(self, value: Value) -> arb:
        """A lower bound of |value|."""
        size = abs(value.factor).lower()
        if value.exponent is not None:
            return size * self._least(value)
        lowest, highest = self._region.lowest, self._region.highest
        return size * (lowest if value.power >= 0 else highest) ** value.power

    @staticmethod
    def image(function: Callable[[arb], arb], ball: arb) -> arb:
        """A monotonic function over a ball that may be wide: from its ends."""
        return function(ball) if ball.is_exact() else hull(function(ball.lower()), function(ball.upper()))


def hull(a: arb, b: arb) -> arb:
    """The ball around two balls."""
    return a.union(b)
