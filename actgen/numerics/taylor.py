"""Taylor series of a formula around any point, over numbers and over intervals: values with a proof of their error.

For f analytic on [c - h, c + h], the polynomial of degree n around c is off by at most h^(n+1) times the largest
|f^(n+1)| / (n+1)! on the interval (Lagrange). Power series arithmetic in balls gives both: with the constant term c the
coefficients, with the constant term [c - h, c + h] an enclosure of the coefficient n + 1 wherever in the interval the
series is taken.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import sympy as sp
from flint import arb, arb_series, ctx

from actgen.symbolic.balls import FUNCTIONS, BallFunction
from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh


class NoSeriesError(ArithmeticError):
    """A formula has no Taylor series around a point, or none that can be told at the working precision."""


class SeriesFunction:
    """An analytic expression in one variable compiled to a list of steps on power series.

    Args:
        expression: over the primitives, without ``Piecewise``, ``Abs``, ``sign`` and ``floor``.
        x: the variable.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol) -> None:
        self._x = x
        self._steps: list[tuple[Callable[..., Any], tuple[int, ...]]] = []
        self._slots: dict[sp.Basic, int] = {x: 0}
        self._constants: list[tuple[int, BallFunction]] = []
        self._rounded: dict[int, dict[int, arb]] = {}
        self._result = self._compile(expression)

    def __call__(self, centre: arb, scale: arb, length: int) -> list[arb]:
        """The coefficients of f(centre + scale z) in powers of z, constant term first.

        Args:
            centre: a number, or an interval: then each coefficient is enclosed wherever in it the series is taken.
            scale: unit of length of the powers.
            length: how many coefficients.

        Raises:
            NoSeriesError: where there is no series, or a coefficient is not bounded.
        """
        before, ctx.cap = ctx.cap, length
        memory: list[Any] = [arb_series([centre, scale])]
        constants = self._at_precision(ctx.prec)
        try:
            for slot, (function, operands) in enumerate(self._steps, start=1):
                known = constants.get(slot)
                memory.append(function(*[memory[i] for i in operands]) if known is None else known)
            result = memory[self._result]
            coefficients: list[arb] = [result] if isinstance(result, arb) else result.coeffs()
        except (ZeroDivisionError, ValueError) as error:
            raise NoSeriesError(str(error)) from error
        finally:
            ctx.cap = before
        if not all(c.is_finite() for c in coefficients):
            raise NoSeriesError("a coefficient is not bounded")
        return coefficients + [arb(0)] * (length - len(coefficients))

    def _at_precision(self, precision: int) -> dict[int, arb]:
        if precision not in self._rounded:
            values = {slot: function() for slot, function in self._constants}
            self._rounded[precision] = {slot: value for slot, value in values.items() if value is not None}
        return self._rounded[precision]

    def _compile(self, node: sp.Basic) -> int:
        if node in self._slots:
            return self._slots[node]
        if not node.has(self._x):
            self._steps.append((_unused, ()))
            self._constants.append((len(self._steps), BallFunction(node, ())))
        else:
            function, operands = _step(node)
            slots = tuple(self._compile(operand) for operand in operands)
            self._steps.append((function, slots))
        self._slots[node] = len(self._steps)
        return len(self._steps)


def _unused() -> None:
    """Stands in the list of steps where a constant is taken instead."""


def _step(node: sp.Basic) -> tuple[Callable[..., Any], tuple[sp.Basic, ...]]:
    if isinstance(node, sp.Add):
        return lambda *terms: reduce(operator.add, terms), node.args
    if isinstance(node, sp.Mul):
        return lambda *factors: reduce(operator.mul, factors), node.args
    if isinstance(node, sp.Pow):
        return _power(node)
    if node.func in SERIES:
        return SERIES[node.func], node.args
    return partial(_refuse, node.func.__name__), ()


def _refuse(name: str) -> None:
    raise NoSeriesError(f"no series is known for {name}")


def _power(node: sp.Pow) -> tuple[Callable[..., Any], tuple[sp.Basic, ...]]:
    base, exponent = node.args
    if base is sp.E:
        return arb_series.exp, (exponent,)
    if isinstance(exponent, sp.Integer):
        n = int(exponent)
        return lambda s: _integer_power(s, n), (base,)
    if isinstance(exponent, sp.Rational) and exponent.q == 2:
        n = int(exponent.p)
        return lambda s: _integer_power(_positive(s).sqrt(), n), (base,)
    if base.is_number:
        return lambda b, s: (s * b.log()).exp(), (base, exponent)
    return lambda s, p: (_positive(s).log() * p).exp(), (base, exponent)


def _integer_power(s: arb_series, n: int) -> arb_series:
    power = reduce(operator.mul, [s] * abs(n))
    return power if n > 0 else 1 / power


def _positive(s: arb_series) -> arb_series:
    if not s[0] > 0:
        raise NoSeriesError("a root or a logarithm of what may not be positive")
    return s


def _with_constant(s: arb_series, constant: arb) -> arb_series:
    """The series with its constant term replaced by a tighter enclosure of the same number."""
    s[0] = constant
    return s


def _integrated(slope: arb_series, s: arb_series, constant: arb) -> arb_series:
    """The series of F(s) from that of F'(s)."""
    return _with_constant((slope * s.derivative()).integral(), constant)


def _sigmoid(s: arb_series) -> arb_series:
    if s[0].mid() > 0:
        return 1 / ((-s).exp() + 1)
    e = s.exp()
    return e / (e + 1)


def _tanh(s: arb_series) -> arb_series:
    sign = 1 if s[0].mid() > 0 else -1
    e = (-2 * sign * s).exp()
    return _with_constant(sign * (2 / (e + 1) - 1), s[0].tanh())


def _sech(s: arb_series) -> arb_series:
    e = (-s if s[0].mid() > 0 else s).exp()
    return 2 * e / (e * e + 1)


def _hyperbolic(s: arb_series, sign: int, constant: arb) -> arb_series:
    return _with_constant((s.exp() + sign * (-s).exp()) / 2, constant)


def _ball(function: type[sp.Function], s: arb_series) -> arb:
    return FUNCTIONS[function](s[0])


SERIES: Mapping[type[sp.Function], Callable[[arb_series], arb_series]] = {
    sp.exp: arb_series.exp,
    expm1: lambda s: _with_constant(s.exp(), s[0].expm1()),
    sp.log: lambda s: _positive(s).log(),
    log1p: lambda s: _with_constant(_positive(s + 1).log(), s[0].log1p()),
    sp.sin: arb_series.sin,
    sp.cos: arb_series.cos,
    sp.tan: lambda s: s.sin() / s.cos(),
    sp.sinh: lambda s: _hyperbolic(s, -1, s[0].sinh()),
    sp.cosh: lambda s: _hyperbolic(s, 1, s[0].cosh()),
    tanh: _tanh,
    sech: _sech,
    sp.asinh: lambda s: _integrated(1 / (s * s + 1).sqrt(), s, s[0].asinh()),
    sp.atan: arb_series.atan,
    arccot: lambda s: _integrated(-1 / (s * s + 1), s, _ball(arccot, s)),
    sp.erf: lambda s: _with_constant(s.erf(), s[0].erf()),
    erfc: lambda s: _with_constant(s.erfc(), s[0].erfc()),
    sigmoid: _sigmoid,
    softplus: lambda s: _integrated(_sigmoid(s), s, _ball(softplus, s)),
}
"""The power series of every analytic primitive, written so that an interval grows little."""
