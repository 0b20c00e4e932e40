"""The head of a number in the frameworks: half the digits, in every mode, of tensors of any shape and kind.

Compensated kernels live by it: a head with one digit too many, or one that a compiler undoes, leaves every product
uncorrected, and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.typing import NDArray

from actgen.targets.jax.printer import EXPANSIONS as JAX
from actgen.targets.keras.expansions import EXPANSIONS as KERAS
from actgen.targets.torch.printer import EXPANSIONS as TORCH

Floats = NDArray[np.floating[Any]]


def defined(source: str, **names: Any) -> Callable[[Any], Any]:
    exec(source, names)  # our own text, the one that emitted modules hold
    head: Callable[[Any], Any] = names["_head"]
    return head


IN_KERAS = defined(KERAS["head"].source, keras=keras)
IN_JAX = defined(JAX["head"], jax=jax, jnp=jnp, Array=jax.Array)
IN_TORCH = defined(TORCH["head"], torch=torch, Tensor=torch.Tensor)


def in_graph(values: Floats, **options: Any) -> Any:
    """In a TensorFlow graph that does not know the shape."""
    signature = [tf.TensorSpec([None], values.dtype)]
    return tf.function(IN_KERAS, input_signature=signature, **options)(tf.constant(values))


WAYS: dict[str, Callable[[Floats], Any]] = {
    "torch, eager": lambda values: IN_TORCH(torch.tensor(values)),
    "torch, vmap": lambda values: torch.vmap(IN_TORCH)(torch.tensor(values)),
    "jax, eager": lambda values: IN_JAX(jnp.asarray(values)),
    "jax, jit": lambda values: jax.jit(IN_JAX)(values),
    "keras, eager": lambda values: IN_KERAS(tf.constant(values)),
    "keras, graph": in_graph,
    "keras, XLA": lambda values: in_graph(values, jit_compile=True),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
def test_head_and_tail_have_half_the_digits_each(way: str, dtype: str) -> None:
    draw = np.random.default_rng(7)
    values = (draw.standard_normal(4000) * np.exp2(draw.uniform(-60, 60, 4000))).astype(dtype)
    with jax.enable_x64(True):
        heads = np.asarray(WAYS[way](values))
    assert heads.dtype == values.dtype
    # 26 of 53 digits leave 27 where they are cut off, 26 where they are rounded; 26 + 27 are those of a product.
    for part, most in zip((heads, values - heads), (12, 12) if dtype == "float32" else (26, 27), strict=True):
        digits = np.frexp(part)[0] * 2.0**most
        np.testing.assert_array_equal(digits, np.trunc(digits))
    np.testing.assert_array_equal(np.asarray(WAYS[way](np.array([0.0, 1.5], dtype="float32"))), [0.0, 1.5])


def test_a_number_of_python_keeps_its_weak_type_in_jax() -> None:
    """Or else the head of bfloat16's companion would make float32 of it."""
    assert jax.make_jaxpr(lambda a: IN_JAX(a * 1.0))(1.5).out_avals[0].weak_type
