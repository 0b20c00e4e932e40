"""The derivative of every primitive, held against the exact function itself."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb

from actgen.symbolic.balls import BallFunction
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.primitives import (
    DERIVATIVES,
    arccot,
    erfc,
    expm1,
    is_primitive,
    log1p,
    sech,
    sigmoid,
    softplus,
    tanh,
)
from tests.symbolic.reading import agree, exact, precision, value, x

# Away from 0 and from whole numbers, where Abs, sign and floor have no derivative in the ordinary sense.
POSITIVE = (0.03125, 0.7, 1.3, 4.9, 17.3)
POINTS = (*POSITIVE, *(-point for point in POSITIVE))
DOMAINS = {sp.log: POSITIVE, log1p: (*POSITIVE, -0.7)}


@pytest.mark.parametrize("function", DERIVATIVES, ids=lambda f: f.__name__)
def test_each_derivative_is_the_limit_of_the_difference_quotient(function: type[sp.Function]) -> None:
    """A central difference with h = 2**-300 at 1,000 bits is within about 2**-600 of the slope; a wrong sign, factor or
    argument in DERIVATIVES is off by far more than 2**-250.
    """
    slope = BallFunction(DERIVATIVES[function](x), (x,))
    itself = BallFunction(function(x), (x,))
    for point in DOMAINS.get(function, POINTS):
        with precision(1500):
            h = arb(2) ** -300
            above, below, there = itself(exact(point) + h), itself(exact(point) - h), slope(exact(point))
            assert above is not None
            assert below is not None
            assert there is not None
            assert abs((above - below) / (2 * h) - there) < arb(2) ** -250 * (1 + abs(there)), (function, point)


@pytest.mark.parametrize("function", [sigmoid, softplus, tanh, sech, erfc, arccot])
def test_sympys_own_differentiation_of_our_primitives_agrees_with_the_table(function: type[sp.Function]) -> None:
    """`fdiff` serves SymPy's series and simplifiers; a second truth there would be one too many."""
    assert sp.diff(function(x), x) == DERIVATIVES[function](x)


@pytest.mark.parametrize(
    ("name", "slope"),
    [("sigmoid", sigmoid(x) * sigmoid(-x)), ("tanh", sech(x) ** 2), ("softplus", sigmoid(x))],
)
def test_no_derivative_of_a_saturating_primitive_holds_a_difference(name: str, slope: sp.Expr) -> None:
    """1 - tanh(x)**2 would lose every digit beyond |x| = 9 in float32."""
    function = {"sigmoid": sigmoid, "tanh": tanh, "softplus": softplus}[name]
    assert differentiate(function(x), x) == slope
    assert not differentiate(function(x), x).atoms(sp.Add)


@pytest.mark.parametrize(
    ("made", "folded"),
    [
        (sigmoid(sp.Integer(0)), sp.Rational(1, 2)),
        (tanh(sp.Integer(0)), sp.Integer(0)),
        (tanh(-x), -tanh(x)),
        (sech(sp.Integer(0)), sp.Integer(1)),
        (sech(-x), sech(x)),
        (erfc(sp.Integer(0)), sp.Integer(1)),
        (arccot(sp.Integer(0)), sp.pi / 2),
    ],
)
def test_exact_values_and_signs_are_folded(made: sp.Expr, folded: sp.Expr) -> None:
    assert made == folded


def test_erfc_of_a_negative_argument_stays_erfc() -> None:
    """SymPy's own turns erfc(-u) into 2 - erfc(u), which cancels."""
    assert isinstance(erfc(-x), erfc)
    assert erfc(-x) != 2 - erfc(x)


def test_arccot_of_a_negative_argument_stays_between_half_a_turn_and_a_whole_one() -> None:
    """Not the odd arc cotangent that jumps at 0: it is pi/2 - atan(u) for every u, and arccot(-u) = pi - arccot(u)."""
    assert isinstance(arccot(-x), arccot)
    for point in (-30.0, -1.0, -0.25, 0.0, 0.75, 1.0, 1.25, 40.0):
        assert agree(value(arccot(x), point), value(sp.pi / 2 - sp.atan(x), point, bits=400))
        assert agree(value(arccot(-x), point), value(sp.pi - arccot(x), point, bits=400))


@pytest.mark.parametrize("function", [sigmoid, softplus, sech, erfc, arccot])
def test_what_is_declared_positive_is_positive_far_out_on_both_sides(function: type[sp.Function]) -> None:
    for point in (-700.0, -30.0, 0.0, 25.0, 700.0):
        found = value(function(x), point, bits=4000)
        assert found is not None
        assert found > 0, (function, point)


def test_only_functions_with_a_derivative_are_primitives() -> None:
    assert is_primitive(expm1)
    assert not is_primitive(sp.tanh)
    assert not is_primitive(sp.erfc)
    assert not is_primitive(sp.gamma)
