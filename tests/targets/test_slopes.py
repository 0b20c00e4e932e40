"""What automatic differentiation makes of the targets' own primitives, of which third derivatives are made.

A branch that is not taken still has a slope, and infinity or NaN times 0 is NaN: its argument has to be held where it
is finite. What is tested is the text that goes into modules, and text can only be run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import jax
import keras
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actgen.targets.jax.printer import EXPANSIONS as JAX
from actgen.targets.keras.expansions import EXPANSIONS as KERAS
from actgen.targets.torch.printer import EXPANSIONS as TORCH

# torch 2.13's own, November 2026: the first use of Inductor.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

Array = NDArray[Any]

SLOPES: Mapping[str, Callable[[Array], Array]] = {
    "expm1": lambda a: np.exp(np.where(a < 1000, a, np.inf)),
    "tanh": lambda a: 1 / np.cosh(np.clip(a, -300, 300)) ** 2,
    "erf": lambda a: 2 / np.sqrt(np.pi) * np.exp(-(np.clip(a, -30, 30) ** 2)),
    "atan": lambda a: 1 / (1 + a * a),
    "log1p": lambda a: 1 / (1 + a),
    "log1p_near": lambda a: 1 / (1 + a),
}
SIZES = [0.0, 1e-30, 1e-6, 0.01, 0.3, 0.499, 0.501, 0.62, 0.63, 0.93, 0.94, 1.0, 1.5, 3.0, 4.5, 12.0, 80.0, 1e4, 1e15]


def arguments(operation: str, dtype: str) -> Array:
    """0, tiny, on both sides of what the branches are chosen by, and large."""
    a = np.array([*SIZES, *(-size for size in SIZES)])
    if operation == "log1p":
        a = a[a > -1]
    if operation == "log1p_near":
        a = a[(a >= -0.5) & (a <= 1)]
    return a.astype(dtype)


def in_jax(operation: str, a: Array) -> Array:
    scope: dict[str, Any] = {"jax": jax, "jnp": jax.numpy, "Array": jax.Array}
    exec("\n\n".join(JAX.values()), scope)
    with jax.enable_x64(a.dtype == np.float64):
        return np.asarray(jax.vmap(jax.grad(scope[f"_{operation}"]))(jax.numpy.asarray(a)))


def in_keras(operation: str, a: Array) -> Array:
    import tensorflow as tf

    assert keras.backend.backend() == "tensorflow"
    scope: dict[str, Any] = {"keras": keras}
    exec("\n\n".join(expansion.source for expansion in KERAS.values()), scope)
    x = tf.constant(a)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = scope[f"_{operation}"](x)
    return np.asarray(tape.gradient(y, x))


def in_torch(operation: str, a: Array) -> Array:
    """Compiled: the functions are PyTorch's own otherwise."""
    module = ModuleType("emitted_for_slopes")
    exec("import torch\nfrom torch import Tensor, nn\n" + "\n\n".join(TORCH.values()), module.__dict__)
    sys.modules[module.__name__] = module  # where Dynamo looks for it
    try:
        torch._dynamo.reset()
        x = torch.from_numpy(a).requires_grad_()
        compiled: Any = torch.compile(getattr(module, f"_{operation}"), dynamic=False)
        compiled(x).sum().backward()
    finally:
        del sys.modules[module.__name__]
    assert x.grad is not None
    return x.grad.numpy()


FRAMEWORKS = {"jax": (in_jax, JAX), "keras": (in_keras, KERAS), "torch": (in_torch, TORCH)}


@pytest.mark.parametrize(
    ("framework", "operation"),
    [(name, operation) for name, (_, own) in FRAMEWORKS.items() for operation in SLOPES if operation in own],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_primitive_has_its_slope_everywhere(framework: str, operation: str, dtype: str) -> None:
    """A branch whose argument is not held gives NaN; a wrong one gives another number."""
    a = arguments(operation, dtype)
    slope, _ = FRAMEWORKS[framework]
    exact = SLOPES[operation](a.astype(np.float64))
    tolerance = 1e-5 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(slope(operation, a), exact, rtol=tolerance, atol=tolerance)
