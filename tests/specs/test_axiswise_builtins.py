"""Each axis-wise spec that names a built-in declares the same function: value and gradient agree on ordinary rows."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch

from actgen.numerics.axiswise import normal_formula
from actgen.numerics.row_oracle import RowOracle
from actgen.spec import load_specs
from tests.specs.textbook import SPECS

ROWS = np.random.default_rng(3).normal(size=(4, 7)) * 2
COTANGENT = np.random.default_rng(4).normal(size=7)

DECLARED = [
    pytest.param(activation, framework, id=f"{activation.name}-{framework}")
    for activation in load_specs(SPECS)
    if activation.kind == "axiswise"
    for framework in activation.builtins
]


def native(framework: str, name: str, arguments: Any, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value of a built-in on a row and the cotangent times its Jacobian, in float64."""
    home, _, function = name.rpartition(".")
    own = getattr(import_module(home), function)
    if framework == "jax" or (framework == "keras" and keras.backend.backend() == "jax"):
        with jax.enable_x64(True):
            y, pull = jax.vjp(lambda x: own(x, **arguments), jnp.asarray(row))
            return np.asarray(y), np.asarray(pull(jnp.asarray(COTANGENT))[0])
    if framework == "torch":
        x = torch.from_numpy(row).requires_grad_()
        y = own(x, **arguments)
        (slope,) = torch.autograd.grad(y, x, torch.from_numpy(COTANGENT))
        return y.detach().numpy(), slope.numpy()
    import tensorflow as tf

    with tf.GradientTape() as tape:
        x = tf.constant(row)
        tape.watch(x)
        y = own(x, **arguments)
    return y.numpy(), tape.gradient(y, x, tf.constant(COTANGENT)).numpy()


@pytest.mark.parametrize(("activation", "framework"), DECLARED)
def test_the_builtin_is_the_same_function(activation: Any, framework: str) -> None:
    builtin = activation.builtins[framework]
    defaults = {parameter.name: float(parameter.default) for parameter in activation.parameters}
    oracle = RowOracle(normal_formula(activation), defaults)
    for row in ROWS:
        value, slope = native(framework, builtin.name, builtin.arguments, row)
        exact = oracle.value(row.tolist(), []), oracle.vjp(row.tolist(), COTANGENT.tolist(), [])
        for found, truth in zip((value, slope), exact, strict=True):
            np.testing.assert_allclose(found, [float(v.mid()) for v in truth.values], rtol=1e-6, atol=1e-9)


def test_the_softmaxes_of_all_frameworks_are_named() -> None:
    named = {(p.values[0].name, p.values[1]) for p in DECLARED}  # type: ignore[union-attr]
    assert {(name, f) for name in ("softmax", "log_softmax") for f in ("torch", "keras", "jax")} <= named
