"""Where the slope by a parameter is infinite, nothing else is: no tangent is not 0 times infinity, which is NaN.

x**s of RePU overflows by s, at numbers at which its slope by x is a small part of the largest float32.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import generated.jax
import generated.torch

X = [2.0, 1e13]
SLOPES = np.array([12.0, 3e26], np.float32)

# torch 2.13's own, November 2026: the first use of forward mode; any autograd.Function under Dynamo.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]


def pushed(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    value, tangent, *_ = torch.func.jvp(generated.torch.repu, (x,), (torch.ones_like(x),))
    return value, tangent


def pulled(x: torch.Tensor) -> torch.Tensor:
    slope: torch.Tensor = torch.func.vmap(torch.func.grad(generated.torch.repu))(x)
    return slope


@pytest.mark.parametrize("is_compiled", [False, True])
def test_in_torch_under_transforms(is_compiled: bool) -> None:
    torch._dynamo.reset()
    x = torch.tensor(X)
    forward = torch.compile(pushed, fullgraph=True, backend="aot_eager") if is_compiled else pushed
    backward = torch.compile(pulled, fullgraph=True, backend="aot_eager") if is_compiled else pulled
    value, tangent = forward(x)
    np.testing.assert_array_equal(value, [8.0, np.inf])
    np.testing.assert_allclose(tangent, SLOPES, rtol=1e-6)
    np.testing.assert_allclose(backward(x), SLOPES, rtol=1e-6)


def test_in_torch_a_gradient_that_nothing_uses_is_none() -> None:
    """What comes after may give back no gradient at all; the transforms' own rule is handed it as it is."""

    class Ends(torch.autograd.Function):
        @staticmethod
        def forward(x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def setup_context(ctx: object, inputs: object, output: object) -> None: ...

        @staticmethod
        def backward(ctx: object, gradient: torch.Tensor) -> None:
            return None

    def ended(x: torch.Tensor) -> torch.Tensor:
        end: torch.Tensor = Ends.apply(generated.torch.repu(x))  # type: ignore[no-untyped-call]  # as torch types it
        return end.sum() + x.sum()

    np.testing.assert_array_equal(torch.func.grad(ended)(torch.tensor(X)), [1.0, 1.0])


def test_in_jax() -> None:
    x = jnp.asarray(X, "float32")
    _, tangent = jax.jit(lambda x: jax.jvp(generated.jax.repu, (x,), (jnp.ones_like(x),)))(x)
    np.testing.assert_allclose(tangent, SLOPES, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(jax.grad(generated.jax.repu))(x), SLOPES, rtol=1e-6)
