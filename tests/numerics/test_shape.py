"""Shapes: p^m g(z) is told where a parameter only scales, proved, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from actgen.numerics import emulation
from actgen.numerics.kernel import Kernel, Variable
from actgen.numerics.shape import Shape, joints_of, shape_of
from actgen.symbolic.derivatives import differentiate
from tests.numerics.judging import KNOWN
from tests.symbolic.reading import formula, x

P = sp.Symbol("p", positive=True)
PARAMETERS = {**KNOWN, P: Variable("p", is_parameter=True)}

SCALED = {
    "log(1 + exp(p*x))/p": "p*x",
    "log((exp(p*x) + exp(-p*x))/2)/p": "p*x",  # p stands below the line of the slopes, in all terms
    "log(1 + p*relu(x))": "p*x",  # in pieces inside
    "sqrt(x**2 + p**2) - p": "x/p",
    "x/(1 + Abs(x)/p)": "x/p",
}


@pytest.mark.parametrize(("text", "name"), SCALED.items())
def test_a_parameter_that_only_scales_is_told_in_value_and_derivatives(text: str, name: str) -> None:
    declared = formula(text, P)
    for expression in (declared, differentiate(declared, x), differentiate(declared, P)):
        shape = shape_of(expression, x, (P,), PARAMETERS)
        assert shape is not None, expression
        assert shape.name == name
        for p, point in ((sp.Rational(3), sp.Rational(2, 7)), (sp.Rational(1, 5), sp.Rational(-4, 3))):
            ratio = sp.sympify(name, {"x": point, "p": p})
            g = shape.function.subs(shape.z, ratio).evalf(40)
            exact = expression.subs({x: point, P: p}).evalf(40)
            if g == 0:
                assert exact == 0
            else:  # a power of p
                m = sp.log(sp.Abs(exact / g)) / sp.log(p)
                assert abs(m.evalf(30) - round(m.evalf(30))) < 1e-20, (expression, g)


@pytest.mark.parametrize(
    "text",
    [
        "x*exp(-p*x) + p",
        "tanh(x)*p + x",
        "x*(1 + sin(pi*p)**2)",  # proportional to x at every whole p
        "x*(p**2 + 1 - (p - 1)*(p - 2))",  # 2 x and 5 x at p = 1 and 2
        "p*x*(1 + (p - 1)*(p - 2))",  # x and 2 x there: only the proof tells
    ],
)
def test_what_seems_proportional_at_two_values_is_proved_or_refused(text: str) -> None:
    assert shape_of(formula(text, P), x, (P,), PARAMETERS) is None


def test_where_a_shape_stops_moving_is_told_though_its_parts_overflow_every_ball() -> None:
    """exp(z) is beyond every exponent range where exp(z) sech(exp(z))^2 is 0 and tanh(exp(z)) is 1."""
    for text in ("p*exp(p*x)*sech(exp(p*x))**2", "tanh(exp(p*x))/p"):
        shape = shape_of(formula(text, P), x, (P,), PARAMETERS)
        assert shape is not None
        assert shape.saturations[1] == 8.0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x*sigmoid(x)/(1 + p**2*x**2)", ["x", "p*x"]),
        ("x*exp(-(x - p)**2) + x/p", ["x", "x/p", "-p + x"]),
        ("log(1 + Abs(x)**(2*p - 2)) + x", ["x", "Abs(x)**p"]),
        ("tanh(x) + x*p**2 + x**2*p", ["x"]),
        ("tanh(x)", ["x"]),
    ],
)
def test_forms_may_be_joined_by_the_input_and_by_how_it_meets_a_parameter(text: str, names: list[str]) -> None:
    assert sorted(joint.name for joint in joints_of(formula(text, P), x, (P,), PARAMETERS)) == sorted(names)


FIRST_TERMS = {
    "log((exp(p*x) + exp(-p*x))/2)/p": ("x**2*p/2", 2.0**-28),
    "x**2*sigmoid(p*x)": ("x**2/2", 2.0**-56),
    "p*(sqrt(1 + (x/p)**2) - 1)": ("x**2/(2*p)", 2.0**-28),
    "x**3*exp(-(x/p)**2)/p**4": ("x**3/p**4", 2.0**-28),
    "tanh(p*x)/p**3": ("x/p**2", 2.0**-28),
    "p*tanh(x/p)": ("x", 2.0**-28),
}


@pytest.mark.parametrize(("text", "expected"), FIRST_TERMS.items())
def test_the_first_term_is_flushed_only_where_all_of_it_is(text: str, expected: tuple[str, float]) -> None:
    """A wrong power of p is off by 2^10 or more, a wrong order gives 0, and a reach that is too long loses digits."""
    shape = shape_of(formula(text, P), x, (P,), PARAMETERS)
    assert shape is not None
    assert shape.first_term is not None
    reach, term = shape.first_term
    assert reach == expected[1]
    for p in (2.0**-10, 2.0**10):
        for size in (1e-38, 1e-36, 1e-30):
            unknown = sp.Symbol("x", positive=True)
            exact = sp.sympify(expected[0], {"x": unknown, "p": sp.Rational(p)})
            point = float(sp.solve(exact - sp.Rational(size), unknown)[0].evalf(30))
            got = emulation.run(Kernel(term), {"x": np.array([point]), "p": p}, "float32")
            if abs(shape_at(shape, point, p)) < reach and abs(point) > 2e-38 and size > 1.2e-38:
                assert got[0] == pytest.approx(size, rel=1e-6), (p, size)


@pytest.mark.parametrize("text", ["x*tanh(p*x)*0 + cosh(p*x)", "sqrt(Abs(p*x))/p", "relu(p*x)/p", "tanh(p*x)"])
def test_what_begins_with_no_power_or_has_no_factor_has_no_first_term(text: str) -> None:
    shape = shape_of(formula(text, P), x, (P,), PARAMETERS)
    assert shape is not None
    assert shape.first_term is None


def shape_at(shape: Shape, point: float, p: float) -> float:
    return float(emulation.run(Kernel(shape.node), {"x": np.array([point]), "p": p}, "float64")[0])
