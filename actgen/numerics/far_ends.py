"""A formula at its far ends, enclosed over a thousand binades at once: as a power of |x| times an exponential.

Every value is written m^p B exp(m^q D) with m = |x|, whole powers p and q, and balls B and D that hold for all m of a
region [lowest, highest]. Powers and exponents are added and cancelled before anything is evaluated, so exp(x) / (1 +
exp(x)) is 1 up to exp(-x) where exp(x) itself is beyond every exponent range, and x / (1 + |x|) is 1 up to 1/x for
all x from 2^64 on. What is small against its neighbour in a sum goes into the ball B.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import sympy as sp
from flint import arb
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from actgen.symbolic.balls import FUNCTIONS, BallFunction
from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh

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
        return arb(1) if n == 0 else _hull(self.lowest**n, self.highest**n)


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
        return _Arithmetic(region).ball(self)

    def least_over(self, region: Region) -> arb:
        """A lower bound of the magnitude.

        Raises:
            UnboundedError: where an exponential does not grow all over the region.
        """
        return _Arithmetic(region).least_size(self)


class FarFunction:
    """An expression in one variable compiled to be enclosed over regions.

    Args:
        expression: over the primitives, without ``Piecewise``, ``Abs``, ``sign`` and ``floor``.
        x: the variable.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol) -> None:
        self._x = x
        self._expression = expression
        self._constants: dict[sp.Basic, BallFunction] = {}

    def __call__(self, region: Region) -> Value:
        """The value over a region.

        Raises:
            UnboundedError: where nothing useful is known.
        """
        memory: dict[sp.Basic, Value] = {self._x: Value(1, arb(region.sign))}
        try:
            return self._value(self._expression, _Arithmetic(region), memory)
        except (ZeroDivisionError, ValueError) as error:
            raise UnboundedError(str(error)) from error

    def _value(self, node: sp.Basic, arithmetic: _Arithmetic, memory: dict[sp.Basic, Value]) -> Value:
        if node in memory:
            return memory[node]
        if not node.has(self._x):
            if node not in self._constants:
                self._constants[node] = BallFunction(node, ())
            ball = self._constants[node]()
            value = Value(0, arb("nan") if ball is None else ball)
        else:
            operands = [self._value(arg, arithmetic, memory) for arg in node.args]
            value = arithmetic.apply(node, operands)
        if not value.factor.is_finite() or not (value.exponent is None or value.exponent.factor.is_finite()):
            raise UnboundedError(f"{node.func.__name__} is not bounded")
        memory[node] = value
        return value


class FarDecision:
    """Decides conditions over regions, for :meth:`actgen.numerics.branches.Branch.resolve`."""

    def __init__(self, x: sp.Symbol) -> None:
        self._x = x
        self._functions: dict[sp.Basic, FarFunction] = {}

    def over(self, region: Region) -> Callable[[BallFunction], Any]:
        """The decisions over one region."""
        return partial(self._decide, region)

    def _decide(self, region: Region, function: BallFunction) -> Any:
        subject = function.expression
        if isinstance(subject, BooleanAtom):
            return bool(subject)
        is_condition = isinstance(subject, Relational)
        if subject not in self._functions:
            difference = subject.lhs - subject.rhs if is_condition else subject
            self._functions[subject] = FarFunction(difference, self._x)
        try:
            value = self._functions[subject](region)
            return _TRUTHS[type(subject)](value.factor) if is_condition else value.over(region)
        except UnboundedError:
            return None


def _truth(holds: Callable[[arb], bool], fails: Callable[[arb], bool]) -> Callable[[arb], bool | None]:
    return lambda difference: True if holds(difference) else False if fails(difference) else None


_TRUTHS: Mapping[type[Relational], Callable[[arb], bool | None]] = {
    sp.StrictLessThan: _truth(lambda d: d < 0, lambda d: d >= 0),
    sp.LessThan: _truth(lambda d: d <= 0, lambda d: d > 0),
    sp.StrictGreaterThan: _truth(lambda d: d > 0, lambda d: d <= 0),
    sp.GreaterThan: _truth(lambda d: d >= 0, lambda d: d < 0),
    sp.Equality: _truth(lambda d: d.is_zero(), lambda d: d != 0),
    sp.Unequality: _truth(lambda d: d != 0, lambda d: d.is_zero()),
}


class _Arithmetic:
    """Operations on values over one region."""

    def __init__(self, region: Region) -> None:
        self._region = region

    def apply(self, node: sp.Basic, operands: list[Value]) -> Value:
        if isinstance(node, sp.Add):
            return reduce(self.add, operands)
        if isinstance(node, sp.Mul):
            return reduce(self.multiply, operands)
        if isinstance(node, sp.Pow):
            return self._power(node, operands)
        if node.func is sp.exp:
            return self.exp(operands[0])
        (u,) = operands
        special = _SPECIAL.get(node.func)
        found = None if special is None else special(self, u)
        if found is not None:
            return found
        slope = _SLOPES_AT_0.get(node.func)
        if slope is not None and self._is_below(u, arb(0.5)):
            ball = self.ball(u)
            return Value(u.power, u.factor * slope() * (1 + arb(0, abs(ball).upper())), u.exponent)
        return Value(0, self._image(FUNCTIONS[node.func], node.func, self.ball(u)))

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
        size = self._of(value.exponent)
        if abs(size) < _MODERATE and self._region.lowest == self._region.highest:
            return value.factor * self._region.power(value.power) * size.exp()
        return value.factor * _hull(arb(0), self._largest(value))

    def exp(self, u: Value) -> Value:
        if u.exponent is not None:
            if u.exponent.factor > 0 and u.factor < 0:
                return Value(0, _hull(arb(0), (-abs(u.factor).lower() * self._least(u)).exp()))
            return Value(0, self._image(arb.exp, sp.exp, self.ball(u)))
        if not u.factor.contains(0) and self.least_size(u) > _FAR:
            return Value(0, arb(1), Monomial(u.power, u.factor))
        return Value(0, self._image(arb.exp, sp.exp, self.ball(u)))

    def inverse(self, a: Value) -> Value:
        exponent = None if a.exponent is None else Monomial(a.exponent.power, -a.exponent.factor)
        return Value(-a.power, 1 / a.factor, exponent)

    def decay(self, u: Value) -> arb:
        """A ball for exp(-|u|), where |u| is large."""
        return _hull(arb(0), (-self.least_size(u)).exp())

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
        ball = u.factor.log() + u.power * _hull(lowest.log(), highest.log())
        rest = Value(0, ball)
        return rest if u.exponent is None else self.add(Value(u.exponent.power, u.exponent.factor), rest)

    def _power(self, node: sp.Pow, operands: list[Value]) -> Value:
        base, exponent = node.args
        if base is sp.E:
            return self.exp(operands[1])
        a = operands[0]
        if not exponent.is_Rational:
            return self.exp(self.multiply(self.log(a), operands[1]))
        p, q = int(exponent.p), int(exponent.q)
        if q > 1 and not a.factor > 0:
            raise UnboundedError("a root of what may not be positive")
        if a.power * p % q:
            if a.exponent is not None:
                raise UnboundedError("a root of an odd power")
            return Value(0, self._image(lambda ball: _root(ball, p, q), None, self.ball(a)))
        factor = a.factor**p if q == 1 else _root(a.factor, p, q)
        lead = None if a.exponent is None else Monomial(a.exponent.power, a.exponent.factor * p / q)
        return Value(a.power * p // q, factor, lead)

    def _sum_of_exponents(self, a: Monomial | None, b: Monomial | None) -> Monomial | None:
        if a is None or b is None:
            return a or b
        total = self.add(Value(a.power, a.factor), Value(b.power, b.factor))
        if total.factor.is_zero():
            return None
        if total.factor.contains(0):
            raise UnboundedError("which exponential is larger is not known")
        return Monomial(total.power, total.factor)

    def _of(self, monomial: Monomial) -> arb:
        return monomial.factor * self._region.power(monomial.power)

    def _is_below(self, u: Value, bound: arb) -> bool:
        if u.exponent is not None and u.exponent.factor > 0:
            return False
        return bool(abs(self.ball(u)) < bound)

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

    def _image(self, function: Callable[[arb], arb], kind: Any, ball: arb) -> arb:
        """A function over a ball that may be wide: from its ends where it is monotonic."""
        if ball.is_exact() or not (kind is None or kind in _MONOTONIC or kind in (sp.cosh, sech)):
            return function(ball)
        if kind in (sp.cosh, sech):
            ball = abs(ball)
            ball = _hull(ball.lower().nonnegative_part(), ball.upper())
        return _hull(function(ball.lower()), function(ball.upper()))


def _hull(a: arb, b: arb) -> arb:
    return a.union(b)


def _root(ball: arb, p: int, q: int) -> arb:
    return (ball.sqrt() if q == 2 else ball.root(q)) ** p


def _far_exp(a: _Arithmetic, u: Value, lead: Value, correction: Callable[[arb], arb]) -> Value:
    """A leading value times exp(-|u|), times a correction that depends on exp(-|u|)."""
    return a.multiply(a.inverse(a.exp(a.size(u))), a.multiply(lead, Value(0, correction(a.decay(u)))))


def _sigmoid(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    return Value(0, 1 / (1 + a.decay(u))) if side > 0 else _far_exp(a, u, Value(0, arb(1)), lambda e: 1 / (1 + e))


def _softplus(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    if side > 0:
        return a.add(u, Value(0, _hull(arb(0), a.decay(u).upper())))
    return _far_exp(a, u, Value(0, arb(1)), lambda e: 1 - _hull(arb(0), e.upper() / 2))


def _tanh(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    e = a.decay(u) ** 2
    return Value(0, side * (2 / (1 + e) - 1))


def _sech(a: _Arithmetic, u: Value) -> Value | None:
    return _far_exp(a, u, Value(0, arb(2)), lambda e: 1 / (1 + e * e)) if a.side(u) else None


def _erfc(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    if side < 0:
        return Value(0, 2 - _hull(arb(0), a.decay(u).upper()))  # erfc(z) < exp(-z^2) < exp(-z)
    square = a.multiply(u, u)
    lead = a.inverse(a.multiply(u, Value(0, arb.const_sqrt_pi())))
    tail = 1 - _hull(arb(0), a.ball(a.inverse(square)).upper() / 2)
    return a.multiply(a.inverse(a.exp(square)), a.multiply(lead, Value(0, tail)))


def _erf(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    return Value(0, side * (1 - _hull(arb(0), a.decay(u).upper()))) if side else None


def _expm1(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    return a.multiply(a.exp(u), Value(0, 1 - a.decay(u))) if side > 0 else Value(0, a.decay(u) - 1)


def _hyperbolic(sign: int, a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    half = Value(0, (1 + sign * a.decay(u) ** 2) / 2 * (side if sign < 0 else 1))
    return a.multiply(a.exp(a.size(u)), half)


def _asinh(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    small = _hull(arb(0), (1 / a.least_size(u) ** 2).upper())
    value = a.add(a.log(a.multiply(Value(0, arb(2)), a.size(u))), Value(0, small))
    return Value(value.power, side * value.factor, value.exponent)


def _atan(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    return Value(0, side * (arb.pi() / 2 - _hull(arb(0), (1 / a.least_size(u)).upper()))) if side else None


def _arccot(a: _Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    small = _hull(arb(0), (1 / a.least_size(u) ** 2).upper())
    inverse = a.inverse(u)
    near = a.multiply(inverse, Value(0, 1 - small))  # atan(v) = v (1 - a fraction of v^2)
    return near if side > 0 else a.add(Value(0, arb.pi()), near)


def _log1p(a: _Arithmetic, u: Value) -> Value | None:
    return a.log(a.add(Value(0, arb(1)), u)) if a.side(u) else None


def _bounded(a: _Arithmetic, u: Value) -> Value | None:
    return Value(0, arb(0, 1)) if u.exponent is not None and u.exponent.factor > 0 else None


_SPECIAL: Mapping[type[sp.Function], Callable[[_Arithmetic, Value], Value | None]] = {
    sigmoid: _sigmoid,
    softplus: _softplus,
    tanh: _tanh,
    sech: _sech,
    erfc: _erfc,
    sp.erf: _erf,
    expm1: _expm1,
    sp.sinh: partial(_hyperbolic, -1),
    sp.cosh: partial(_hyperbolic, 1),
    sp.asinh: _asinh,
    sp.atan: _atan,
    log1p: _log1p,
    arccot: _arccot,
    sp.log: lambda a, u: a.log(u),
    sp.sin: _bounded,
    sp.cos: _bounded,
}
"""What a function does far from 0, where its argument is."""

_MONOTONIC = {sp.exp, expm1, log1p, sp.log, sp.sinh, tanh, sp.asinh, sp.atan, sp.erf, erfc, sigmoid, softplus, arccot}

_SLOPES_AT_0: Mapping[type[sp.Function], Callable[[], arb]] = {
    **dict.fromkeys((tanh, sp.sin, sp.tan, sp.sinh, sp.asinh, sp.atan, expm1, log1p), lambda: arb(1)),
    sp.erf: lambda: 2 / arb.const_sqrt_pi(),
}
"""f'(0) of the functions with |f(u) / (u f'(0)) - 1| <= |u| for |u| <= 1/2."""


def value_at(function: FarFunction, region: Region) -> arb | None:
    """The ball of a formula at a region that is one point, however large its exponentials; None where it is not known.

    A value beyond 2^4000 is given as any number beyond it.
    """
    try:
        value = function(region)
        if value.exponent is None or value.exponent.factor < 0:
            return value.over(region)
        least = value.least_over(region)
        if value.factor.contains(0) or not least > arb(2) ** 4000:
            return value.over(region)
        return least if value.factor > 0 else -least
    except UnboundedError:
        return None
