"""The oracle of rows against mpmath and against finite differences in many digits."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from actgen.numerics.row_oracle import RowOracle
from tests.symbolic.rows import axiswise

mpmath: Any = import_module("mpmath")  # it publishes no types

ROW = [0.5, -1.25, 2.0]
TANGENT = [1.0, -0.5, 0.25]
COTANGENT = [0.75, 2.0, -1.0]


def softmax(row: list[Any]) -> list[Any]:
    powers = [mpmath.exp(x) for x in row]
    return [power / sum(powers) for power in powers]


def layer_norm(row: list[Any]) -> list[Any]:
    mean = sum(row) / len(row)
    size = mpmath.sqrt(sum((x - mean) ** 2 for x in row) / len(row) + mpmath.mpf(0.25))
    return [(x - mean) / size for x in row]


CASES: dict[str, Any] = {
    "exp(x) / Sum(exp(x))": softmax,
    "(x - Mean(x)) / sqrt(Mean((x - Mean(x))**2) + eps)": layer_norm,
    "Piecewise((x * Max(x), x > 0), (Min(x), True))": lambda row: [x * max(row) if x > 0 else min(row) for x in row],
}


@pytest.mark.parametrize("text", CASES)
def test_values_products_and_conditions_are_those_of_high_precision_differences(text: str) -> None:
    function: Any = CASES[text]
    with mpmath.workdps(60):
        row = [mpmath.mpf(x) for x in ROW]
        h = mpmath.mpf(10) ** -25

        def along(place: int) -> list[Any]:
            up, down = ([x + s * h * (i == place) for i, x in enumerate(row)] for s in (1, -1))
            return [(a - b) / (2 * h) for a, b in zip(function(up), function(down), strict=True)]

        jacobian = np.array([[float(entry) for entry in along(j)] for j in range(3)]).T
        expected = [float(value) for value in function(row)]
    oracle = RowOracle(axiswise(text), {"eps": 0.25} if "eps" in text else {})
    value, jvp, vjp = oracle.value(ROW), oracle.jvp(ROW, TANGENT), oracle.vjp(ROW, COTANGENT)
    np.testing.assert_allclose([float(v.mid()) for v in value.values], expected, rtol=1e-15)
    np.testing.assert_allclose([float(v.mid()) for v in jvp.values], jacobian @ TANGENT, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose([float(v.mid()) for v in vjp.values], COTANGENT @ jacobian, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(value.conditions, np.abs(jacobian * ROW).sum(axis=1), rtol=1e-12)


def test_the_conditions_of_products_count_the_row_and_the_direction() -> None:
    oracle = RowOracle(axiswise("x * Sum(x)"), {})
    # (J t)_i = t_i S + x_i T with S and T the sums of x and t.
    s, t = sum(ROW), sum(TANGENT)
    expected = [
        sum(
            abs(ROW[j]) * abs(TANGENT[i] + t * (i == j)) + abs(TANGENT[j]) * abs(s * (i == j) + ROW[i])
            for j in range(3)
        )
        for i in range(3)
    ]
    np.testing.assert_allclose(oracle.jvp(ROW, TANGENT).conditions, expected, rtol=1e-12)


def test_the_bend_is_the_second_derivative_with_ties_moving_as_their_mean() -> None:
    def bend(text: str, row: list[float], cotangent: list[float]) -> list[float]:
        return [float(v.mid()) for v in RowOracle(axiswise(text), {}).bend(row, cotangent, TANGENT)]

    # Of g . x S, S the sum of x: the Hessian is g_i + g_j.
    expected = [sum((COTANGENT[i] + COTANGENT[j]) * TANGENT[j] for j in range(3)) for i in range(3)]
    assert bend("x * Sum(x)", ROW, COTANGENT) == expected
    assert bend("Max(x)**2", ROW, [1.0]) == [0.0, 0.0, 2 * TANGENT[2]]
    mean = (TANGENT[1] + TANGENT[2]) / 2
    assert bend("Max(x)**2", [1.0, 3.0, 3.0], [1.0]) == [0.0, mean, mean]


def test_ties_share_the_slope_of_the_largest_evenly() -> None:
    oracle = RowOracle(axiswise("Max(x)"), {})
    assert [float(v.mid()) for v in oracle.vjp([1.0, 3.0, 3.0], [1.0]).values] == [0.0, 0.5, 0.5]
    assert float(oracle.jvp([1.0, 3.0, 3.0], [9.0, 1.0, 2.0]).values[0].mid()) == 1.5


AT_ZERO: dict[str, list[float]] = {
    "exp(alpha * x) / Sum(exp(alpha * x))": [1 / 3] * 3,
    "exp(beta * x) / Sum(exp(beta * x))": [1 / 3] * 3,
    "Sum(x * exp(beta * x)) / Sum(exp(beta * x))": [1.25 / 3],
    "x * Max(exp(alpha * x)) + Mean(cosh(alpha * x))": [1.5, -0.25, 3.0],
    "x * Sum(abs(x)**beta)": [1.5, -3.75, 6.0],
    "Piecewise((Max(x / alpha), alpha != 0), (Max(x), True))": [2.0],
    "alpha * x": [0.0] * 3,
}


@pytest.mark.parametrize("text", AT_ZERO)
def test_a_parameter_of_0_leaves_a_quantity_at_every_element(text: str) -> None:
    formula = axiswise(text)
    oracle = RowOracle(formula, {symbol.name: 0.0 for symbol in formula.parameters})
    expected = AT_ZERO[text]
    np.testing.assert_allclose([float(v.mid()) for v in oracle.value(ROW).values], expected, rtol=1e-15)
    pushed = np.array([float(v.mid()) for v in oracle.jvp(ROW, TANGENT).values])
    pulled = np.array([float(v.mid()) for v in oracle.vjp(ROW, COTANGENT[: len(expected)]).values])
    assert len(pushed) == len(expected)
    np.testing.assert_allclose(COTANGENT[: len(expected)] @ pushed, pulled @ TANGENT, rtol=1e-15)
