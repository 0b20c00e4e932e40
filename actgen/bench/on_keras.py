"""How functions are timed in Keras on TensorFlow: by themselves, and in a model that is trained with `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actgen.bench.runner import Function
from actgen.bench.ways import FIT_MODES

_BATCH, _FEATURES, _STEPS = 256, 8, 8


def prepare() -> None:
    """Free what was traced for other functions."""
    keras.backend.clear_session()


def sample(shape: tuple[int, ...], dtype: str) -> Any:
    """A tensor of normally distributed numbers."""
    return tf.cast(tf.constant(2 * np.random.default_rng(0).standard_normal(shape, dtype="float32")), dtype)


def runner(function: Function, x: Any, mode: str, is_training: bool) -> Callable[[], object]:
    """A call of the function; or, of a model's training, a few steps."""
    if mode in FIT_MODES:
        return _fitting(function, x, mode)
    upstream = tf.ones_like(function(x))

    def train(upstream: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return value, tape.gradient(value, x, upstream)

    called, arguments = (train, (upstream, x)) if is_training else (function, (x,))
    if mode != "eager":
        called = tf.function(called, jit_compile=mode == "compiled", autograph=False)
    return lambda: called(*arguments)


def copier(x: Any, mode: str, is_training: bool) -> Callable[[], object]:
    """A copy of the input; of a model, the same one with the identity in the place of the activation."""
    if mode in FIT_MODES:
        return _fitting(keras.activations.linear, x, mode)
    copy = tf.raw_ops.DeepCopy
    return (lambda: (copy(x=x), copy(x=x))) if is_training else (lambda: copy(x=x))


def kept_bytes(function: Function, x: Any) -> int | None:
    """TensorFlow does not tell."""
    return None


def _fitting(function: Function, x: Any, mode: str) -> Callable[[], object]:
    """Steps of `fit`, by default (on a CPU a graph, without XLA) or compiled, little of them but the activation.

    A dense layer of few features makes as many numbers as x has, the activation follows, and a dense layer adds them
    up.
    """
    policy = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[x.dtype.name]
    width = max(1, int(np.prod(x.shape)) // _BATCH)
    model = keras.Sequential(
        [
            keras.Input((_FEATURES,)),
            keras.layers.Dense(width, dtype=policy),
            keras.layers.Lambda(function, dtype=policy),
            keras.layers.Dense(1, dtype=policy),
        ]
    )
    model.compile(optimizer="sgd", loss="mse", jit_compile=True if mode == "compiled fit" else "auto")
    numbers = np.random.default_rng(0)
    features = numbers.standard_normal((_BATCH * _STEPS, _FEATURES), dtype="float32")
    targets = numbers.standard_normal((_BATCH * _STEPS, 1), dtype="float32")
    steps = tf.data.Dataset.from_tensor_slices((features, targets)).batch(_BATCH, drop_remainder=True).cache()
    return lambda: model.fit(steps, epochs=1, shuffle=False, verbose=0)
