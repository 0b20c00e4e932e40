"""Axis-wise formulas from their text, for tests."""

from __future__ import annotations

import sympy as sp

from actgen.spec.expression import read_expression
from actgen.symbolic.axiswise import AxiswiseFormula
from actgen.symbolic.binding import bind
from actgen.symbolic.reductions import Element
from actgen.symbolic.rowwise import gather, settle, tidy

x = Element("x")
T = sp.Symbol("T", positive=True)
eps = sp.Symbol("eps", positive=True)
alpha = sp.Symbol("alpha", real=True)
beta = sp.Symbol("beta", nonnegative=True)
_PARAMETERS = {symbol.name: symbol for symbol in (T, eps, alpha, beta)}


def declared(text: str) -> sp.Expr:
    """The formula over the primitives and reductions."""
    symbol = sp.Symbol("x", real=True)
    reading = read_expression(text, {"x": symbol, **_PARAMETERS}, reduces=True)
    assert reading.expression is not None, reading.flaws
    return bind(reading.expression.xreplace({symbol: x}), (x,))


def normal(text: str) -> sp.Expr:
    """Its normal form."""
    return tidy(gather(settle(declared(text))))


def axiswise(text: str) -> AxiswiseFormula:
    """The formula with what is derived from it."""
    given = declared(text)
    parameters = tuple(symbol for symbol in _PARAMETERS.values() if given.has(symbol))
    return AxiswiseFormula(given, normal(text), x, parameters)
