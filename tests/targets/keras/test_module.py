"""What the emitted Keras code promises beyond the generated tests, and those tests on the other backends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

from actgen.numerics import derive
from actgen.spec import load_spec
from actgen.targets import Context
from actgen.targets.keras import target

ROOT = Path(__file__).parents[3]
GENERATED = ROOT / "generated" / "tests"
OTHERS = sorted({"tensorflow", "jax", "torch"} - {keras.backend.backend()})

# 2026-11: keras 3.15 converts and saves through a deprecated part of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def numpy(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("backend", OTHERS)
def test_the_generated_tests_pass_on_the_other_backends(backend: str) -> None:
    files = [GENERATED / f"test_{name}.py" for name in ("prelu", "mish", "glu")]
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    options = ["-q", "-n", "0", "-p", "no:hypothesispytest", "-p", "no:jaxtyping"]  # which take a second to import
    command = [sys.executable, "-m", "pytest", *options, "-k", "keras and not torch and not jax", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def test_a_symbolic_call_records_a_layer_with_the_hyperparameters(emitted: ModuleType) -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, emitted.leaky_relu(inputs, negative_slope=0.5))
    assert isinstance(model.layers[-1], emitted.LeakyReLU)
    assert model.layers[-1].get_config()["negative_slope"] == 0.5
    np.testing.assert_array_equal(numpy(model(np.full((1, 3), -2.0, "float32"))), [[-1.0] * 3])


def test_a_symbolic_call_may_have_a_symbolic_parameter_and_is_saved(emitted: ModuleType, tmp_path: Path) -> None:
    inputs, slopes = keras.Input((3,)), keras.Input((1,))
    model = keras.Model([inputs, slopes], emitted.swish(emitted.swish(inputs, 2.0), slopes))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    given = [np.ones((2, 3), "float32"), np.full((2, 1), 0.5, "float32")]
    np.testing.assert_array_equal(numpy(again(given)), numpy(model(given)))


@pytest.mark.parametrize(
    ("shared_axes", "shape"),
    [(None, (1, 1, 5)), ([2, 3], (3, 1, 1)), ([1, 2, 3], (1, 1, 1)), ([], (3, 4, 5)), (1, (1, 4, 5))],
)
def test_shared_axes_are_those_of_keras_prelu(emitted: ModuleType, shared_axes: object, shape: object) -> None:
    layer = emitted.PReLU(shared_axes=shared_axes)
    layer.build((None, 3, 4, 5))
    assert tuple(layer.alpha.shape) == shape
    assert emitted.PReLU.from_config(layer.get_config()).shared_axes == layer.shared_axes


def test_a_parameter_stays_float32_under_mixed_precision(emitted: ModuleType) -> None:
    layer = emitted.Swish(dtype="mixed_bfloat16", beta_initializer=keras.initializers.Constant(1.001))
    x = np.linspace(1, 3, 7, dtype="float32")
    got = keras.ops.cast(layer(x), "float32")
    rounded = keras.ops.cast(keras.ops.cast(x, "bfloat16"), "float32")
    expected = keras.ops.cast(keras.ops.cast(emitted.swish(rounded, 1.001), "bfloat16"), "float32")
    np.testing.assert_array_equal(numpy(got), numpy(expected))


def test_a_hyperparameter_outside_its_domain_is_refused_by_function_and_layer(emitted: ModuleType) -> None:
    for make in (emitted.Squareplus, lambda b: emitted.squareplus(1.0, b=b)):
        with pytest.raises(ValueError, match="b must be"):
            make(b=-1.0)


def test_a_class_imported_first_does_not_hide_the_function(emitted: ModuleType) -> None:
    assert emitted.ReLU.__name__ == "ReLU"
    assert callable(emitted.relu)


def test_no_backend_is_imported_by_name(emitted: ModuleType) -> None:
    """But for TensorFlow in what is for its graphs, and there only when it is the backend."""
    for path in Path(str(emitted.__file__)).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found = [name for name in ("tensorflow", "torch", "jax", "numpy", "actgen") if f"import {name}" in text]
        assert found == (["tensorflow"] if path.name == "compiled.py" else [])
        assert "\nimport tensorflow" not in text


def test_a_parameter_may_have_the_name_of_a_local_variable() -> None:
    derivation = derive(load_spec(ROOT / "specs" / "threshold.toml"))
    assert "value" in [parameter.name for parameter in derivation.activation.parameters]
    scope: dict[str, Any] = {}
    exec(target.emit(derivation, Context())["keras/threshold.py"], scope)  # the emitted module
    y = scope["threshold"](np.array([-1.0, 0.5, 2.0], "float32"), threshold=0.25, value=-3.0)
    np.testing.assert_array_equal(np.asarray(y), [-3.0, 0.5, 2.0])
