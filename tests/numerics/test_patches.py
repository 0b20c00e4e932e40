"""Patches: polynomials that equal a formula on the whole stretch they are for, and are not used beyond it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from flint import ctx

from actgen.numerics import emulation
from actgen.numerics.kernel import Constant, Kernel, Node
from actgen.numerics.lowering import call, variables
from actgen.numerics.oracle import Oracle
from actgen.numerics.patches import Patch, around_zero, elsewhere
from actgen.numerics.shape import Shape, shape_of
from tests.numerics.judging import KNOWN, X, errors, run
from tests.symbolic.reading import formula, x

INF = math.inf
BOTH = (-1e-3, 1e-3)
LINE = Shape(x, x, X, "x")
FAR = [10.0 ** (k / 8) for k in range(300)]
Find = Callable[[Shape, Sequence[float]], tuple[Patch, ...]]


def shape(text: str) -> Shape:
    found = shape_of(formula(text), x, (), KNOWN)
    assert found is not None
    return found


def found_for(text: str, failing: Sequence[float], find: Find = around_zero) -> tuple[Patch, ...]:
    return find(shape(text), list(failing))


def places(patch: Patch) -> list[float]:
    """Points of a stretch: evenly, and in all binades towards an end that is 0 or infinite."""
    if math.isinf(patch.low) or math.isinf(patch.high):
        start = patch.low if math.isinf(patch.high) else patch.high
        return [start * 10.0 ** (k / 4) for k in range(1, 148)]
    inner = [patch.low + (patch.high - patch.low) * (k + 0.5) / 61 for k in range(61)]
    if patch.low <= 0 <= patch.high:
        inner += [end * 10.0**-k for end in (patch.low, patch.high) for k in (1, 3, 9, 20, 33)]
    return inner


def worst(text: str, patch: Patch) -> float:
    """The largest error over the stretch, in units, in either type."""
    kernel = Kernel(patch.node(LINE))
    points = [*places(patch), *(-point for point in places(patch) if patch.parity)]
    return max(errors(kernel, formula(text), points, dtype).worst for dtype in ("float32", "float64"))


def holds(patch: Patch, *points: float) -> list[bool]:
    condition = call("select", patch.holds(X), Constant(1.0), Constant(0.0))
    return [bool(value) for value in run(Kernel(condition), points, "float64")]


AROUND_ZERO = [
    ("sin(x)/x", (0.0,), 0),
    ("sin(x)/x", (*BOTH, 0.0), 0),
    ("x/(exp(x) - 1)", (*BOTH, 0.0), 0),
    ("log1p(x)/x", BOTH, 0),
    ("(exp(x) - 1 - x)/x**2", (-0.1, 0.3), 0),
    ("1/x - 1/sin(x)", BOTH, 1),
    ("x/tanh(x) - 1", (-0.2, 0.9, 1e-9), 2),
    ("1 - cos(x)", BOTH, 2),
    ("exp(x) - 1 - x", (1e-3, -0.1, 0.3), 2),
    ("x - tanh(x)", BOTH, 3),
    ("x - sin(x)", (-0.4, 1e-3, 0.7), 3),
    ("sinh(x) - sin(x)", BOTH, 3),
    ("atan(x) - x + x**3/3", (-0.1, 0.1), 5),
    ("softplus(x) - log(2) - x/2", BOTH, 2),
]


@pytest.mark.parametrize(("text", "failing", "order"), AROUND_ZERO)
def test_around_0_one_polynomial_is_as_good_as_the_formula(text: str, failing: tuple[float, ...], order: int) -> None:
    """Down to 1e-33: the power with which the formula vanishes stands outside, or all digits would go with it."""
    (patch,) = found_for(text, failing)
    assert patch.low == -patch.high
    assert patch.order == order
    assert all(abs(point) < patch.high for point in failing)
    assert worst(text, patch) < 1.5


def test_a_formula_that_is_0_is_patched_by_0() -> None:
    """The slope of log(max(x, 1)) below 1, say. The polynomial through nothing but zeros has no coefficients."""
    (patch,) = found_for("Piecewise((0, x < 1), (1/x, True))", [-0.75, -0.5], elsewhere)
    assert run(Kernel(patch.node(LINE)), [-0.75, -0.6]).tolist() == [0.0, 0.0]


def test_a_hole_at_0_is_filled_though_only_0_itself_fails() -> None:
    """sin(x)/x is accurate at 1e-38 already, and NaN at 0."""
    (patch,) = found_for("sin(x)/x", [0.0])
    assert run(Kernel(patch.node(LINE)), [0.0, -0.0]).tolist() == [1.0, 1.0]
    assert holds(patch, 0.0, 1e-9, 0.1, -0.1, 3.0) == [True, True, False, False, False]
    (patch,) = found_for("x/(exp(x) - 1)", [-0.0])
    assert run(Kernel(patch.node(LINE)), [0.0]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "failing", "at_zero"),
    [
        ("Abs(x) - atan(Abs(x))", BOTH, 0.0),
        ("Piecewise((x - sin(x), x > 0), (exp(x) - 1 - x, True))", BOTH, 0.0),
        ("Piecewise((x - sin(x), x > 0), (x, True))", (1e-3,), 0.0),
        ("Piecewise((sin(x)/x, x > 0), (x, True))", (1e-3, 0.0), 0.0),
        ("Piecewise((sin(x)/x, x >= 0), (1 + x, True))", (1e-3, 0.0), 1.0),
        ("Piecewise((1 - x/2, x > 0), (x/(exp(x) - 1), True))", (-1e-3, 0.0), 1.0),
        ("Piecewise((1 - x/2, x > 0), (x/(exp(x) - 1), True))", (0.0,), 1.0),
        ("Piecewise((2, x > 0), (1 - x, x < 0), (7, True))", BOTH, 7.0),
    ],
)
def test_across_a_kink_each_side_has_its_own_and_0_belongs_to_the_branch_that_owns_it(
    text: str, failing: tuple[float, ...], at_zero: float
) -> None:
    """0 is patched where the polynomial gives what the formula gives there, or nothing at all, and not otherwise."""
    found = found_for(text, failing)
    assert found
    zero_is_taken = False
    for patch in found:
        side = 1 if patch.high > 0 else -1
        assert holds(patch, side * 1e-9, -side * 1e-9) == [True, False]
        kernel = Kernel(patch.node(LINE))
        inside = [point for point in places(patch) if abs(point) > 1e-37]
        assert max(errors(kernel, formula(text), inside, dtype).worst for dtype in ("float32", "float64")) < 1.5
        if holds(patch, 0.0) == [True]:
            zero_is_taken = True
            assert run(kernel, [0.0], "float64").tolist() == [at_zero]
    has_hole = "/(exp" in text or "x >= 0" in text
    assert zero_is_taken or not has_hole


@pytest.mark.parametrize(
    "text", ["x*log(Abs(x))", "sqrt(Abs(x))", "exp(-1/x**2)", "x*0", "sign(x)*log1p(1/x**2)", "1/x"]
)
def test_what_no_polynomial_follows_to_0_gets_none(text: str) -> None:
    assert found_for(text, BOTH) == ()


def test_where_nothing_fails_near_0_nothing_is_patched_there() -> None:
    assert found_for("x - sin(x)", []) == ()
    assert found_for("x - sin(x)", [0.5, -0.7, 30.0, INF, math.nan]) == ()


def test_a_patch_reaches_as_far_as_a_form_fails_and_little_farther() -> None:
    for size in (1e-9, 0.05, 0.3, 0.9, 1.4):
        (patch,) = found_for("x - sin(x)", [size, -size / 2, 1e-3])
        assert size < patch.high <= max(2 * size, 2.0**-6)


def test_where_no_polynomial_covers_all_that_fails_the_longest_is_taken() -> None:
    """1/(1 + x**2) has poles at +-i: no polynomial of 26 terms equals it up to 2."""
    (patch,) = found_for("1 - 1/(1 + x**2)", [1e-3, -1e-3, 1.9])
    assert 0.1 < patch.high <= 1.0
    assert worst("1 - 1/(1 + x**2)", patch) < 1.5


def test_odd_and_even_formulas_are_exactly_odd_and_even_and_read_the_square() -> None:
    points = [1e-30, 1e-3, 0.0121]
    for text, sign in (("x - sin(x)", -1), ("1 - cos(x)", 1), ("sin(x)/x", 1), ("1/x - 1/tan(x)", -1)):
        (patch,) = found_for(text, BOTH)
        assert patch.step == 2
        right, left = (run(Kernel(patch.node(LINE)), [side * point for point in points]) for side in (1, -1))
        assert (left == sign * right).all()
        assert np.signbit(left[0]) == (sign < 0)


@pytest.mark.parametrize(
    ("text", "failing"),
    [
        ("sin(x) - 1/2", [0.5, 0.52, 0.55]),
        ("log(x)", [0.9, 1.0, 1.1]),
        ("tanh(x) - x/2", [-1.92, -1.9]),
        ("sigmoid(x) - 1/3", [-0.8, -0.7, -0.69]),
        ("x**2 - 2", [1.4, 1.41, 1.42]),
        ("x**2 - 2", [-1.42, -1.41, -1.4]),
        ("(x - 1)/log(x)", [0.99, 1.0, 1.01]),
        ("exp(-x)*(x - 30)", [29.9, 30.0, 30.1]),
    ],
)
def test_around_a_root_one_polynomial_covers_the_stretch(text: str, failing: list[float]) -> None:
    """Also where the middle of the stretch is the root itself, or a hole, and no call is spent on what is left over."""
    (patch,) = found_for(text, failing, elsewhere)
    assert holds(patch, *failing) == [True] * len(failing)
    assert holds(patch, patch.low - 0.01, patch.high + 0.01, 0.0) == [False] * 3
    mirrored = text in ("tanh(x) - x/2", "x**2 - 2")
    assert holds(patch, *(-point for point in failing)) == [mirrored] * len(failing)
    assert worst(text, patch) < 1.5


@pytest.mark.parametrize(
    "text",
    [
        "Piecewise((log(x), (x > 1/2) & (x < 2)), (0, True))",
        "Piecewise((log(x), (x > 1/2) & (x < 2)), (x**2, True))",
        "Piecewise((sin(x) - 1/2, Abs(x) < 1), (x**3, True))",
    ],
)
def test_a_formula_that_is_symmetric_only_far_out_is_not_taken_for_even_or_odd(text: str) -> None:
    """The polynomial would stand on the other side, too, where the formula is something else."""
    failing = [0.9, 1.0, 1.1] if "log" in text else [0.5, 0.52, 0.55]
    (patch,) = found_for(text, failing, elsewhere)
    assert patch.parity == 0
    assert worst(text, patch) < 1.5


@pytest.mark.parametrize(
    ("text", "sign", "order", "limit"),
    [
        ("x*(atan(x)/pi + 1/2)", -1, 0, -1 / math.pi),
        ("x*(1/2 - atan(x)/pi)", 1, 0, 1 / math.pi),
        ("x - sqrt(x**2 + 1)", 1, -1, -0.0),
        ("x + sqrt(x**2 + 1)", -1, -1, 0.0),
        ("x**3*(1/2 - atan(x)/pi)", 1, 2, INF),
        ("x**3*(1/2 - atan(x)/pi)", -1, 3, -INF),
        ("x**3/(1 + x**2) - x", -1, -1, 0.0),
        ("x**2*log1p(1/x) - x", 1, 0, -0.5),
        ("x**2*log1p(1/x) - x", -1, 0, -0.5),
    ],
)
def test_towards_an_infinity_a_polynomial_in_the_reciprocal_holds_over_all_binades(
    text: str, sign: int, order: int, limit: float
) -> None:
    """x + sqrt(x**2 + 1) is -1/(2 x) towards -inf, and 0 in float32 below -4e3."""
    found = found_for(text, [sign * point for point in FAR if point > 8], elsewhere)
    patch = next(patch for patch in found if math.isinf(patch.low) or math.isinf(patch.high))
    assert patch.order == order
    assert worst(text, patch) < 2.5
    result = run(Kernel(patch.node(LINE)), [sign * INF], "float64")[0]
    assert result == pytest.approx(limit, rel=1e-15)
    mirrored = patch.parity != 0
    assert mirrored == (text == "x**3/(1 + x**2) - x")
    assert holds(patch, sign * 1e30, sign * INF, -sign * 1e30, 0.0) == [True, True, mirrored, False]


@pytest.mark.parametrize(
    "text", ["exp(-x)", "sin(x)", "x*log(x)", "sqrt(x)", "x + sin(x)", "floor(x)/x", "softplus(-x)"]
)
def test_what_no_power_series_in_the_reciprocal_follows_gets_none(text: str) -> None:
    assert not any(math.isinf(patch.high) for patch in found_for(text, [p for p in FAR if p > 1e4], elsewhere))


def test_a_formula_that_falls_like_a_reciprocal_is_divided_by_x_and_not_multiplied_by_one() -> None:
    """1/x is flushed beyond 8.5e37 in float32, where 50/x is a normal number."""
    for text, large in (("100*(sqrt(x**2 + 1) - x)", 3e38), ("10**32*(x - x**3/(1 + x**2) - 1/x)", 2e22)):
        (patch,) = (p for p in found_for(text, [p for p in FAR if p > 8], elsewhere) if math.isinf(p.high))
        assert errors(Kernel(patch.node(LINE)), formula(text), [large, large / 2, large / 10]).worst < 2.5


def test_no_polynomial_leads_across_a_kink_or_a_jump() -> None:
    for text in ("Abs(x - 1/3)", "Piecewise((x, x < 1/3), (2*x, True))", "sqrt(Abs(x - 1/3))", "log(Abs(x - 1/3))"):
        assert found_for(text, [0.31, 1 / 3, 0.35], elsewhere) == ()


def test_a_formula_that_fails_everywhere_is_not_patched_piece_by_piece() -> None:
    """More than six polynomials are no kernel to read."""
    assert found_for("sin(20*x)", [k / 16 for k in range(16, 800)], elsewhere) == ()


def test_a_coefficient_that_is_off_by_a_billionth_is_seen() -> None:
    """If it were not, the tests above would accept any polynomial."""
    for text, failing, find, k in (
        ("x - sin(x)", BOTH, around_zero, 0),
        ("x - sin(x)", BOTH, around_zero, 1),
        ("log(x)", (0.9, 1.1), elsewhere, 1),
        ("x - sqrt(x**2 + 1)", FAR[8:], elsewhere, 0),
    ):
        patch = found_for(text, failing, find)[0]
        wrong = tuple(c * (1 + 1e-9) if i == k else c for i, c in enumerate(patch.coefficients))
        assert worst(text, replace(patch, coefficients=wrong)) > 10
    assert worst("x - sin(x)", replace(found_for("x - sin(x)", BOTH)[0], order=1)) > 100


def test_nan_is_on_no_stretch() -> None:
    for text, failing, find in (
        ("sin(x)/x", BOTH, around_zero),
        ("Abs(x) - atan(Abs(x))", BOTH, around_zero),
        ("log(x)", (0.9, 1.1), elsewhere),
        ("x - sqrt(x**2 + 1)", FAR, elsewhere),
    ):
        for patch in found_for(text, failing, find):
            assert holds(patch, math.nan) == [False]


def test_the_working_precision_is_left_as_it_was() -> None:
    before = ctx.prec
    found_for("x - sin(x)", BOTH)
    found_for("1/x", BOTH)
    found_for("x - sqrt(x**2 + 1)", FAR, elsewhere)
    assert ctx.prec == before


beta = sp.Symbol("beta", positive=True)
gamma = sp.Symbol("gamma", real=True)
PARAMETERS = variables((x, beta, gamma), (x,))


@pytest.mark.parametrize(
    "text",
    [
        "x - tanh(beta*x)/beta",
        "beta*x - sin(beta*x)",
        "x/(exp(x/beta) - 1)",
        "beta**2*(1 - cos(x/beta))",
        "softplus(beta*x)/beta - log(2)/beta - x/2",
        "Piecewise((sin(beta*x) - beta*x, x > 0), (exp(beta*x) - 1 - beta*x, True))",
    ],
)
def test_with_a_parameter_that_only_scales_the_polynomial_is_in_the_scaled_input(text: str) -> None:
    """g(beta x) beta**m: one polynomial serves every beta."""
    expression = formula(text, beta)
    found = shape_of(expression, x, (beta, gamma), PARAMETERS)
    assert found is not None
    near = [side * size for side in (1, -1) for size in (0.012, 1e-3, 1e-6, 1e-20)]
    for patch in around_zero(found, BOTH):
        node = patch.node(found)
        for value in (1.0, 2.0, 0.25, 37.5):
            z = np.array([point for point in near if patch.low < point < patch.high])
            places = z * value if "x/beta" in text else z / value
            places = places.astype(np.float32).astype(np.float64)
            exact = Oracle(expression, x, (beta,))(places, {"beta": Fraction(value)}).high
            result = emulation.run(Kernel(node), {"x": places, "beta": value}, "float32")
            assert np.allclose(result, exact, rtol=1e-6, atol=1.2e-38), (value, result, exact)


@pytest.mark.parametrize(
    "text", ["x - sin(x) + beta", "tanh(beta*x) - x", "sin(x + beta)", "x**beta", "sin(beta*x)*gamma"]
)
def test_where_parameters_do_more_than_scale_there_is_no_shape(text: str) -> None:
    assert shape_of(formula(text, beta, gamma), x, (beta, gamma), PARAMETERS) is None


def test_a_condition_is_scaled_only_by_what_cannot_turn_it_round() -> None:
    """x > 0 is z > 0 for z = beta x with beta > 0, and not for a gamma of either sign."""
    text = "Piecewise((sin({0}*x), x > 0), (expm1({0}*x), True))"
    assert shape_of(formula(text.format("beta"), beta, gamma), x, (beta, gamma), PARAMETERS) is not None
    assert shape_of(formula(text.format("gamma"), beta, gamma), x, (beta, gamma), PARAMETERS) is None


def test_without_parameters_the_formula_is_its_own_shape() -> None:
    found = shape("x - sin(x)")
    assert (found.function, found.z, found.node) == (formula("x - sin(x)"), x, X)
    result: Node = Constant(2.0)
    assert found.scaled(result) is result
