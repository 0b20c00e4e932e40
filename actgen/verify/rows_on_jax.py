"""How functions of rows are run in JAX: eagerly, and through jax.jit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from actgen.numerics.oracle import Floats
from actgen.verify.on_jax import _enable_x64, _encode, _numbers


def evaluate(
    function: Callable[..., Any], dtype: str, inputs: Mapping[str, Floats], quantity: str, mode: str
) -> NDArray[np.floating] | None:
    """A quantity for each row."""

    def run(x: Any, *others: Any) -> Any:
        if quantity == "value":
            return function(x)
        if quantity == "jvp":
            return jax.jvp(function, (x,), others)[1]
        y, pull = jax.vjp(function, x)
        return pull(others[0].reshape(y.shape))[0]

    with _enable_x64(True) if dtype == "float64" else contextlib.nullcontext():
        arrays = [jnp.asarray(_encode(values, dtype)) for values in inputs.values()]
        return _numbers((jax.jit(run) if mode == "compiled" else run)(*arrays))
