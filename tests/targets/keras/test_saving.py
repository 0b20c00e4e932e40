"""What docs/keras.md says: models saved in one process and loaded in another, and what Keras does with strings."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from tests.targets.keras.conftest import write

# 2026-11: keras 3.15 converts and saves through a deprecated part of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SAVE = """\
import sys, keras, numpy as np
import ours.keras
keras.utils.set_random_seed(9)  # no sum of the last layer is next to 0, where it has no digits to compare
model = keras.Sequential([
    keras.Input((3,)),
    keras.layers.Dense(4, activation=ours.keras.get("mish")),
    ours.keras.PReLU(),
    keras.layers.Dense(2, activation=ours.keras.LeakyReLU(negative_slope=0.5)),
])
x = np.linspace(-2, 2, 12, dtype="float32").reshape(4, 3)
y = keras.ops.convert_to_numpy(model(x))
assert np.abs(y).min() > 0.1, y
np.save("y.npy", y)
for path in sys.argv[1:]:
    model.save(path)
"""

LOAD = """\
import sys, keras, numpy as np
import {package}.keras as ours
assert "{package}.keras.mish" not in sys.modules
for path in sys.argv[1:]:
    try:
        keras.models.load_model(path)
    except TypeError as error:
        assert "Could not locate function 'ours.keras>mish'" in str(error), error
        assert "make sure they are all imported" in str(error), error
    else:
        raise AssertionError("loaded without a registration")
ours.register({former})
x = np.linspace(-2, 2, 12, dtype="float32").reshape(4, 3)
for path in sys.argv[1:]:
    model = keras.models.load_model(path)
    assert model.layers[0].activation is ours.mish, model.layers[0].activation
    assert type(model.layers[1]) is ours.PReLU
    assert type(model.layers[2].activation) is ours.LeakyReLU
    assert model.layers[2].activation.negative_slope == 0.5
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x)), np.load("y.npy"), rtol=1e-6)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package `ours` and a model that was saved with it in a process that has ended."""
    folder = tmp_path_factory.mktemp("saved")
    write(folder / "ours")
    run(SAVE, folder, keras.backend.backend())
    return folder


def run(script: str, folder: Path, backend: str) -> None:
    """Run a script where its packages lie, in a process of its own."""
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    command = [sys.executable, "-c", script, "model.keras", "model.h5"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_process_that_registers_loads_what_another_saved_and_one_that_does_not_is_told(
    saved: Path, backend: str
) -> None:
    run(LOAD.format(package="ours", former=""), saved, backend)


def test_a_package_that_was_moved_loads_what_was_saved_before(saved: Path) -> None:
    write(saved / "moved")
    run(LOAD.format(package="moved", former="'ours.keras'"), saved, keras.backend.backend())


def test_a_model_knows_an_activation_by_the_import_name_of_its_package(saved: Path) -> None:
    with zipfile.ZipFile(saved / "model.keras") as archive:
        _, dense, prelu, last = json.loads(archive.read("config.json"))["config"]["layers"]
    assert dense["config"]["activation"]["config"] == "ours.keras>mish"
    assert prelu["registered_name"] == "ours.keras>PReLU"
    assert last["config"]["activation"]["registered_name"] == "ours.keras>LeakyReLU"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The same package as `emitted`, but a stranger's."""
    folder = tmp_path_factory.mktemp("other")
    write(folder / "strange_keras")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("strange_keras.keras")
    sys.path.remove(str(folder))


def test_two_packages_do_not_take_each_others_names(emitted: ModuleType, other: ModuleType) -> None:
    for package in (emitted, other, emitted):
        package.register()
        for name in ("mish", "PReLU", "PReLUOperation", "LeakyReLU"):
            found = keras.saving.get_registered_object(f"{package.__name__}>{name}")
            assert found.__module__.startswith(package.__name__)
        assert keras.activations.get(keras.activations.serialize(package.mish)) is package.mish
        layer = package.LeakyReLU(negative_slope=0.5)
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert type(again) is package.LeakyReLU
    assert emitted.mish is not other.mish


@pytest.mark.parametrize("name", ["lisht", "handmade_keras.keras>mish", "snake"])
def test_keras_takes_no_string_of_ours_whatever_is_registered(emitted: ModuleType, name: str) -> None:
    emitted.register()
    custom = {"lisht": emitted.mish, "snake": emitted.mish}
    with (
        keras.saving.custom_object_scope(custom),
        pytest.raises(ValueError, match="Could not interpret activation function identifier"),
    ):
        keras.layers.Dense(64, activation=name)


def test_a_string_that_keras_knows_is_its_own_and_get_gives_ours(emitted: ModuleType) -> None:
    emitted.register()
    assert keras.layers.Dense(64, activation="mish").activation is keras.activations.mish
    layer = keras.layers.Dense(64, activation=emitted.get("mish"))
    assert layer.activation is emitted.mish
    assert keras.layers.Dense.from_config(layer.get_config()).activation is emitted.mish


def test_a_layer_takes_a_configuration_that_is_all_text(emitted: ModuleType) -> None:
    emitted.register()
    activation = json.loads('{"class_name": "function", "config": "handmade_keras.keras>mish"}')
    assert keras.layers.Dense(64, activation=activation).activation is emitted.mish
    assert keras.layers.Activation(activation).activation is emitted.mish
    unknown = {"class_name": "function", "config": "handmade_keras.keras>relux"}
    with pytest.raises(TypeError, match=r"Could not locate function 'handmade_keras\.keras>relux'"):
        keras.layers.Dense(64, activation=unknown)


def test_a_bare_name_in_such_a_configuration_is_never_ours_in_place_of_keras_own(emitted: ModuleType) -> None:
    emitted.register()
    bare = {"class_name": "function", "config": "mish", "module": "builtins"}
    assert keras.layers.Dense(64, activation=bare).activation is keras.activations.mish
    np.testing.assert_array_equal(keras.activations.get("relu")(np.array([-1.0, 2.0])), [0.0, 2.0])
