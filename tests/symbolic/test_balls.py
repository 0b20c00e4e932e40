"""Ball arithmetic: a value that is proved, or an admission."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import sympy as sp
from flint import arb, fmpq

from actgen.symbolic.balls import FUNCTIONS, BallFunction, ball
from actgen.symbolic.primitives import DERIVATIVES, arccot, sech, sigmoid, softplus
from tests.symbolic.reading import agree, exact, formula, precision, value, x

mpmath: Any = import_module("mpmath")  # comes with SymPy; has no types


def test_exact_evaluation_covers_exactly_what_has_a_derivative() -> None:
    assert set(FUNCTIONS) == set(DERIVATIVES)


MEANINGS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "Abs": abs,
    "sign": mpmath.sign,
    "floor": mpmath.floor,
    "arccot": lambda u: mpmath.pi / 2 - mpmath.atan(u),
    **{
        name: getattr(mpmath, name)
        for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sech", "asinh")
    },
    **{name: getattr(mpmath, name) for name in ("atan", "erf", "erfc")},
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_every_function_has_mpmaths_value_with_120_digits(function: type[sp.Function]) -> None:
    """mpmath shares nothing with FLINT. Working at 500 digits keeps its own cancellation (log(1 + e**-200)) out."""
    for point in ("0.5", "1.25", "3", "200.75", "-0.5", "-2.25", "-200.75"):
        if function is sp.log and point.startswith("-"):
            continue
        if function.__name__ == "log1p" and float(point) <= -1:
            continue
        ours = value(function(x), point, bits=2000)
        assert ours is not None
        with mpmath.workdps(500):
            theirs = mpmath.nstr(MEANINGS[function.__name__](mpmath.mpf(point)), 420)
        with precision(1500):
            assert agree(ours, arb(theirs), bits=400), (function, point)


def test_a_condition_that_the_precision_cannot_decide_is_admitted_and_not_guessed() -> None:
    """log(2)**2 against itself: equal, so no precision decides; 2**-300 more is decided with enough."""
    tie = formula("Piecewise((1, log(2 + 0*x)*log(x) > log(2)**2), (2, True))")
    assert value(tie, "2") is None
    near = sp.Integer(2) + sp.Rational(1, 2**300)
    assert value(tie, near, bits=128) is None
    assert value(tie, near, bits=1000) == 1


def test_an_exact_number_at_a_kink_is_decided_at_any_precision() -> None:
    for bits in (24, 53, 128):
        assert value(formula("Piecewise((x, x > 1), (2*x, x == 1), (3*x, True))"), "1", bits) == 2
        assert value(formula("Piecewise((x, x != 1/4), (7, True))"), "1/4", bits) == 7
        assert value(formula("Abs(x)"), "0", bits) == 0
        assert value(formula("floor(x)"), "3", bits) == 3


def test_a_threshold_that_is_no_binary_fraction_is_undecided_only_within_its_own_radius() -> None:
    relay = formula("Piecewise((1, x < 1/3), (2, True))")
    assert value(relay, float.fromhex("0x1.5555555555555p-2")) == 1
    assert value(relay, float.fromhex("0x1.5555555555556p-2")) == 2


def test_and_or_and_not_are_decided_when_one_side_settles_them() -> None:
    unknown = "log(2)*log(x) > log(2)**2"
    assert value(formula(f"Piecewise((1, (x < 0) & ({unknown})), (2, True))"), "2") == 2
    assert value(formula(f"Piecewise((1, (x > 0) | ({unknown})), (2, True))"), "2") == 1
    assert value(formula(f"Piecewise((1, (x > 0) & ({unknown})), (2, True))"), "2") is None
    assert value(formula(f"Piecewise((1, (x < 0) | ({unknown})), (2, True))"), "2") is None


def test_an_undecided_condition_after_one_that_holds_does_no_harm() -> None:
    later = formula("Piecewise((5, x > 1), (1, log(2)*log(x) > log(2)**2), (2, True))")
    assert value(later, "2") == 5


@pytest.mark.parametrize(
    ("text", "point"),
    [("log(x)", "-1"), ("sqrt(x)", "-1"), ("1/x", "0"), ("log(x)", "0"), ("x**(1/3)", "-8"), ("log1p(x)", "-2")],
)
def test_where_a_formula_has_no_real_value_the_ball_is_not_finite(text: str, point: str) -> None:
    found = value(formula(text), point)
    assert found is not None
    assert not found.is_finite()


@pytest.mark.parametrize(
    "text",
    [
        "1/Heaviside(x)",
        "Abs(1/Heaviside(x))",
        "Piecewise((log(-1), x < 0), (x, True))",
        "sqrt(clip(x, -1/2, 1))",
        "tan(1/Heaviside(x))/tan(1)",
        "4*atan(1/Heaviside(x))/pi",
    ],
)
def test_a_branch_that_sympy_folds_to_no_real_number_spoils_only_itself(text: str) -> None:
    """SymPy writes zoo and I there; the other branch is as good as ever."""
    expression = formula(text)
    left, right = value(expression, "-1/2"), value(expression, "1")
    assert left is not None
    assert not left.is_finite()
    assert right is not None
    assert right.contains(1)


def test_general_powers_keep_the_cases_that_have_a_value() -> None:
    assert value(formula("x**x"), "3") == 27
    assert value(formula("Abs(x)**(1/2)"), "0") == 0
    assert value(formula("Abs(x)**(x + 1)"), "0") == 0
    assert agree(value(formula("x**(2/3)"), "8"), exact("4"))
    assert value(formula("x**(1/3)"), "0") == 0
    assert value(formula("sign(x)*Abs(x)**(2/5)"), "0") == 0
    assert agree(value(formula("x**(-3/2)"), "4"), exact("1/8"))


def test_a_huge_argument_does_not_swamp_a_saturating_function() -> None:
    """exp(2**300) has no ball that is finite; sigmoid and softplus must not go through it."""
    huge = sp.Integer(2) ** 300
    assert agree(value(formula("sigmoid(x)"), huge), exact("1"))
    assert agree(value(formula("softplus(x)"), huge), exact(huge))
    found = value(formula("sech(x)"), huge)
    assert found is not None
    assert abs(found) < arb(2) ** -2000


def test_a_difference_of_angles_far_out_is_known_to_all_digits() -> None:
    """Pi/2 - atan(2**300) cancels 300 bits; arccot(u) is 1/u - 1/(3 u**3) there, and pi on the other side."""
    huge = sp.Integer(2) ** 300
    assert agree(value(formula("1/x"), huge), value(arccot(x), huge))
    with precision(200):
        assert agree(value(arccot(x), -huge), arb.pi() - exact(1 / huge), bits=150)


def test_a_ball_across_the_switch_of_a_function_holds_the_values_on_both_sides() -> None:
    """arccot and softplus are computed differently on either side of 1 and of 0: a ball knows only that it is near."""
    for function, middle in ((arccot, 1), (softplus, 0), (sigmoid, 0), (sech, 0)):
        with precision(100):
            itself = BallFunction(function(x), (x,))
            found = itself(arb(middle, 0.25))
            assert found is not None
            for point in (middle - 0.25, middle - 1e-9, middle, middle + 1e-9, middle + 0.25):
                inside = itself(arb(point))
                assert inside is not None
                assert found.contains(inside.mid())
            assert found.rad() < 0.6


def test_a_node_without_exact_evaluation_is_refused_when_compiled() -> None:
    with pytest.raises(TypeError, match="gamma"):
        BallFunction(sp.gamma(x), (x,))


def test_equal_subexpressions_are_evaluated_once() -> None:
    once = BallFunction(formula("sigmoid(x)"), (x,))
    thrice = BallFunction(formula("sigmoid(x) + sigmoid(x)**2 + sigmoid(x)**3"), (x,))
    assert len(thrice._steps) <= len(once._steps) + 5


def test_a_ball_of_a_rational_holds_it() -> None:
    with precision(64):
        third = ball(sp.Rational(1, 3))
        assert third.contains(arb(fmpq(1, 3)).mid())
        assert (3 * third).contains(1)
        assert ball(sp.Rational(3, 8)).is_exact()
