"""The shape of a formula: what it is as a function of one variable, its parameter put outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp
from flint import arb
from sympy.core.relational import Relational

from actgen.numerics.guards import saturation
from actgen.numerics.interpolation import Function
from actgen.numerics.kernel import Node
from actgen.numerics.lowering import call, lower


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
        function = Function(self.function, self.z)
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
