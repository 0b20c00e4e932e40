"""The oracle: right to the last bit, or silent."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import ctx

from actgen.numerics.oracle import Oracle
from tests.symbolic.reading import formula, x

mpmath: Any = import_module("mpmath")  # comes with SymPy; has no types

beta = sp.Symbol("beta", positive=True)
INF = math.inf


def answers(text: str, *points: float) -> list[float]:
    return list(map(float, Oracle(formula(text), x)(np.array(points), {}).high))


def test_a_value_is_the_nearest_float64_and_the_rest_of_it() -> None:
    """1/3 = high + low to 2**-105 relative; a low of 0 or of the wrong sign is off by 2**-54."""
    exact = Oracle(formula("x/3"), x)(np.array([1.0]), {})
    assert exact.high[0] == 1 / 3
    rest = Fraction(1, 3) - Fraction(exact.high[0]) - Fraction(exact.low[0])
    assert abs(rest) < Fraction(1, 2**100)
    assert exact.low[0] != 0


UNARY = {
    "exp": mpmath.exp,
    "log1p": mpmath.log1p,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "atan": mpmath.atan,
    "asinh": mpmath.asinh,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "Abs": abs,
    "floor": mpmath.floor,
}


def random_formula(rng: random.Random, depth: int) -> tuple[str, Any]:
    """A text, and the function of an mpmath number that it stands for."""
    if depth == 0:
        number = rng.choice([None, None, "2", "1/3", "5/4"])
        if number is None:
            return "x", lambda u: u
        top, _, bottom = number.partition("/")
        return number, lambda u: mpmath.mpf(int(top)) / int(bottom or 1)
    if rng.random() < 0.6:
        name = rng.choice(sorted(UNARY))
        inner, of = random_formula(rng, depth - 1)
        return f"{name}({inner})", lambda u: UNARY[name](of(u))
    (left, f), (right, g) = random_formula(rng, depth - 1), random_formula(rng, depth - 1)
    sign = rng.choice("+-*")
    return f"({left} {sign} {right})", lambda u: {"+": f(u) + g(u), "-": f(u) - g(u), "*": f(u) * g(u)}[sign]


@pytest.mark.parametrize("seed", range(30))
def test_random_formulas_agree_with_mpmath_at_300_digits(seed: int) -> None:
    text, meaning = random_formula(random.Random(seed), 3)
    points = [-7.3, -0.61, 2.0**-20, 1.1, 4.75]
    exact = Oracle(formula(text), x)(np.array(points), {})
    with mpmath.workdps(300):
        for point, high, decided in zip(points, exact.high.tolist(), exact.decided.tolist(), strict=True):
            theirs = meaning(mpmath.mpf(point))
            if decided and isinstance(theirs, mpmath.mpf) and abs(theirs) < mpmath.mpf(10) ** 308:
                # float() of an mpf truncates subnormals; none of these formulas gets there but by exactly 0.
                assert high == float(theirs), (text, point)


def test_cancellation_is_overcome_by_precision() -> None:
    """At 1e-30, x - sin(x) loses 200 bits; it is x**3/6 to 60 digits."""
    (found,) = answers("x - sin(x)", 1e-30)
    with mpmath.workdps(200):
        assert found == float(mpmath.mpf(1e-30) ** 3 / 6)
    assert answers("(1 + erf(x))/2", -25.0) == [pytest.approx(4.15e-274, rel=1e-2)]


def test_what_cannot_be_enclosed_is_undecided_and_nan_and_never_a_guess() -> None:
    for text, point in (
        ("sqrt(x)", -1.0),
        ("log(x)", -3.0),
        ("1/x", 0.0),
        ("log(1 + exp(x)) - log(1 + exp(x))*cos(0*x)", 1e300),
        ("Piecewise((1, log(2)*log(x) > log(2)**2), (2, True))", 2.0),
        ("sin(x)**2 + cos(x)**2 - 1", 1.0),  # 0, but no precision proves it
    ):
        exact = Oracle(formula(text), x)(np.array([point]), {})
        assert exact.decided.tolist() == [False] or exact.high.tolist() == [0.0], text
        if not exact.decided[0]:
            assert math.isnan(exact.high[0]), text


def test_a_kink_is_decided_exactly_and_on_both_sides_of_it() -> None:
    above, below = math.nextafter(0.5, 1), math.nextafter(0.5, 0)
    assert answers("Piecewise((1, x < 1/2), (2, x == 1/2), (3, True))", below, 0.5, above) == [1, 2, 3]
    assert answers("Max(0, x)", -5e-324, 0.0, 5e-324) == [0, 0, 5e-324]
    # The float nearest to 1/3 is below it, its successor above.
    assert answers("Heaviside(x - 1/3)", 1 / 3, math.nextafter(1 / 3, 1)) == [0, 1]
    assert answers("floor(3*x)", 1 / 3, math.nextafter(1 / 3, 1)) == [0, 1]


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("x*sigmoid(x)", 0.0, INF),
        ("tanh(x)", -1.0, 1.0),
        ("sigmoid(-x)", 1.0, 0.0),
        ("atan(x)", -math.pi / 2, math.pi / 2),
        ("x - tanh(x)", -INF, INF),
        ("exp(-x**2)", 0.0, 0.0),
        ("asinh(x)", -INF, INF),
        ("log1p(Abs(x))", INF, INF),
        ("x/(1 + Abs(x))", -1.0, 1.0),
        ("1/(1 + x**2)", 0.0, 0.0),
        ("sqrt(x**2 + 1) - x", INF, 0.0),
        ("x**3 - 100*x**2", -INF, INF),
        ("-softplus(x)", 0.0, -INF),
    ],
)
def test_limits_at_the_infinities(text: str, left: float, right: float) -> None:
    oracle = Oracle(formula(text), x)
    assert (oracle.limit(-1, {}), oracle.limit(1, {})) == (left, right)
    assert oracle(np.array([-INF, INF]), {}).high.tolist() == [left, right]


@pytest.mark.parametrize(
    "text",
    [
        "sin(x)",
        "x*sin(x)",
        "cos(x)/2 + x*cos(x)",
        "tan(x)",
        # Constant at whole numbers, or at even ones, which powers of 2 are.
        "x - floor(x)",
        "Abs(x - 2*floor((x + 1)/2))",
        "sin(2*pi*x)",
        "x*sin(pi*x)**2",
    ],
)
def test_an_oscillation_has_no_limit(text: str) -> None:
    exact = Oracle(formula(text), x)(np.array([INF, -INF]), {})
    assert exact.decided.tolist() == [False, False]
    assert np.isnan(exact.high).all()


@pytest.mark.parametrize(
    ("text", "right"), [("floor(x)", INF), ("sin(x)/x", 0.0), ("x + sin(x)**2", INF), ("(x - floor(x))*exp(-x)", 0.0)]
)
def test_what_waves_or_steps_may_have_a_limit(text: str, right: float) -> None:
    assert Oracle(formula(text), x).limit(1, {}) == right


def test_nan_gives_nan() -> None:
    exact = Oracle(formula("Heaviside(x)"), x)(np.array([math.nan]), {})
    assert math.isnan(exact.high[0])
    assert exact.decided[0]


def test_values_beyond_float64_are_infinite_and_values_below_it_zero() -> None:
    assert answers("exp(x)", 709.0, 710.0, 1e70, -1e70) == [math.exp(709.0), INF, INF, 0.0]
    assert answers("-x**3", 1e200, -1e200) == [-INF, INF]
    assert answers("x*sigmoid(x)", -1e5) == [0.0]
    # Beyond 2**256 a ball has no exponent for it.
    assert answers("exp(x)", 1e300, -1e300) == [INF, 0.0]
    assert answers("exp(-exp(x))", 1e300, -1e300) == [0.0, 1.0]
    # The smallest subnormal is an answer, not 0.
    assert answers("x", 5e-324) == [5e-324]


def test_huge_and_tiny_inputs_are_exact() -> None:
    largest = float(np.finfo(np.float64).max)
    assert answers("softplus(x)", largest, -largest) == [largest, 0.0]
    assert answers("x/sqrt(1 + x**2)", largest, -largest) == [1.0, -1.0]
    with mpmath.workdps(400):
        assert answers("sin(x)", largest, 1e22) == [float(mpmath.sin(mpmath.mpf(p))) for p in (largest, 1e22)]
    assert answers("tanh(x)", 5e-324, 1e-200) == [5e-324, 1e-200]


def test_a_point_asked_twice_is_remembered_for_its_own_parameters_only() -> None:
    oracle = Oracle(formula("x*sigmoid(beta*x)", beta), x, (beta,))
    one, two = (oracle(np.array([2.0]), {"beta": value}).high[0] for value in (1.0, Fraction(2)))
    assert one != two
    assert oracle(np.array([2.0]), {"beta": 1}).high[0] == one
    assert oracle(np.array([2.0]), {"beta": Fraction(1, 1)}).high[0] == one


def test_an_equal_formula_is_asked_where_the_first_does_not_decide() -> None:
    """No precision proves that sin(x)**2 + cos(x)**2 is not above 1."""
    point = np.array([1.0])
    circle = formula("Piecewise((1, sin(x)**2 + cos(x)**2 > 1), (2, True))")
    assert not Oracle(circle, x)(point, {}).decided[0]
    assert Oracle(circle, x, equals=(formula("2 + 0*x"),))(point, {}).high.tolist() == [2.0]


@pytest.mark.parametrize(
    ("text", "right", "left"),
    [
        ("log(1 + exp(x))", 1e300, 0.0),
        ("x*exp(x)/(1 + exp(x))", 1e300, 0.0),
        ("exp(x)/(1 + exp(x))", 1.0, 0.0),
        ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", 1.0, -1.0),
        ("x*tanh(log(1 + exp(x)))", 1e300, 0.0),
        ("log(1 + exp(beta*x))/beta", 1e300, 0.0),
        ("Piecewise((x, exp(x) > 1), (exp(x) - 1, True))", 1e300, -1.0),
        ("asinh(exp(x)) - x", math.log(2), 1e300),
        ("sin(exp(x))*exp(-x)", 0.0, 1.0),
    ],
)
def test_exponentials_beyond_every_exponent_range_are_cancelled(text: str, right: float, left: float) -> None:
    oracle = Oracle(formula(text, beta), x, (beta,))
    exact = oracle(np.array([1e300, -1e300]), {"beta": 2})
    if exact.decided.all():
        assert exact.high.tolist() == [right, left]
    else:
        assert "sin" in text  # sin(exp(1e300)) is some number in [-1, 1]


def test_a_ball_around_0_in_a_power_is_no_reason_to_give_up() -> None:
    """tanh(log(1 + exp(-90)))**2 is a ball around 0 at 128 bits."""
    (found,) = answers("x*tanh(log(1 + exp(x)))**2 + x*exp(x)", -90.0)
    with mpmath.workdps(80):
        t = mpmath.exp(-90)
        assert found == float(-90 * mpmath.tanh(mpmath.log1p(t)) ** 2 - 90 * t)


def test_a_hole_takes_the_value_of_its_neighbours_and_what_is_not_told_there_is_no_hole() -> None:
    assert answers("sin(x)/x", 0.0) == [1.0]
    assert answers("(1 - cos(x))/x", 0.0) == [0.0]
    for text, point in (("1/x", 0.0), ("log(x**2)", 0.0), ("Heaviside(sin(x)**2 + cos(x)**2 - 1)", 1.0)):
        assert not Oracle(formula(text), x)(np.array([point]), {}).decided[0]


def test_the_working_precision_is_left_as_it_was() -> None:
    before = ctx.prec
    answers("x - sin(x)", 1e-30)
    assert ctx.prec == before
