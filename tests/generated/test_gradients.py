"""What the generated code is for: gradients that are right in the tails, where those of the frameworks are not.

The derivatives that frameworks take through a rounded output, y (1 - y), lose every digit there: theirs are off by 1e5
units of the accuracy contract and more, ours by less than 4, over floats of every binade.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actgen.numerics import Exact, Oracle, contract
from actgen.spec import load_spec
from actgen.symbolic import Formula
from actgen.symbolic.derivatives import differentiate

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("sigmoid", "tanh", "silu", "mish", "gelu")
BUILTINS = {
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "silu": "torch.nn.functional.silu",
    "mish": "torch.nn.functional.mish",
    "gelu": "torch.nn.functional.gelu",
}


def stratified() -> NDArray[np.float32]:
    """2**16 floats, as many in each binade, of either sign; mantissas by the golden ratio."""
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


def units(name: str, slopes: NDArray[np.float32]) -> float:
    """The largest error in units of the contract."""
    truth, bend = exact(name)
    found = contract.errors(POINTS.astype(np.float64), slopes, truth, lambda points: np.abs(bend(points, {}).high))
    return found.worst


def in_torch(function: Callable[[Any], Any]) -> NDArray[np.float32]:
    import torch

    x = torch.from_numpy(POINTS.copy()).requires_grad_()
    (slope,) = torch.autograd.grad(function(x).sum(), x)
    return np.asarray(slope)


def in_jax(function: Callable[[Any], Any]) -> NDArray[np.float32]:
    import jax

    return np.asarray(jax.jit(jax.grad(lambda x: function(x).sum()))(POINTS))


def in_keras(function: Callable[[Any], Any]) -> NDArray[np.float32]:
    if import_module("keras").backend.backend() != "tensorflow":
        pytest.skip("the tape is TensorFlow's")
    tensorflow = import_module("tensorflow")
    x = tensorflow.Variable(POINTS)
    with tensorflow.GradientTape() as tape:
        y = function(x)
    return np.asarray(tape.gradient(y, x))


SLOPES = {"torch": in_torch, "jax": in_jax, "keras": in_keras}


@pytest.mark.parametrize("framework", SLOPES)
@pytest.mark.parametrize("name", NAMES)
def test_gradients_keep_the_contract_in_every_binade(name: str, framework: str) -> None:
    function = getattr(import_module(f"generated.{framework}"), name)
    assert units(name, SLOPES[framework](function)) <= 4


@pytest.mark.parametrize("name", NAMES)
def test_the_measure_finds_what_is_wrong_with_the_builtins(name: str) -> None:
    module, _, attribute = BUILTINS[name].rpartition(".")
    assert units(name, in_torch(getattr(import_module(module), attribute))) > 1e4


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
