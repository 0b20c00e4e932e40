"""What the generated code is for: gradients that are right in the tails, where those of the frameworks are not.

The derivatives that frameworks take through a rounded output, y (1 - y), lose every digit there: theirs are off by 1e5
units of the accuracy contract and more, ours by less than 4, over floats of every binade.

``python -m tests.generated.test_gradients`` prints the figures of README's table.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.typing import NDArray

from actgen.numerics import Exact, Oracle, contract
from actgen.numerics.contract import Errors
from actgen.spec import load_spec
from actgen.symbolic import Formula
from actgen.symbolic.derivatives import differentiate

Function = Callable[[Any], Any]
ROOT = Path(__file__).resolve().parents[2]
NAMES = ("sigmoid", "tanh", "silu", "mish", "gelu")


def stratified() -> NDArray[np.float32]:
    """66,040 floats: 130 in each binade, of either sign; mantissas by the golden ratio."""
    binades = np.arange(-126, 128)
    mantissas = 1 + (np.arange(130) * 0.6180339887498949) % 1
    positive = np.concatenate([np.ldexp(mantissas, int(binade)) for binade in binades]).astype(np.float32)
    return np.unique(np.concatenate([positive, -positive]))


POINTS = stratified()


@cache
def exact(name: str) -> tuple[Exact, Oracle]:
    formula = Formula.of(load_spec(ROOT / "specs" / f"{name}.toml"))
    x = formula.inputs[0]
    slope = formula.partials["x",]
    bend = Oracle(differentiate(slope, x), x, bits=20)
    return Oracle(slope, x)(POINTS.astype(np.float64), {}), bend


def errors(name: str, slopes: NDArray[np.float32]) -> Errors:
    """How far slopes are off."""
    truth, bend = exact(name)
    return contract.errors(POINTS.astype(np.float64), slopes, truth, lambda points: np.abs(bend(points, {}).high))


def in_torch(function: Function) -> NDArray[np.float32]:
    x = torch.from_numpy(POINTS.copy()).requires_grad_()
    (slope,) = torch.autograd.grad(function(x).sum(), x)
    return np.asarray(slope)


def in_jax(function: Function) -> NDArray[np.float32]:
    return np.asarray(jax.jit(jax.grad(lambda x: function(x).sum()))(POINTS))


def in_keras(function: Function) -> NDArray[np.float32]:
    return np.asarray(taped(function, tf.constant(POINTS)))


def in_xla(function: Function) -> NDArray[np.float32]:
    compiled = tf.function(lambda x: taped(function, x), jit_compile=True, autograph=False)
    return np.asarray(compiled(tf.constant(POINTS)))


def taped(function: Function, x: Any) -> Any:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the tape is TensorFlow's")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x)


WAYS = {
    "torch": ("torch", in_torch),
    "jax": ("jax", in_jax),
    "keras": ("keras", in_keras),
    "keras, XLA": ("keras", in_xla),
}


def ours(name: str, way: str) -> Errors:
    framework, slopes = WAYS[way]
    return errors(name, slopes(getattr(import_module(f"generated.{framework}"), name)))


def theirs(name: str, way: str) -> Errors:
    framework, slopes = WAYS[way]
    builtin = load_spec(ROOT / "specs" / f"{name}.toml").builtins[framework]
    home, _, attribute = builtin.name.rpartition(".")
    function = getattr(import_module(home), attribute)
    return errors(name, slopes(lambda x: function(x, **builtin.arguments)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_gradients_keep_the_contract_in_every_binade(name: str, way: str) -> None:
    assert ours(name, way).worst <= 4


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_the_measure_finds_what_is_wrong_with_the_builtins(name: str, way: str) -> None:
    assert theirs(name, way).worst > 1e4


@pytest.mark.parametrize("framework", ["torch", "keras", "jax"])
def test_importing_one_activation_imports_no_other_and_no_sympy(framework: str) -> None:
    program = f"""
import sys
import generated.{framework} as package
package.mish
mine = sorted(name for name in sys.modules if name.startswith("generated.{framework}."))
assert mine == ["generated.{framework}.mish"], mine
assert "actgen" not in sys.modules
# torch itself imports SymPy; nothing of ours does.
assert "{framework}" == "torch" or "sympy" not in sys.modules or "torch" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


if __name__ == "__main__":
    for name in NAMES:
        for way in WAYS:
            pair = ours(name, way), theirs(name, way)
            print(name, way, *(f"{one.worst:.2g} units, {one.worst_ulps:.2g} ULP" for one in pair), sep=" | ")
