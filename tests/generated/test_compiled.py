"""`Compiled` on what is generated: XLA leaves the accuracy contract kept, and what is not elementwise is refused."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from generated import keras as activations

tf = pytest.importorskip("tensorflow", reason="what is tested is TensorFlow's")
pytestmark = pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="only TensorFlow has graphs without XLA")


def value_and_slope(function: Any, x: Any) -> list[Any]:
    """Traced for vectors of any length, as `fit` traces."""

    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    return [found.numpy() for found in tf.function(both, input_signature=[tf.TensorSpec([None], x.dtype)])(x)]


@pytest.mark.parametrize("name", ["mish", "silu"])
def test_compiled_it_keeps_the_accuracy_contract(name: str) -> None:
    """Against the function in float64, whose own error is nothing next to that of float32; in units of the contract."""
    x = np.linspace(-30, 30, 9001, dtype="float32")
    value, slope = value_and_slope(activations.Compiled(name), tf.constant(x))
    exact, exact_slope = value_and_slope(activations.get(name), tf.constant(x.astype("float64")))
    _, bend = value_and_slope(lambda x: value_and_gradient(activations.get(name), x), tf.constant(x.astype("float64")))
    for found, expected, moved in ((value, exact, exact_slope), (slope, exact_slope, bend)):
        allowed = np.spacing(np.abs(expected).astype("float32")) + 2.0**-25 * np.abs(x * moved)
        assert (np.abs(found - expected) <= 4 * allowed).all()


def value_and_gradient(function: Any, x: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


@pytest.mark.parametrize("name", ["softmax", "swiglu", "rrelu"])
def test_what_is_not_elementwise_or_is_drawn_is_refused(name: str) -> None:
    """Flattened and padded, a row would end elsewhere; compiled, one draw would serve for all."""
    with pytest.raises(ValueError, match=f"{name} is not elementwise"):
        activations.Compiled(name)
