"""The character of functions whose character is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import sympy as sp

from actgen.symbolic.formula import Formula
from actgen.symbolic.properties import Properties, number_text, properties
from tests.symbolic.reading import formula, x


def character(text: str, limits: Sequence[float | None]) -> Properties:
    return properties(Formula(formula(text), (x,), ()), {}, limits)


INF = math.inf
MISH, GELU, SILU = "x*tanh(softplus(x))", "x*normal_cdf(x)", "x*sigmoid(x)"


@pytest.mark.parametrize(
    ("text", "limits", "parity", "kinks", "roots", "range_", "monotonicity", "lipschitz"),
    [
        ("relu(x)", (0.0, INF), None, (0.0,), ("[-inf, 0]",), ("0", "inf"), "increasing", "1"),
        ("tanh(x)", (-1.0, 1.0), "odd", (), ("0",), ("-1", "1"), "increasing", "1"),
        ("sigmoid(x)", (0.0, 1.0), None, (), (), ("0", "1"), "increasing", "1/4"),
        ("sigmoid(-x)", (1.0, 0.0), None, (), (), ("0", "1"), "decreasing", "1/4"),
        ("softplus(x)", (0.0, INF), None, (), (), ("0", "inf"), "increasing", "1"),
        # minimum of mish at -1.19241, of gelu at -0.75179, of silu at -1.27846; largest slopes at 1.49, sqrt(2), 2.3994
        (MISH, (0.0, INF), None, (), ("0",), ("-0.308843", "inf"), None, "1.0885"),
        (GELU, (0.0, INF), None, (), ("0",), ("-0.169971", "inf"), None, "1.1289"),
        (SILU, (0.0, INF), None, (), ("0",), ("-0.278465", "inf"), None, "1.09984"),
        ("x*Abs(x)", (-INF, INF), "odd", (), ("0",), ("-inf", "inf"), "increasing", "inf"),
        ("Abs(x)", (INF, INF), "even", (0.0,), ("0",), ("0", "inf"), None, "1"),
        ("x - tanh(x)", (-INF, INF), "odd", (), ("0",), ("-inf", "inf"), "increasing", "1"),
        ("x**2", (INF, INF), "even", (), ("0",), ("0", "inf"), None, "inf"),
        ("x**3 - x", (-INF, INF), "odd", (), ("-1", "0", "1"), ("-inf", "inf"), None, "inf"),
        ("exp(-x**2)", (0.0, 0.0), "even", (), (), ("0", "1"), None, "0.857764"),
        ("clip(x, -1, 2)", (-1.0, 2.0), None, (-1.0, 2.0), ("0",), ("-1", "2"), "increasing", "1"),
        ("clip(x/6 + 1/2, 0, 1)", (0.0, 1.0), None, (-3.0, 3.0), ("[-inf, -3]",), ("0", "1"), "increasing", "1/6"),
        ("Piecewise((x, Abs(x) > 1/2), (0, True))", (-INF, INF), "odd", None, ("[-1/2, 1/2]",), None, None, None),
        ("Heaviside(x)", (0.0, 1.0), None, (0.0,), ("[-inf, 0]",), ("0", "1"), "increasing", "0"),
    ],
)
def test_the_character_of_functions_whose_character_is_known(
    text: str,
    limits: tuple[float, float],
    parity: str | None,
    kinks: tuple[float, ...] | None,
    roots: tuple[str, ...],
    range_: tuple[str, str] | None,
    monotonicity: str | None,
    lipschitz: str | None,
) -> None:
    found = character(text, limits)
    assert found.parity == parity
    assert found.roots == roots
    if kinks is not None:
        assert found.kinks == kinks
    if range_ is not None:
        assert found.range == range_
        assert found.monotonicity == monotonicity
    if lipschitz is not None:
        assert found.lipschitz == lipschitz
    assert found.limit_values == limits


def test_a_function_without_a_limit_has_no_range() -> None:
    found = character("sin(x)", (None, None))
    assert found.limits == (None, None)
    assert found.range is None
    assert found.parity == "odd"
    assert found.lipschitz == "1"


def test_almost_odd_is_not_odd() -> None:
    """1e-25 is far below float64; a float comparison would call it odd."""
    assert character("tanh(x) + x**2/10**25", (None, None)).parity is None
    assert character("Piecewise((1, x >= 0), (-1, True))", (None, None)).parity is None
    assert character("Piecewise((x, x > 1), (-x, x < -1), (x, x < 1), (0, True))", (None, None)).parity is None
    assert character("sin(x)/x", (None, None)).parity == "even"
    assert character("cos(x) + sin(x)/10**25", (None, None)).parity is None


def test_a_seam_between_grid_points_is_found_to_the_last_bit() -> None:
    for text, places in (
        ("Abs(x - 1/3)", [1 / 3]),
        ("Max(x, 1/7)", [1 / 7]),
        ("Piecewise((0, x**2 < 2), (x, True))", [-math.sqrt(2), math.sqrt(2)]),
    ):
        assert list(character(text, (None, None)).seams) == pytest.approx(places, rel=3e-16), text


@pytest.mark.parametrize(
    ("text", "seams", "kinks"),
    [
        ("Piecewise((exp(1 - 1/(1 - x**2)), Abs(x) < 1), (0, True))", (-1.0, 0.0, 1.0), ()),
        ("sign(x)*(1 - exp(-Abs(x)))", (0.0,), ()),
        ("Piecewise((x, x > 0), (exp(x) - 1, True))", (0.0,), ()),
        ("Piecewise((x, x > 0), (2*(exp(x) - 1), True))", (0.0,), (0.0,)),
        ("Piecewise((x, x > 3/8), (1, True))", (0.375,), (0.375,)),
        ("sqrt(Abs(x))", (0.0,), (0.0,)),
        ("sign(x)*sqrt(Abs(x))", (0.0,), (0.0,)),  # the slope is infinite
        ("Abs(x)**1.25", (0.0,), ()),
        ("Abs(x - 1)*relu(x)", (0.0, 1.0), (0.0, 1.0)),
        ("Heaviside(x - 2)", (2.0,), (2.0,)),
        # Without end: what a grid finds are some of them.
        ("x - floor(x)", (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0), None),
        ("Abs(sin(x))", None, None),
        ("Max(0, sin(x))", None, None),
    ],
)
def test_a_kink_is_a_seam_where_the_value_or_the_slope_jumps(
    text: str, seams: tuple[float, ...] | None, kinks: tuple[float, ...] | None
) -> None:
    found = character(text, (None, None))
    assert found.kinks == kinks
    assert seams is None or found.seams == seams


def test_what_rises_and_jumps_back_is_not_increasing() -> None:
    assert character("x - floor(x)", (None, None)).monotonicity is None
    assert character("floor(x)", (-INF, INF)).monotonicity == "increasing"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.5, "1/2"),
        (1 / 3, "1/3"),
        (-1.0, "-1"),
        (0.0, "0"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (0.01, "0.01"),
        (1.0507009873554805, "1.0507"),
        (sp.pi.evalf(), "3.14159"),
    ],
)
def test_numbers_are_written_as_a_person_would(number: float, text: str) -> None:
    assert number_text(float(number)) == text
