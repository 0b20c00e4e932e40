"""How functions are timed in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from actgen.bench.runner import Function


def prepare() -> None:
    """Free what was compiled for other functions."""
    jax.clear_caches()  # type: ignore[no-untyped-call]  # jax 0.10 declares it without annotations


def sample(shape: tuple[int, ...], dtype: str) -> Any:
    """An array of normally distributed numbers."""
    return (2 * jax.random.normal(jax.random.key(0), shape)).astype(dtype)


def runner(function: Function, x: Any, mode: str, is_training: bool) -> Callable[[], object]:
    """A call of the function, compiled."""
    upstream = jnp.ones_like(function(x))

    def train(upstream: Any, x: Any) -> Any:
        value, pull = jax.vjp(function, x)
        return value, pull(upstream)

    if is_training:
        trained = jax.jit(train)
        return lambda: _done(trained(upstream, x))
    called = jax.jit(function)
    return lambda: _done(called(x))


def copier(x: Any, mode: str, is_training: bool) -> Callable[[], object]:
    """A copy of the input; negated, for XLA may return an input as it is."""
    copied = jax.jit((lambda x: (-x, x + 1)) if is_training else (lambda x: -x))
    return lambda: _done(copied(x))


def _done(result: Any) -> Any:
    """A result, when it is there: JAX returns before."""
    return jax.block_until_ready(result)  # type: ignore[no-untyped-call]  # jax 0.10 declares it without annotations


def kept_bytes(function: Function, x: Any) -> int | None:
    """How many bytes the function that pulls gradients back holds."""
    _, pull = jax.vjp(function, x)
    kept = {id(leaf): int(leaf.nbytes) for leaf in jax.tree.leaves(pull) if hasattr(leaf, "nbytes")}
    return sum(kept.values())
