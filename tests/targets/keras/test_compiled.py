"""An activation that XLA compiles by itself: the same numbers for any size, saved with a model, few sizes compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="what is tested is TensorFlow's")
pytestmark = [
    pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="only TensorFlow has graphs without XLA"),
    # 2026-11: keras 3.15 converts and saves through a deprecated part of NumPy.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def in_a_graph(function: Any, dtype: str = "float32") -> Any:
    """The value and the gradient of its sum, traced for vectors of any length."""

    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    return tf.function(both, input_signature=[tf.TensorSpec([None, None], dtype)])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_is_the_function_in_graphs_for_any_size(emitted: Any, dtype: str) -> None:
    compiled, plain = (in_a_graph(f, dtype) for f in (emitted.Compiled("mish"), emitted.mish))
    for count in (0, 7, 1025, 9000):
        x = tf.cast(tf.reshape(tf.linspace(-30.0, 30.0, count), [count, 1]), dtype)
        for found, expected in zip(compiled(x), plain(x), strict=True):
            assert found.dtype == dtype
            assert found.shape == (count, 1)
            np.testing.assert_allclose(
                tf.cast(found, "float64"),
                tf.cast(expected, "float64"),
                rtol=1e-2 if dtype == "bfloat16" else 1e-5,
                atol=1e-6,
            )


def test_sizes_are_rounded_up_to_few_and_by_little(emitted: Any) -> None:
    """XLA compiles for every size that it is given."""
    compiled = emitted.Compiled("mish")
    sizes: list[Any] = []

    def kernel(x: Any) -> Any:
        sizes.append(tf.size(x))
        return x

    def rounded(x: Any) -> Any:
        compiled(x)
        return sizes[-1]

    compiled._kernel = kernel
    size = tf.function(rounded, input_signature=[tf.TensorSpec([None], "float32")])
    counts = np.unique(np.geomspace(1, 2**22, 80).astype(int))
    found = [int(size(tf.zeros([count]))) for count in counts]
    assert all(f >= count for f, count in zip(found, counts, strict=True))
    assert all(f <= 1.13 * count for f, count in zip(found, counts, strict=True) if count > 8192)
    assert len(set(found)) <= 8 * 10 + 8


def test_a_model_is_trained_saved_and_loaded_with_it(emitted: Any, tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation=emitted.Compiled("mish")),
            keras.layers.Activation(emitted.Compiled("leaky_relu", negative_slope=0.25)),
        ]
    )
    x = np.linspace(-2, 2, 30, dtype="float32").reshape(10, 3)
    model.compile("sgd", "mse")
    model.fit(x, np.ones((10, 4), "float32"), batch_size=4, verbose=0)  # the last batch is a smaller one
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
    assert again.layers[1].activation.parameters == {"negative_slope": 0.25}
    np.testing.assert_allclose(again(x), model.predict(x, verbose=0), rtol=1e-5)  # eagerly it is the function


def test_it_may_stand_in_what_is_compiled_as_a_whole(emitted: Any) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation=emitted.Compiled("mish"))])
    model.compile("sgd", "mse", jit_compile=True)
    x = np.ones((6, 3), "float32")
    assert np.isfinite(model.fit(x, np.ones((6, 4)), batch_size=4, verbose=0).history["loss"]).all()


def test_on_another_backend_it_is_the_function(emitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = emitted.Compiled("mish")
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    assert np.asarray(in_a_graph(compiled)(tf.ones([2, 1]))[0]).shape == (2, 1)
    assert compiled._kernel is None


def test_what_it_cannot_compile_is_refused(emitted: Any) -> None:
    with pytest.raises(ValueError, match="leaky_relu has no parameter slope; it has negative_slope"):
        emitted.Compiled("leaky_relu", slope=0.1)
    with pytest.raises(ValueError, match="mish has no parameter alpha; it has none"):
        emitted.Compiled("mish", alpha=0.1)
    with pytest.raises(ValueError, match="mihs"):
        emitted.Compiled("mihs")
