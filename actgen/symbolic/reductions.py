"""Functions that reduce over one axis, and what is made of them, as SymPy classes.

Two sorts of quantities meet in an axis-wise formula: those with a value at each element (`x`), and those with one value
for the whole row (`Total(x)`), which broadcast. :func:`is_row` tells them apart. Smart constructors (:func:`total`,
:func:`top`) pull out of a reduction what is constant along the axis, so that equal rows look equal.

Four quantities stand for whole patterns, since they can be computed far better than what they are made of:

| class                | is                              | its derivative along v'                          |
|----------------------|---------------------------------|--------------------------------------------------|
| `Weights(v, b)`      | exp(v) / (b + Total(exp(v)))    | Weights(v, b) Centred(v, b, v')                  |
| `LogTotal(v, b)`     | log(b + Total(exp(v)))          | Total(Weights(v, b) v')                          |
| `LogMean(v)`         | log(Total(exp(v)) / n)          | Total(Weights(v, 0) v')                          |
| `Tie(u)`             | [u = Top(u)], sharing 1 evenly  | 0; it is the derivative of Top                   |
| `Centred(v, b, t)`   | t - Total(Weights(v, b) t)      | not taken                                        |
| `Spread(v, b, g)`    | g - Weights(v, b) Total(g)      | not taken                                        |

Spread is the transpose of Centred.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

LENGTH = sp.Symbol("axis length", positive=True)
"""The length of the axis."""


class Element(sp.Symbol):  # type: ignore[misc]  # SymPy ships no types
    """A variable with a value at each element of the axis."""

    def __new__(cls, name: str) -> Element:
        """The variable of a name; all are real."""
        made: Element = super().__new__(cls, name, real=True)
        return made


class RowFunction(sp.Function):  # type: ignore[misc]  # SymPy ships no types
    """A function of a whole row: a choice at each element, inside it, is none between its values.

    SymPy takes choices out of what is compared: of Total(Piecewise((0, x <= 0), (x, True))) >= 1 it would make
    Total(0) >= 1 where x <= 0, Total(x) >= 1 elsewhere. It asks each operand whether it holds one.
    """

    def has(self, *patterns: object) -> bool:
        """Whether a part matches; what is chosen inside is not to be taken out."""
        return patterns != (sp.Piecewise,) and bool(super().has(*patterns))


class Reduction(RowFunction):
    """A function with one value for the whole row."""

    is_real = True


class Total(Reduction):
    """The sum of u over the axis."""

    nargs = (1,)

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None


class Top(Reduction):
    """The largest u on the axis."""

    nargs = (1,)

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None


class LogTotal(Reduction):
    """log(b + Total(exp(v))), b >= 0."""

    nargs = (2,)


class LogMean(Reduction):
    """log(Total(exp(v)) / n)."""

    nargs = (1,)


class Weights(RowFunction):
    """exp(v) / (b + Total(exp(v))), b >= 0: at most 1 in all."""

    nargs = (2,)
    is_real = True
    is_positive = True


class Tie(RowFunction):
    """1 where u is largest, 0 elsewhere; 1/k at each of k that are largest together."""

    nargs = (1,)
    is_real = True
    is_nonnegative = True


class Centred(RowFunction):
    """t - Total(Weights(v, b) t)."""

    nargs = (3,)
    is_real = True


class Spread(RowFunction):
    """g - Weights(v, b) Total(g)."""

    nargs = (3,)
    is_real = True


def is_row(expression: sp.Basic) -> bool:
    """Whether a quantity is constant along the axis."""
    if isinstance(expression, Reduction):
        return True
    return not isinstance(expression, Element) and all(map(is_row, expression.args))


def split_factors(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The factor that is constant along the axis, and the rest; exponentials of sums are taken apart."""
    rows, rest = [], []
    for factor in sp.Mul.make_args(expression):
        if is_row(factor):
            rows.append(factor)
        elif isinstance(factor, sp.exp):
            # A logarithm of exponentials stays beside the exponents that it keeps from overflow.
            constant, varying = split_terms(expanded(factor.args[0]))
            kept = sp.Add(*(term for term in sp.Add.make_args(constant) if term.has(LogTotal, LogMean)))
            rows.append(sp.exp(constant - kept))
            rest.append(sp.exp(varying + kept))
        else:
            rest.append(factor)
    return sp.Mul(*rows), sp.Mul(*rest)


def split_terms(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The term that is constant along the axis, and the rest."""
    terms = sp.Add.make_args(expression)
    return sp.Add(*filter(is_row, terms)), sp.Add(*(term for term in terms if not is_row(term)))


def expanded(expression: sp.Expr) -> sp.Expr:
    """The sum with products of a sum and constants multiplied out, so that its constant terms show."""
    terms: list[sp.Expr] = []
    for term in sp.Add.make_args(expression):
        sums = [factor for factor in sp.Mul.make_args(term) if isinstance(factor, sp.Add)]
        mixed = [one for one in sums if not is_row(one) and any(map(is_row, one.args))]
        if len(mixed) == 1 and is_row(term / mixed[0]):
            terms += sp.Add.make_args(expanded(sp.Add(*(term / mixed[0] * part for part in mixed[0].args))))
        else:
            terms.append(term)
    return sp.Add(*terms)


def total(u: sp.Expr) -> sp.Expr:
    """Total(u) with constant terms and factors outside: Total(a + b v) = n a + b Total(v)."""
    if is_row(u):
        return LENGTH * u
    constant, varying = split_terms(u)
    if constant != 0:
        return LENGTH * constant + total(varying)
    if isinstance(u, sp.Add):
        u = sp.Add(*(term for term in u.args if not _vanishes(term)))
    if isinstance(u, sp.Add):
        shared = _shared([split_factors(term)[0] for term in u.args])
        return shared * Total(sp.Add(*(term / shared for term in u.args))) if shared != 1 else Total(u)
    row, rest = split_factors(u)
    return row * (total(rest) if isinstance(rest, sp.Add) else Total(rest)) if rest != 1 else row * LENGTH


def _vanishes(term: sp.Expr) -> bool:
    """Whether a term is a constant times u - Total(u) / n, which adds up to 0."""
    rest = split_factors(term)[1]
    return isinstance(rest, sp.Add) and total(rest) == 0


def top(u: sp.Expr) -> sp.Expr:
    """Top(u) with constant terms and positive factors outside."""
    constant, varying = split_terms(expanded(u))
    if varying == 0:
        return constant
    row, rest = (sp.Integer(1), varying) if isinstance(varying, sp.Add) else split_factors(varying)
    if row.is_negative:
        row, rest = -row, -rest
    if row.is_positive:
        return constant + row * Top(rest)
    return constant + Top(row * rest)


def bottom(u: sp.Expr) -> sp.Expr:
    """The smallest u."""
    return -top(-u)


def mean(u: sp.Expr) -> sp.Expr:
    """Total(u) / n, with constant terms outside."""
    constant, varying = split_terms(u)
    return constant + (total(varying) / LENGTH if varying != 0 else 0)


def _shared(factors: Iterable[sp.Expr]) -> sp.Expr:
    """The factor of all terms, if they have one and the same."""
    distinct = set(factors)
    return distinct.pop() if len(distinct) == 1 else sp.Integer(1)
