"""Fractions in powers with a parameter: turned, they are the same numbers, and nothing in them overflows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from actgen.numerics import emulation
from actgen.numerics.choice import choose_kernel
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Variable
from actgen.numerics.lowering import ORDERS, lower
from actgen.numerics.turned import turned
from actgen.symbolic.derivatives import differentiate
from tests.numerics.judging import KNOWN
from tests.symbolic.reading import agree, formula, value, x

p = sp.Symbol("p", positive=True)
TEXTS = (
    "x/(1 + Abs(x)**p)",
    "Abs(x)**p/(1 + Abs(x)**p)",
    "sign(x)*Abs(x)**p/(2 + 3*Abs(x)**p)**2",
    "log(1 + Abs(x)**p)",
    "x/(1 + (1 + x**2)**p)",
    "x/(1 + Abs(x)**p)**(1/p)",
    "x*log(3 + Abs(x)**p + 2*Abs(x)**(2*p))/(1 + Abs(x)**p)",
)


def every_formula() -> list[sp.Expr]:
    """The formulas and their derivatives of first and second order."""
    declared = [formula(text, p) for text in TEXTS]
    first = [differentiate(one, symbol) for one in declared for symbol in (x, p)]
    return [*declared, *first, *(differentiate(one, symbol) for one in first for symbol in (x, p))]


@pytest.mark.parametrize("expression", every_formula(), ids=str)
def test_what_is_turned_is_equal_on_both_sides_of_1(expression: sp.Expr) -> None:
    for name, found in turned(expression, x):
        assert "turned" in name
        for power in (sp.Rational(3, 4), sp.Rational(5, 2)):
            for point in (0.3, -0.7, 1.0, -1.0, 1.5, -40.0, 1e9):
                declared = value(expression.xreplace({p: power}), point, 400)
                assert agree(value(found.xreplace({p: power}), point, 400), declared), (name, found, point)


def test_every_fraction_is_turned_and_nothing_else() -> None:
    found = {text: [name for name, _ in turned(formula(text, p), x)] for text in TEXTS}
    assert [len(names) for names in found.values()] == [2, 1, 1, 1, 1, 1, 2]
    for text in (
        "x**2/(1 + x**2)",
        "Abs(x)**p",
        "tanh(x)",
        "x**2/(1 + exp(p*x))",
        "Abs(x)**p/(1 + (x**2 + 1)**p)",
        "x/(1 - Abs(x)**p)**(1/p)",
    ):
        assert not list(turned(formula(text, p), x)), text


def test_nothing_overflows_where_the_value_does_not() -> None:
    """At 1e30 and p = 3/2 the power is 1e45, which no float32 is; the value is 1e-15."""
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    declared = formula(TEXTS[0], p)
    points = np.array([1e30, -1e30, np.inf])
    expected = points[:2] * np.abs(points[:2]) ** -1.5
    lost = emulation.run(Kernel(lower(declared, known)), {"x": points, "p": 1.5}, "float32")
    assert not lost[:2].any()
    merged, apart = (form for _, form in turned(declared, x))
    whole, times_x = Kernel(lower(merged, known)), Kernel(lower(apart, known, ORDERS[", by roots of powers"]))
    np.testing.assert_allclose(emulation.run(whole, {"x": points, "p": 1.5}, "float32"), [*expected, 0], rtol=1e-6)
    found = emulation.run(times_x, {"x": points, "p": 1.5}, "float32")
    np.testing.assert_allclose(found[:2], expected, rtol=1e-6)


@pytest.mark.parametrize("text", TEXTS[:2])
def test_the_contract_is_kept(text: str) -> None:
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    settings = [{"p": Fraction(3, 2)}, {"p": Fraction(1, 2)}, {"p": Fraction(2)}]
    _, judgement = choose_kernel(Judge(formula(text, p), x, (p,), settings), known)
    assert judgement.units < 4
