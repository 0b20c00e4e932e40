"""Compensated arithmetic: the same formula, every rounding corrected to first order, nothing broken at the ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from actgen.numerics import compensation, guards
from actgen.numerics.compensation import compensated
from actgen.numerics.emulation import run
from actgen.numerics.kernel import Constant, Kernel, Variable
from actgen.numerics.lowering import call, lower
from actgen.numerics.oracle import Oracle
from actgen.numerics.twofold import Twofold
from tests.numerics.judging import errors
from tests.symbolic.reading import formula, x

X = Variable("x")

POINTS = [sign * size for size in np.geomspace(0.01, 12.0, 400).tolist() for sign in (-1, 1)]

# What each is off by without, in units: arguments that are rounded, sums that cancel, long chains.
HARD = {
    "exp(-x**2/2)*cos(5*x)": 8,
    "cos(pi*x)*exp(-x**2)": 15,
    "sqrt(x**2 + x + 1) - 1 - x/2": 1e4,
    "(1 + x)**7*(1 - x)**5/(2 + x**2)**6": 10,
    "x/sqrt(3 + x**2) + 99/100": 30,
    "x - sqrt(x**2 + 1)*19/20": 10,
}


def plain(text: str) -> Kernel:
    return Kernel(lower(formula(text), {x: X}))


@pytest.mark.parametrize("text", HARD)
def test_a_form_that_rounds_too_often_is_within_two_units_when_compensated(text: str) -> None:
    """A correction that is left out leaves what the plain form is off by; one of the wrong sign doubles it."""
    before = errors(plain(text), formula(text), POINTS)
    after = errors(compensated(plain(text)), formula(text), POINTS)
    assert before.worst > HARD[text]
    assert after.worst < 2


def test_what_a_constant_lacks_in_float64_is_no_small_part_of_it() -> None:
    """Its first part is a float32. The square of what is left is 8 ULP of a float64, and belongs to the square."""
    points = np.geomspace(0.01, 12.0, 400)
    exact = Oracle(formula("(1073741825*x/1073741824)**2*exp(-(1073741825*x/1073741824)**2)"), x)(points, {})
    found = run(
        compensated(plain("(1073741825*x/1073741824)**2*exp(-(1073741825*x/1073741824)**2)"), precisely=True),
        {"x": points},
        "float64",
    )
    is_normal = exact.high > 1e-300
    error = np.abs((found - exact.high - exact.low) / np.spacing(exact.high))[is_normal]
    assert error.max() < 2


def test_what_is_compared_is_compared_with_all_its_digits() -> None:
    """From x = 2e7 on both sides are the same float32, and the one that is larger is known by what they lack."""
    left, right = (lower(formula(f"(x {sign} 1)/3"), {x: X}) for sign in "+-")
    points = np.array([0.0, 3.0, 1e5, 1e8, -1e8, math.inf, math.nan])
    for name, expected in (("greater", 1), ("less", 0), ("greater_equal", 1), ("equal", 0), ("not_equal", 1)):
        kernel = Kernel(call("select", call(name, left, right), Constant(1.0), Constant(0.0)))
        assert run(compensated(kernel), {"x": points}, "float32")[:5].tolist() == [expected] * 5
    largest = compensated(Kernel(call("subtract", call("maximum", right, left), right)))
    np.testing.assert_allclose(run(largest, {"x": points[:5]}, "float32"), 2 / 3, rtol=1e-6)


def bare(operation: str) -> Callable[..., Twofold]:
    """A rule that leaves out what the operation rounds off."""
    return lambda *operands: Twofold(call(operation, *(operand.node for operand in operands)))


def turned_back(a: Twofold) -> Twofold:
    """The rule of the cosine, with the sine of the wrong sign."""
    return compensation._turned(a, call("cos", a.node), call("sin", a.node))


MUTANTS: dict[str, tuple[str, dict[str, Callable[..., Twofold]], Callable[..., Twofold]]] = {
    "add": ("sqrt(x**2 + x + 1) - 1 - x/2", compensation._RULES, bare("add")),
    "sqrt": ("sqrt(x**2 + x + 1) - 1 - x/2", compensation._RULES, bare("sqrt")),
    "square": ("exp(-x**2/2)*cos(5*x)", compensation._OF_PARTS, bare("square")),
    "divide": ("x/sqrt(3 + x**2) + 99/100", compensation._OF_PARTS, bare("divide")),
    "cos": ("cos(pi*x)*exp(-x**2)", compensation._RULES, turned_back),
}
"""Wrong rules, each with a formula that must show it, and the table that it stands in."""


@pytest.mark.parametrize("operation", MUTANTS)
def test_a_wrong_rule_shows(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, table, rule = MUTANTS[operation]
    monkeypatch.setitem(table, operation, rule)
    assert errors(compensated(plain(text)), formula(text), POINTS).worst > 2.5


@pytest.mark.parametrize("name", sorted(compensation._SLOPES))
def test_the_slope_of_every_function_is_its_derivative(name: str) -> None:
    """f(v + d) - f(v) over d, at a d that float64 has digits for."""
    slope = Kernel(compensation._SLOPES[name](X, call(name, X)))
    places = np.array([0.2, 0.9, 1.7, 2.6])
    step = 2.0**-20
    values = [run(Kernel(call(name, X)), {"x": places + d}, "float64") for d in (-step, step)]
    np.testing.assert_allclose(run(slope, {"x": places}, "float64"), (values[1] - values[0]) / (2 * step), rtol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_overflow_and_underflow_leave_the_result_as_it_was(dtype: str) -> None:
    """What a step loses is inf - inf there, and must not reach the result; nor may digits that were flushed."""
    largest, tiny = float(np.finfo(dtype).max), float(np.finfo(dtype).tiny)
    places = np.array([math.inf, -math.inf, largest, -largest, tiny, -tiny, 3.7 * tiny, 0.0, math.nan])
    for text in ("3*x", "x*sigmoid(x)", "x*Abs(x)", "x/3", "Abs(x)/7", "tanh(3*x)"):
        before = run(plain(text), {"x": places}, dtype)
        after = run(compensated(plain(text)), {"x": places}, dtype)
        np.testing.assert_allclose(after, before, rtol=4 * float(np.finfo(dtype).eps), atol=tiny)


def test_a_constant_is_given_in_two_parts_of_which_the_first_is_a_float32() -> None:
    """Only then is it the same number in both types, and what is left of it known."""
    kernel = compensated(Kernel(call("multiply", X, Constant(math.pi, "pi"))))
    numbers = [node.value for node in kernel.nodes if isinstance(node, Constant)]
    assert float(np.float32(math.pi)) in numbers
    assert math.pi - float(np.float32(math.pi)) in numbers


def test_what_is_exact_costs_nothing() -> None:
    for exact in (call("negate", X), call("absolute", X), call("multiply", X, Constant(2.0)), call("tanh", X)):
        assert compensated(Kernel(exact)).result is exact


def test_angles_that_are_held_stay_held() -> None:
    kernel = compensated(guards.with_bounded_angles(plain("sin(3*x)")))
    found = run(kernel, {"x": np.array([1e38, 3e38, math.inf])}, "float32")
    assert np.isfinite(found).all()


@pytest.mark.parametrize("precisely", [False, True])
def test_no_two_numbers_are_added_or_multiplied_at_run_time(precisely: bool) -> None:
    """Emitted code computes them in Python's floats, in which what float32 rounds off of a constant is not lost."""
    for text in ("exp(x)*(-1/(16*sqrt(pi)))", "x*exp(-x**2)*pi", "erf(pi*exp(x))/sqrt(pi)", "pi*sigmoid(x/3)/7"):
        kernel = compensated(plain(text), precisely)
        for node in kernel.calls():
            assert node.operation == "head" or not all(isinstance(one, Constant) for one in node.operands), text
