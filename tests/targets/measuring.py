"""The errors of operations as real machines compute them, in ULP."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from actgen.numerics.emulation import EVALUATIONS
from actgen.numerics.kernel import OPERATIONS
from actgen.targets.statements import NEAR

Array = NDArray[Any]
ROOT = Path(__file__).parents[2]
_NOT_ROUNDED = ("select", "head")
OPERATIONS_MEASURED = (
    *(name for name, row in OPERATIONS.items() if not row.is_boolean and name not in _NOT_ROUNDED),
    *(f"{name}_near" for name in NEAR),
)
MACHINES = (("torch", ""), ("jax", ""), ("keras", "tensorflow"), ("keras", "torch"), ("keras", "jax"))

_DENSE: Mapping[str, tuple[float, float]] = {
    "exp": (-87.5, 88.8),
    "expm1": (-20, 88.8),
    "sigmoid": (-87.5, 20),
    "tanh": (-10, 10),
    "sinh": (-89.5, 89.5),
    "cosh": (-89.5, 89.5),
    "erf": (-4.5, 4.5),
    "erfc": (-5, 9.2),
    "log": (0.0, 4.0),
    "log1p": (-1.0, 3.0),
    "sin": (-200, 200),
    "cos": (-200, 200),
    "tan": (-200, 200),
}
"""Where an operation does something, in float32; elsewhere (-10, 10)."""
_WIDER = {"exp": 8, "expm1": 8, "sigmoid": 8, "sinh": 7.95, "cosh": 7.95, "tanh": 2, "erf": 1.4, "erfc": 2.9}
"""How much wider that is in float64."""


def operands(operation: str, dtype: str, count: int, seed: int = 0) -> tuple[Array, Array]:
    """Floats of all binades and both signs, half of them where the operation does something.

    Exponents of powers lie between -10 and 10: half an ULP of the base is as many ULP of the result.
    """
    if operation.endswith("_near"):
        operation = operation.removesuffix("_near")
        low, high = NEAR[operation]
        a, b = operands(operation, dtype, count, seed)
        drawn = np.random.default_rng([seed, count]).uniform(low, high, count).astype(dtype)
        return np.where((a >= low) & (a <= high), a, drawn), b
    draw = np.random.default_rng([seed, count])
    info = np.finfo(dtype)
    quarter = count // 4

    def binades(low: float, high: float, size: int) -> Array:
        sign = np.where(draw.random(size) < 0.5, -1.0, 1.0)
        return np.asarray(sign * draw.uniform(1, 2, size) * np.exp2(draw.integers(int(low), int(high), size)))

    low, high = np.multiply(_DENSE.get(operation, (-10, 10)), _WIDER.get(operation, 1) if dtype == "float64" else 1)
    a = np.concatenate(
        [
            binades(info.minexp, info.maxexp, quarter),
            binades(-12, 10, quarter),
            draw.uniform(low, high, count - 2 * quarter),
        ]
    )
    draw.shuffle(a)
    b = np.concatenate([binades(-30, 30, count - quarter), binades(info.minexp, info.maxexp, quarter)])
    if operation == "power":
        a = np.abs(a)
        near_one = draw.random(count) < 0.3
        a[near_one] = 1 + binades(-20, -1, count)[near_one] * 0.4
        b = draw.uniform(-1, 1, count) * np.minimum(10, (info.maxexp - 1) / np.maximum(np.abs(np.log2(a)), 1.0))
    if operation in ("log", "sqrt"):
        a = np.abs(a)
        a[: quarter // 2] = 1 + binades(-20, -1, quarter // 2) * 0.4
    if operation == "log1p":
        a = np.where(a < -1, -a, a)
        a[: quarter // 2] = -1 + np.abs(binades(-20, -1, quarter // 2))
        a[quarter // 2 : quarter] = draw.uniform(-0.5, 0.0, quarter - quarter // 2)
    with np.errstate(all="ignore"):
        return a.astype(dtype), b.astype(dtype)


def neighbours(a: Array, b: Array, hard: Array, count: int, seed: int) -> tuple[Array, Array]:
    """Floats around points that were found hard: the nearest, and some a little further away."""
    draw = np.random.default_rng(seed)
    at = draw.choice(hard, count)
    info = np.finfo(a.dtype)
    reach = np.exp2(draw.uniform(np.log2(info.eps) + 1, -6, count)) * np.where(draw.random(count) < 0.5, -1, 1)
    with np.errstate(all="ignore"):
        near = (a[at].astype(np.float64) * (1 + reach)).astype(a.dtype)
    return near, b[at]


def exact(operation: str, a: Array, b: Array) -> Array:
    """Exact values, as long double: its 64 bits are 2048 times as fine as float64."""
    operation = operation.removesuffix("_near")
    with np.errstate(all="ignore"):
        if operation in ("erf", "erfc"):
            if a.dtype == np.float32:
                return np.asarray(EVALUATIONS[operation](a.astype(np.float64))).astype(np.longdouble)
            return _from_balls(operation, a)
        wide: list[Any] = [values.astype(np.longdouble) for values in (a, b)[: OPERATIONS[operation].arity]]
        if operation == "clamp":
            wide[1:] = [np.longdouble(a.dtype.type(bound)) for bound in (-0.3, 0.7)]
        return np.asarray(EVALUATIONS[operation](*wide))


def _from_balls(operation: str, a: Array) -> Array:
    function: Callable[[arb], arb] = getattr(arb, operation)
    high, low = np.empty(len(a)), np.zeros(len(a))
    before = ctx.prec
    ctx.prec = 160
    try:
        for i, value in enumerate(a.tolist()):
            middle = function(arb(value)).mid()
            high[i] = float(middle)
            low[i] = float(middle - arb(high[i])) if math.isfinite(high[i]) else 0.0
    finally:
        ctx.prec = before
    return high.astype(np.longdouble) + low.astype(np.longdouble)


def arity(operation: str) -> int:
    """How many operands an operation takes."""
    return OPERATIONS[operation.removesuffix("_near")].arity


def ulps(got: Array, true: Array, *inputs: Array) -> Array:
    """Errors of results in ULP of the rounded exact value.

    0 where the exact value, or an operand, is not a normal number (whether subnormal numbers are flushed is another
    question), and in the last binade (where some overflow early).
    """
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        rounded = true.astype(got.dtype)
        size = np.abs(rounded)
        errors = np.abs(got.astype(np.longdouble) - true) / np.spacing(size).astype(np.longdouble)
        is_judged = (size >= info.tiny) & (size <= info.max / 2)
        for values in inputs:
            is_judged &= np.isfinite(values) & ((np.abs(values) >= info.tiny) | (values == 0))
    errors = np.where(np.isnan(errors), np.inf, errors)
    return np.where(is_judged, errors, 0.0).astype(np.float64)


def run(
    framework: str, backend: str, given: Mapping[str, tuple[Array, Array]], folder: Path, pieces: int, mode: str
) -> Any:
    """Return what a framework computes: arrays by "WAY/OPERATION/DTYPE"."""
    arrays = {f"{key}/{place}": values for key, pair in given.items() for place, values in zip("ab", pair, strict=True)}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "operands.npz", **arrays)  # type: ignore[arg-type]  # one may be allow_pickle
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    if backend:
        environment["KERAS_BACKEND"] = backend
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.targets.machines",
        framework,
        str(folder),
        str(pieces),
        mode,
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    with np.load(folder / "results.npz") as results:
        return dict(results)
