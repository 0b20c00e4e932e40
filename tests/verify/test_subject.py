"""What a framework is asked of an activation, and what it is held to."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actgen.numerics.oracle import Floats
from actgen.verify.subject import Subject

SPECS = Path(__file__).resolve().parents[2] / "specs"
COUNT = 2**14


def subject(name: str) -> Subject:
    return Subject(SPECS / f"{name}.toml", COUNT)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_nan_and_three_floats_on_either_side_of_a_kink_are_among_the_points(dtype: str) -> None:
    relu6 = subject("relu6")
    assert relu6.kinks(dtype, 0) == (0.0, 6.0)
    points = relu6.points(dtype, 0).tolist()
    assert {math.inf, -math.inf} <= set(points)
    assert sum(math.isnan(point) for point in points) == 1
    for end in (-np.inf, np.inf):
        near = np.dtype(dtype).type(6)
        for _ in range(3):
            near = np.nextafter(near, near.dtype.type(end))
            assert float(near) in points


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_every_half_number_is_asked_at_the_defaults_and_every_finite_one_elsewhere(dtype: str) -> None:
    swish = subject("swish")
    assert len(swish.points(dtype, 0)) == 2**16
    elsewhere = swish.points(dtype, 1)
    exponents = 8 if dtype == "bfloat16" else 5
    assert len(elsewhere) == 2**16 - 2 ** (16 - exponents)
    assert np.isfinite(elsewhere).all()


def test_each_parameter_is_tried_at_other_values_with_the_rest_at_their_defaults() -> None:
    swish = subject("swish")
    assert [float(setting["beta"]) for setting in swish.settings] == [1.0, 3.0, 0.25, 2.0**-10, 0.0, -1.0, 32.0]
    assert [swish.describe(i) for i in (0, 1)] == ["", "beta = 3"]
    several = subject("hard_tanh")
    assert len(several.settings) > 3
    for setting in several.settings[1:]:
        assert sum(value != several.settings[0][name] for name, value in setting.items()) == 1


def test_what_is_right_is_right_for_the_parameter_that_the_code_is_given() -> None:
    """0.01 is no float: the slope of leaky_relu in float32 is the float32 next to it."""
    leaky, points = subject("leaky_relu"), np.array([-1.0, 1.0])
    single = float(np.float32(0.01))
    assert single != 0.01
    for dtype, given in (("bfloat16", single), ("float32", single), ("float64", 0.01)):
        assert leaky.rounded(0, dtype) == {"negative_slope": given}
        assert leaky.truth((), dtype, 0)(points).high.tolist() == [-given, 1.0]
    assert leaky.truth((), "float64", 1)(points).high.tolist() == [-0.03, 1.0]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), lambda z, s: z * s),
        (("x",), lambda z, s: s + 3 * z * s * (1 - s)),
        (("x", "x"), lambda z, s: 3 * s * (1 - s) * (2 + 3 * z * (1 - 2 * s))),
        (("beta",), lambda z, s: z**2 * s * (1 - s)),
    ],
)
def test_each_derivative_is_held_to_its_own_formula(
    order: tuple[str, ...], expected: Callable[[Floats, Floats], Floats]
) -> None:
    z = np.array([-3.0, -0.5, 0.25, 2.0])
    right = expected(z, 1 / (1 + np.exp(-3 * z)))
    swish = subject("swish")
    np.testing.assert_allclose(swish.truth(order, "float64", 1, count=4)(z).high, right, rtol=1e-11)
    assert swish.by_input((0, 1, 2)) == ((), ("x",), ("x", "x"))


def test_nan_is_asked_only_of_what_reads_the_input() -> None:
    assert subject("swish").reads_input(("x", "x"))
    assert not subject("relu").reads_input(("x", "x"))


def test_settings_become_calls_that_try_each_and_ask_what_is_judged() -> None:
    swish = subject("swish")
    value, slope, by_beta = (), ("x",), ("beta",)
    ((batch, pieces),) = swish.at_settings("float32", (value, slope), ("beta",))
    assert [piece.setting for piece in pieces] == [0, 1, 2, 3, 4, 5, 6]
    assert [piece.orders for piece in pieces] == [(by_beta,), *[(value, slope, by_beta)] * 6]
    assert set(batch.orders) == {value, slope, by_beta}
    assert not batch.numbers
    for piece in pieces:
        assert set(batch.arrays["beta"][piece.part]) == {float(swish.settings[piece.setting]["beta"])}
        np.testing.assert_array_equal(batch.points[piece.part], swish.points("float32", piece.setting))


def test_a_parameter_that_cannot_be_a_tensor_is_passed_as_a_number() -> None:
    swish = subject("swish")
    calls = swish.at_settings("float32", ((),), ())
    assert [batch.numbers for batch, _ in calls] == [{"beta": beta} for beta in (3.0, 0.25, 2.0**-10, 0.0, -1.0, 32.0)]
    assert [[piece.setting for piece in pieces] for _, pieces in calls] == [[1], [2], [3], [4], [5], [6]]
    assert all(not batch.arrays and batch.orders == ((),) for batch, _ in calls)
    assert swish.at_defaults("float32", ((),)).numbers == {}
