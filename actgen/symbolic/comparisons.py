"""Comparisons solved for what is compared: ``alpha*(x + c) - c >= x`` is ``x <= -c`` for alpha in [0, 1).

Rounded, the two sides of the first agree at floats next to -c, where the slope is then that of the other branch; the
second compares two floats. What is solved is what is linear in an input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from actgen.spec import Domain

_ORDERINGS = (sp.Ge, sp.Gt, sp.Le, sp.Lt)
_TURNED: Mapping[type[Relational], type[Relational]] = {sp.Ge: sp.Le, sp.Le: sp.Ge, sp.Gt: sp.Lt, sp.Lt: sp.Gt}


def solve_comparisons(expression: sp.Expr, inputs: Sequence[sp.Symbol], domains: Mapping[sp.Symbol, Domain]) -> sp.Expr:
    """Return an equal expression, its comparisons solved for an input where they are linear in it.

    Args:
        expression: over the primitives, relationals and ``Piecewise``.
        inputs: the symbols to solve for.
        domains: of parameters, which may tell a factor's sign.
    """
    found = [one for one in expression.atoms(*_ORDERINGS) if _is_to_solve(one, inputs)]
    solved = {one: _solved(one, inputs, domains) for one in found}
    return expression.xreplace(solved) if solved else expression


def _is_to_solve(comparison: Relational, inputs: Sequence[sp.Symbol]) -> bool:
    symbols = comparison.free_symbols
    read = symbols & set(inputs)
    if not read or all(side in read or not side.free_symbols & read for side in comparison.args):
        return False
    difference = comparison.lhs - comparison.rhs
    return bool(difference.is_polynomial(*symbols))


def _solved(comparison: Relational, inputs: Sequence[sp.Symbol], domains: Mapping[sp.Symbol, Domain]) -> Boolean:
    coefficient, factors = sp.factor_list(comparison.lhs - comparison.rhs)
    sign, rest = int(sp.sign(coefficient)), []
    for factor, times in factors:
        known = _sign(factor, domains)
        if known is None and times % 2 == 0:
            return comparison
        if known is None:
            rest.append(factor)
        else:
            sign *= known**times
    relation = type(comparison) if sign > 0 else _TURNED[type(comparison)]
    if sign == 0 or not rest:
        return relation(sp.Integer(abs(sign)), 0)
    moving = [factor for factor in rest if factor.free_symbols & set(inputs)]
    if not moving:
        return relation(sp.Mul(*rest), 0)
    x = next(symbol for symbol in inputs if moving[0].has(symbol))
    if len(moving) > 1 or sp.degree(moving[0], x) > 1:
        return comparison
    slope, intercept = sp.Poly(moving[0], x).all_coeffs()
    if len(rest) > 1:
        return relation(sp.Mul(*rest), 0)
    if slope.is_negative:
        slope, intercept, relation = -slope, -intercept, _TURNED[relation]
    return relation(slope * x, -intercept)


def _sign(factor: sp.Expr, domains: Mapping[sp.Symbol, Domain]) -> int | None:
    """1 or -1 where a factor has this sign for all parameters of their domains, and is never 0; else None."""
    if factor.is_positive or factor.is_negative:
        return 1 if factor.is_positive else -1
    if len(factor.free_symbols) != 1:
        return None
    (symbol,) = factor.free_symbols
    if symbol not in domains or sp.degree(factor, symbol) != 1:
        return None
    # Linear: it lies between what it is at the ends, which an open interval leaves out.
    domain = domains[symbol]
    bounds = ((domain.lower, domain.lower_open), (domain.upper, domain.upper_open))
    ends = [(sp.limit(factor, symbol, bound), is_open) for bound, is_open in bounds]
    for sign in (1, -1):
        if all(sign * end > 0 or (end == 0 and is_open) for end, is_open in ends):
            return sign
    return None
