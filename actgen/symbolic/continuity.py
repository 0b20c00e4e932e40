"""Derivatives that the kink rule would interrupt where there is no kink.

By the rule Abs(u) and sign(u) have slope 0 where u = 0, and so sign(x) (1 - exp(-Abs(x))) would have the slope
sign(x)^2 exp(-Abs(x)), which is 0 at 0, although it is exp(-Abs(x)) elsewhere and goes to 1 from both sides. Where the
one-sided limits of a derivative agree, it is that limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy as sp
from flint import arb

from actgen.symbolic.balls import BallFunction, ball, precision

_BITS = 1024
_STEP = arb(2) ** -200
_CLOSE_BITS = 60
Setting = dict[sp.Symbol, sp.Rational]

_SPREAD = ((0, 1), (1, 2), (2, 4))
"""Where the parameters are taken from, in turn, to hold two formulas in them against each other."""


def continue_over_kinks(derivative: sp.Expr, whole: sp.Expr, inputs: Sequence[sp.Symbol]) -> sp.Expr:
    """Return a derivative with the value that it goes to wherever it goes to one from both sides.

    Args:
        derivative: by any variable, with the kink rule.
        whole: what it is the derivative of; where that jumps, the kink rule has the word.
        inputs: the symbols in whose direction there may be kinks.
    """
    for x in inputs:
        for u in _switches(derivative, x):
            derivative = _continued(derivative, whole, u, x)
    return derivative


def _switches(expression: sp.Expr, x: sp.Symbol) -> list[sp.Expr]:
    """The arguments of ``Abs`` and ``sign`` that are linear in a symbol."""
    found = {function.args[0] for function in expression.atoms(sp.Abs, sp.sign)}
    linear = [u for u in found if u.is_polynomial(x) and sp.degree(u, x) == 1]
    return sorted(linear, key=sp.default_sort_key)


def _continued(derivative: sp.Expr, whole: sp.Expr, u: sp.Expr, x: sp.Symbol) -> sp.Expr:
    slope, intercept = sp.Poly(u, x).all_coeffs()
    place = -intercept / slope
    alike = _in_terms_of(derivative, u)
    above = alike.xreplace({sp.Abs(u): u, sp.sign(u): sp.Integer(1)})
    try:
        limit = above.xreplace({x: place})
        here, value = derivative.xreplace({x: place}), whole.xreplace({x: place})
    except TypeError:  # SymPy refuses to compare a number that is not real
        return derivative
    if here == limit:
        return derivative
    settings = list(_settings(derivative.free_symbols | whole.free_symbols, x))
    if _agree(here, limit, settings) is not False or not (
        _goes_to(derivative, limit, x, place, settings) and _goes_to(whole, value, x, place, settings)
    ):
        return derivative
    smooth = alike.replace(
        lambda node: node.is_Pow and node.base == sp.sign(u) and node.exp.is_Integer,
        lambda node: sp.sign(u) if node.exp % 2 else sp.Integer(1),
    )
    if _agree(smooth.xreplace({x: place}), limit, settings):
        return smooth
    return sp.Piecewise((limit, sp.Eq(x, place)), (derivative, True))


def _in_terms_of(expression: sp.Expr, u: sp.Expr) -> sp.Expr:
    """An equal formula, with sign(-u) as -sign(u) and Abs(2 u) as 2 Abs(u): SymPy has several spellings of them."""
    known = {}
    for function in expression.atoms(sp.Abs, sp.sign):
        ratio = sp.cancel(function.args[0] / u)
        if ratio.is_Rational:
            known[function] = function.func(ratio) * function.func(u)
    return expression.xreplace(known)


def _settings(symbols: set[sp.Symbol], x: sp.Symbol) -> Iterator[Setting]:
    """Values for all symbols but one, each another, of the signs that are known of them."""
    names = sorted(symbols - {x}, key=lambda symbol: symbol.name)
    for low, high in _SPREAD:
        shares = (sp.Rational(2 * number + 1, 2 * len(names)) for number in range(len(names)))
        sizes = [low + (high - low) * share for share in shares]
        yield {symbol: -size if symbol.is_nonpositive else size for symbol, size in zip(names, sizes, strict=True)}


def _agree(first: sp.Expr, second: sp.Expr, settings: Sequence[Setting]) -> bool | None:
    """Whether two formulas are equal at all settings; None where that cannot be told."""
    return _all([_is_close(_at(first, setting), _at(second, setting)) for setting in settings])


def _goes_to(
    expression: sp.Expr, limit: sp.Expr, x: sp.Symbol, place: sp.Expr, settings: Sequence[Setting]
) -> bool | None:
    """Whether a formula goes to a limit from both sides of a place, at all settings."""
    sides = [(setting, sign) for setting in settings for sign in (-1, 1)]
    return _all([_is_close(_beside(expression, x, place, *side), _at(limit, side[0])) for side in sides])


def _all(answers: Sequence[bool | None]) -> bool | None:
    return None if None in answers else all(answers)


def _is_close(first: arb | None, second: arb | None) -> bool | None:
    if first is None or second is None or not (first.is_finite() and second.is_finite()):
        return None
    return bool(abs(first - second) < arb(2) ** -_CLOSE_BITS * (1 + abs(second)))


def _at(expression: sp.Expr, setting: Setting) -> arb | None:
    with precision(_BITS):
        return BallFunction(expression, tuple(setting))(*map(ball, setting.values()))


def _beside(expression: sp.Expr, x: sp.Symbol, place: sp.Expr, setting: Setting, sign: int) -> arb | None:
    with precision(_BITS):
        here = _at(place, setting)
        if here is None:
            return None
        return BallFunction(expression, (x, *setting))(here + sign * _STEP, *map(ball, setting.values()))
