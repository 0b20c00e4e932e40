"""Taylor series at 0, for formulas that cancel there.

x - tanh(x) is x^3/3 to first order, and loses every digit below 4e-4 in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

import sympy as sp
from flint import arb, arb_series, ctx
from sympy.core.relational import Relational

from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import call, choose, lower, power
from actgen.symbolic.balls import ball
from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh

_TERMS = 64
_MOST_TERMS = 28


class NotAnalyticError(ArithmeticError):
    """A formula has no Taylor series at 0 that this module can tell."""


@dataclass(frozen=True)
class Near:
    """A formula near 0: the node of its series, and the node of the variable that has to be small."""

    result: Node
    variable: Node


def series_near_zero(
    expression: sp.Expr,
    x: sp.Symbol,
    parameters: Sequence[sp.Symbol],
    known: Mapping[sp.Basic, Node],
    reach: float,
) -> Near | None:
    """The Taylor series of a formula around x = 0, branch by branch; None where it would be too long.

    With a parameter p the series is in z = p x or z = x / p, if the formula is p^m g(z): then the coefficients are
    numbers again.

    Args:
        expression: over the primitives, a ``Piecewise`` only at the top.
        x: the input.
        parameters: the parameters' symbols.
        known: the node of each symbol.
        reach: how far from 0 the series is to hold.

    Raises:
        NotAnalyticError: where there is no such series.
    """
    used = [parameter for parameter in parameters if expression.has(parameter)]
    if not used:
        return Near(_pieces(expression, x, known, reach), known[x]) if _fits(expression, x, reach) else None
    if len(used) > 1:
        raise NotAnalyticError("a series in two parameters has no numbers for coefficients")
    (p,) = used
    z = sp.Dummy("z", real=True)
    for ratio, argument in ((p * x, z / p), (x / p, z * p)):
        similar = _similarity(expression.subs(x, argument), p)
        if similar is None:
            continue
        power_of_p, shape = similar
        if not _fits(shape, z, reach):
            return None
        node = lower(ratio, known)
        series = _pieces(shape, z, {**known, z: node}, reach)
        factor = lower(p ** abs(power_of_p), known)
        if power_of_p:
            series = call("multiply" if power_of_p > 0 else "divide", series, factor)
        return Near(series, node)
    raise NotAnalyticError("the formula is not a power of the parameter times a function of one product or ratio")


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


def _fits(expression: sp.Expr, x: sp.Symbol, reach: float) -> bool:
    pieces = expression.args if isinstance(expression, sp.Piecewise) else ((expression, sp.true),)
    return all(_kept(taylor(value, x), reach) is not None for value, _ in pieces if value.has(x))


def _pieces(expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node], reach: float) -> Node:
    pieces = expression.args if isinstance(expression, sp.Piecewise) else ((expression, sp.true),)
    nodes = []
    for value, _ in pieces:
        near = polynomial_near_zero(taylor(value, x), known[x], reach) if value.has(x) else None
        nodes.append(lower(value, known) if near is None else near)
    return choose(nodes, [condition for _, condition in pieces], known)


@lru_cache(maxsize=256)
def taylor(expression: sp.Expr, x: sp.Symbol) -> tuple[arb, ...]:
    """The coefficients of an expression in x alone, constant term first, as balls of about 60 digits.

    Raises:
        NotAnalyticError: where a part of the expression has no series at 0, or there is another symbol.
    """
    before, length = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = 512, _TERMS
    try:
        coefficients = _series(expression, x).coeffs()
    except (ZeroDivisionError, ValueError) as error:
        raise NotAnalyticError(f"no series at 0: {error}") from error
    finally:
        ctx.prec, ctx.cap = before, length
    if not all(c.is_finite() for c in coefficients):
        raise NotAnalyticError("a coefficient of the series at 0 is not finite")
    return tuple(c if not c.contains(0) else arb(0) for c in coefficients)


def polynomial_near_zero(coefficients: tuple[arb, ...], x: Node, reach: float) -> Node | None:
    """The node of the series, cut off where the rest is below float64 rounding; None if it is too long.

    The lowest power of x stays outside, so that the relative accuracy is that of its coefficient.
    """
    kept = _kept(coefficients, reach)
    if not kept:
        return None
    powers = [k for k, c in enumerate(coefficients) if not c.is_zero()]
    lowest = powers[0]
    step = 2 if all((k - lowest) % 2 == 0 for k in powers) else 1
    variable = call("square", x) if step == 2 else x
    node: Node = Constant(float(coefficients[kept[-1]].mid()))
    for k in range(kept[-1] - step, lowest - 1, -step):
        node = call("multiply", node, variable)
        if not coefficients[k].is_zero():
            node = call("add", node, Constant(float(coefficients[k].mid())))
    return call("multiply", node, power(x, lowest)) if lowest else node


def _kept(coefficients: tuple[arb, ...], reach: float) -> list[int] | None:
    """The powers that matter up to ``reach``; None where too many do."""
    powers = [k for k, c in enumerate(coefficients) if not c.is_zero()]
    if not powers:
        return []
    leading = abs(coefficients[powers[0]]) * arb(reach) ** powers[0]
    kept = [k for k in powers if abs(coefficients[k]) * arb(reach) ** k > leading * arb(2) ** -57]
    return None if kept[-1] >= _TERMS - 4 or len(kept) > _MOST_TERMS else kept


def _series(node: sp.Expr, x: sp.Symbol) -> arb_series:
    if node == x:
        return arb_series([0, 1])
    if isinstance(node, sp.Rational):
        return arb_series([ball(node)])
    if node is sp.pi:
        return arb_series([arb.pi()])
    if node is sp.E:
        return arb_series([arb.const_e()])
    if isinstance(node, sp.Add):
        return reduce(lambda a, b: a + b, (_series(arg, x) for arg in node.args))
    if isinstance(node, sp.Mul):
        return reduce(lambda a, b: a * b, (_series(arg, x) for arg in node.args))
    if isinstance(node, sp.Pow):
        return _power(node, x)
    if node.func in SERIES:
        return SERIES[node.func](_series(node.args[0], x))
    raise NotAnalyticError(f"{node.func.__name__} has no series at 0")


def _power(node: sp.Pow, x: sp.Symbol) -> arb_series:
    base = _series(node.base, x)
    if isinstance(node.exp, sp.Integer):
        n = int(node.exp)
        whole = reduce(lambda a, b: a * b, [base] * abs(n))
        return whole if n > 0 else _quotient(arb_series([1]), whole)
    if isinstance(node.exp, sp.Rational) and node.exp.q == 2:
        root = base.sqrt()
        return (
            reduce(lambda a, b: a * b, [root] * abs(int(node.exp.p)))
            if node.exp > 0
            else _quotient(arb_series([1]), reduce(lambda a, b: a * b, [root] * abs(int(node.exp.p))))
        )
    raise NotAnalyticError("a general power has no series at 0")


def _quotient(top: arb_series, bottom: arb_series) -> arb_series:
    if bottom.coeffs()[0].contains(0):
        raise NotAnalyticError("a denominator vanishes at 0")
    return top / bottom


def _tanh(s: arb_series) -> arb_series:
    e = (2 * s).exp()
    return (e - 1) / (e + 1)


SERIES: Mapping[type[sp.Function], Callable[[arb_series], arb_series]] = {
    sp.exp: arb_series.exp,
    expm1: lambda s: s.exp() - 1,
    sp.log: arb_series.log,
    log1p: lambda s: (s + 1).log(),
    sp.sin: arb_series.sin,
    sp.cos: arb_series.cos,
    sp.tan: arb_series.tan,
    sp.sinh: lambda s: (s.exp() - (-s).exp()) / 2,
    sp.cosh: lambda s: (s.exp() + (-s).exp()) / 2,
    tanh: _tanh,
    sech: lambda s: 2 * s.exp() / ((2 * s).exp() + 1),
    sp.asinh: lambda s: (s + (s * s + 1).sqrt()).log(),
    sp.atan: arb_series.atan,
    arccot: lambda s: arb.pi() / 2 - s.atan(),
    sp.erf: arb_series.erf,
    erfc: arb_series.erfc,
    sigmoid: lambda s: 1 / ((-s).exp() + 1),
    softplus: lambda s: (s.exp() + 1).log(),
}
"""Power series of the primitives that are analytic at 0."""
