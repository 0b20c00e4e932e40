"""From the names in a spec to primitives, and the kink rule for ``Max``, ``Min``, ``clip`` and ``relu``.

The spec room parses ``tanh(x)`` into an application of an undefined function called "tanh": it knows names, not
mathematics. Here each name of its vocabulary becomes an expression over :mod:`actgen.symbolic.primitives`.

The kink rule: where the arguments of ``Max`` or ``Min`` tie, an argument free of the inputs (a bound) owns the point;
between two that depend on an input, the first does. So ``Max(0, x)`` and ``Max(x, 0)`` both have slope 0 at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import sympy as sp
from sympy.core.function import AppliedUndef

from actgen.symbolic.primitives import erfc, expm1, log1p, sech, sigmoid, softplus, tanh


def bind(expression: sp.Expr, inputs: tuple[sp.Symbol, ...]) -> sp.Expr:
    """Replace every named function application by its primitive.

    Args:
        expression: as parsed by the spec room, functions undefined.
        inputs: the symbols that are tensors; everything else is a parameter, and so a bound in the kink rule.

    Returns:
        An equal expression over the primitives, relationals and ``Piecewise``.

    Raises:
        KeyError: for a name outside the vocabulary (the parser refuses those first).
    """
    if isinstance(expression, AppliedUndef):
        arguments = [bind(argument, inputs) for argument in expression.args]
        return BINDINGS[expression.func.__name__](arguments, frozenset(inputs))
    if isinstance(expression, sp.Piecewise):
        pieces = [(bind(value, inputs), bind(condition, inputs)) for value, condition in expression.args]
        return sp.Piecewise(*pieces)
    if not expression.args:
        return expression
    return expression.func(*(bind(argument, inputs) for argument in expression.args))


def _larger(first: sp.Expr, second: sp.Expr, inputs: frozenset[sp.Symbol]) -> sp.Expr:
    if _is_bound(second, inputs) and not _is_bound(first, inputs):
        first, second = second, first
    return sp.Piecewise((first, second <= first), (second, True))


def _smaller(first: sp.Expr, second: sp.Expr, inputs: frozenset[sp.Symbol]) -> sp.Expr:
    if _is_bound(second, inputs) and not _is_bound(first, inputs):
        first, second = second, first
    return sp.Piecewise((first, second >= first), (second, True))


def _is_bound(expression: sp.Expr, inputs: frozenset[sp.Symbol]) -> bool:
    return not expression.free_symbols & inputs


def _clip(arguments: list[sp.Expr], inputs: frozenset[sp.Symbol]) -> sp.Expr:
    u, lower, upper = arguments
    return sp.Piecewise((lower, u <= lower), (upper, u >= upper), (u, True))


Binding = Callable[[list[sp.Expr], frozenset[sp.Symbol]], sp.Expr]


def _direct(function: Callable[..., sp.Expr]) -> Binding:
    return lambda arguments, inputs: function(*arguments)


BINDINGS: Mapping[str, Binding] = {
    "exp": _direct(sp.exp),
    "expm1": _direct(expm1),
    "log": _direct(sp.log),
    "log1p": _direct(log1p),
    "sqrt": _direct(sp.sqrt),
    "sin": _direct(sp.sin),
    "cos": _direct(sp.cos),
    "tan": _direct(sp.tan),
    "sinh": _direct(sp.sinh),
    "cosh": _direct(sp.cosh),
    "tanh": _direct(tanh),
    "sech": _direct(sech),
    "asinh": _direct(sp.asinh),
    "atan": _direct(sp.atan),
    "erf": _direct(sp.erf),
    "erfc": _direct(erfc),
    "sigmoid": _direct(sigmoid),
    "softplus": _direct(softplus),
    "normal_cdf": _direct(lambda u: erfc(-u / sp.sqrt(2)) / 2),
    "normal_pdf": _direct(lambda u: sp.exp(-(u**2) / 2) / sp.sqrt(2 * sp.pi)),
    "Abs": _direct(sp.Abs),
    "sign": _direct(sp.sign),
    "floor": _direct(sp.floor),
    "Heaviside": _direct(lambda u: sp.Piecewise((1, u > 0), (0, True))),
    "relu": lambda arguments, inputs: _larger(sp.Integer(0), arguments[0], inputs),
    "Max": lambda arguments, inputs: reduce(lambda a, b: _larger(a, b, inputs), arguments),
    "Min": lambda arguments, inputs: reduce(lambda a, b: _smaller(a, b, inputs), arguments),
    "clip": _clip,
}
"""Every name of the spec vocabulary; a test holds the two tables to the same names."""
