"""Kernels of axis-wise formulas keep the contract on rows, value and products, and neither overflow nor lose digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from actgen.numerics import rowwise
from actgen.numerics.emulation import IDEAL
from actgen.numerics.kernel import Call, Constant, Kernel, Node
from actgen.numerics.row_judge import NONE, RowEmulator, RowErrors, inputs_of, row_errors, run_row, truth_of
from actgen.numerics.row_oracle import RowOracle
from actgen.numerics.row_samples import row_samples
from actgen.numerics.rowwise import Setting, lower_quantity
from actgen.symbolic.axiswise import QUANTITIES, AxiswiseFormula
from tests.symbolic.rows import axiswise

VALUES = {"T": 0.75, "eps": 2.0**-20, "alpha": 0.0, "beta": 0.0}

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
    "exp(alpha * x) / Sum(exp(alpha * x))",
    "exp(beta * x) / Sum(exp(beta * x))",
    "Sum(x * exp(beta * x)) / Sum(exp(beta * x))",
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


HELD_APART = [
    ("x / Max(abs(x))", QUANTITIES),
    ("relu(x)**2 / (Sum(relu(x)**2) + eps)", QUANTITIES),
    ("x / Sum(abs(x))", QUANTITIES),
    ("relu(x) / Max(Sum(relu(x)), eps)", QUANTITIES),
    ("(Max(x) - x) * exp(x) / Sum(exp(x))", QUANTITIES),
    ("log(Sum(exp(x))) - Max(x)", QUANTITIES),
    ("exp(x - Max(x)) / (1 + Sum(exp(x - Max(x))))", QUANTITIES),
    ("(x - Min(x)) / (Max(x) - Min(x) + eps)", ("value", "jvp")),
    ("x + sqrt(Mean((x - Mean(x))**2) + eps)", QUANTITIES),
]


@pytest.mark.parametrize(("text", "quantity"), [(text, each) for text, several in HELD_APART for each in several])
def test_so_do_longer_ones_in_which_the_element_that_counts_is_not_that_of_the_largest_square(
    text: str, quantity: str
) -> None:
    assert worst(axiswise(text), quantity, lengths=(1, 2, 5, 8, 31)).units <= 4.0


def test_so_they_do_in_float64() -> None:
    assert worst(axiswise("x - log(Sum(exp(x)))"), "vjp", "float64").units <= 4.0


BENT = [
    *KEPT,
    "(x - Min(x)) / (Max(x) - Min(x) + eps)",
    "(x - Max(x)) / (1 + Max(x) - Mean(x))",
    "(Max(x) - x) * exp(x) / Sum(exp(x))",
    "exp(x - Max(x)) / (1 + Sum(exp(x - Max(x))))",
    "(x - Min(x)) * exp(-x / T) / Sum(exp(-x / T))",
    "x * (Max(x) - Mean(x))",
    "(log(Sum(exp(x))) - Max(x))**2",
    "x + (x - Max(x))**2",
    "(Max(x) - Min(x)) / (1 + Max(x) - Mean(x))",
    "(x - Max(x))**2 / (eps + Sum((x - Max(x))**2))",
    "x + sqrt(Mean((x - Mean(x))**2) + eps)",
    "relu(x)**2 / (Sum(relu(x)**2) + eps)",
    "relu(x) / Max(Sum(relu(x)), eps)",
]


class Continued(RowEmulator):
    """A kernel next to a row as autograd knows it there: what is frozen or was compared stays, and so do ties."""

    def __init__(self, values: Mapping[str, Any], at: Continued | None = None) -> None:
        super().__init__(values, "float64", IDEAL)
        self.at = at
        self.kept: dict[Node, Any] = {}

    def _evaluate(self, node: Node) -> Any:
        found = super()._evaluate(node)
        if not isinstance(node, Call):
            return found
        if node.operation in ("largest", "smallest"):
            operand = np.atleast_1d(self._memory[node.arguments[0]])
            ties = self.kept[node] = operand == found if self.at is None else self.at.kept[node]
            return operand[ties].mean(keepdims=True)
        if node.operation == "frozen" or node.is_boolean:
            found = self.kept[node] = found if self.at is None else self.at.kept[node]
        return found


def slope_along(kernel: Kernel, values: Mapping[str, Any], steps: Mapping[str, Any]) -> np.ndarray:
    """The derivative that autograd gives of a kernel, by a central difference."""
    here = Continued(values)
    here.run(kernel)
    h = 2.0**-17
    up, down = (
        Continued({**values, **{name: values[name] + s * h * np.array(t) for name, t in steps.items()}}, here)
        for s in (1, -1)
    )
    return np.atleast_1d((up.run(kernel) - down.run(kernel)) / (2 * h))


ROWS_TO_BEND = [
    sample
    for sample in row_samples("bfloat16", (5,))
    if sample.name in {"ordinary, 5, random", "ties, 5, random", "saturated, 5, random", "spread, 5, unit 0"}
]


@pytest.mark.parametrize("text", BENT)
def test_the_derivatives_of_the_products_are_the_second_ones_of_the_formula(text: str) -> None:
    formula = axiswise(text)
    values = {symbol.name: {**VALUES, "eps": 0.5}[symbol.name] for symbol in formula.parameters}
    kernels = {name: lower_quantity(formula, name, Setting.of(formula)) for name in (*QUANTITIES, *values)}
    oracle = RowOracle(formula, values)
    for sample in ROWS_TO_BEND:
        row, tangent, cotangent = sample.row, sample.tangent, sample.cotangent[: 1 if formula.reduces else None]
        truth = oracle.bend(row.tolist(), cotangent.tolist(), tangent.tolist())
        expected = np.array([float(value.mid()) for value in truth])
        given = {"x": row, "cotangent": cotangent, "tangent": tangent, **values}
        close = {"rtol": 1e-6, "atol": 1e-6 * np.abs(expected).max() + 1e-8, "err_msg": f"{text}: {sample.name}"}
        pulled = slope_along(kernels["vjp"], given, {"x": tangent})
        np.testing.assert_allclose(np.broadcast_to(pulled, expected.shape), expected, **close)
        pushed = slope_along(kernels["jvp"], given, {"x": tangent})
        np.testing.assert_allclose((cotangent * pushed).sum(), expected @ tangent, **close)
        for name in values:
            by_row = slope_along(kernels[name], given, {"x": tangent})
            by_parameter = slope_along(kernels["jvp"], given, {name: 1.0})
            np.testing.assert_allclose(by_row + 0 * by_parameter, by_parameter + 0 * by_row, **close)


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Max(Sum(relu(x)), eps)", [1.5]),
        ("relu(x) / Max(Sum(relu(x)), eps)", [2 / 3, 0, 1 / 3]),
        ("x / Max(Mean(relu(x)), 0.25)", [2, -6, 1]),
        ("Piecewise((x, Max(relu(-x)) > 2), (0, True))", [1, -3, 0.5]),
    ],
)
def test_a_reduction_that_is_compared_counts_every_element_by_its_own_choice(text: str, expected: list[float]) -> None:
    np.testing.assert_allclose(at(text, [1.0, -3.0, 0.5]), expected, rtol=1e-6)


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
