"""Guards: bounds that are right, and nothing changed between them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from flint import arb

from actgen.numerics import emulation, guards
from actgen.numerics.guards import (
    clamped,
    replaced,
    saturation,
    with_bounded_angles,
    with_bounded_exponents,
    with_limits,
    with_line,
    with_nan,
)
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call
from actgen.numerics.oracle import Oracle
from tests.numerics.judging import X, kernel_of, run
from tests.symbolic.reading import formula, x

INF, NAN = math.inf, math.nan


def bounds(text: str) -> tuple[float | None, float | None]:
    oracle = Oracle(formula(text), x)

    def enclose(point: float) -> arb | None:
        return oracle.enclose(point, [])

    return saturation(enclose, -1), saturation(enclose, 1)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("tanh(x)", -32.0, 32.0),
        ("sigmoid(x)", -1024.0, 64.0),
        ("x*sigmoid(x)", -1024.0, None),
        ("x*normal_cdf(x)", -64.0, None),
        ("Heaviside(x)", -8.0, 8.0),
        ("atan(x)", -(2.0**56), 2.0**56),
        ("x", None, None),
        ("sin(x)", None, None),
        ("log1p(Abs(x))", None, None),
        ("clip(x, -100, 3)", -128.0, 8.0),
    ],
)
def test_bounds_are_the_first_powers_of_two_from_which_nothing_moves(
    text: str, left: float | None, right: float | None
) -> None:
    assert bounds(text) == (left, right)


@pytest.mark.parametrize("text", ["tanh(x)", "sigmoid(x)", "x*sigmoid(x)", "x*normal_cdf(x)", "atan(x)", "erf(x)"])
def test_beyond_a_bound_the_exact_value_is_the_limit_to_a_quarter_of_an_ulp(text: str) -> None:
    """And half way to the bound it is not, or the bound would be needlessly far."""
    oracle = Oracle(formula(text), x)
    for bound, sign in zip(bounds(text), (-1, 1), strict=True):
        if bound is None:
            continue
        places = np.array([sign * 2.0**250, bound / 2, bound, 1.01 * bound, 1.5 * bound, 3 * bound, 2.0**90 * bound])
        exact = oracle(places, {})
        limit = exact.high[0]
        distances = np.abs((exact.high - limit) + (exact.low - exact.low[0]))[1:]
        allowance = np.spacing(abs(limit)) / 4 if limit else 2.0**-1022
        assert (distances[1:] <= allowance).all(), (text, bound)
        assert distances[0] > allowance / 16, (text, bound)


def test_a_clamp_holds_the_input_and_changes_nothing_between_its_bounds() -> None:
    kernel = kernel_of(formula("x*exp(x) + x**2"))
    points = [-INF, -9.0, -8.0, -1.0, 2.0, 4.0, 5.0, INF]
    for lower, upper in ((-8.0, 4.0), (-8.0, None), (None, 4.0)):
        held = run(clamped(kernel, lower, upper), points)
        expected = run(kernel, np.clip(points, -INF if lower is None else lower, INF if upper is None else upper))
        assert np.array_equal(held, expected, equal_nan=True)
    assert np.isnan(run(clamped(kernel, -8.0, 4.0), [NAN])).all()


def test_a_clamp_mends_an_infinity_times_0() -> None:
    kernel = kernel_of(formula("x*exp(x)"))
    assert np.isnan(run(kernel, [-INF])).all()
    assert run(clamped(kernel, -1024.0, None), [-INF]).tolist() == [0.0]


def test_no_bound_and_no_input_leave_a_kernel_as_it_is() -> None:
    kernel = kernel_of(formula("tanh(x)"))
    assert clamped(kernel, None, None) is kernel
    number = Kernel(Constant(1.0))
    assert clamped(number, -1.0, 1.0) is number
    assert with_nan(number) is number
    assert with_limits(number, {INF: 1.0}) is number
    assert with_limits(kernel, {}) is kernel


def test_only_the_input_is_held_and_not_a_parameter() -> None:
    beta = Variable("beta", is_parameter=True)
    kernel = clamped(Kernel(call("multiply", beta, X)), -2.0, 2.0)
    assert beta in kernel.variables
    assert call("clamp", X, Constant(-2.0), Constant(2.0)) in kernel.nodes
    assert not any(isinstance(node, Call) and beta in node.operands for node in kernel.nodes[:-1])


def test_limits_are_selected_at_the_infinities_alone() -> None:
    kernel = with_limits(kernel_of(formula("x*exp(x) + sin(x)/x")), {-INF: 0.25, INF: 7.0})
    assert run(kernel, [-INF, INF]).tolist() == [0.25, 7.0]
    plain = kernel_of(formula("x*exp(x) + sin(x)/x"))
    points = [-3e38, -2.0, 0.0, 3.0, NAN]
    assert np.array_equal(run(kernel, points), run(plain, points), equal_nan=True)
    one_sided = with_limits(kernel_of(formula("x**2 - x")), {INF: INF})
    assert run(one_sided, [INF]).tolist() == [INF]


def test_nan_is_passed_on_by_a_kernel_that_swallows_it() -> None:
    step = Kernel(call("select", call("greater", X, Constant(0.0)), Constant(1.0), Constant(0.0)))
    assert run(step, [NAN]).tolist() == [0.0]
    guarded = with_nan(step)
    assert np.isnan(run(guarded, [NAN])).all()
    assert run(guarded, [-1.0, 0.0, 2.0, INF]).tolist() == [0, 0, 1, 1]


def test_angles_are_held_where_they_overflow_and_nowhere_else() -> None:
    kernel = kernel_of(sp.sin(4 * x) + sp.cos(sp.sin(4 * x)))
    held = with_bounded_angles(kernel)
    assert np.isnan(run(kernel, [2e38])).all()
    assert np.isfinite(run(held, [2e38, -2e38, INF, -INF])).all()
    points = [-1e6, -0.3, 0.0, 2.0, 2.0**97]
    assert np.array_equal(run(kernel, points), run(held, points))
    assert np.isnan(run(held, [NAN])).all()
    # the shared angle is held once
    assert sum(node.operation == "clamp" for node in held.calls()) == 2
    plain = kernel_of(formula("tanh(x)"))
    assert with_bounded_angles(plain) is plain


def test_replacing_a_node_replaces_all_its_uses_and_keeps_sharing() -> None:
    square = call("square", X)
    node = call("add", call("exp", square), call("multiply", square, X))
    other = replaced(node, {square: Constant(2.0)})
    assert other == call("add", call("exp", Constant(2.0)), call("multiply", Constant(2.0), X))
    assert replaced(node, {}) == node


def test_names_follow_their_nodes_into_the_guarded_kernel() -> None:
    t = call("exp", call("negate", call("absolute", X)))
    kernel = Kernel(call("multiply", X, t), {t: "t"}, "some form")
    guarded = clamped(kernel, -8.0, 8.0)
    assert list(guarded.names.values()) == ["t"]
    assert set(guarded.names) <= set(guarded.nodes)
    assert guarded.form == "some form, clamped both sides"


P = Variable("p", is_parameter=True)


def test_a_parameter_that_is_0_wins_over_an_infinite_input_and_nothing_else_changes() -> None:
    kernel = Kernel(call("add", call("multiply", P, X), call("multiply", Constant(2.0), X)))
    guarded = guards.with_winning_zeros(kernel)
    points = np.array([-math.inf, -3.0, 0.0, 5.0, math.inf])
    assert np.isnan(emulation.run(kernel, {"x": points, "p": 0.0}, "float32")[[0, -1]]).all()
    for p in (0.0, 1.5, -4.0):
        finite = emulation.run(kernel, {"x": points[1:-1], "p": p}, "float32")
        np.testing.assert_array_equal(emulation.run(guarded, {"x": points[1:-1], "p": p}, "float32"), finite)
    np.testing.assert_array_equal(emulation.run(guarded, {"x": points, "p": 0.0}, "float32"), 2 * points)
    assert np.isnan(emulation.run(guarded, {"x": np.array([math.nan]), "p": 1.0}, "float32")).all()


def test_a_product_without_the_input_or_without_a_parameter_is_no_matter_for_zeros() -> None:
    for node in (call("multiply", P, P), call("square", X), call("multiply", Constant(0.0), X)):
        kernel = Kernel(call("add", node, X))
        assert guards.with_winning_zeros(kernel) is kernel


def test_of_a_product_of_many_factors_the_whole_is_0() -> None:
    """p / x / x at x = 0 and p = 0: the second quotient is infinite again, and 0 inf is NaN."""
    inverse = call("divide", Constant(1.0), X)
    kernel = Kernel(call("multiply", call("multiply", inverse, P), inverse))
    guarded = guards.with_winning_zeros(kernel)
    points = np.array([0.0, 1e-30, 2.0, math.inf])
    assert np.isnan(emulation.run(kernel, {"x": points, "p": 0.0}, "float32")[0])
    np.testing.assert_array_equal(emulation.run(guarded, {"x": points, "p": 0.0}, "float32"), np.zeros(4))
    again = emulation.run(guarded, {"x": points, "p": 3.0}, "float32")
    np.testing.assert_array_equal(again, emulation.run(kernel, {"x": points, "p": 3.0}, "float32"))


def test_a_logarithm_is_held_where_what_it_multiplies_vanishes() -> None:
    """x^2 log|x| is 0 at 0, log|x| / x^2 at infinity; nothing else changes, and NaN stays NaN."""
    logarithm = call("log", call("absolute", X))
    points = [1e-30, -0.5, 3.0, -1e30]
    for factor, at in ((call("square", X), 0.0), (call("divide", Constant(1.0), call("square", X)), INF)):
        kernel = Kernel(call("multiply", factor, logarithm))
        held = guards.with_held_logarithms(kernel, at)
        assert np.isnan(run(kernel, [at])).all()
        assert np.array_equal(run(held, [at, -at]), [0.0, 0.0])
        assert np.array_equal(run(kernel, points), run(held, points))
        assert np.isnan(run(held, [NAN])).all()
    plain = kernel_of(formula("tanh(x)"))
    assert guards.with_held_logarithms(plain, 0.0) is plain


@pytest.mark.parametrize(("p", "limits"), [(2.0, (0.0, 2.0)), (-3.0, (0.0, -3.0)), (0.0, (0.0, 0.0))])
def test_a_limit_that_depends_on_a_parameter_is_continued(p: float, limits: tuple[float, float]) -> None:
    """p x t / (1 + x t) with t = max(x, 0), which is 0 * inf and inf / inf at the ends."""
    held = call("multiply", X, call("maximum", X, Constant(0.0)))
    kernel = Kernel(call("divide", call("multiply", P, held), call("add", Constant(1.0), held)))
    ends = np.array([-math.inf, math.inf])
    assert np.isnan(emulation.run(kernel, {"x": ends, "p": p}, "float64")).all()
    np.testing.assert_array_equal(
        emulation.run(guards.with_continued_limits(kernel), {"x": ends, "p": p}, "float64"), limits
    )


def test_a_limit_that_is_infinite_stays_so_when_it_is_continued_and_finite_inputs_are_not_touched() -> None:
    kernel = Kernel(call("multiply", P, X))
    points = np.array([-math.inf, -1e38, 0.0, 3e38, math.inf])
    continued = guards.with_continued_limits(kernel)
    np.testing.assert_array_equal(emulation.run(continued, {"x": points, "p": -0.5}, "float64"), -0.5 * points)


def test_what_overflows_is_held_from_there_on() -> None:
    """Beyond, exp(x) / x**2 would be inf / inf."""
    assert bounds("exp(x)/(1 + x**2)")[1] == 1024.0
    assert bounds("-exp(-2*x)*x")[0] == -512.0
    assert bounds("exp(x)*cos(x)")[1] is None
    assert bounds("x")[1] is None


def test_next_to_underflow_a_sum_is_its_first_term() -> None:
    """x/2 is subnormal there and flushed, and so would all of the sum be."""
    half = call("multiply", X, Constant(0.5))
    kernel = Kernel(call("add", half, half))
    points = np.array([1.2e-38, -2.3e-38, 0.0, 1e-20, np.nan])
    assert (emulation.run(kernel, {"x": points}, "float32")[:2] == 0).all()
    found = emulation.run(with_line(kernel, Constant(1.0)), {"x": points}, "float32")
    np.testing.assert_array_equal(found, points.astype("float32"))


def test_a_judge_knows_the_slope_at_a_zero() -> None:
    def slope(text: str, *parameters: sp.Symbol) -> Node | None:
        return Judge(
            formula(text, *parameters), x, parameters, [{p.name: Fraction(1) for p in parameters}]
        ).slope_at_zero

    alpha = sp.Symbol("alpha", real=True)
    assert slope("x*sigmoid(x)") == Constant(0.5)
    assert slope("alpha*tanh(x)", alpha) == Variable("alpha", is_parameter=True)
    assert slope("x**2") is None
    assert slope("exp(x)") is None
    assert slope("log(x)") is None


def test_exponents_are_held_where_what_grows_is_multiplied_by_what_vanishes_faster() -> None:
    """Exp(x) exp(-exp(2 x)) is inf * 0 from x = 89 on, and 0."""
    kernel = kernel_of(formula("x*exp(x)*exp(-exp(2*x))"))
    held = with_bounded_exponents(kernel)
    far, near = [50.0, 100.0, 1e18], [-90.0, -3.0, 0.1, 1.3]
    assert np.isnan(run(kernel, far)).any()
    assert run(held, far).tolist() == [0.0, 0.0, 0.0]
    assert run(held, near).tolist() == run(kernel, near).tolist()
    assert held.form == "as declared, exponents held"
    parameter = Kernel(call("exp", Variable("beta", is_parameter=True)))
    assert with_bounded_exponents(parameter) is parameter
