"""Taylor series at 0, against SymPy's."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb, ctx

from actgen.numerics.kernel import Constant, Kernel
from actgen.numerics.series import SERIES, NotAnalyticError, polynomial_near_zero, taylor
from actgen.symbolic.primitives import DERIVATIVES
from tests.numerics.judging import X, errors, run
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
    found = taylor(formula(text), x)
    expected = sp.series(KNOWN[text], x, 0, 8).removeO()
    with precision(200):
        for k in range(8):
            coefficient = exact(sp.Rational(sp.N(expected.coeff(x, k), 60))) if expected.coeff(x, k) else arb(0)
            ours = found[k] if k < len(found) else arb(0)
            assert abs(ours - coefficient) < arb(2) ** -150, k


def test_what_is_not_analytic_at_0_has_no_series_and_everything_else_does() -> None:
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
        "(1 + x)**(1/3)",
        "x**x",
        "2**x",
        "Max(x, 0)",
        "tanh(1/x)",
        "log1p(x - 1)",
        "log1p(x - 2)",
        "log(x**2)",
        "sqrt(x - 1)",
    ],
)
def test_where_there_is_no_series_that_is_said(text: str) -> None:
    with pytest.raises(NotAnalyticError):
        taylor(formula(text), x)


def test_another_symbol_has_no_series() -> None:
    beta = sp.Symbol("beta", positive=True)
    with pytest.raises(NotAnalyticError):
        taylor(formula("sin(beta*x)", beta), x)


def test_coefficients_that_vanish_are_exactly_zero() -> None:
    """x - sin(x) starts with x**3; a coefficient of 1e-150 left at x would be the lowest power."""
    found = taylor(formula("x - sin(x)"), x)
    assert [k for k in range(10) if not found[k].is_zero()] == [3, 5, 7, 9]


def test_the_precision_and_the_length_of_series_are_left_as_they_were() -> None:
    before = ctx.prec, ctx.cap
    taylor(formula("exp(x)"), x)
    with pytest.raises(NotAnalyticError):
        taylor(formula("1/x"), x)
    assert (ctx.prec, ctx.cap) == before


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("x - sin(x)", 1.0),
        ("x - tanh(x)", 0.25),
        ("exp(x) - 1 - x", 0.5),
        ("1 - cos(x)", 1.0),
        ("log1p(x) - x", 0.0625),
        ("x**2*sigmoid(x)", 0.5),
        ("softplus(x) - log(2)", 0.5),
    ],
)
def test_the_polynomial_is_accurate_up_to_its_reach_and_down_to_the_smallest_number(text: str, reach: float) -> None:
    node = polynomial_near_zero(taylor(formula(text), x), X, reach)
    assert node is not None
    for dtype, smallest in (("float32", 1e-9), ("float64", 1e-70)):
        points = [sign * reach * size for size in (0.999, 0.7, 0.1, 1e-3, smallest / reach) for sign in (1, -1)]
        assert errors(Kernel(node), formula(text), points, dtype).worst < 3.5, dtype


def test_an_odd_series_reads_its_square_and_an_even_one_too() -> None:
    for text in ("x - sin(x)", "1 - cos(x)"):
        node = polynomial_near_zero(taylor(formula(text), x), X, 0.5)
        assert node is not None
        right, left = run(Kernel(node), [0.37, 0.01]), run(Kernel(node), [-0.37, -0.01])
        assert (left == (-right if "sin" in text else right)).all()


def test_a_polynomial_is_its_own_series() -> None:
    node = polynomial_near_zero(taylor(formula("3*x**2 + x**3/2"), x), X, 0.5)
    assert node is not None
    assert run(Kernel(node), [0.5, -0.25], "float64").tolist() == [0.8125, 0.1796875]


def test_a_series_that_would_be_too_long_is_none() -> None:
    """1/(1 - x) at 0.9 needs 375 terms."""
    assert polynomial_near_zero(taylor(formula("1/(1 - x)"), x), X, 0.9) is None
    assert polynomial_near_zero(taylor(formula("x*0 + sin(0*x)"), x), X, 0.5) is None


def test_the_zero_function_has_no_polynomial() -> None:
    assert polynomial_near_zero((arb(0), arb(0)), X, 0.5) is None
    assert polynomial_near_zero((arb(2),), X, 0.5) == Constant(2.0)
