"""Where the one-sided limits of a derivative agree, it is that limit; elsewhere the kink rule holds."""

from __future__ import annotations

import pytest
import sympy as sp

from actgen.build import packaged_specs
from actgen.spec import load_specs
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.formula import Formula
from tests.symbolic.reading import agree, formula, value, x

b = sp.Symbol("b", positive=True)
a = sp.Symbol("a", real=True)


@pytest.mark.parametrize(
    ("text", "place", "slope"),
    [
        ("sign(x)*(1 - exp(-Abs(x)))", "0", "1"),
        ("sign(x - 1/2)*sinh(Abs(x - 1/2))", "1/2", "1"),
        ("sign(1 - 3*x)*sin(2*Abs(3*x - 1))*x", "1/3", "-2"),
        ("sign(x)*log(1 + Abs(x)) + x**2", "0", "1"),
        ("sign(x)*tanh(Abs(x))*Piecewise((2, x > 3), (5, True))", "0", "5"),
        # |x|/x has no value at 0, and here it is all that is left of the slope.
        ("x + Abs(x)*x/Abs(x)", "0", "2"),
        # Kinks, where the rule has the word.
        ("Abs(x)", "0", "0"),
        ("Abs(x) + x", "0", "1"),
        ("sign(x)*(2 - exp(-Abs(x)))", "0", "0"),
        ("Max(0, x)", "0", "0"),
        ("Piecewise((x, x > 0), (3*x, True))", "0", "3"),
    ],
)
def test_the_slope_where_pieces_meet(text: str, place: str, slope: str) -> None:
    found = Formula(formula(text), (x,), ()).partials["x",]
    assert agree(value(found, place), value(sp.Rational(slope) + 0 * x, place)), found


def test_the_power_of_a_sign_that_a_kink_would_need_is_gone() -> None:
    partials = Formula(formula("sign(x)*(1 - exp(-Abs(x)/b))", b), (x,), (b,)).partials
    assert partials["x",] == sp.exp(-sp.Abs(x) / b) / b
    assert not partials["x", "b"].has(sp.sign)
    # The second derivative does jump, from 1 to -1: sign(0) = 0.
    assert partials["x", "x"] == -sp.exp(-sp.Abs(x) / b) * sp.sign(x) / b**2


def test_a_place_that_a_parameter_moves_is_found() -> None:
    smooth = Formula(formula("sign(x - a)*(1 - exp(-Abs(x - a)))", a), (x,), (a,)).partials
    assert smooth["x",] == sp.exp(-sp.Abs(x - a))
    assert smooth["a",] == -smooth["x",]


def test_a_second_derivative_follows_the_rule_where_the_first_jumps() -> None:
    """exp(-|x|) cos(2 x) has slopes 1 and -1 beside 0; its second derivative goes to -3 from both sides."""
    expression = formula("exp(-Abs(x))*cos(2*x)")
    second = Formula(expression, (x,), ()).partials["x", "x"]
    assert second == differentiate(differentiate(expression, x), x)


def test_no_derivative_of_the_specs_that_come_with_actgen_is_another() -> None:
    for activation in load_specs(packaged_specs()):
        if activation.kind != "elementwise" or activation.surrogate is not None:
            continue
        found = Formula.of(activation)
        assert found.partials.get(("x",), 0) == differentiate(found.value, found.inputs[0]), activation.name
