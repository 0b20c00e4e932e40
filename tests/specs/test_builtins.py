"""Each spec that names a built-in declares the same function, default parameters and all.

What is compared is the formula, not the generated code: 1e-6 finds a wrong constant, sign or default, and forgives what
the built-ins lose by rounding (the generated tests are the ones about accuracy).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest
import tensorflow
import torch
from numpy.typing import NDArray

from actgen.spec import load_spec
from tests.specs.textbook import FORMULAS, SPECS, Formula

Floats = NDArray[np.float64]

# 2,000 points with no kink among them: dense where the functions bend, then out to 1e4 on both sides.
POINTS = np.concatenate([np.linspace(-9.37, 9.41, 1600), np.geomspace(10.3, 1e4, 200), -np.geomspace(10.3, 1e4, 200)])

DECLARED = [(name, framework) for name, formula in FORMULAS.items() for framework in formula.activation.builtins]

# Activation, kink, slope that the spec gives it, frameworks whose built-in gives the same. The others give: leaky_relu,
# hard_tanh and absolute 1 and sparse_sigmoid 1/4 in JAX; selu 1.0507, celu 2 and hard_tanh 1 in Keras on TensorFlow.
KINKS = [
    ("relu", 0, 0, "torch keras jax"),
    ("relu6", 0, 0, "torch keras jax"),
    ("relu6", 6, 0, "torch keras jax"),
    ("leaky_relu", 0, 0.01, "torch keras"),
    ("prelu", 0, 0.25, "torch keras"),
    ("elu", 0, 1, "torch keras jax"),
    ("selu", 0, 1.7580993408473766, "torch jax"),
    ("celu", 0, 1, "torch jax"),
    ("softsign", 0, 1, "torch keras jax"),
    ("hard_sigmoid", -3, 0, "torch keras jax"),
    ("hard_sigmoid", 3, 0, "torch keras jax"),
    ("hard_swish", -3, 0, "torch keras jax"),
    ("hard_swish", 3, 1, "torch keras jax"),
    ("hard_tanh", -1, 0, "torch"),
    ("hard_tanh", 1, 0, "torch"),
    ("soft_shrink", -0.5, 0, "torch keras"),
    ("soft_shrink", 0.5, 0, "torch keras"),
    ("hard_shrink", -0.5, 0, "torch keras"),
    ("hard_shrink", 0.5, 0, "torch keras"),
    ("threshold", 1, 0, "torch keras"),
    ("sparse_plus", -1, 0, "keras jax"),
    ("sparse_plus", 1, 1, "keras jax"),
    ("sparse_sigmoid", -1, 0, "keras"),
    ("sparse_sigmoid", 1, 0, "keras"),
    ("absolute", 0, 0, "torch keras"),
    ("sign", 0, 0, "torch keras jax"),
]


@pytest.mark.parametrize(("name", "framework"), DECLARED)
def test_a_spec_declares_the_function_of_the_builtin_it_names(name: str, framework: str) -> None:
    for given, declared in zip(builtin(name, framework)(POINTS), at_points(name), strict=True):
        np.testing.assert_allclose(given, declared, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "kink", "slope", "frameworks"), KINKS)
def test_a_kink_has_the_slope_that_frameworks_agree_on(name: str, kink: float, slope: float, frameworks: str) -> None:
    points = np.array([kink], dtype=np.float64)
    assert FORMULAS[name].slope(points) == pytest.approx(slope, rel=1e-12)
    for framework in frameworks.split():
        values, slopes = builtin(name, framework)(points)
        assert values == pytest.approx(FORMULAS[name].value(points), abs=1e-6), framework
        assert slopes == pytest.approx(slope, rel=1e-6), framework


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("leaky_relu", {"negative_slope": 0.2}), ("softplus", {"beta": 1.01}), ("squareplus", {"b": 4.01})],
)
def test_a_wrong_default_would_not_pass(name: str, wrong: dict[str, float]) -> None:
    value, _ = builtin(name, "jax")(POINTS)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(value, FORMULAS[name].value(POINTS, **wrong), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("mish", "exp(x)", "exp(-x)"),
        ("gelu", "1 + erf", "1 - erf"),
        ("elu", "exp(x) - 1", "exp(x) + 1"),
        ("hard_swish", "x <= -3", "x <= 3"),
        ("softplus", "beta * x", "-beta * x"),
    ],
)
def test_a_wrong_sign_in_a_spec_would_not_pass(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    text = (SPECS / f"{name}.toml").read_text()
    assert right in text
    mutant = tmp_path / f"{name}.toml"
    mutant.write_text(text.replace(right, wrong))
    points = POINTS[np.abs(POINTS) < 30]
    value, _ = builtin(name, "jax")(points)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(value, Formula(load_spec(mutant)).value(points), rtol=1e-6, atol=1e-6)


@cache
def at_points(name: str) -> tuple[Floats, Floats]:
    return FORMULAS[name].value(POINTS), FORMULAS[name].slope(POINTS)


def builtin(name: str, framework: str) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return what gives the built-in's values and slopes at points."""
    declared = FORMULAS[name].activation.builtins[framework]
    module, _, attribute = declared.name.rpartition(".")
    function = getattr(import_module(module), attribute)
    return lambda points: {"torch": in_torch, "keras": in_keras, "jax": in_jax}[framework](
        lambda x: function(x, **declared.arguments), points
    )


def in_torch(function: Callable[[Any], Any], points: Floats) -> tuple[Floats, Floats]:
    x = torch.from_numpy(points.copy()).requires_grad_()
    y = function(x)
    y.sum().backward()
    assert x.grad is not None
    return y.detach().numpy(), x.grad.numpy()


def in_keras(function: Callable[[Any], Any], points: Floats) -> tuple[Floats, Floats]:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras computes in float64 on TensorFlow only")
    x = tensorflow.Variable(points, dtype="float64")
    with tensorflow.GradientTape() as tape:
        y = function(x)
    return y.numpy(), tape.gradient(y, x).numpy()


def in_jax(function: Callable[[Any], Any], points: Floats) -> tuple[Floats, Floats]:
    with jax.enable_x64(True):
        value, slope = jax.vmap(jax.value_and_grad(function))(points)
        return np.asarray(value), np.asarray(slope)
