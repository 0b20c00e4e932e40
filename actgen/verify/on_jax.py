"""How functions are run in JAX: eagerly, and through jax.jit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from actgen.verify.batch import Batch, Call, Refused, Results
from actgen.verify.points import decode, encode

# A context manager that JAX moved out of its experimental folder in 2025.
_home: Any = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
_enable_x64 = _home.enable_x64


def prepare() -> None:
    """Free what was compiled for other functions."""
    _everything.cache_clear()
    jax.clear_caches()  # type: ignore[no-untyped-call]  # jax 0.10 declares it without annotations


def evaluate(function: Callable[..., Any], batches: Sequence[Batch], mode: str) -> Iterator[Results]:
    """Run each batch by itself."""
    for batch in batches:
        with _enable_x64(True) if batch.dtype == "float64" else contextlib.nullcontext():
            numbers = zip((batch.points, *batch.arrays.values()), batch.types(), strict=True)
            arguments = [jnp.asarray(_encode(values, dtype)) for values, dtype in numbers]
            try:
                value, firsts, second = _everything(function, batch.call, mode)(*arguments)
            except NotImplementedError as error:  # "Differentiation rule for '...' not implemented"
                raise Refused(str(error)) from error
            found = batch.select(value, firsts, second)
            yield {order: _numbers(array) for order, array in found.items()}


def _encode(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    numbers = encode(values, dtype)
    return numbers.view(jnp.bfloat16) if dtype == "bfloat16" else numbers


@lru_cache(maxsize=8)
def _everything(function: Callable[..., Any], call: Call, mode: str) -> Callable[..., Any]:
    """A function of the input and the arrays that returns the value, first derivatives, and the second or None."""

    def at(x: Any, *arrays: Any) -> Any:
        return call(function, x, arrays)

    def slope(*arguments: Any) -> Any:
        return _gradients(at, arguments)[1][0]

    def run(*arguments: Any) -> tuple[Any, Any, Any]:
        value, firsts = _gradients(at, arguments) if call.wants_first else (at(*arguments), ())
        second = _gradients(slope, arguments)[1][0] if call.wants_second else None
        return value, firsts, second

    return jax.jit(run) if mode == "compiled" else run


def _gradients(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, Any]:
    value, pull = jax.vjp(function, *arguments)
    return value, pull(jnp.ones_like(value))


def _numbers(array: Any) -> NDArray[Any]:
    return decode(np.asarray(array), array.dtype.name)
