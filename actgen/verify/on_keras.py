"""How functions are run in Keras on TensorFlow: eagerly, and compiled by XLA."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from actgen.build import InputError
from actgen.verify.batch import Batch, Call, Refused, Results
from actgen.verify.points import decode, encode


def prepare() -> None:
    """See that the backend is TensorFlow, and limit it to one thread."""
    if keras.backend.backend() != "tensorflow":
        raise InputError(f"Keras runs on {keras.backend.backend()} here; set KERAS_BACKEND=tensorflow")
    _everything.cache_clear()
    tf.get_logger().setLevel("ERROR")  # it would warn of each function that is traced, as each must be
    with contextlib.suppress(RuntimeError):  # TensorFlow has started: it keeps the threads it has
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def evaluate(function: Callable[..., Any], batches: Sequence[Batch], mode: str) -> Iterator[Results]:
    """Run each batch by itself."""
    for batch in batches:
        numbers = zip((batch.points, *batch.arrays.values()), batch.types(), strict=True)
        arguments = [tf.constant(_encode(values, dtype)) for values, dtype in numbers]
        try:
            value, firsts, second = _everything(function, batch.call, mode)(*arguments)
        except Exception as error:
            if _is_refusal(error):
                raise Refused(str(error)) from error
            raise
        found = batch.select(value, firsts, second)
        yield {order: _numbers(tensor) for order, tensor in found.items()}


def _encode(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    numbers = encode(values, dtype)
    return numbers.view(tf.bfloat16.as_numpy_dtype) if dtype == "bfloat16" else numbers


def _is_refusal(error: Exception) -> bool:
    """Whether it says that an operation has no kernel for the type, or no derivative."""
    if isinstance(error, LookupError):
        return str(error).startswith("gradient registry has no entry for")  # such as "SoftsignGrad"
    return isinstance(error, tf.errors.UnimplementedError | tf.errors.NotFoundError)


@lru_cache(maxsize=8)
def _everything(function: Callable[..., Any], call: Call, mode: str) -> Callable[..., Any]:
    """A function of the input and the arrays that returns the value, first derivatives, and the second or None."""

    def run(*arguments: Any) -> tuple[Any, Any, Any]:
        x, *arrays = arguments
        if not call.wants_first:
            return call(function, x, arrays), (), None
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(arguments)
                value = call(function, x, arrays)
            firsts = inner.gradient(value, arguments, unconnected_gradients="zero")
        second = outer.gradient(firsts[0], x, unconnected_gradients="zero") if call.wants_second else None
        return value, firsts, second

    # Without autograph, which changes no operation, an error is the one that was raised.
    return tf.function(run, jit_compile=True, autograph=False) if mode == "compiled" else run


def _numbers(tensor: Any) -> NDArray[Any]:
    return decode(np.asarray(tensor.numpy()), tensor.dtype.name)
