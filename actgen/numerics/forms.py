"""An analytic formula in the ways in which intervals are put into it.

An interval does not know that two terms share their x: exp(x) / (1 + exp(x)) over [19, 21] is anything between e^-2 and
e^2, sigmoid(x) is 1 up to e^-19. So a formula is tried in several forms, all equal; what they say is compared with the
formula as declared, number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from actgen.numerics.far_ends import FarFunction
from actgen.numerics.generators import generators_of, t
from actgen.numerics.rules import rewrite
from actgen.numerics.taylor import SeriesFunction
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.primitives import expm1, log1p, sigmoid

_LONGEST = 200  # operations: beyond, factoring takes longer than it saves


@dataclass(frozen=True)
class Form:
    """One way to write a formula.

    Attributes:
        expression: over the primitives, without ``Piecewise``, ``Abs``, ``sign`` and ``floor``.
        x: the variable.
        guards: what has to be positive for the form to be equal to the formula.
    """

    expression: sp.Expr
    x: sp.Symbol
    guards: tuple[sp.Expr, ...] = ()

    @cached_property
    def series(self) -> SeriesFunction:
        """For Taylor series."""
        return SeriesFunction(self.expression, self.x)

    @cached_property
    def far(self) -> FarFunction:
        """For the far ends."""
        return FarFunction(self.expression, self.x)

    @cached_property
    def _conditions(self) -> tuple[BallFunction, ...]:
        return tuple(BallFunction(guard > 0, (self.x,)) for guard in self.guards)

    def holds(self, decide: Callable[[BallFunction], Any]) -> bool:
        """Whether the form is equal to the formula over a stretch of the line."""
        return all(decide(condition) is True for condition in self._conditions)


class Forms:
    """A formula in all its forms, made when they are asked for; the one that served last comes first.

    Args:
        expression: analytic, in one variable.
        x: the variable.
        is_rewritten: whether it has been through the rules already, so that it is tried as it stands first.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol, is_rewritten: bool = False) -> None:
        self.declared = BallFunction(expression, (x,))
        self.is_constant = not expression.has(x)
        self._more = _forms(expression, x, is_rewritten)
        self._made = [next(self._more)]
        self._first, self._x = self._made[0].expression, x

    @cached_property
    def slope(self) -> Forms:
        """The derivative."""
        return Forms(differentiate(self._first, self._x), self._x, is_rewritten=True)

    def best(self) -> Form:
        """The form that served last."""
        return self._made[0]

    def all(self) -> Iterator[Form]:
        """Every form, the one that served last first."""
        yield from tuple(self._made)
        for form in self._more:
            self._made.append(form)
            yield form

    def prefer(self, form: Form) -> None:
        """Put a form first."""
        if self._made[0] is not form:
            self._made.remove(form)
            self._made.insert(0, form)


def _forms(expression: sp.Expr, x: sp.Symbol, is_rewritten: bool) -> Iterator[Form]:
    if is_rewritten:
        yield Form(expression, x)
    tidied = _tidied(rewrite(expression)[0])
    if not (is_rewritten and tidied == expression):
        yield Form(tidied, x)
    seen = {tidied, expression} if is_rewritten else {tidied}
    if tidied.has(x) and sp.count_ops(tidied) <= _LONGEST:
        factored = _tidied(rewrite(sp.factor(tidied))[0])
        if factored not in seen:
            seen.add(factored)
            yield Form(factored, x)
        for form in (tidied, factored):
            conjugate = form.replace(lambda node: node.is_Add, _conjugated)
            if conjugate not in seen:
                seen.add(conjugate)
                yield Form(conjugate, x)
        yield from _halves(tidied, x)
    if expression not in seen:
        yield Form(expression, x)


def _halves(expression: sp.Expr, x: sp.Symbol) -> Iterator[Form]:
    """The exponential normal form: a rational function of x and t = exp(-|u|), in factors, for either sign of u."""
    generators = generators_of(expression, x)
    if generators is None or generators.side is None or generators.has_tail:
        return
    numbers = dict(generators.numbers)
    for side, half in ((1, generators.positive), (-1, generators.negative)):
        factored = sp.factor(sp.cancel(sp.together(half)))
        for sign in (1, -1):
            exponent = sign * generators.exponent.xreplace(numbers)
            if exponent.is_nonpositive:
                continue
            meanings: dict[sp.Basic, sp.Expr] = {t: sp.exp(-exponent)}
            meanings |= {symbol: log1p(q[side > 0].xreplace(meanings)) for symbol, q in generators.logs.items()}
            # Near u = 0 the factor 1 - t cancels.
            meanings |= {t - 1: expm1(-exponent), 1 - t: -expm1(-exponent)}
            yield Form(
                factored.xreplace(meanings).xreplace(numbers), x, (side * generators.side.xreplace(numbers), exponent)
            )


def _conjugated(total: sp.Expr) -> sp.Expr:
    """The sum a + b = (a^2 - b^2) / (a - b), where the root in b cancels against a."""
    roots = [term for term in total.args if any(power.exp == sp.Rational(1, 2) for power in term.atoms(sp.Pow))]
    if len(roots) != 1 or not any(power.free_symbols for power in roots[0].atoms(sp.Pow)):
        return total
    rest = total - roots[0]
    return sp.expand(rest**2 - roots[0] ** 2) / (rest - roots[0])


def _tidied(expression: sp.Expr) -> sp.Expr:
    """exp(u) sigmoid(-u) = sigmoid(u), which an interval of u does not blow up."""
    if not expression.has(sigmoid):
        return expression
    return expression.replace(lambda node: node.is_Mul and node.has(sigmoid) and node.has(sp.exp), _merged)


def _merged(product: sp.Expr) -> sp.Expr:
    powers = {base: exponent for base, exponent in product.as_powers_dict().items() if base.func is sigmoid}
    for node in product.args:
        if node.func is not sp.exp:
            continue
        for base, n in powers.items():
            (u,) = base.args
            k = sp.cancel(-node.args[0] / u)
            if k.is_Integer and k > 0 and n.is_Integer and n > 0:
                m = min(k, n)
                rest = product / node / base**m
                return rest * sp.exp(node.args[0] + m * u) * sigmoid(-u) ** m
    return product
