"""Comparisons solved for what is compared: ``alpha*(x + c) - c >= x`` is ``x <= -c`` for alpha in [0, 1).

Rounded, the two sides of the first agree at floats next to -c, where the slope is then that of the other branch; the
second compares two floats. What is solved is what is linear in an input, or is so but for factors of a known sign:
``x*sigmoid(beta*x) >= x`` is ``x <= 0``, since sigmoid is below 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from actgen.spec import Domain
from actgen.symbolic.primitives import arccot, erfc, expm1, sech, sigmoid, tanh

_ORDERINGS = (sp.Ge, sp.Gt, sp.Le, sp.Lt)
_TURNED: Mapping[type[Relational], type[Relational]] = {sp.Ge: sp.Le, sp.Le: sp.Ge, sp.Gt: sp.Lt, sp.Lt: sp.Gt}


_RANGES: Mapping[type[sp.Function], tuple[sp.Expr, bool, sp.Expr, bool]] = {
    sigmoid: (sp.Integer(0), True, sp.Integer(1), True),
    tanh: (sp.Integer(-1), True, sp.Integer(1), True),
    sech: (sp.Integer(0), True, sp.Integer(1), False),
    sp.erf: (sp.Integer(-1), True, sp.Integer(1), True),
    erfc: (sp.Integer(0), True, sp.Integer(2), True),
    sp.atan: (-sp.pi / 2, True, sp.pi / 2, True),
    arccot: (sp.Integer(0), True, sp.pi, True),
    expm1: (sp.Integer(-1), True, sp.oo, True),
    sp.exp: (sp.Integer(0), True, sp.oo, True),
    sp.sin: (sp.Integer(-1), False, sp.Integer(1), False),
    sp.cos: (sp.Integer(-1), False, sp.Integer(1), False),
}
"""Between which numbers a function lies, and whether it never reaches them."""


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
    return bool(difference.is_polynomial(*symbols)) or not difference.has(sp.Piecewise, sp.Abs, sp.sign, sp.floor)


def _factored(difference: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Expr, int]]]:
    """A number and factors with their powers."""
    if difference.is_polynomial(*difference.free_symbols):
        coefficient, factors = sp.factor_list(difference)
        return coefficient, factors
    coefficient, parts = sp.factor(sp.together(difference)).as_coeff_mul()
    powers = [part.as_base_exp() for part in parts]
    return coefficient, [(b, int(n)) if n.is_Integer else (b**n, 1) for b, n in powers]


def _solved(comparison: Relational, inputs: Sequence[sp.Symbol], domains: Mapping[sp.Symbol, Domain]) -> Boolean:
    coefficient, factors = _factored(comparison.lhs - comparison.rhs)
    sign, rest = int(sp.sign(coefficient)), []
    for factor, times in factors:
        known = _sign(factor, domains)
        if known is None and (times % 2 == 0 or times < 0 or not factor.is_polynomial(*factor.free_symbols)):
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
        # k x is flushed to 0 where x is not.
        return relation(sp.sign(sp.Mul(*(factor for factor in rest if factor is not moving[0]))) * moving[0], 0)
    if slope.is_negative:
        slope, intercept, relation = -slope, -intercept, _TURNED[relation]
    return relation(slope * x, -intercept)


def _sign(factor: sp.Expr, domains: Mapping[sp.Symbol, Domain]) -> int | None:
    """1 or -1 where a factor has this sign for all parameters of their domains, and is never 0; else None."""
    if factor.is_positive or factor.is_negative:
        return 1 if factor.is_positive else -1
    bounded = _sign_of_bounded(factor)
    if bounded is not None or len(factor.free_symbols) != 1:
        return bounded
    (symbol,) = factor.free_symbols
    if symbol not in domains or sp.degree(factor, symbol) != 1:
        return None
    # Linear: it lies between what it is at the ends, which an open interval leaves out.
    domain = domains[symbol]
    bounds = ((domain.lower, domain.lower_open), (domain.upper, domain.upper_open))
    return _sign_between([(sp.limit(factor, symbol, bound), is_open) for bound, is_open in bounds])


def _sign_of_bounded(factor: sp.Expr) -> int | None:
    """The sign of a number plus a multiple of a bounded function, such as sigmoid(u) - 1."""
    functions = factor.atoms(sp.Function)
    outer = [one for one in functions if not any(other != one and other.has(one) for other in functions)]
    if len(outer) != 1 or type(outer[0]) not in _RANGES:
        return None
    function_value = sp.Dummy(real=True)
    line = factor.xreplace({outer[0]: function_value})
    if line.free_symbols != {function_value} or sp.degree(line, function_value) != 1:
        return None
    low, is_low_open, high, is_high_open = _RANGES[type(outer[0])]
    slope, intercept = sp.Poly(line, function_value).all_coeffs()
    return _sign_between([(slope * low + intercept, is_low_open), (slope * high + intercept, is_high_open)])


def _sign_between(ends: Sequence[tuple[sp.Expr, bool]]) -> int | None:
    """The sign of every number between two ends, each with whether it is left out; None where there are both."""
    for sign in (1, -1):
        if all(sign * end > 0 or (end == 0 and is_open) for end, is_open in ends):
            return sign
    return None
