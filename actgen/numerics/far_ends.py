"""A formula at its far ends, enclosed over a thousand binades at once: as a power of |x| times an exponential.

exp(x) / (1 + exp(x)) is 1 up to exp(-x) where exp(x) itself is beyond every exponent range, and x / (1 + |x|) is 1
up to 1/x for all x from 2^64 on. See :mod:`actgen.numerics.far_values` for how values are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import sympy as sp
from flint import arb
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from actgen.numerics.far_values import Arithmetic, Monomial, Region, UnboundedError, Value, hull
from actgen.symbolic.balls import FUNCTIONS, BallFunction
from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh


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
            return self._value(self._expression, Arithmetic(region), memory)
        except (ZeroDivisionError, ValueError) as error:
            raise UnboundedError(str(error)) from error

    def _value(self, node: sp.Basic, arithmetic: Arithmetic, memory: dict[sp.Basic, Value]) -> Value:
        if node in memory:
            return memory[node]
        if not node.has(self._x):
            if node not in self._constants:
                self._constants[node] = BallFunction(node, ())
            ball = self._constants[node]()
            value = Value(0, arb("nan") if ball is None else ball)
        else:
            operands = [self._value(arg, arithmetic, memory) for arg in node.args]
            value = _apply(arithmetic, node, operands)
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


def _apply(arithmetic: Arithmetic, node: sp.Basic, operands: list[Value]) -> Value:
    if isinstance(node, sp.Add):
        return reduce(arithmetic.add, operands)
    if isinstance(node, sp.Mul):
        return reduce(arithmetic.multiply, operands)
    if isinstance(node, sp.Pow):
        return _power(arithmetic, node, operands)
    (u,) = operands
    if node.func is sp.exp:
        return arithmetic.exp(u)
    special = _SPECIAL.get(node.func)
    found = None if special is None else special(arithmetic, u)
    if found is not None:
        return found
    slope = _SLOPES_AT_0.get(node.func)
    is_small = u.exponent is None or u.exponent.factor < 0
    if slope is not None and is_small and abs(arithmetic.ball(u)) < 0.5:
        size = abs(arithmetic.ball(u)).upper()
        return Value(u.power, u.factor * slope() * (1 + arb(0, size)), u.exponent)
    function, ball = FUNCTIONS[node.func], arithmetic.ball(u)
    if node.func in (sp.cosh, sech):
        size = abs(ball)  # falling or rising from 0 on
        return Value(0, hull(function(size.lower().max(arb(0))), function(size.upper())))
    return Value(0, arithmetic.image(function, ball) if node.func in _MONOTONIC else function(ball))


def _power(arithmetic: Arithmetic, node: sp.Pow, operands: list[Value]) -> Value:
    base, exponent = node.args
    if base is sp.E:
        return arithmetic.exp(operands[1])
    a = operands[0]
    if not exponent.is_Rational:
        return arithmetic.exp(arithmetic.multiply(arithmetic.log(a), operands[1]))
    p, q = int(exponent.p), int(exponent.q)
    if q > 1 and not a.factor > 0:
        raise UnboundedError("a root of what may not be positive")
    if a.power * p % q:
        if a.exponent is not None:
            raise UnboundedError("a root of an odd power")
        return Value(0, arithmetic.image(lambda ball: _root(ball, p, q), arithmetic.ball(a)))
    factor = a.factor**p if q == 1 else _root(a.factor, p, q)
    lead = None if a.exponent is None else Monomial(a.exponent.power, a.exponent.factor * p / q)
    return Value(a.power * p // q, factor, lead)


def _root(ball: arb, p: int, q: int) -> arb:
    return (ball.sqrt() if q == 2 else ball.root(q)) ** p


def _far_exp(a: Arithmetic, u: Value, lead: Value, correction: Callable[[arb], arb]) -> Value:
    """A leading value times exp(-|u|), times a correction that depends on exp(-|u|)."""
    return a.multiply(a.inverse(a.exp(a.size(u))), a.multiply(lead, Value(0, correction(a.decay(u)))))


def _sigmoid(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    return Value(0, 1 / (1 + a.decay(u))) if side > 0 else _far_exp(a, u, Value(0, arb(1)), lambda e: 1 / (1 + e))


def _softplus(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    if side > 0:
        return a.add(u, Value(0, hull(arb(0), a.decay(u).upper())))
    return _far_exp(a, u, Value(0, arb(1)), lambda e: 1 - hull(arb(0), e.upper() / 2))


def _tanh(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    e = a.decay(u) ** 2
    return Value(0, side * (2 / (1 + e) - 1))


def _sech(a: Arithmetic, u: Value) -> Value | None:
    return _far_exp(a, u, Value(0, arb(2)), lambda e: 1 / (1 + e * e)) if a.side(u) else None


def _erfc(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    if side < 0:
        return Value(0, 2 - hull(arb(0), a.decay(u).upper()))  # erfc(z) < exp(-z^2) < exp(-z)
    square = a.multiply(u, u)
    lead = a.inverse(a.multiply(u, Value(0, arb.const_sqrt_pi())))
    tail = 1 - hull(arb(0), a.ball(a.inverse(square)).upper() / 2)
    return a.multiply(a.inverse(a.exp(square)), a.multiply(lead, Value(0, tail)))


def _erf(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    return Value(0, side * (1 - hull(arb(0), a.decay(u).upper()))) if side else None


def _expm1(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    return a.multiply(a.exp(u), Value(0, 1 - a.decay(u))) if side > 0 else Value(0, a.decay(u) - 1)


def _hyperbolic(sign: int, a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    half = Value(0, (1 + sign * a.decay(u) ** 2) / 2 * (side if sign < 0 else 1))
    return a.multiply(a.exp(a.size(u)), half)


def _asinh(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    small = hull(arb(0), (1 / a.least_size(u) ** 2).upper())
    value = a.add(a.log(a.multiply(Value(0, arb(2)), a.size(u))), Value(0, small))
    return Value(value.power, side * value.factor, value.exponent)


def _atan(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    return Value(0, side * (arb.pi() / 2 - hull(arb(0), (1 / a.least_size(u)).upper()))) if side else None


def _arccot(a: Arithmetic, u: Value) -> Value | None:
    side = a.side(u)
    if side == 0:
        return None
    small = hull(arb(0), (1 / a.least_size(u) ** 2).upper())
    inverse = a.inverse(u)
    near = a.multiply(inverse, Value(0, 1 - small))  # atan(v) = v (1 - a fraction of v^2)
    return near if side > 0 else a.add(Value(0, arb.pi()), near)


def _log1p(a: Arithmetic, u: Value) -> Value | None:
    return a.log(a.add(Value(0, arb(1)), u)) if a.side(u) else None


def _bounded(a: Arithmetic, u: Value) -> Value | None:
    return Value(0, arb(0, 1)) if u.exponent is not None and u.exponent.factor > 0 else None


_SPECIAL: Mapping[type[sp.Function], Callable[[Arithmetic, Value], Value | None]] = {
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
