"""The square-root form, against the oracle."""

from __future__ import annotations

import pytest

from actgen.numerics.algebraic import square_root_form
from actgen.numerics.kernel import Kernel
from tests.numerics.judging import KNOWN, errors, kernel_of
from tests.symbolic.reading import formula, x

FAR = [sign * size for size in (0.3, 2.0, 77.0, 5.8e3, 3e8, 2e19, 1e30) for sign in (1.0, -1.0)]


@pytest.mark.parametrize(
    "text",
    [
        "(x + sqrt(x**2 + 4))/2",
        "x + sqrt(x**2 + 1)",
        "sqrt(x**2 + 1) - x",
        "x/sqrt(1 + x**2)",
        "1/sqrt(1 + x**2)",
        "x/sqrt(1 + 3*x**2)",
        "1/2 + x/(2*sqrt(x**2 + 4))",
        "(1 + x**2)**(-3/2)",
        "sqrt(2*x**2 + 1/2)",
    ],
)
def test_the_form_is_accurate_where_the_formula_cancels_and_where_its_square_overflows(text: str) -> None:
    """X + sqrt(x^2 + 4) is 0 in float32 below -5.8e3, and infinite above 1.8e19; the form is neither."""
    expression = formula(text)
    node = square_root_form(expression, x, KNOWN)
    assert node is not None
    found = errors(Kernel(node), expression, FAR)
    assert len(found.points) == len(FAR)
    if not text.endswith("(-3/2)"):  # x**2 remains there: another candidate is for that
        assert found.worst < 5, found.worst_at
    near = errors(Kernel(node), expression, [-30.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 30.0], "float64")
    assert near.worst < 5


def test_the_formula_as_it_stands_loses_what_the_form_keeps() -> None:
    expression = formula("(x + sqrt(x**2 + 4))/2")
    assert errors(kernel_of(expression), expression, [-1e4]).worst > 1e6


@pytest.mark.parametrize(
    "text",
    [
        "x**2 + 1",
        "sqrt(x)",
        "sqrt(x**2 - 1)",
        "sqrt(x**2 + x + 1)",
        "sqrt(x**2 + 1) + sqrt(x**2 + 2)",
        "sqrt(x**4 + 1)",
        "sqrt(1 - x**2)",
        "sin(sqrt(x**2 + 1))",
        "exp(x)*sqrt(x**2 + 1)",
        "1/(1 + sqrt(x**2 + 1))",
    ],
)
def test_other_formulas_have_no_such_form(text: str) -> None:
    assert square_root_form(formula(text), x, KNOWN) is None
