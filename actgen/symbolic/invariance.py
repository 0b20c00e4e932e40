"""What an axis-wise formula does when its row is shifted or scaled: proved, not sampled.

A shift is proved by substitution: f(x + c) - f(x) is 0 (invariant) or c (equivariant) once what is constant along the
axis is pulled out. A scale is proved by degrees, as a physicist checks units: x has degree 1, a parameter some degree
that is sought, terms of a sum must agree, and what goes into exp or tanh must have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from actgen.symbolic.reductions import Centred, Element, Spread, Tie, Top, Total
from actgen.symbolic.rowwise import settle

_DEGREES = (0, 1, 2, 4)


@dataclass(frozen=True)
class Scaling:
    """f(c x; c^w p) = c^degree f(x; p) for every c > 0.

    Attributes:
        degree: of the formula.
        weights: the degree of each parameter and constant, by its symbol.
    """

    degree: sp.Rational
    weights: Mapping[sp.Symbol, int]


def shift_of(formula: sp.Expr, x: Element) -> int | None:
    """What a constant added to the row adds to the formula: 0 times it (invariant), once (equivariant), or None."""
    c = sp.Dummy("c", real=True)
    difference = sp.expand(settle(settle(formula.xreplace({x: x + c})) - settle(formula)))
    if difference == 0:
        return 0
    return 1 if difference == c else None


def scaling_of(formula: sp.Expr, x: Element, parameters: Sequence[sp.Symbol]) -> Scaling | None:
    """How the formula scales with x, if parameters and constants scale along; None if there is no such law."""
    for degrees in product(_DEGREES, repeat=len(parameters)):
        weights = dict(zip(parameters, degrees, strict=True))
        try:
            degree = _degree(formula, {x: sp.Integer(1)} | {symbol: sp.Integer(w) for symbol, w in weights.items()})
        except _NoDegreeError:
            continue
        return Scaling(sp.Integer(0) if degree is None else degree, weights)
    return None


def name_constants(formula: sp.Expr) -> tuple[sp.Expr, Mapping[sp.Symbol, sp.Expr]]:
    """The formula with a symbol for each positive number that is added or compared, and what the symbols stand for.

    So the 1e-6 of x / sqrt(Mean(x**2) + 1e-6) may scale along, as a parameter in its place would.
    """
    named: dict[sp.Expr, sp.Symbol] = {}

    def symbol(number: sp.Expr) -> sp.Symbol:
        return named.setdefault(number, sp.Symbol(f"constant {len(named) + 1}", positive=True))

    def visit(node: sp.Basic, is_term: bool) -> sp.Basic:
        if is_term and isinstance(node, sp.Rational) and node.is_positive:
            return symbol(node)
        if not node.args:
            return node
        holds = isinstance(node, sp.Add | Relational)
        if isinstance(node, sp.Piecewise):
            return sp.Piecewise(*((visit(value, True), visit(condition, False)) for value, condition in node.args))
        return node.func(*(visit(argument, holds) for argument in node.args))

    renamed = visit(formula, False)
    return renamed, {symbol: number for number, symbol in named.items()}


class _NoDegreeError(ValueError):
    """An expression is not homogeneous."""


def _degree(node: sp.Basic, known: Mapping[sp.Basic, sp.Expr]) -> sp.Expr | None:
    """The degree of an expression; None for 0, which has any."""
    if node in known:
        return known[node]
    if isinstance(node, Boolean) and not isinstance(node, Relational):
        for argument in node.args:
            _degree(argument, known)
        return sp.Integer(0)
    if not node.args:
        return None if node == 0 else sp.Integer(0)
    if isinstance(node, sp.Piecewise):
        for _, condition in node.args:
            _degree(condition, known)
        return _common([_degree(value, known) for value, _ in node.args])
    if isinstance(node, sp.Pow):
        return _degree_of_power(node, known)
    degrees = [_degree(argument, known) for argument in node.args]
    if isinstance(node, sp.Add | Relational):
        return _common(degrees)
    if isinstance(node, sp.Mul):
        return None if None in degrees else sp.Add(*degrees)
    if isinstance(node, Total | Top | sp.Abs):
        return degrees[0]
    if isinstance(node, sp.sign | Tie):
        return sp.Integer(0)
    if isinstance(node, Centred | Spread):
        _require(degrees[0] in (0, None) and degrees[1] in (0, None))
        return degrees[2]
    _require(all(degree in (0, None) for degree in degrees))
    return sp.Integer(0)


def _degree_of_power(node: sp.Pow, known: Mapping[sp.Basic, sp.Expr]) -> sp.Expr | None:
    base, exponent = (_degree(argument, known) for argument in node.args)
    _require(exponent in (0, None))
    if base is None or base == 0:
        return base
    _require(bool(node.exp.is_Rational))
    return base * node.exp


def _common(degrees: Sequence[sp.Expr | None]) -> sp.Expr | None:
    distinct = {degree for degree in degrees if degree is not None}
    _require(len(distinct) <= 1)
    return distinct.pop() if distinct else None


def _require(holds: bool) -> None:
    if not holds:
        raise _NoDegreeError
