"""The chain rule over the primitives, against SymPy's and against difference quotients."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb

from actgen.symbolic.balls import BallFunction
from actgen.symbolic.derivatives import differentiate, is_single_point
from actgen.symbolic.formula import Formula
from tests.symbolic.reading import agree, exact, formula, precision, value, x

beta = sp.Symbol("beta", positive=True)

SMOOTH = [
    "x*tanh(softplus(x))",
    "x*normal_cdf(x)",
    "x/(1 + exp(-x))**(1/3)",
    "(1 + x**2)**(-3/2)",
    "(2 + sin(x))**x",
    "atan(x)*asinh(x)/cosh(x)",
    "Piecewise((sin(x)/x, x > 1), (erf(x)**2, x > -1), (expm1(x), True))",
    "Abs(x**3 - x)*log1p(x**2)",
    "x**x",
    "2**x*normal_pdf(x)",
]


@pytest.mark.parametrize("text", SMOOTH)
def test_a_derivative_is_the_limit_of_the_difference_quotient(text: str) -> None:
    """Composition, products, quotients and powers; h = 2**-300, so a dropped inner derivative is off by 2**250 h."""
    expression = formula(text)
    itself, slope = (BallFunction(e, (x,)) for e in (expression, differentiate(expression, x)))
    for point in (0.3, 0.9, 1.7, 3.1):
        with precision(1500):
            h, there = arb(2) ** -300, exact(point)
            above, below, found = itself(there + h), itself(there - h), slope(there)
            assert above is not None
            assert below is not None
            assert found is not None
            assert abs((above - below) / (2 * h) - found) < arb(2) ** -250 * (1 + abs(found)), point


def test_the_derivative_by_another_symbol_is_zero_and_by_itself_one() -> None:
    assert differentiate(formula("x*sigmoid(x)"), beta) == 0
    assert differentiate(x, x) == 1
    assert differentiate(x**2, x) == 2 * x


def test_a_node_without_a_derivative_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="gamma"):
        differentiate(sp.gamma(x), x)


@pytest.mark.parametrize(
    ("text", "point", "slope"),
    [
        ("Piecewise((1, x == 0), (sin(x)/x, True))", "1/2", "cos(x)/x - sin(x)/x**2"),
        ("Piecewise((7, x == 1), (x**2, x > 0), (x, True))", "1", "2*x"),
        ("Piecewise((7, x == 1), (x**2, x > 1), (x, True))", "1", "1 + 0*x"),
        ("Piecewise((x, x > 1), (0, x == 1), (x**3, True))", "1", "3*x**2"),
        ("Piecewise((0, x == 0), (Abs(x), True))", "0", "0*x"),
    ],
)
def test_a_piece_for_a_single_point_has_no_slope_of_its_own(text: str, point: str, slope: str) -> None:
    """It fills a hole: the slope there is that of the pieces around it, and not the 0 of the number that fills it."""
    found = differentiate(formula(text), x)
    assert agree(value(found, point), value(formula(slope), point))
    assert not found.atoms(sp.Equality)


def test_what_fills_a_hole_does_so_for_every_derivative() -> None:
    """The second derivative is taken of what stands around the hole, too; there is no piece left to lose."""
    filled, bare = formula("Piecewise((1, x == 0), (sin(x)/x, True))"), formula("sin(x)/x")
    for _ in range(2):
        filled, bare = differentiate(filled, x), differentiate(bare, x)
        assert filled == bare


def test_only_an_equation_with_the_variable_alone_on_a_side_is_a_single_point() -> None:
    assert is_single_point(sp.Eq(x, 0), x)
    assert is_single_point(sp.Eq(x, beta), x)
    assert is_single_point(sp.Eq(beta, x), x)
    for condition in (x > 0, x >= 0, sp.Ne(x, 0), sp.Eq(beta, 1), sp.Eq(x**2, beta), sp.true, sp.Eq(x, 0) | (x > 1)):
        assert not is_single_point(condition, x)


def test_a_parameter_in_the_condition_of_a_single_point_moves_the_hole_and_not_the_value() -> None:
    """d/d beta of a formula with a hole at x = beta is that of what is around it."""
    expression = formula("Piecewise((0, x == beta), (beta**2*x, True))", beta)
    assert differentiate(expression, beta) == 2 * beta * x


def test_sign_and_floor_are_flat_also_where_they_jump() -> None:
    """SymPy puts a Dirac delta there."""
    for text in ("sign(x)", "floor(x)", "Heaviside(x)", "sign(x**2 - 1)"):
        assert value(differentiate(formula(text), x), "0") == 0, text
        assert value(differentiate(formula(text), x), "1") == 0, text


def test_partials_hold_every_first_and_second_derivative_that_does_not_vanish() -> None:
    swish = Formula(formula("x*sigmoid(beta*x)", beta), (x,), (beta,))
    assert list(swish.partials) == [(), ("x",), ("beta",), ("x", "x"), ("x", "beta"), ("beta", "beta")]
    relu = Formula(formula("relu(x)"), (x,), ())
    assert list(relu.partials) == [(), ("x",), ("x", "x")] or list(relu.partials) == [(), ("x",)]
    line = Formula(formula("beta*x", beta), (x,), (beta,))
    assert list(line.partials) == [(), ("x",), ("beta",), ("x", "beta")]


def test_mixed_partials_do_not_depend_on_the_order() -> None:
    """Schwarz: only one of the two is kept, so it had better be both."""
    expression = formula("x*sigmoid(beta*x) + softplus(beta*x)/beta", beta)
    one = differentiate(differentiate(expression, x), beta).subs(beta, 2)
    other = differentiate(differentiate(expression, beta), x).subs(beta, 2)
    for point in (-3.0, -0.5, 0.25, 4.0):
        assert agree(value(one, point), value(other, point))


def test_a_surrogate_replaces_the_slope_and_what_follows_from_it_but_not_the_value() -> None:
    surrogate = formula("1/(1 + Abs(x))**2")
    step = Formula(formula("Heaviside(x)"), (x,), (), surrogate)
    assert step.partials[()] == step.value
    assert step.partials["x",] == surrogate
    assert agree(value(step.partials["x", "x"], 1.0), exact("-1/4"))
