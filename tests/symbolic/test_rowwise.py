"""The normal form gathers exponentials, whatever stands around them, and only those."""

from __future__ import annotations

import pytest
import sympy as sp

from actgen.symbolic.primitives import softplus, tanh
from actgen.symbolic.reductions import LENGTH, LogMean, LogTotal, Top, Total, Weights, is_row, top, total
from tests.symbolic.rows import T, declared, normal, x


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(x) / Sum(exp(x))", Weights(x, 0)),
        ("exp(-x) / Sum(exp(-x))", Weights(-x, 0)),
        ("exp(x/T) / Sum(exp(x/T))", Weights(x / T, 0)),
        ("exp(x - Max(x)) / Sum(exp(x - Max(x)))", Weights(x, 0)),
        ("exp(2*x + 3) / Sum(exp(2*x + 3))", Weights(2 * x, 0)),
        ("exp(x) / (1 + Sum(exp(x)))", Weights(x, 1)),
        ("exp(x) / Sum(1 + exp(x))", Weights(x, LENGTH)),
        ("exp(x) / Mean(exp(x))", LENGTH * Weights(x, 0)),
        ("x * exp(x) / Sum(exp(x))", x * Weights(x, 0)),
        ("tanh(x) * exp(x) / Sum(exp(x))", tanh(x) * Weights(x, 0)),
        ("Sum(x * exp(x)) / Sum(exp(x))", Total(x * Weights(x, 0))),
        ("sigmoid(x) / Sum(sigmoid(x))", Weights(-softplus(-x), 0)),
        ("x - log(Sum(exp(x)))", x - LogTotal(x, 0)),
        ("log(exp(x) / Sum(exp(x)))", x - LogTotal(x, 0)),
        ("log(1 + Sum(exp(x)))", LogTotal(x, 1)),
        ("log1p(Sum(exp(x)))", LogTotal(x, 1)),
        ("log1p(2 + Sum(exp(x)))", LogTotal(x, 3)),
        ("x - log(Mean(exp(x)))", x - LogMean(x)),
        ("T * log(Mean(exp(x / T)))", T * LogMean(x / T)),
        ("exp(x) / sqrt(Sum(exp(2*x)))", sp.exp(x - LogTotal(2 * x, 0) / 2)),
        ("exp(x)**2 / Sum(exp(x))**2", Weights(x, 0) ** 2),
    ],
)
def test_exponentials_and_their_sums_are_gathered(text: str, expected: sp.Expr) -> None:
    assert normal(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x - Mean(x)", x - Total(x) / LENGTH),
        ("sigmoid(x) - Mean(x)", normal("sigmoid(x)") - Total(x) / LENGTH),
        ("exp(x) * Max(x)", sp.exp(x) * Top(x)),
        ("Sum(2 * x + 3) / Sum(1)", 2 * Total(x) / LENGTH + 3),
        ("Min(x)", -Top(-x)),
        ("Max(-2*x + T)", 2 * Top(-x) + T),
    ],
)
def test_nothing_else_is_changed_but_that_constants_stand_outside(text: str, expected: sp.Expr) -> None:
    assert sp.expand(normal(text) - expected) == 0


def test_a_row_is_what_reads_elements_through_reductions_only() -> None:
    assert is_row(Total(x) + T)
    assert not is_row(x - Total(x))
    assert total(x - Total(x) / LENGTH) == 0
    assert top(-3 * x + Total(x)) == Total(x) + 3 * Top(-x)


def test_choices_at_each_element_stay_inside_the_reduction_that_is_compared() -> None:
    relu = sp.Piecewise((0, x <= 0), (x, True))
    assert declared("Max(Sum(relu(x)), 1)") == sp.Piecewise((1, Total(relu) <= 1), (Total(relu), True))
    outside = declared("Max(relu(x), Sum(relu(x)))")
    assert Total(0) not in outside.atoms(Total)
    assert outside.xreplace({Total(relu): sp.Integer(3), x: sp.Integer(2)}) == 3
    assert outside.xreplace({Total(relu): sp.Integer(3), x: sp.Integer(5)}) == 5
