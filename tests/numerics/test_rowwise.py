"""Kernels of axis-wise formulas keep the contract on rows, value and products, and neither overflow nor lose digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actgen.numerics import rowwise
from actgen.numerics.emulation import IDEAL
from actgen.numerics.kernel import Constant
from actgen.numerics.row_judge import NONE, RowErrors, inputs_of, row_errors, run_row, truth_of
from actgen.numerics.row_oracle import RowOracle
from actgen.numerics.row_samples import row_samples
from actgen.numerics.rowwise import Setting, lower_quantity
from actgen.symbolic.axiswise import QUANTITIES, AxiswiseFormula
from tests.symbolic.rows import axiswise

VALUES = {"T": 0.75, "eps": 2.0**-20}

KEPT = [
    "exp(x) / Sum(exp(x))",
    "exp(-x) / Sum(exp(-x))",
    "exp(x/T) / Sum(exp(x/T))",
    "x - log(Sum(exp(x)))",
    "x - log(Mean(exp(x)))",
    "log(Sum(exp(x)))",
    "log(1 + Sum(exp(x)))",
    "x * exp(x) / Sum(exp(x))",
    "exp(x) / (1 + Sum(exp(x)))",
    "exp(x) / (3 + Sum(exp(x)))",
    "sigmoid(x) / Sum(sigmoid(x))",
    "Sum(x * exp(x)) / Sum(exp(x))",
    "x / sqrt(Mean(x**2) + eps)",
    "x / sqrt(Sum(x**2) + 1e-6)",
    "x / Max(sqrt(Sum(x**2)), eps)",
    "x**2 / Sum(x**2)",
    "x / Max(abs(x))",
    "x - Mean(x)",
    "Max(x)",
    "Min(x) + Mean(x)",
    "Max(0, x - Max(x) + 1)",
]


def worst(
    formula: AxiswiseFormula, quantity: str, dtype: str = "float32", lengths: tuple[int, ...] = (1, 2, 5)
) -> RowErrors:
    kernel = lower_quantity(formula, quantity, Setting.of(formula))
    values = {symbol.name: VALUES[symbol.name] for symbol in formula.parameters}
    oracle = RowOracle(formula, values)
    found = NONE
    for sample in row_samples(dtype, lengths):
        truth = truth_of(oracle, quantity, sample, formula.reduces, 3)
        if not all(math.isfinite(float(value.mid())) for value in truth.values):
            continue
        results = run_row(kernel, {**inputs_of(sample, quantity, formula.reduces), **values}, dtype, IDEAL)
        found = found.worse(row_errors(np.broadcast_to(results, len(truth.values)), truth, dtype, sample))
    return found


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("text", KEPT)
def test_rows_of_every_kind_keep_the_contract(text: str, quantity: str) -> None:
    assert worst(axiswise(text), quantity).units <= 4.0


def test_so_they_do_in_float64() -> None:
    assert worst(axiswise("x - log(Sum(exp(x)))"), "vjp", "float64").units <= 4.0


def at(text: str, row: list[float], quantity: str = "value", **others: list[float]) -> np.ndarray:
    formula = axiswise(text)
    values = {name: np.array(numbers) for name, numbers in {"x": row, **others}.items()}
    parameters = {symbol.name: VALUES[symbol.name] for symbol in formula.parameters}
    return run_row(lower_quantity(formula, quantity, Setting.of(formula)), {**values, **parameters}, "float32", IDEAL)


@pytest.mark.parametrize("offset", [1e4, -1e4, 3e38])
def test_large_inputs_do_not_overflow(offset: float) -> None:
    for text in ("exp(x) / Sum(exp(x))", "exp(-x) / Sum(exp(-x))"):
        np.testing.assert_allclose(at(text, [offset, offset]), [0.5, 0.5])
    np.testing.assert_allclose(at("x / Max(sqrt(Sum(x**2)), eps)", [offset, offset]), np.sign(offset) * np.sqrt(0.5))
    np.testing.assert_allclose(at("log(Mean(exp(x)))", [offset, offset]), [offset], rtol=1e-6)
    expected = 0.5 if offset > 0 else 0.0
    np.testing.assert_allclose(at("exp(x) / (1 + Sum(exp(x)))", [offset, offset]), [expected] * 2)
    np.testing.assert_allclose(at("sigmoid(x) / Sum(sigmoid(x))", [offset, offset]), [0.5, 0.5])


def test_tiny_rows_are_normalised_without_underflow() -> None:
    np.testing.assert_allclose(at("x / sqrt(Sum(x**2))", [3e-30, 4e-30]), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(
        at("x / sqrt(Mean(x**2) + eps)", [3e-30, 4e-30]), [3e-30 * 1024, 4e-30 * 1024], rtol=1e-6
    )


def test_a_saturated_row_keeps_its_digits() -> None:
    tiny = math.exp(-31.0)
    value = at("x - log(Sum(exp(x)))", [31.0, 0.0])
    np.testing.assert_allclose(value[0], -tiny, rtol=1e-6)
    slope = at("x - log(Sum(exp(x)))", [31.0, 0.0], "vjp", cotangent=[1.0, 0.0])
    np.testing.assert_allclose(slope, [tiny, -tiny], rtol=1e-6)
    slope = at("exp(x) / Sum(exp(x))", [31.0, 0.0], "jvp", tangent=[1.0, 0.0])
    np.testing.assert_allclose(slope, [tiny, -tiny], rtol=1e-6)


def test_masked_elements_get_nothing_and_a_masked_row_is_undefined() -> None:
    masked = [-math.inf, 0.0, 0.0]
    for text in ("exp(x) / Sum(exp(x))", "x * exp(x) / Sum(exp(x))"):
        assert at(text, masked)[0] == 0
        assert at(text, masked, "vjp", cotangent=[1.0, 2.0, 3.0])[0] == 0
        assert np.isnan(at(text, [-math.inf] * 2)).all()
    assert at("log(Sum(exp(x)))", [-math.inf] * 2) == -math.inf
    assert at("log(Sum(exp(x)))", [math.inf, 0.0]) == math.inf


def test_without_the_heavy_element_apart_the_contract_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation: what the products do on saturated rows is what keeps the contract there."""
    monkeypatch.setattr(rowwise, "HALF", Constant(2.0))
    assert worst(axiswise("exp(x) / Sum(exp(x))"), "jvp").units > 1e4
    assert worst(axiswise("x - log(Sum(exp(x)))"), "vjp").units > 1e4
