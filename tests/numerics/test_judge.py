"""The judge: where it looks, and that it sees."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from actgen.numerics.choice import choose_kernel
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Constant, Kernel, Variable
from actgen.numerics.lowering import call
from tests.numerics.judging import X, kernel_of
from tests.symbolic.reading import formula, x

beta = sp.Symbol("beta", positive=True)
JUDGE = Judge(formula("x*sigmoid(x)"), x, (), [{}])


def test_the_right_formula_passes_in_the_middle() -> None:
    found = JUDGE.errors(kernel_of(formula("x*sigmoid(x)")))
    middle = (np.abs(found.points) < 50) & (np.abs(found.points) > 1e-30)
    assert middle.sum() > 500
    assert found.units[middle].max() < 4


@pytest.mark.parametrize(
    "wrong",
    [
        "x*sigmoid(x) + 10**(-6)",
        "Piecewise((x*sigmoid(x), x != 0), (1, True))",
        "Piecewise((x*sigmoid(x), x < 10**30), (0, True))",
        "Piecewise((x*sigmoid(x), Abs(x) > 10**(-20)), (x, True))",
        "Piecewise((x*sigmoid(x), x > -20), (0, True))",
        "x*sigmoid(1000001*x/1000000)",
    ],
)
def test_a_small_mistake_anywhere_is_seen(wrong: str) -> None:
    """At 0, far out, near 0, in the tail, or in the seventh digit."""
    right = JUDGE.errors(kernel_of(formula("x*sigmoid(x)")))
    found = JUDGE.errors(kernel_of(formula(wrong)))
    finite = np.isfinite(right.units) & (right.units < 10)
    assert found.units[finite].max() > 100


def test_both_types_infinities_and_nan_are_judged() -> None:
    assert [setting.dtype for setting in JUDGE.settings] == ["float32", "float64"]
    for setting in JUDGE.settings:
        assert {math.inf, -math.inf, 0.0} <= set(setting.points.tolist())
        assert np.isnan(setting.points).sum() == 1
    swallows = Kernel(call("select", call("equal", X, X), kernel_of(formula("tanh(x)")).result, Constant(0.0)))
    found = Judge(formula("tanh(x)"), x, (), [{}]).errors(swallows)
    assert np.isnan(found.points[np.isinf(found.units)]).all()
    assert np.isinf(found.units).sum() == 2


@pytest.mark.parametrize("text", ["pi + 0*x", "sqrt(2)", "beta", "beta**2 + 1"])
def test_a_formula_that_does_not_read_the_input_owes_no_nan(text: str) -> None:
    """The slope of pi x is pi, and that of beta x is beta; asked for NaN at NaN, they missed by infinity."""
    node = Variable("beta", is_parameter=True)
    expression = formula(text, beta)
    judge = Judge(expression, x, (beta,), [{"beta": Fraction(1)}, {"beta": Fraction(3)}])
    kernel, judgement = choose_kernel(judge, {x: X, beta: node})
    assert X not in kernel.nodes
    assert judgement.is_within_contract


def test_every_sampled_parameter_is_judged() -> None:
    settings = [{"beta": Fraction(1)}, {"beta": Fraction(1, 3)}, {"beta": Fraction(3)}]
    judge = Judge(formula("tanh(beta*x)", beta), x, (beta,), settings)
    node = Variable("beta", is_parameter=True)
    right = Kernel(call("tanh", call("multiply", node, X)))
    assert judge.errors(right).worst < 4
    assert judge.errors(Kernel(call("tanh", X))).worst > 1e5
    assert len(judge.settings) == 4
    # The rounded parameter is what both sides compute with.
    assert judge.settings[2].parameters == {"beta": float(np.float32(1 / 3))}


def test_giving_up_reports_what_was_seen_so_far_and_the_default_parameters_in_full() -> None:
    judge = Judge(formula("sigmoid(beta*x)", beta), x, (beta,), [{"beta": Fraction(k)} for k in (1, 2, 3)])
    wrong = kernel_of(formula("x"))
    early, late = judge.errors(wrong, give_up=4.0), judge.errors(wrong, give_up=math.inf)
    assert sum(len(setting.points) for setting in judge.settings[:2]) >= len(early.points) > 5000
    assert len(early.points) < len(late.points)
    assert early.worst > 4


def test_points_around_a_kink_are_judged_on_both_sides() -> None:
    judge = Judge(formula("Max(x, 3)"), x, (), [{}], around=(3.0,))
    for setting in judge.settings:
        scalar = np.dtype(setting.dtype).type
        for neighbour in (np.nextafter(scalar(3), scalar(0)), np.nextafter(scalar(3), scalar(9)), scalar(3)):
            assert float(neighbour) in set(setting.points.tolist())


def test_a_kink_that_no_float_hits_is_left_alone_by_an_ulp_or_two() -> None:
    """At Heaviside(x - 1/3), the float32 nearest to 1/3 is no better than its neighbour."""
    judge = Judge(formula("Heaviside(x - 1/3)"), x, (), [{}], around=(1 / 3,))
    for setting in judge.settings:
        gap = np.abs(setting.points - 1 / 3)
        assert gap[np.isfinite(gap)].min() > 2 * float(np.finfo(setting.dtype).eps) / 3


def test_saturation_holds_at_every_parameter_value() -> None:
    settings = [{"beta": Fraction(1)}, {"beta": Fraction(1, 4)}]
    assert Judge(formula("tanh(x)"), x, (), [{}]).saturations == (-32.0, 32.0)
    assert Judge(formula("tanh(beta*x)", beta), x, (beta,), settings).saturations == (-128.0, 128.0)
    grows = Judge(formula("x*sigmoid(beta*x)", beta), x, (beta,), [{"beta": Fraction(1)}, {"beta": Fraction(0)}])
    assert grows.saturations == (None, None)


def test_limits_are_those_that_all_parameter_values_share() -> None:
    assert JUDGE.limits == {-math.inf: 0.0, math.inf: math.inf}
    apart = Judge(formula("beta*tanh(x)", beta), x, (beta,), [{"beta": Fraction(1)}, {"beta": Fraction(2)}])
    assert apart.limits == {}
    assert Judge(formula("sin(x)"), x, (), [{}]).limits == {}
