"""The square-root form: a formula rational in x and one root S = sqrt(p x^2 + q), without cancellation or overflow.

Everything reduces to (a + b S) / d. Where a and b S have opposite signs they cancel (x + sqrt(x^2 + 4) is 0 in
float32 below -5.8e3, the true value is 2/|x|); there the conjugate is used, (a^2 - b^2 S^2) / (d (a - b S)), whose
numerator simplifies symbolically. And x^2 overflows at 1.8e19 though S does not: beyond 2**60, q is below half an
ULP of p x^2 and S is sqrt(p) |x|.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import PLAIN, Order, call, lower

_FAR = 2.0**60


def square_root_form(
    expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node], order: Order = PLAIN
) -> Node | None:
    """The node of an expression in square-root form, or None where it has no such form."""
    roots = {power.base for power in expression.atoms(sp.Pow) if _is_half_integer(power.exp) and power.base.has(x)}
    if len(roots) != 1:
        return None
    inside = sp.expand(roots.pop())
    if not inside.is_polynomial(x) or sp.degree(inside, x) != 2:
        return None
    p, middle, q = sp.Poly(inside, x).all_coeffs()
    if middle != 0 or not p.is_positive or not q.is_nonnegative:
        return None
    root = sp.Symbol("root", positive=True)
    body = expression.replace(
        lambda e: isinstance(e, sp.Pow) and _is_half_integer(e.exp) and e.base.has(x),
        lambda e: root ** (2 * e.exp),
    )
    if not body.is_rational_function(x, root):
        return None
    top, bottom = sp.fraction(sp.cancel(sp.together(body)))
    divisor = sp.Poly(bottom, root)
    if len(divisor.terms()) != 1:
        return None
    remainder = sp.rem(sp.Poly(top, root), sp.Poly(root**2 - inside, root))
    free, linear = sp.expand(remainder.coeff_monomial(1)), sp.expand(remainder.coeff_monomial(root))
    # S^3 as (p x^2 + q) S: the error of a root enters once and not three times.
    power = divisor.degree()
    bottom = sp.expand(divisor.LC()) * inside ** (power // 2) * root ** (power % 2)
    form = _without_cancellation(free, linear, inside, root, bottom)
    size, magnitude = lower(sp.sqrt(p), known), call("absolute", known[x])
    far = magnitude if p == 1 else call("multiply", size, magnitude)
    node = call("select", call("greater", magnitude, Constant(_FAR)), far, call("sqrt", lower(inside, known)))
    return lower(form, {**known, root: node}, order)


def _without_cancellation(free: sp.Expr, linear: sp.Expr, inside: sp.Expr, root: sp.Symbol, bottom: sp.Expr) -> sp.Expr:
    if free == 0 or linear == 0:
        return sp.factor(free + linear * root) / bottom
    if not bottom.free_symbols:
        # Dividing term by term: x + S overflows before (x + S) / 2 does.
        free, linear, bottom = free / bottom, linear / bottom, sp.Integer(1)
    # free and linear * root have opposite signs where the product of the two coefficients is negative.
    numerator = sp.factor(sp.expand(free**2 - linear**2 * inside))
    conjugate = numerator / (bottom * (free - linear * root))
    number, sign = sp.factor(free * linear).as_coeff_Mul()
    condition = sign < 0 if number.is_positive else sign > 0
    return sp.Piecewise((conjugate, condition), ((free + linear * root) / bottom, True))


def _is_half_integer(exponent: sp.Expr) -> bool:
    return isinstance(exponent, sp.Rational) and exponent.q == 2
