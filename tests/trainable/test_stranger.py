"""A spec that nobody here has seen, with two trainable parameters, works in every framework as a build leaves it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from actgen.build import InputError, Settings, build
from tests.trainable.frameworks import ADAPTORS, FRAMEWORKS, MODULES, X, train

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SPEC = """
title = "Bounded sag"
summary = "A ramp whose steepness each channel learns, with a sag that levels off below 0."
expression = "Piecewise((steepness * x, x > 0), (sag * x / (1 - x), True))"
folklore = true

[parameters.steepness]
default = 1.5
description = "Slope for positive inputs."
domain = "positive"
trainable = true
shape = "channel"

[parameters.sag]
default = -0.25
description = "Slope just below 0, and minus the level far below."
trainable = true
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "specs").mkdir()
    (folder / "specs/bounded_sag.toml").write_text(SPEC)
    build(Settings(folder / "specs", folder / "theirs", FRAMEWORKS, folder), jobs=1)
    sys.path.insert(0, str(folder))
    yield folder / "theirs"
    sys.path.remove(str(folder))


def formula(x: np.ndarray, steepness: object, sag: object) -> np.ndarray:
    return np.asarray(np.where(x > 0, steepness * x, sag * x / (1 - x)), np.float32)


@pytest.mark.parametrize("framework", MODULES)
def test_it_is_built_computed_and_trained(built: Path, framework: str) -> None:
    layer = ADAPTORS[framework](importlib.import_module(f"theirs.{framework}"), "BoundedSag", channels=4)
    np.testing.assert_allclose(layer.call(X), formula(X, 1.5, -0.25), rtol=1e-6)
    wanted = np.array([0.5, 1.0, 2.0, 3.0])
    losses = train(framework, [layer], [formula(X, wanted, 0.75)], "adam", 0.05, 200)
    assert losses[-1] < 1e-2 * losses[0]
    values = layer.values()
    np.testing.assert_allclose(np.ravel(values["steepness"]), wanted, atol=0.1)
    np.testing.assert_allclose(np.ravel(values["sag"]), 0.75, atol=0.1)
    train(framework, [layer], [formula(X, -5.0, 0.75)], "sgd", 5.0, 20)
    assert np.all(layer.value("steepness") > 0)


def test_the_function_of_jax_is_trained_as_it_is(built: Path) -> None:
    import jax
    import jax.numpy as jnp

    bounded_sag = importlib.import_module("theirs.jax").bounded_sag

    @jax.jit
    def loss(parameters: dict[str, jax.Array]) -> jax.Array:
        return jnp.mean((bounded_sag(X, **parameters) - formula(X, 2.0, 0.75)) ** 2)

    parameters = {"steepness": jnp.full(4, 1.5), "sag": jnp.asarray(-0.25)}
    for _ in range(200):
        parameters = jax.tree.map(lambda value, slope: value - 0.2 * slope, parameters, jax.grad(loss)(parameters))
    assert loss(parameters) < 1e-3
    assert parameters["steepness"].shape == (4,)


def test_what_borrows_kernels_is_no_machine_of_the_manifest(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["targets"] == [*FRAMEWORKS]
    kernels = manifest["activations"]["bounded_sag"]["kernels"]
    assert {target for chosen in kernels.values() for target in chosen} == {"torch", "keras", "jax"}
    assert not (built / "tests/on_flax.py").exists()
    tests = (built / "tests/test_bounded_sag.py").read_text(encoding="utf-8")
    assert tests.count("def test_the_flax_module") == tests.count("def test_the_equinox_module") == 1
    assert 'FRAMEWORKS = ["torch", "keras", "jax"]' in (built / "tests/contract.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("borrower", ["flax", "equinox"])
def test_a_target_that_borrows_is_refused_without_the_one_it_borrows_from(tmp_path: Path, borrower: str) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/bounded_sag.toml").write_text(SPEC)
    with pytest.raises(
        InputError, match=f"the target '{borrower}' calls the functions of 'jax'; add \"jax\" to the targets"
    ):
        build(Settings(tmp_path / "specs", tmp_path / "out", ("torch", borrower), tmp_path), jobs=1)
    assert not (tmp_path / "out").exists()
