"""From the names in a spec to primitives, and the kink rule for ``Max``, ``Min``, ``clip`` and ``relu``.

The spec room parses ``tanh(x)`` into an application of an undefined function called "tanh": it knows names, not
mathematics. Here each name of its vocabulary becomes an expression over :mod:`actgen.symbolic.primitives`.

The kink rule: where the arguments of ``Max`` or ``Min`` tie, an argument free of the inputs (a bound) owns the point;
between two that depend on an input, the first does. So ``Max(0, x)`` and ``Max(x, 0)`` both have slope 0 at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean

from actgen.symbolic import reductions
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
        name = expression.func.__name__
        if len(arguments) == 1 and name in REDUCTIONS:
            return REDUCTIONS[name](arguments[0])
        return BINDINGS[name](arguments, frozenset(inputs))
    if isinstance(expression, sp.Piecewise):
        return _piecewise(*((bind(value, inputs), bind(condition, inputs)) for value, condition in expression.args))
    if not expression.args:
        return expression
    arguments = [bind(argument, inputs) for argument in expression.args]
    if isinstance(expression, sp.Pow) and arguments[0].has(sp.Piecewise) and not arguments[1].is_Integer:
        # (relu(x) / b)**k is 0 for x <= 0, and so is its derivative by k; 0**k log(0) would be no number.
        arguments[0] = sp.piecewise_fold(arguments[0])
    return expression.func(*arguments)


def _piecewise(*pieces: Piece) -> sp.Expr:
    """A ``Piecewise`` with none inside its conditions, which SymPy would turn into an ``ITE``, nor at its top.

    One that is compared is taken apart: what is below 6 in Min(6, Max(0, x)) is 0 where x <= 0, and x elsewhere.
    """
    compared = chain.from_iterable(map(_choices, (condition for _, condition in pieces)))
    inner = [one for one in compared if not any(argument.has(sp.Piecewise) for argument in one.args)]
    if not inner:
        return sp.Piecewise(*chain.from_iterable(_flat(value, condition) for value, condition in pieces))
    first = min(inner, key=sp.default_sort_key)
    cases = ((_piecewise(*(_with(piece, first, value) for piece in pieces)), where) for value, where in first.args)
    return sp.Piecewise(*chain.from_iterable(_flat(value, condition) for value, condition in cases))


def _choices(expression: sp.Basic) -> Iterator[sp.Piecewise]:
    """The choices in an expression, but for those at each element of a row that is reduced."""
    if isinstance(expression, sp.Piecewise):
        yield expression
    if not isinstance(expression, reductions.RowFunction):
        yield from chain.from_iterable(map(_choices, expression.args))


def _with(piece: Piece, compared: sp.Piecewise, value: sp.Expr) -> Piece:
    chosen = _put(piece[0], compared, value)
    try:
        return chosen, _put(piece[1], compared, value)
    except TypeError:  # SymPy refuses to compare log(-1); a number that is not real compares as NaN does
        return chosen, sp.false


def _put(expression: sp.Basic, compared: sp.Piecewise, value: sp.Expr) -> sp.Basic:
    """The expression where a choice has come to a value; rows that are reduced hold that of other elements."""
    if expression == compared:
        return value
    if isinstance(expression, reductions.RowFunction) or not expression.has(compared):
        return expression
    return expression.func(*(_put(argument, compared, value) for argument in expression.args))


def _flat(value: sp.Expr, condition: Boolean) -> Iterator[Piece]:
    if isinstance(value, sp.Piecewise):
        yield from ((inner, And(condition, where)) for inner, where in value.args)
    else:
        yield value, condition


def _extreme(relation: type[Relational], arguments: list[sp.Expr], inputs: frozenset[sp.Symbol]) -> sp.Expr:
    """The argument in the given relation to all others; of those that tie, the first bound, else the first."""
    ranked = sorted(arguments, key=lambda argument: not _is_bound(argument, inputs))
    return _piecewise(
        *((one, And(*(relation(one, other) for other in ranked[i + 1 :]))) for i, one in enumerate(ranked))
    )


def _is_bound(expression: sp.Expr, inputs: frozenset[sp.Symbol]) -> bool:
    return not expression.free_symbols & inputs


def _clip(arguments: list[sp.Expr], inputs: frozenset[sp.Symbol]) -> sp.Expr:
    u, lower, upper = arguments
    return _piecewise((lower, u <= lower), (upper, u >= upper), (u, sp.true))


Piece = tuple[sp.Expr, Boolean]
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
    "Heaviside": _direct(lambda u: _piecewise((sp.Integer(1), u > 0), (sp.Integer(0), sp.true))),
    "relu": lambda arguments, inputs: _extreme(sp.Ge, [sp.Integer(0), *arguments], inputs),
    "Max": lambda arguments, inputs: _extreme(sp.Ge, arguments, inputs),
    "Min": lambda arguments, inputs: _extreme(sp.Le, arguments, inputs),
    "clip": _clip,
}
"""Every name of the spec vocabulary; a test holds the two tables to the same names."""

REDUCTIONS: Mapping[str, Callable[[sp.Expr], sp.Expr]] = {
    "Sum": reductions.total,
    "Mean": reductions.mean,
    "Max": reductions.top,
    "Min": reductions.bottom,
}
"""Names that, with one argument, reduce over the axis of an axis-wise activation."""
