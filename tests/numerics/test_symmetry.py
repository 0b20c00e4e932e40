"""Kernels of odd and even formulas give, to the last bit, at -x what they give at x; others are left alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from actgen.numerics.emulation import IDEAL, run
from actgen.numerics.kernel import Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call, lower
from actgen.numerics.remembered import Question
from actgen.numerics.samples import stratified
from actgen.numerics.symmetry import symmetric
from actgen.symbolic.seams import seams

x, p = sp.Symbol("x", real=True), sp.Symbol("p", real=True)
KNOWN: dict[sp.Basic, Node] = {x: Variable("x"), p: Variable("p", is_parameter=True)}


def question(expression: sp.Expr, *values: int) -> Question:
    parameters = [p] if values else []
    return Question(expression, x, parameters, [{"p": Fraction(v)} for v in values] or [{}], ())


def lopsided(right: sp.Expr, left: sp.Expr, bound: float) -> Kernel:
    """One form below a bound, another above it."""
    below = call("less", KNOWN[x], Constant(bound))
    return Kernel(call("select", below, lower(left, KNOWN), lower(right, KNOWN)), {}, "two forms")


def values(kernel: Kernel, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    points = stratified(dtype)
    return run(kernel, {"x": points}, dtype), run(kernel, {"x": -points}, dtype)


@pytest.mark.parametrize("bound", [-3.0, 0.125])
@pytest.mark.parametrize(
    ("sign", "formula", "other"), [(1, x**2 / (1 + x**2), 1 / (1 + 1 / x**2)), (-1, x / 3, x * sp.Rational(1, 3))]
)
def test_a_lopsided_kernel_is_computed_by_its_right_half(
    bound: float, sign: int, formula: sp.Expr, other: sp.Expr
) -> None:
    kernel = lopsided(formula, other * (1 + sp.Rational(1, 2**20)), bound)
    made = symmetric(kernel, question(formula))
    for dtype in ("float32", "float64"):
        y, mirrored = values(made, dtype)
        np.testing.assert_array_equal(mirrored, sign * y)
        positive = stratified(dtype) > 0
        np.testing.assert_array_equal(y[positive], values(kernel, dtype)[0][positive])
    assert made.form == "two forms, in |x|"


def test_a_branch_that_only_negative_numbers_took_is_gone() -> None:
    formula = x**2 / (1 + x**2)
    made = symmetric(lopsided(formula, formula * (1 + sp.Rational(1, 2**20)), -3.0), question(formula))
    assert not any(getattr(node, "operation", "") == "select" for node in made.nodes)


@pytest.mark.parametrize(
    ("kernel", "asked"),
    [
        (lopsided(sp.exp(x), sp.exp(x) * 2, 0.5), question(sp.exp(x))),
        (lopsided(x**2, x**2 * 2, 0.5), question(x**2 + p * x, 0, 1)),  # even at one value of its parameter
        (Kernel(lower(x**3 / (1 + x**2), KNOWN)), question(x**3 / (1 + x**2))),
        (Kernel(lower(p, KNOWN)), question(p, 1, 2)),
    ],
    ids=["neither", "by parameter", "symmetric", "constant"],
)
def test_others_are_left_as_they_are(kernel: Kernel, asked: Question) -> None:
    assert symmetric(kernel, asked) is kernel


def test_a_kernel_is_computed_in_the_size_of_x_where_a_function_of_the_machine_is_lopsided() -> None:
    """Erf(x) x, say, of TensorFlow in float64; what is computed of |x| already, and other machines' kernels, stay."""
    machine = replace(IDEAL, lopsided=frozenset({"erf"}))
    plain = Kernel(lower(sp.erf(x) * x, KNOWN), {}, "as declared")
    made = symmetric(plain, question(sp.erf(x) * x), machine)
    assert made.form == "as declared, in |x|"
    assert symmetric(plain, question(sp.erf(x) * x)) is plain
    assert symmetric(made, question(sp.erf(x) * x), machine) is made


def test_a_kernel_is_held_to_its_symmetry_beside_its_seams_too() -> None:
    """Next to 1, x + 1 rounds to 2, and the wave jumps to its next period; next to -1, x + 1 is exact."""
    wave = sp.Abs(x - 2 * sp.floor((x + 1) / 2))
    asked = replace(question(wave), kinks=seams(wave, x, {}))
    # As it was lowered before floors of sums were put right; lowered now, the wave is symmetric by itself.
    periods = call("floor", lower((x + 1) / 2, KNOWN))
    plain = call("absolute", call("subtract", KNOWN[x], call("multiply", Constant(2.0), periods)))
    assert symmetric(Kernel(lower(wave, KNOWN), {}, "as declared"), asked).form == "as declared"
    kernel = symmetric(Kernel(plain, {}, "as declared"), asked)
    beside = np.array([1.0 - 2.0**-24, 3.0 - 2.0**-22])
    y, mirrored = (run(kernel, {"x": points}, "float32") for points in (beside, -beside))
    np.testing.assert_array_equal(mirrored, y)
    assert kernel.form == "as declared, in |x|"
