"""Rewrite rules: equalities that trade a form that cancels or overflows for one that does not.

Each row is a theorem, tested by itself: ``before`` equals ``after`` wherever ``domain`` holds. A rule whose
``before`` is a sum matches any two terms of a longer sum that stand in that ratio, so ``1 + erf(u) -> erfc(-u)``
also rewrites ``x/2 + x*erf(u)/2``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations, product

import sympy as sp

from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh

u = sp.Wild("u", properties=[lambda e: bool(e.free_symbols)])
v = sp.Wild("v", properties=[lambda e: bool(e.free_symbols)])
q = sp.Wild("q", properties=[lambda e: bool(e.free_symbols) and not e.atoms(sp.Function)])
n = sp.Wild("n", properties=[lambda e: e.is_Integer and e > 0])
p = sp.Wild("p", properties=[lambda e: not e.is_Integer])


@dataclass(frozen=True)
class Rule:
    """One equality.

    Attributes:
        name: reads as a theorem, for reports.
        before: the form that loses accuracy; a pattern in the wildcard ``u``.
        after: the form that keeps it.
        why: what goes wrong before, with a number.
        domain: the values of ``u`` for which both sides are equal.
    """

    name: str
    before: sp.Expr
    after: sp.Expr
    why: str
    domain: sp.Set = sp.Reals

    @cached_property
    def _functions(self) -> frozenset[type[sp.Basic]]:
        """The functions that occur in ``before``: a rule can only fit where they all do."""
        return frozenset(type(function) for function in self.before.atoms(sp.Function))

    def apply(self, expression: sp.Expr) -> sp.Expr | None:
        """The expression with its top node rewritten, or None where the rule does not fit."""
        if not isinstance(expression, type(self.before)) or not all(map(expression.has, self._functions)):
            return None
        if isinstance(self.before, sp.Add):
            return self._apply_to_sum(expression)
        if isinstance(self.before, sp.Mul):
            return self._apply_to_product(expression)
        match = expression.match(self.before)
        return self.after.subs(match) if match and self._fits(match) else None

    def _fits(self, match: dict[sp.Basic, sp.Expr]) -> bool:
        """Whether a match is a number everywhere, and a 1 that the rule takes away from a sum was added there.

        Every v is 1 + (v - 1); but log1p(x - 1) loses every digit near 0, where log(x) does not.
        """
        if any(value.has(sp.nan, sp.zoo, sp.oo) for value in match.values()):
            return False
        return not self.before.has(1 + u) or bool((1 + match[u]).is_Add)

    def _apply_to_sum(self, expression: sp.Expr) -> sp.Expr | None:
        first, second = self.before.as_ordered_terms()[::-1]
        if first.has(u):
            first, second = second, first
        for a, b in permutations(expression.args, 2):
            match = (b / a).match(second / first)
            if match and self._fits(match):
                rest = expression - a - b
                return rest + a / first.xreplace(match) * self.after.xreplace(match)
        return None

    def _apply_to_product(self, expression: sp.Expr) -> sp.Expr | None:
        """Two factors of a longer product.

        Factor by factor: SymPy takes minutes to find that two long sums multiplied are no exp(u) sigmoid(-u).
        """
        first, second = sorted(self.before.args, key=lambda factor: not isinstance(factor, sp.Function))
        for i, j in permutations(range(len(expression.args)), 2):
            a, b = expression.args[i], expression.args[j]
            match = a.match(first) if isinstance(a, type(first)) else None
            rest = _power(b, second.xreplace(match)) if match else None
            if match and rest is not None and self._fits(match | rest):
                # Not divided by: SymPy leaves exp(x + 1) exp(-x - 1) as it is, which matches again, for ever.
                others = [factor for k, factor in enumerate(expression.args) if k not in (i, j)]
                return sp.Mul(*others, self.after.xreplace(match | rest))
        return None


def _power(expression: sp.Expr, pattern: sp.Expr) -> dict[sp.Basic, sp.Expr] | None:
    """What the exponent of a pattern stands for, all else of which is known, or None where it does not fit."""
    (base, exponent), (wanted, unknown) = expression.as_base_exp(), pattern.as_base_exp()
    match: dict[sp.Basic, sp.Expr] | None = exponent.match(unknown) if base == wanted else None
    return match


@dataclass(frozen=True)
class Shift:
    """What a function of u less the same function of v amounts to, where u - v is known without rounding.

    softplus(x + 1) - softplus(x - 1) has no digits left where either is large or small, but u - v = 2 needs no x.

    Attributes:
        name: reads as a theorem, for reports.
        function: f.
        after: f(u) - f(v), from u, v and d = u - v.
    """

    name: str
    function: type[sp.Function]
    after: Callable[[sp.Expr, sp.Expr, sp.Expr], sp.Expr]

    def apply(self, expression: sp.Expr) -> sp.Expr | None:
        """A sum with two of its terms rewritten, or None where no two differ by a shift."""
        for pair in _pairs(expression, self.function):
            d = self._shift(pair.u, pair.v)
            if d is not None and pair.second == -pair.first:
                return pair.rest + pair.first * self.after(pair.u, pair.v, d)
        return None

    @staticmethod
    def _shift(a: sp.Expr, b: sp.Expr) -> sp.Expr | None:
        """The difference where it reads fewer symbols than both, and is not known to be negative."""
        d = sp.expand(a - b)
        return d if d.free_symbols < a.free_symbols & b.free_symbols and d != 0 and not d.is_negative else None


@dataclass(frozen=True)
class Opposites:
    """What exp(u) and exp(-u) amount to, added or subtracted.

    No rule: a sum is matched in the ratio of its terms, and exp(x) + exp(3 x) has that of exp(-x) and exp(x).

    Attributes:
        name: reads as a theorem, for reports.
        sign: of the second.
        after: half of it, as a function of u.
    """

    name: str
    sign: int
    after: type[sp.Function]

    def apply(self, expression: sp.Expr) -> sp.Expr | None:
        """A sum with two of its terms rewritten, or None where no two are opposite."""
        for pair in _pairs(expression, sp.exp):
            if pair.u == -pair.v and pair.second == self.sign * pair.first:
                return pair.rest + 2 * pair.first * self.after(pair.u)
        return None


@dataclass(frozen=True)
class _Pair:
    """Two terms of a sum, first f(u) and second f(v), and the rest of it."""

    first: sp.Expr
    u: sp.Expr
    second: sp.Expr
    v: sp.Expr
    rest: sp.Expr


def _pairs(expression: sp.Expr, function: type[sp.Function]) -> Iterator[_Pair]:
    """Every two terms of a sum that have a function for a factor, in either order."""
    if not isinstance(expression, sp.Add) or len(expression.atoms(function)) < 2:
        return
    for a, b in permutations(expression.args, 2):
        for f, g in product(sp.Mul.make_args(a), sp.Mul.make_args(b)):
            if isinstance(f, function) and isinstance(g, function):
                yield _Pair(a / f, f.args[0], b / g, g.args[0], expression - a - b)


OPPOSITES: tuple[Opposites, ...] = (
    Opposites("sum-of-opposite-exponentials", 1, sp.cosh),
    Opposites("difference-of-opposite-exponentials", -1, sp.sinh),
)
"""Tried before the rules, of which one takes exp(x) - 1 out of exp(x) + exp(-x) - 2."""

SHIFTS: tuple[Shift, ...] = (
    Shift("shift-of-softplus", softplus, lambda a, b, d: log1p(sigmoid(b) * expm1(d))),
    Shift("shift-of-sigmoid", sigmoid, lambda a, b, d: -sigmoid(a) * sigmoid(-b) * expm1(-d)),
    Shift("shift-of-tanh", tanh, lambda a, b, d: sp.sinh(d) * sech(a) * sech(b)),
)
"""Tried after the rules."""


RULES: tuple[Rule, ...] = (
    Rule(
        name="log-of-one-plus-exp",
        before=sp.log(1 + sp.exp(u)),
        after=softplus(u),
        why="exp overflows beyond 88.7 in float32, and 1 + exp(u) is 1 below -16.6",
    ),
    Rule(
        name="log1p-of-exp",
        before=log1p(sp.exp(u)),
        after=softplus(u),
        why="exp overflows beyond 88.7 in float32",
    ),
    Rule(
        name="log-of-sum-of-exponentials",
        before=sp.log(sp.exp(u) + sp.exp(v)),
        after=v + softplus(u - v),
        why="exp overflows beyond 88.7 in float32, and is 0 below -104",
    ),
    Rule(
        name="log-of-quotient-of-exponentials",
        before=sp.log((1 + sp.exp(u)) * sigmoid(v)),
        after=softplus(u) - softplus(-v),
        why="exp overflows beyond 88.7 in float32, and where both are large or small the logarithm has no digits",
    ),
    Rule(
        name="softplus-minus-its-value-at-0",
        before=softplus(u) - sp.log(2),
        after=log1p(expm1(u) / 2),
        why="cancels near 0: relative error 1 for |u| < 1e-7 in float32",
    ),
    Rule(
        name="log-of-sigmoid",
        before=sp.log(sigmoid(u)),
        after=-softplus(-u),
        why="sigmoid underflows below -104 in float32 and the logarithm becomes -inf",
    ),
    Rule(
        name="exp-minus-one",
        before=sp.exp(u) - 1,
        after=expm1(u),
        why="cancels near 0: relative error 1 for |u| < 6e-8 in float32",
    ),
    Rule(
        name="power-of-one-plus-exp",
        before=(1 + sp.exp(u)) ** p,
        after=sp.exp(p * softplus(u)),
        why="exp overflows beyond 88.7 in float32, and the power underflows where its product with x does not",
    ),
    Rule(
        name="root-minus-one",
        before=sp.sqrt(1 + u) - 1,
        after=u / (1 + sp.sqrt(1 + u)),
        why="cancels near 0: relative error 1 for |u| < 1e-7 in float32",
        domain=sp.Interval.open(-1, sp.oo),
    ),
    Rule(
        name="power-minus-one",
        before=(1 + u) ** p - 1,
        after=expm1(p * log1p(u)),
        why="cancels near 0: relative error 1 for |u| < 6e-8 in float32",
        domain=sp.Interval.open(-1, sp.oo),
    ),
    Rule(
        name="log-of-root-sum",
        before=sp.log(u + sp.sqrt(1 + u**2)),
        after=sp.asinh(u),
        why="cancels for u < 0 and is -inf below -4e3 in float32, inf above 1.8e19",
    ),
    Rule(
        name="half-turn-plus-angle",
        before=sp.pi / 2 + sp.atan(u),
        after=arccot(-u),
        why="cancels for u < -1",
    ),
    Rule(
        name="half-turn-minus-angle",
        before=sp.pi / 2 - sp.atan(u),
        after=arccot(u),
        why="cancels for u > 1",
    ),
    Rule(
        name="one-plus-erf",
        before=1 + sp.erf(u),
        after=erfc(-u),
        why="cancels for u < -0.5 and is 0 below -4 in float32; erfc keeps full relative accuracy",
    ),
    Rule(
        name="one-minus-erf",
        before=1 - sp.erf(u),
        after=erfc(u),
        why="cancels for u > 0.5",
    ),
    Rule(
        name="one-plus-tanh",
        before=1 + tanh(u),
        after=2 * sigmoid(2 * u),
        why="cancels for u < -1 and is 0 below -9 in float32",
    ),
    Rule(
        name="one-minus-tanh",
        before=1 - tanh(u),
        after=2 * sigmoid(-2 * u),
        why="cancels for u > 1",
    ),
    Rule(
        name="one-minus-tanh-squared",
        before=1 - tanh(u) ** 2,
        after=sech(u) ** 2,
        why="cancels for |u| > 1 and is 0 beyond 9 in float32",
    ),
    Rule(
        name="one-minus-sech-squared",
        before=1 - sech(u) ** 2,
        after=tanh(u) ** 2,
        why="cancels for |u| < 1",
    ),
    Rule(
        name="one-minus-sigmoid",
        before=1 - sigmoid(u),
        after=sigmoid(-u),
        why="cancels for u > 0 and is 0 beyond 17 in float32",
    ),
    Rule(
        name="one-minus-cos",
        before=1 - sp.cos(u),
        after=2 * sp.sin(u / 2) ** 2,
        why="cancels near multiples of 2 pi: relative error 1 for |u| < 2e-4 in float32",
    ),
    Rule(
        name="cosh-minus-one",
        before=sp.cosh(u) - 1,
        after=2 * sp.sinh(u / 2) ** 2,
        why="cancels near 0: relative error 1 for |u| < 2e-4 in float32",
    ),
    Rule(
        name="difference-of-squares-of-an-angle",
        before=sp.cos(u) ** 2 - sp.sin(u) ** 2,
        after=sp.cos(2 * u),
        why="cancels around odd multiples of pi/4, and takes two calls",
    ),
    Rule(
        name="one-plus-double-angle",
        before=1 + 2 * sp.sin(u) * sp.cos(u),
        after=(sp.sin(u) + sp.cos(u)) ** 2,
        why="has double roots, where the sum cancels to the square of an ULP and the square does not",
    ),
    Rule(
        name="one-minus-double-angle",
        before=1 - 2 * sp.sin(u) * sp.cos(u),
        after=(sp.sin(u) - sp.cos(u)) ** 2,
        why="has double roots, where the sum cancels to the square of an ULP and the square does not",
    ),
    Rule(
        name="one-plus-multiple-of-double-angle",
        before=1 + 2 * q * sp.sin(u) * sp.cos(u),
        after=sp.Piecewise(
            (1 - q + q * (sp.sin(u) + sp.cos(u)) ** 2, 2 * sp.sin(2 * u) < -1),
            (1 + q * sp.sin(2 * u), True),
        ),
        why="has double roots where a parameter makes q 1; 1 - q, which is added first, is 0 then",
    ),
    Rule(
        name="exp-times-sigmoid",
        before=sp.exp(u) * sigmoid(-u) ** n,
        after=sigmoid(u) * sigmoid(-u) ** (n - 1),
        why="inf * 0 beyond 88.7 in float32",
    ),
    Rule(
        name="reciprocal-of-one-plus-exp",
        before=(1 + sp.exp(u)) ** (-n),
        after=sigmoid(-u) ** n,
        why="exp overflows beyond 88.7 in float32; harmless here, but its derivative is inf/inf",
    ),
    Rule(
        name="reciprocal-of-cosh",
        before=sp.cosh(u) ** (-n),
        after=sech(u) ** n,
        why="cosh overflows beyond 89 in float32",
    ),
    Rule(
        name="sinh-times-sech",
        before=sp.sinh(u) * sech(u) ** n,
        after=tanh(u) * sech(u) ** (n - 1),
        why="inf * 0 beyond 88.7 in float32",
    ),
    Rule(
        name="magnitude-times-sign",
        before=u * sp.sign(u),
        after=sp.Abs(u),
        why="1 + |x| - x sign(x) does not reduce to 1 otherwise, and cancels for large |x|",
    ),
    Rule(
        name="log1p-from-log",
        before=sp.log(1 + u),
        after=log1p(u),
        why="1 + u rounds away what is below 6e-8 of it",
        domain=sp.Interval.open(-1, sp.oo),
    ),
)
"""In the order in which they are tried; each is a theorem with a test of its own."""


@lru_cache(maxsize=4096)
def rewrite(expression: sp.Expr, rules: tuple[Rule, ...] = RULES) -> tuple[sp.Expr, tuple[str, ...]]:
    """Apply rules from the leaves upwards until none fits.

    Returns:
        The rewritten expression and the names of the rules applied, in order.
    """
    applied: list[str] = []

    def visit(node: sp.Basic) -> sp.Basic:
        if not node.args or not node.has(sp.Function, sp.Pow):
            return node
        kind, node = type(node), _with_children(node, visit)
        if type(node) is not kind:  # 1 / (2 cosh(x)), of which SymPy has made a product
            node = _with_children(node, visit)
        while isinstance(node, sp.Expr):
            laws: tuple[Rule | Shift | Opposites, ...] = (*OPPOSITES, *rules, *SHIFTS)
            for rule in laws:
                rewritten = rule.apply(node)
                if rewritten is not None and rewritten != node:
                    applied.append(rule.name)
                    node = _with_children(rewritten, visit)
                    break
            else:
                break
        return node

    return visit(expression), tuple(applied)


def _with_children(node: sp.Basic, visit: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    children = [visit(argument) for argument in node.args]
    return node.func(*children) if any(a is not b for a, b in zip(children, node.args, strict=True)) else node
