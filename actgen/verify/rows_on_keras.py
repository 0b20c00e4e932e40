"""How functions of rows are run in Keras on TensorFlow: eagerly, and compiled by XLA. There is no forward mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from actgen.numerics.oracle import Floats
from actgen.verify.on_keras import _encode, _numbers


def evaluate(
    function: Callable[..., Any], dtype: str, inputs: Mapping[str, Floats], quantity: str, mode: str
) -> NDArray[np.floating] | None:
    """A quantity for each row; None for Jacobian times tangent."""
    if quantity == "jvp":
        return None

    def run(x: Any, *others: Any) -> Any:
        if quantity == "value":
            return function(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x, tf.reshape(others[0], tf.shape(y)))

    tensors = [tf.constant(_encode(values, dtype)) for values in inputs.values()]
    called = tf.function(run, jit_compile=True, autograph=False) if mode == "compiled" else run
    return _numbers(called(*tensors))
