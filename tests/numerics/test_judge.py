"""The judge: where it looks, and that it sees."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from actgen.numerics.choice import choose_kernel
from actgen.numerics.emulation import IDEAL, Arithmetic
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call
from tests.numerics.judging import X, kernel_of
from tests.symbolic.reading import formula, x

beta = sp.Symbol("beta", positive=True)
s = sp.Symbol("s", positive=True)
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
    assert [setting.dtype for setting in judge.settings] == ["float32", "float64", *["float32"] * 2, *["float64"] * 2]
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


def power_judge(arithmetic: Arithmetic = IDEAL) -> Judge:
    """Of x**(s - 2) s (s - 1), a second derivative, at s = 3, 9 and 1, where it is 0."""
    expression = formula("Piecewise((0, x <= 0), (s*(s - 1)*x**(s - 2), True))", s)
    return Judge(expression, x, (s,), [{"s": Fraction(k)} for k in (3, 9, 1)], arithmetic=arithmetic)


def power_kernel(factors: Callable[[Node, Node], Node]) -> Kernel:
    node = Variable("s", is_parameter=True)
    positive = factors(node, call("multiply", node, call("subtract", node, Constant(1.0))))
    return Kernel(call("select", call("less_equal", X, Constant(0.0)), Constant(0.0), positive))


def plain(node: Node, factor: Node) -> Node:
    return call("multiply", factor, call("power", X, call("subtract", node, Constant(2.0))))


def halved(node: Node, factor: Node) -> Node:
    root = call("power", X, call("subtract", call("multiply", Constant(0.5), node), Constant(1.0)))
    return call("multiply", call("multiply", root, factor), root)


def test_where_a_factor_underflows_at_another_parameter_is_judged() -> None:
    """At s = 9, 72 x**7 is normal where x**7 is not: within a binade, which samples of each binade may pass over."""
    judge = power_judge(Arithmetic("flushing"))
    found = judge.errors(power_kernel(plain), give_up=math.inf)
    wrong = found.points[found.units > 1e3]
    assert (np.abs(wrong - 3.5e-6) < 1e-6).any(), "float32"
    assert (np.abs(wrong / 1e-44 - 1) < 0.5).any(), "float64"
    assert judge.errors(power_kernel(halved)).worst < 4


def test_subnormal_numbers_are_kept_on_machines_that_may_keep_them() -> None:
    """At s = 1 the factor is 0 and x**-1 infinite, which a machine that takes x for 0 never sees."""
    one = [{"s": Fraction(3)}, {"s": Fraction(1)}]
    for keeps in (False, True):
        judge = Judge(power_judge().expression, x, (s,), one, arithmetic=Arithmetic("either", keeps=keeps))
        assert (judge.errors(power_kernel(plain)).worst == math.inf) == keeps
        assert judge.errors(power_kernel(halved)).worst < 4


def test_the_largest_floats_are_judged_at_every_parameter() -> None:
    """3 x overflows at beta = 3 before it is multiplied by what is 0 there."""
    settings = [{"beta": Fraction(1, 2)}, {"beta": Fraction(3)}, {"beta": Fraction(2)}]
    judge = Judge(formula("beta*x*sigmoid(x)", beta), x, (beta,), settings)
    node = Variable("beta", is_parameter=True)
    gate = call("sigmoid", X)
    first = Kernel(call("multiply", call("multiply", node, X), gate))
    last = Kernel(call("multiply", node, call("multiply", X, gate)))
    for setting in judge.settings:
        assert float(np.finfo(setting.dtype).max) in np.abs(setting.points)
    lost = judge.errors(first, give_up=math.inf)
    assert np.isinf(lost.units[(lost.points < -1e38) & np.isfinite(lost.points)]).any()
    kept = judge.errors(last, give_up=math.inf)
    assert not np.isinf(kept.units[(kept.points < -1e38) & np.isfinite(kept.points)]).any()


@pytest.mark.parametrize(
    ("text", "first", "then"),
    [("x*(2 + sigmoid(x))", "x/4", "4*(2 + sigmoid(x))"), ("x**2*(3 + sigmoid(x))", "x**2", "3 + sigmoid(x)")],
)
def test_what_is_flushed_on_the_way_to_a_normal_result_is_seen(text: str, first: str, then: str) -> None:
    """Between the smallest normal number and the next few binades, wherever the input is then."""
    judge = Judge(formula(text), x, (), [{}], arithmetic=Arithmetic("flushing"))
    parts = (kernel_of(formula(first)).result, kernel_of(formula(then)).result)
    wrong = judge.errors(Kernel(call("multiply", *parts)))
    assert wrong.worst > 1e6
    assert (np.abs(wrong.points[wrong.units > 1e3]) < 1e-15).all()
    right = kernel_of(formula("x")).result
    again = call("multiply", right, call("multiply", right, kernel_of(formula(then)).result))
    plain = call("multiply", right, kernel_of(formula("2 + sigmoid(x)")).result)
    assert judge.errors(Kernel(again if "**" in text else plain)).worst < 4


def test_a_lenient_judge_lets_pass_what_is_flushed_at_other_parameters_and_nothing_else() -> None:
    """At s = 9 x**7 is flushed, which is let pass; no NaN is, nothing at the default, and no value that is wrong."""
    strict = power_judge(Arithmetic("flushing"))
    flushed = power_kernel(plain)
    assert strict.errors(flushed, math.inf).worst > 1e5
    assert strict.leniently().errors(flushed, math.inf).worst < 4
    swapped = Judge(strict.expression, x, (s,), [{"s": Fraction(k)} for k in (9, 3)], arithmetic=strict.arithmetic)
    assert swapped.leniently().errors(flushed, math.inf).worst > 1e5
    wrong = power_kernel(lambda node, factor: call("multiply", Constant(1.001), halved(node, factor)))
    assert strict.leniently().errors(wrong, math.inf).worst > 1e3
    kept = power_judge(Arithmetic("either", keeps=True)).leniently()
    assert kept.errors(flushed, math.inf).worst == math.inf


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "text", ["1/(1 + x**2)", "Heaviside(-x**2) + Piecewise((1, x >= 0), (0, True))", "x", "1/x", "x**9"]
)
def test_stretches_begin_and_end_at_finite_floats_of_one_sign(text: str) -> None:
    """At 0 itself, at the largest float, and next to 0 there is no ratio to go by."""
    judge = Judge(formula(text), x, (), [{}])
    for setting in judge.settings:
        finite = setting.points[np.isfinite(setting.points)]
        assert np.array_equal(finite, finite.astype(setting.dtype))
        assert len(finite) == len(setting.points) - 3
