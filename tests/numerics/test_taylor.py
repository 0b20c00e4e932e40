"""Taylor series, against SymPy's."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb, ctx

from actgen.numerics.taylor import SERIES, NoSeriesError, SeriesFunction
from actgen.symbolic.primitives import DERIVATIVES, arccot
from tests.symbolic.reading import exact, formula, precision, x

# What SymPy's own functions make of the same formula.
KNOWN = {
    "exp(x)": sp.exp(x),
    "expm1(x)": sp.exp(x) - 1,
    "log(1 + x)": sp.log(1 + x),
    "log1p(x)/x*x": sp.log(1 + x),
    "log1p(-x**2)": sp.log(1 - x**2),
    "sin(x)": sp.sin(x),
    "cos(2*x)": sp.cos(2 * x),
    "tan(x)": sp.tan(x),
    "sinh(x)": sp.sinh(x),
    "cosh(x)": sp.cosh(x),
    "tanh(x)": sp.tanh(x),
    "sech(x)": 1 / sp.cosh(x),
    "asinh(x)": sp.asinh(x),
    "atan(x)": sp.atan(x),
    "erf(x)": sp.erf(x),
    "erfc(x)": 1 - sp.erf(x),
    "sigmoid(x)": 1 / (1 + sp.exp(-x)),
    "softplus(x)": sp.log(1 + sp.exp(x)),
    "x - tanh(x)": x - sp.tanh(x),
    "sqrt(1 + x)": sp.sqrt(1 + x),
    "(4 + x**2)**(-3/2)": (4 + x**2) ** sp.Rational(-3, 2),
    "(2 + x)**(-2)*pi": sp.pi / (2 + x) ** 2,
    "x**3/(1 - x)": x**3 / (1 - x),
    "exp(sin(x))": sp.exp(sp.sin(x)),
    "E**x*E": sp.E * sp.exp(x),
}


@pytest.mark.parametrize("text", KNOWN)
def test_the_first_eight_coefficients_are_sympys(text: str) -> None:
    expected = sp.series(KNOWN[text], x, 0, 8).removeO()
    with precision(300):
        found = SeriesFunction(formula(text), x)(arb(0), arb(1), 8)
        for k in range(8):
            coefficient = exact(sp.Rational(sp.N(expected.coeff(x, k), 60))) if expected.coeff(x, k) else arb(0)
            ours = found[k] if k < len(found) else arb(0)
            assert abs(ours - coefficient) < arb(2) ** -150, k


def test_the_series_of_a_difference_of_angles_is_sympys_of_what_it_is() -> None:
    expected = sp.series(sp.pi / 2 - sp.atan(x), x, 0, 8).removeO()
    with precision(300):
        found = SeriesFunction(arccot(x), x)(arb(0), arb(1), 8)
        for k, coefficient in enumerate(found):
            assert abs(coefficient - exact(sp.Rational(sp.N(expected.coeff(x, k), 60)))) < arb(2) ** -150, k


def test_what_is_not_analytic_has_no_series_and_everything_else_does() -> None:
    assert set(DERIVATIVES) - set(SERIES) == {sp.Abs, sp.sign, sp.floor}


@pytest.mark.parametrize(
    "text",
    [
        "Abs(x)",
        "sign(x)*x",
        "floor(x + 1/2)",
        "log(x)",
        "sqrt(x)",
        "x**(3/2)",
        "1/x",
        "sin(x)/x**2",
        "1/(exp(x) - 1)",
        "tanh(1/x)",
        "log1p(x - 1)",
        "log1p(x - 2)",
        "log(x**2)",
        "sqrt(x - 1)",
    ],
)
def test_where_there_is_no_series_that_is_said(text: str) -> None:
    before = ctx.prec, ctx.cap
    with pytest.raises(NoSeriesError):
        SeriesFunction(formula(text), x)(arb(0), arb(1), 8)
    assert (ctx.prec, ctx.cap) == before
