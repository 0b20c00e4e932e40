"""`gated`: any activation as a gate, in every framework as its own function says, and rounded once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch

import generated.jax as on_jax
import generated.keras as on_keras
import generated.torch as on_torch

# 2026-11: Dynamo traces an autograd Function by making one; keras 3.15 converts by a deprecated part of NumPy.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

DRAW = np.random.default_rng(5)
A, B = (DRAW.normal(scale=3, size=(4, 6)).astype(np.float32) for _ in range(2))


def in_all(name: str, *inputs: np.ndarray, **parameters: Any) -> list[np.ndarray]:
    return [
        on_torch.gated(name, *map(torch.from_numpy, inputs), **parameters).numpy(),
        np.asarray(on_jax.gated(name, *map(jnp.asarray, inputs), **parameters)),
        keras.ops.convert_to_numpy(on_keras.gated(name, *inputs, **parameters)),
    ]


@pytest.mark.parametrize(("name", "unit"), [("silu", "swiglu"), ("gelu", "geglu"), ("relu", "reglu")])
def test_a_gate_is_what_the_function_of_its_own_says(name: str, unit: str) -> None:
    expected = on_torch.get(unit)(torch.from_numpy(A), torch.from_numpy(B)).numpy()
    for halved in (False, True):
        inputs = (np.concatenate([A, B], axis=-1),) if halved else (A, B)
        for found in in_all(name, *inputs):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_parameters_reach_the_activation_and_the_inputs_broadcast() -> None:
    expected = np.where(A > 0, A, 0.5 * A) * B[:1]
    for found in in_all("leaky_relu", A, B[:1], negative_slope=0.5):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_another_axis_is_halved_by_its_frameworks_name() -> None:
    expected = A[:2] * (A[:2] > 0) * A[2:]
    assert np.array_equal(on_torch.gated("relu", torch.from_numpy(A), dim=0).numpy(), expected)
    assert np.array_equal(on_jax.gated("relu", A, axis=0), expected)
    assert np.array_equal(keras.ops.convert_to_numpy(on_keras.gated("relu", A, axis=0)), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_are_rounded_once(dtype: str) -> None:
    """mish(a) rounded, and then the product, is another number in a third of cases."""
    kind = getattr(torch, dtype)
    a, b = torch.from_numpy(A).to(kind), torch.from_numpy(B).to(kind)
    once = (on_torch.mish(a.double()) * b.double()).to(kind)
    twice = on_torch.mish(a) * b
    assert (twice != once).any()
    found = on_torch.gated("mish", a, b)
    assert found.dtype == kind
    assert torch.equal(found, once)
    other = on_jax.gated("mish", jnp.asarray(a.float().numpy(), dtype), jnp.asarray(b.float().numpy(), dtype))
    assert np.array_equal(np.asarray(other, np.float32), once.float().numpy())


def test_the_gradient_is_the_activations_own() -> None:
    """Torch's mish has no correct digit there: sech(softplus(x))^2 is 1 - tanh^2."""
    a = torch.full((3,), -100.0, dtype=torch.float64, requires_grad=True)
    b = torch.full((3,), 2.0, dtype=torch.float64, requires_grad=True)
    slopes = torch.autograd.grad(on_torch.gated("mish", a, b).sum(), (a, b))
    expected = torch.autograd.grad(on_torch.mish(a).sum(), a)[0]
    assert torch.equal(slopes[0], 2 * expected)
    assert torch.equal(slopes[1], on_torch.mish(a))
    traced = torch.compile(lambda a, b: on_torch.gated("mish", a, b), fullgraph=True, backend="aot_eager")(a, b)
    assert torch.equal(traced, on_torch.gated("mish", a, b))
    by_a = jax.grad(lambda a: on_jax.gated("mish", a, jnp.float32(2.0)))(jnp.float32(-20.0))
    assert by_a == 2 * jax.grad(on_jax.mish)(jnp.float32(-20.0))


def test_a_module_trains_the_activation_that_it_holds() -> None:
    activation = on_torch.PReLU()
    layer = on_torch.Gated(activation)
    assert [name for name, _ in layer.named_parameters()] == ["activation.alpha"]
    layer(torch.from_numpy(-np.abs(A)), torch.from_numpy(B)).sum().backward()
    assert activation.alpha.grad is not None
    assert float(activation.alpha.grad.sum()) == pytest.approx(float((-np.abs(A) * B).sum()), rel=1e-5)
    assert repr(on_torch.Gated("leaky_relu", dim=1, negative_slope=0.5)) == (
        "Gated(leaky_relu, dim=1, negative_slope=0.5)"
    )


@pytest.mark.parametrize("activation", ["mish", "a layer"])
def test_a_keras_layer_is_saved_and_loaded(activation: str, tmp_path: Path) -> None:
    gate = on_keras.Gated(on_keras.PReLU() if activation == "a layer" else activation, axis=-1)
    model = keras.Sequential([keras.Input((6,)), gate])
    assert model.output_shape == (None, 3)
    y = model.predict(A, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(A, verbose=0), y)
    assert type(loaded.layers[0]) is on_keras.Gated
    assert type(loaded.layers[0].activation) is type(gate.activation)


def test_what_cannot_be_gated_is_refused_by_name() -> None:
    odd = A[:, :5]
    with pytest.raises(RuntimeError, match=r"gated: an axis of even size is halved, got dim=-1 of shape \(4, 5\)"):
        on_torch.gated("relu", torch.from_numpy(odd))
    for package in (on_jax, on_keras):
        with pytest.raises(ValueError, match=r"gated: an axis of even size is halved, got axis=-1 of shape \(4, 5\)"):
            package.gated("relu", odd)
    with pytest.raises(TypeError, match="gated: b must be a tensor, got int; the axis is a keyword, dim="):
        on_torch.gated("relu", torch.from_numpy(A), 1)  # type: ignore[arg-type]  # the mistake
    for package in (on_torch, on_jax, on_keras):
        with pytest.raises(ValueError, match="has no activation 'rleu'; near: 'repu', 'relu', 'trelu'; "):
            package.gated("rleu", A, B)
        assert "gated" not in package.names()


def test_a_torch_gate_survives_a_state_dict_and_export() -> None:
    layer = on_torch.Gated("gelu")
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    program = torch.export.export(layer, (torch.from_numpy(A),))
    assert torch.equal(program.module()(torch.from_numpy(A)), layer(torch.from_numpy(A)))
