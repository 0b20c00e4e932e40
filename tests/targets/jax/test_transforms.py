"""Every transform of JAX, and transforms of transforms, give what plain evaluation gives.

The generated tests compile and differentiate each activation once; what nests is the template's doing, and the same for
all.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

Function = Callable[[Any], Any]

X = jnp.array([[-3.0, -1.5, -0.25, 0.0, 0.5], [0.75, 1.0, 2.0, 4.0, 30.0]])
NAMES = ["mish", "swish", "leaky_relu", "step"]


@pytest.mark.parametrize("name", NAMES)
def test_values_agree_under_every_transform(emitted: ModuleType, name: str) -> None:
    f = getattr(emitted, name)
    for g in (jax.jit(f), jax.vmap(f), jax.vmap(f, in_axes=1, out_axes=1), lambda x: jax.lax.map(f, x)):
        same(g(X), f(X))


@pytest.mark.parametrize("name", NAMES)
def test_slopes_agree_in_forward_and_reverse_mode_and_under_checkpointing(emitted: ModuleType, name: str) -> None:
    f, ones = getattr(emitted, name), jnp.ones_like(X)
    slope = jax.vmap(jax.vmap(jax.grad(f)))(X)
    same(jax.jvp(f, (X,), (ones,))[1], slope)
    same(jax.linearize(f, X)[1](ones), slope)
    same(jax.vjp(f, X)[1](ones)[0], slope)
    same(jax.grad(lambda x: jax.checkpoint(f)(x).sum())(X), slope)


@pytest.mark.parametrize("name", NAMES)
def test_hessians_agree_in_all_orders_of_modes(emitted: ModuleType, name: str) -> None:
    f, modes = getattr(emitted, name), (jax.jacfwd, jax.jacrev)
    expected = jnp.diag(jax.vmap(jax.grad(jax.grad(f)))(X[0]))
    for outer in modes:
        for inner in modes:
            same(outer(inner(lambda row: f(row).sum()))(X[0]), expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_scan_is_the_function_of_the_function(emitted: ModuleType, name: str) -> None:
    f = getattr(emitted, name)

    def scanned(start: Any) -> Any:
        return jax.lax.scan(lambda carry, _: (f(carry), None), start, None, length=2)[0]

    same(jax.vmap(jax.grad(scanned))(X[0]), jax.vmap(jax.grad(lambda x: f(f(x))))(X[0]))


def same(y: Any, expected: Any) -> None:
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
