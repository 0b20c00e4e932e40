"""Any formula of the grammar derives: no crash, no hang, and the kernel chosen is as accurate as it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from actgen.numerics import emulation
from actgen.numerics.choice import choose_kernel
from actgen.numerics.judge import Judge
from actgen.numerics.lowering import variables
from actgen.symbolic.derivatives import differentiate
from tests.numerics.exact_kernels import APPROXIMATE, disagreement, places
from tests.numerics.grammar import PARAMETERS, SETTINGS, parsed, texts
from tests.numerics.judging import KNOWN, errors
from tests.symbolic.reading import formula, x

# Points the judge does not look at, with 0 and the places where random kinks lie.
FRESH = np.array(
    sorted(
        {0.0, 1.0, -1.0, 2.0, 0.5}
        | {
            sign * 1.137 * 2.0**k
            for k in (*range(-90, -10, 9), *range(-10, 10), *range(10, 100, 9))
            for sign in (1, -1)
        }
        | {sign * 1.711 * 2.0**k for k in range(-6, 7) for sign in (1, -1)}
    )
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=texts(3))
def test_a_kernel_is_as_accurate_at_new_points_as_the_judge_found_it(text: str) -> None:
    """Wherever the oracle knows the value. The judge's points are a sample, so half as much again is granted."""
    expression = parsed(text)
    if expression is None:
        return
    kernel, judgement = choose_kernel(Judge(expression, x, (), [{}]), KNOWN)
    if judgement.is_within_contract:
        for dtype in ("float32", "float64"):
            found = errors(kernel, expression, FRESH, dtype)
            assert found.worst <= 1.5 * max(judgement.units, 4.0), (found.worst_at, dtype)


WITH_PARAMETERS = variables((x, *PARAMETERS), (x,))
MIDDLE = [sign * size for size in (0.0, 1e-9, 0.3, 1.137, 2.7, 30.1, 1e4) for sign in (1, -1)]


@settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=texts(4, tuple(symbol.name for symbol in PARAMETERS)))
@example(text="x*tanh(log(1 + exp(alpha*x)))")
@example(text="x*(1 + erf(beta*x/sqrt(2)))/2")
def test_a_kernel_equals_its_formula_or_is_said_to_miss_the_contract(text: str) -> None:
    """In ball arithmetic, where nothing is rounded; a kernel may hold x where the formula no longer moves."""
    expression = parsed(text)
    if expression is None:
        return
    kernel, judgement = choose_kernel(Judge(expression, x, PARAMETERS, SETTINGS), WITH_PARAMETERS)
    if judgement.is_within_contract:
        assert disagreement(kernel, places(expression, x, PARAMETERS, SETTINGS, MIDDLE), APPROXIMATE) is None


@settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=texts(2))
def test_the_derivatives_of_any_formula_derive_too(text: str) -> None:
    expression = parsed(text)
    if expression is None:
        return
    slope = differentiate(expression, x)
    for partial in (slope, differentiate(slope, x)):
        kernel, judgement = choose_kernel(Judge(partial, x, (), [{}]), KNOWN)
        assert judgement.units >= 0
        assert emulation.run(kernel, {"x": FRESH}, "float64").dtype == np.float64


@pytest.mark.parametrize(
    "text",
    [
        "clip(relu(x), -1, 1)",  # a Piecewise compared with a bound became an ITE
        "Max(-1, Min(1, x))",
        "Piecewise((x, x == clip(x, -1, 2)), (1/2, True))",
        "x*softplus(1)",  # constants of primitives that mpmath does not know
        "x*sigmoid(2) + sech(pi)",
        "1/Heaviside(x)",  # SymPy folds 1/0 inside the Piecewise to zoo
        "tan(1/Heaviside(x))",  # ... and the tangent of that to AccumBounds
        "sqrt(clip(x, -1, 1))",  # ... and sqrt(-1) to I
        "Max(tanh(Max(x, -1)), log1p(clip(x, -1, 2)))",  # ... and refuses to compare it
    ],
)
def test_formulas_that_once_crashed_derive(text: str) -> None:
    expression = formula(text)
    for partial in (expression, differentiate(expression, x)):
        kernel, _ = choose_kernel(Judge(partial, x, (), [{}]), KNOWN)
        # Inside its domain the formula has a value, and so has the kernel.
        assert np.isfinite(emulation.run(kernel, {"x": np.array([0.25, 0.75])}, "float32")).all()
