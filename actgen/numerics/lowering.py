"""From a SymPy expression to a kernel: fixing the order in which things are computed.

Choices made here, each for accuracy or cost:

* a sum adds its positive terms first and subtracts the others, so no term is negated for nothing; what parameters and
  numbers add up to comes before what reads the input: it is cheaper, and exact where they cancel, as 1 - p at p = 1;
* a product gathers its numeric factor into one constant, and divides once, by the product of all its denominators;
* powers of the input and of parameters with one exponent are the power of a product or quotient;
* an integer power is squared and multiplied; a half-integer power uses one square root; one with a parameter for an
  exponent is one call, also where it is a divisor;
* a number with no short decimal is emitted as its nearest float64 together with the closed form it stands for;
* the floor of a sum with a number is corrected where the sum was rounded up to a whole number;
* the last condition of a ``Piecewise`` is turned round where that lets NaN reach a branch that reads the input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import zip_longest

import sympy as sp
from flint import ctx
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFunction, Not, Or

from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh

ONE = Constant(1.0)
ZERO = Constant(0.0)
HALF = Constant(0.5)


@dataclass(frozen=True)
class Order:
    """In which order a product is computed; what overflows or underflows on the way depends on it.

    Attributes:
        number_last: multiply by the numeric factor at the end (x/6 is subnormal where x (x + 3) / 6 is not) instead
            of at the beginning (x erfc(z) overflows where x/2 erfc(z) does not).
        one_by_one: divide by each factor of a denominator in turn, multiplying by the next factor of the numerator in
            between (x^2 and p S overflow where (x / S) (x / p) does not), instead of once by their product.
        roots_of_powers: multiply by the root of a power with an even or variable exponent at both ends (x^s is flushed
            where x^s log(x) is not, but not x^(s/2) log(x)).
    """

    number_last: bool = False
    one_by_one: bool = False
    roots_of_powers: bool = False


PLAIN = Order()
ORDERS: Mapping[str, Order] = {
    "": PLAIN,
    ", number last": Order(number_last=True),
    ", divided one by one": Order(one_by_one=True),
    ", number last, divided one by one": Order(number_last=True, one_by_one=True),
    ", by roots of powers": Order(roots_of_powers=True),
}
"""Every order of a product, by what it adds to the name of a form."""


def lower(expression: sp.Expr, known: Mapping[sp.Basic, Node], order: Order = PLAIN) -> Node:
    """The node that computes an expression.

    Args:
        expression: over the primitives.
        known: a node for each symbol, and for any subexpression that has one already.
        order: of the products.

    Raises:
        TypeError: for a node that no operation computes.
    """
    return Lowering(known, order).node(expression)


def call(operation: str, *operands: Node) -> Call:
    """A :class:`Call` with its operands listed; the magnitude of what is nowhere negative is that itself."""
    first = operands[0]
    if operation == "absolute" and isinstance(first, Call) and first.operation in _NEVER_NEGATIVE:
        return first
    return Call(operation, operands)


_NEVER_NEGATIVE = frozenset({"absolute", "square", "exp", "sqrt", "sigmoid", "cosh", "erfc"})


def constant(number: sp.Expr) -> Constant:
    """A number without symbols as its nearest float64, with its closed form where the literal does not tell it."""
    if isinstance(number, sp.Rational):
        exact = Fraction(int(number.p), int(number.q))
        value = exact.numerator / exact.denominator
        meaning = "" if Fraction(repr(value)) == exact else str(number)
        return Constant(value, meaning, float(exact - Fraction(value)))
    value, lacking = _nearest(number)
    return Constant(value, str(number), lacking)


def _nearest(number: sp.Expr) -> tuple[float, float]:
    """The float64 nearest to a number and what it lacks; NaN for one that is not real, such as log(-1)."""
    before, ctx.prec = ctx.prec, 256
    try:
        enclosure = BallFunction(number, ())()
        if enclosure is None:
            return math.nan, 0.0
        value = float(enclosure.mid())
        return value, float((enclosure - value).mid())
    finally:
        ctx.prec = before


def exp_of_minus_magnitude(u: Node) -> Call:
    """T = exp(-|u|), in (0, 1] for every u."""
    return call("exp", call("negate", call("absolute", u)))


class Lowering:
    """Turns expressions into nodes, one for each distinct expression; a subclass may know further kinds."""

    def __init__(self, known: Mapping[sp.Basic, Node], order: Order) -> None:
        self._order = order
        self.nodes: dict[sp.Basic, Node] = dict(known)

    def node(self, expression: sp.Basic) -> Node:
        if expression not in self.nodes:
            self.nodes[expression] = self._lower(expression)
        return self.nodes[expression]

    def _lower(self, expression: sp.Basic) -> Node:
        if isinstance(expression, sp.Expr) and not expression.free_symbols:
            return constant(expression)
        if isinstance(expression, sp.Add):
            return self._sum(expression)
        if isinstance(expression, sp.Mul):
            return self._product(expression)
        if isinstance(expression, sp.Pow):
            return self._power(expression.base, expression.exp)
        if isinstance(expression, sp.Piecewise):
            return self._choice(expression)
        if isinstance(expression, Relational):
            return call(RELATIONS[type(expression)], *map(self.node, expression.args))
        if isinstance(expression, And | Or):
            name = "both" if isinstance(expression, And) else "either"
            conditions = sorted(expression.args, key=sp.default_sort_key)
            return reduce(lambda a, b: call(name, a, b), map(self.node, conditions))
        if isinstance(expression, Not):
            return self.node(_negation(expression.args[0]))
        if isinstance(expression, sp.floor):
            return self._floor(expression.args[0])
        if expression.func in EXPANSIONS:
            return EXPANSIONS[expression.func](self.node(expression.args[0]))
        if expression.func in DIRECT:
            return call(DIRECT[expression.func], *map(self.node, expression.args))
        raise TypeError(f"no operation computes {expression.func.__name__}")

    def _sum(self, expression: sp.Add) -> Node:
        terms = expression.as_ordered_terms()
        fixed = [term for term in terms if self._is_fixed(term)]
        if 1 < len(fixed) < len(terms):
            moving = sp.Add(*(term for term in terms if term not in fixed))
            return call("add", self.node(sp.Add(*fixed)), self.node(moving))
        # A term is subtracted when its numeric factor is negative; -(a + b) is a product, never a sum, in SymPy.
        plus = [term for term in terms if not _is_negative(term)]
        minus = [-term for term in terms if _is_negative(term)]
        if not plus:
            return call("negate", self._sum_of(minus))
        total = self._sum_of(plus)
        return reduce(lambda a, b: call("subtract", a, b), map(self.node, minus), total)

    def _floor(self, argument: sp.Expr) -> Node:
        """The floor of a sum with a number as if the sum were not rounded: 0.49999997 + 0.5 is 1 in float32."""
        number, rest = argument.as_coeff_Add()
        result = call("floor", self.node(argument))
        if number == 0 or isinstance(rest, sp.Add):
            return result
        is_above = call("less", self.node(rest), call("subtract", result, constant(number)))
        return call("subtract", result, call("select", is_above, ONE, ZERO))

    def _is_fixed(self, term: sp.Expr) -> bool:
        """Whether a term reads no input, and so is a number for all elements."""
        nodes = [self.node(symbol) for symbol in term.free_symbols]
        return all(isinstance(node, Variable) and node.is_parameter for node in nodes)

    def _sum_of(self, terms: list[sp.Expr]) -> Node:
        return reduce(lambda a, b: call("add", a, b), map(self.node, terms))

    def _product(self, expression: sp.Mul) -> Node:
        number, rest = expression.as_coeff_Mul()
        numerators, denominators = [], []
        for factor in sp.Mul.make_args(rest):
            if not factor.free_symbols:
                number *= factor
            elif isinstance(factor, sp.Pow) and factor.exp.is_Rational and factor.exp.is_negative:
                denominators.append(factor.base ** (-factor.exp))
            else:
                numerators.append(factor)
        # A factor of -1 is a negation at the end; any other negative number is as cheap as a positive one.
        is_negative = number == -1 or (_is_negative(number) and not numerators)
        size = -number if is_negative else number
        if not self._order.roots_of_powers:
            for power_of, n, side in powers_of_ratios((numerators, denominators), self._is_fixed):
                whole = power_of**n
                if whole not in self.nodes:
                    self.nodes[whole] = power(self.node(power_of), n)
                side.append(whole)
        factors = [self.node(factor) for factor in sorted(numerators, key=_complexity)]
        parts = [self.node(d) for d in sorted(denominators, key=_complexity)]
        if self._order.roots_of_powers:
            powers = [factor for factor in numerators if isinstance(factor, sp.Pow) and _has_root(factor.exp)]
            # What may be smallest is multiplied by first and last.
            powers.sort(key=lambda factor: factor.exp.is_Integer)
            roots = [self.node(factor.base ** (factor.exp / 2)) for factor in powers]
            others = [self.node(factor) for factor in sorted(numerators, key=_complexity) if factor not in powers]
            factors = [*roots, *others, *reversed(roots)]
        is_last = self._order.number_last and bool(factors) and size != 1
        if (size != 1 or not factors) and not is_last:
            factors.insert(0, constant(size))
        if self._order.one_by_one:
            result, *rest = _singles(factors)
            for factor, part in zip_longest(rest, _singles(parts)):
                # By the reciprocal: XLA makes x / (S p) of x / S / p.
                inverse = None if part is None else call("divide", ONE, part)
                result = result if inverse is None else inverse if result == ONE else call("multiply", result, inverse)
                result = result if factor is None else call("multiply", result, factor)
        else:
            result = reduce(lambda a, b: call("multiply", a, b), factors)
            if parts:
                result = call("divide", result, reduce(lambda a, b: call("multiply", a, b), parts))
        if is_last:
            result = call("multiply", result, constant(size))
        return call("negate", result) if is_negative else result

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Node:
        if base is sp.E:
            return call("exp", self.node(exponent))
        if isinstance(exponent, sp.Rational) and exponent < 0:
            return call("divide", ONE, self._power(base, -exponent))
        if isinstance(exponent, sp.Integer):
            return power(self.node(base), int(exponent))
        if isinstance(exponent, sp.Rational) and exponent.q == 2:
            root = call("sqrt", self.node(base))
            whole = int(exponent - sp.Rational(1, 2))
            return root if whole == 0 else call("multiply", power(self.node(base), whole), root)
        return call("power", self.node(base), self.node(exponent))

    def _choice(self, expression: sp.Piecewise) -> Node:
        values, conditions = zip(*expression.args, strict=True)
        return choose([self.node(value) for value in values], conditions, self.nodes)


def choose(values: Sequence[Node], conditions: Sequence[sp.Basic], known: Mapping[sp.Basic, Node]) -> Node:
    """The first value whose condition holds; the last condition is ``True``.

    NaN fails every comparison and so ends in the last value. Where that does not read the input and the one before
    does, their condition is turned round.
    """
    values, conditions = list(values), list(conditions)
    if len(values) > 1 and Kernel(values[-1]).is_constant and not Kernel(values[-2]).is_constant:
        values[-2:] = reversed(values[-2:])
        conditions[-2] = _negation(conditions[-2])
    result = values[-1]
    for value, condition in zip(reversed(values[:-1]), reversed(conditions[:-1]), strict=True):
        result = _select(lower(condition, known), value, result)
    return result


def _select(condition: Node, value: Node, other: Node) -> Node:
    """A choice between the two things compared is a maximum or a minimum, which also passes NaN on."""
    if isinstance(condition, Call) and condition.operation in EXTREMES and {*condition.arguments} == {value, other}:
        first_wins, second_wins = EXTREMES[condition.operation]
        return call(first_wins if condition.arguments[0] == value else second_wins, *condition.arguments)
    return call("select", condition, value, other)


EXTREMES: Mapping[str, tuple[str, str]] = {
    "greater": ("maximum", "minimum"),
    "greater_equal": ("maximum", "minimum"),
    "less": ("minimum", "maximum"),
    "less_equal": ("minimum", "maximum"),
}
"""For ``a > b``: what choosing a, and what choosing b, amounts to."""


def power(base: Node, exponent: int) -> Node:
    """``base`` to a positive integer power by squaring."""
    if exponent == 0:
        return ONE
    if exponent == 1:
        return base
    if exponent % 2:
        return call("multiply", power(base, exponent - 1), base)
    return call("square", power(base, exponent // 2))


def _singles(nodes: Sequence[Node]) -> list[Node]:
    return [base for node in nodes for base in _single(node)]


def _single(node: Node) -> Iterator[Node]:
    """The factors of a product or whole power, one by one."""
    if isinstance(node, Call) and node.operation == "square":
        for base in _single(node.arguments[0]):
            yield from (base, base)
    elif isinstance(node, Call) and node.operation == "multiply":
        yield from (base for argument in node.arguments for base in _single(argument))
    else:
        yield node


def _has_root(exponent: sp.Expr) -> bool:
    return bool(exponent.free_symbols) or bool(exponent.is_Integer and exponent % 2 == 0)


def _is_negative(expression: sp.Expr) -> bool:
    return bool(expression.as_coeff_Mul()[0].is_negative)


def _complexity(expression: sp.Expr) -> tuple[int, object]:
    return (sp.count_ops(expression), sp.default_sort_key(expression))


def powers_of_ratios(
    sides: Sequence[list[sp.Expr]], is_fixed: Callable[[sp.Expr], bool]
) -> Iterator[tuple[sp.Expr, int, list[sp.Expr]]]:
    """Take p^n x^n out of a quotient to be computed as (p x)^n, and x^n / p^n as (x / p)^n.

    x^n overflows, or is flushed, where that does not, and with a p of 0 it is infinity times 0.

    Args:
        sides: the factors above and below the line; what is given is taken out of them.
        is_fixed: whether a factor reads no input.

    Yields:
        The product or quotient, n, and the side that its power is a factor of.
    """
    powers = [
        (side, factor)
        for side in sides
        for factor in side
        if isinstance(factor, sp.Pow) and factor.exp.is_Integer and factor.exp > 1
    ]
    for n in dict.fromkeys(factor.exp for _, factor in powers):
        alike = [(side, factor) for side, factor in powers if factor.exp == n]
        moving = [(side, factor) for side, factor in alike if not is_fixed(factor)]
        if len(moving) != 1 or len(alike) == 1:
            continue
        ((side, _),) = moving
        for place, factor in alike:
            place.remove(factor)
        yield sp.Mul(*(f.base if place is side else 1 / f.base for place, f in alike)), int(n), side


def _negation(condition: sp.Basic) -> sp.Basic:
    if isinstance(condition, Relational):
        return condition.negated
    if isinstance(condition, And | Or):
        flipped: type[BooleanFunction] = Or if isinstance(condition, And) else And
        return flipped(*map(_negation, condition.args))
    return sp.Not(condition)


def _softplus(u: Node) -> Node:
    return call("add", call("maximum", u, ZERO), call("log1p", exp_of_minus_magnitude(u)))


def _arccot(u: Node) -> Node:
    is_far = call("greater", u, ONE)
    angle = call("atan", call("select", is_far, call("divide", ONE, u), call("negate", u)))
    return call("select", is_far, angle, call("add", constant(sp.pi / 2), angle))


def _sech(u: Node) -> Node:
    t = exp_of_minus_magnitude(u)
    return call("divide", call("multiply", Constant(2.0), t), call("add", call("square", t), ONE))


DIRECT: Mapping[type[sp.Basic], str] = {
    sp.exp: "exp",
    expm1: "expm1",
    sp.log: "log",
    log1p: "log1p",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.asinh: "asinh",
    sp.atan: "atan",
    sp.erf: "erf",
    erfc: "erfc",
    sigmoid: "sigmoid",
    tanh: "tanh",
    sp.Abs: "absolute",
    sp.sign: "sign",
    sp.floor: "floor",
}
"""Primitives that one operation computes."""

EXPANSIONS: Mapping[type[sp.Basic], Callable[[Node], Node]] = {softplus: _softplus, sech: _sech, arccot: _arccot}
"""Primitives computed by several operations, in a form that neither overflows nor cancels."""

RELATIONS: Mapping[type[Relational], str] = {
    sp.StrictLessThan: "less",
    sp.LessThan: "less_equal",
    sp.StrictGreaterThan: "greater",
    sp.GreaterThan: "greater_equal",
    sp.Equality: "equal",
    sp.Unequality: "not_equal",
}


def variables(symbols: tuple[sp.Symbol, ...], inputs: tuple[sp.Symbol, ...]) -> dict[sp.Basic, Node]:
    """The node of each symbol: an input or a parameter."""
    return {symbol: Variable(symbol.name, is_parameter=symbol not in inputs) for symbol in symbols}


__all__ = ["call", "choose", "constant", "exp_of_minus_magnitude", "lower", "power", "variables"]
