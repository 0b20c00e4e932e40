"""The shape of a formula: what it is as a function of one variable, its parameter put outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product

import sympy as sp
from flint import arb
from sympy.core.relational import Relational

from actgen.numerics.guards import saturation
from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import ONE, call, lower
from actgen.numerics.oracle import Oracle
from actgen.symbolic.balls import precision

_BITS = 256

_REACHES = tuple(2.0**-exponent for exponent in range(12, 68, 4))


@dataclass(frozen=True)
class Joint:
    """What forms may be joined by: where one ends and another begins.

    Attributes:
        name: in terms of the input and the parameters, for reports.
        node: computes it.
    """

    name: str
    node: Node


@dataclass(frozen=True)
class Shape:
    """A formula as a function of one variable without parameters: factor * g(z).

    Attributes:
        function: g, over z.
        z: its variable.
        node: computes z.
        name: z in terms of the input, for reports.
        factor: a power of a parameter that g is multiplied by, and whether by division; None where it is 1.
        cancelled: the input, and the n for which z^n times the factor is the input to the power n, if there is one.
    """

    function: sp.Expr
    z: sp.Symbol
    node: Node
    name: str
    factor: tuple[Node, bool] | None = None
    cancelled: tuple[Node, int] | None = None

    @cached_property
    def saturations(self) -> tuple[float | None, float | None]:
        """Where g stops moving, left and right; None where it does not."""
        oracle = Oracle(self.function, self.z)
        left, right = (saturation(lambda point: oracle.enclose(point, ()), sign) for sign in (-1, 1))
        return left, right

    @cached_property
    def first_term(self) -> tuple[float, Node] | None:
        """The factor times c z^k that g is near z = 0, and the |z| up to which it is that to float64 precision.

        Computed in such an order that it is flushed only where all of it is: of (p x)^2 / p the square is long before.
        None where there is no factor, or g begins with no power of z.
        """
        if self.factor is None:
            return None
        oracle = Oracle(self.function, self.z)
        with precision(_BITS):
            near, nearer = (oracle.enclose(2.0**-exponent, ()) for exponent in (200, 300))
            if near is None or nearer is None or not (near != 0 and nearer != 0):
                return None
            k = round(float((abs(near / nearer).log() / arb(2).log()).mid()) / 100)
            c = nearer * arb(2) ** (300 * k)
            fits = (r for r in _REACHES if all(self._begins_with(c, k, sign * r, oracle) for sign in (1, -1)))
            reach = next(fits, None)
            return None if reach is None or k <= 0 else (reach, self._term(c, k))

    def _begins_with(self, c: arb, k: int, point: float, oracle: Oracle) -> bool:
        value = oracle.enclose(point, ())
        return value is not None and bool(abs(value / (c * arb(point) ** k) - 1) < arb(2) ** -56)

    def _term(self, c: arb, k: int) -> Node:
        """C z^k times the factor."""
        assert self.factor is not None
        number = Constant(float(c.mid()))
        if self.cancelled is not None and self.cancelled[1] <= k:
            x, n = self.cancelled
            factors = [*[self.node] * (k - n), *[x] * n]
        else:
            factors = [self.scaled(self.node), *[self.node] * (k - 1)]
        return reduce(lambda a, b: call("multiply", a, b), factors if number == ONE else [number, *factors])

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
        return Shape(expression, x, known[x], x.name)
    if len(used) > 1:
        return None
    (p,) = used
    z = sp.Dummy("z", real=True)
    for ratio, argument in ((p * x, z / p), (x / p, z * p)):
        similar = _similarity(expression.subs(x, argument), p)
        if similar is not None:
            m, function = similar
            factor = (lower(p ** abs(m), known), m < 0) if m else None
            is_cancelled = m < 0 if ratio.is_polynomial(p) else m > 0
            cancelled = (known[x], abs(m)) if is_cancelled else None
            return Shape(function, z, lower(ratio, known), str(ratio), factor, cancelled)
    return None


def joints_of(
    expression: sp.Expr, x: sp.Symbol, parameters: Sequence[sp.Symbol], known: Mapping[sp.Basic, Node]
) -> tuple[Joint, ...]:
    """The input, and how it meets each parameter: as p x, x / p, x + p, x - p or |x|^p.

    A threshold for one of those is one for every value of p; a threshold for x is one for those that were tried.
    """
    found = {x: None}
    for part, p in product(sp.preorder_traversal(expression), parameters):
        if isinstance(part, sp.Mul):
            powers = part.as_powers_dict()
            if p in powers and x in powers and powers[p] in (powers[x], -powers[x]):
                found[x * p if powers[p] == powers[x] else x / p] = None
        elif isinstance(part, sp.Add) and abs(part.coeff(x)) == abs(part.coeff(p)) == 1:
            found[x + p * part.coeff(p) / part.coeff(x)] = None
        elif isinstance(part, sp.Pow) and part.base in (x, sp.Abs(x)) and part.exp.has(p):
            found[part.base**p] = None
    return tuple(Joint(str(variable), lower(variable, known)) for variable in found)


def _similarity(expression: sp.Expr, p: sp.Symbol) -> tuple[int, sp.Expr] | None:
    """M and g where an expression in z and p is p^m g(z)."""
    if expression.has(sp.Piecewise):
        expression = sp.piecewise_fold(expression)
    pieces = expression.args if isinstance(expression, sp.Piecewise) else ((expression, sp.true),)
    for m in range(-4, 5):
        scaled = [(sp.expand(value * p**-m), _unscaled(condition, p)) for value, condition in pieces]
        if not any(value.has(p) or condition.has(p) for value, condition in scaled):
            return m, _joined(scaled)
    degree = _degree(expression, p)
    if degree is None:
        return None
    functions = [(value.subs(p, 1), _unscaled(condition, p)) for value, condition in pieces]
    if any(condition.has(p) for _, condition in functions):
        return None
    # What expanding does not show, as that a fraction has p in all terms below the line.
    differences = [value - p**degree * g for (value, _), (g, _) in zip(pieces, functions, strict=True)]
    return None if any(sp.cancel(sp.together(each)) != 0 for each in differences) else (degree, _joined(functions))


def _joined(pieces: Sequence[tuple[sp.Expr, sp.Basic]]) -> sp.Expr:
    return sp.Piecewise(*pieces) if len(pieces) > 1 else pieces[0][0]


_PLACES = (sp.Rational(7, 10), sp.Rational(-13, 10))
_DIGITS = 30


def _degree(expression: sp.Expr, p: sp.Symbol) -> int | None:
    """The power of p that an expression seems to be proportional to, by what it is at p = 1 and p = 2."""
    found = set()
    for place in _PLACES:
        others = dict.fromkeys(expression.free_symbols - {p}, place)
        try:
            values = [expression.subs(others | {p: sp.Integer(number)}).evalf(_DIGITS) for number in (1, 2)]
        except TypeError:  # a comparison with what is not real there
            continue
        if not all(value.is_Float and value != 0 for value in values):
            continue
        degree = sp.log(sp.Abs(values[1] / values[0]), 2).evalf(_DIGITS)
        if abs(degree - round(degree)) > 10 ** (4 - _DIGITS):
            return None
        found.add(round(degree))
    return found.pop() if len(found) == 1 else None


def _unscaled(condition: sp.Basic, p: sp.Symbol) -> sp.Basic:
    """A condition such as z p > 0 without its positive factor p."""
    if isinstance(condition, Relational) and condition.rhs == 0 and p.is_positive:
        for scaled in (condition.lhs / p, condition.lhs * p):
            if not sp.expand(scaled).has(p):
                return condition.func(sp.expand(scaled), 0)
    return condition
