"""The printer table, and each operation by itself on every backend, eager and compiled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable
from actgen.targets.keras.expansions import EXPANSIONS, sources
from actgen.targets.keras.printer import FORMS, KerasPrinter
from actgen.targets.statements import NEAR, UnknownOperationError
from tests.targets import operations

X, ALPHA = Variable("x"), Variable("alpha", is_parameter=True)

# ULP. erfc: on TensorFlow its own argument moved by half an ULP does as much (the contract's second term); the tangent
# is a quotient of two roundings.
TOLERATED = {"erfc": 300.0, "tan": 5.0}

SCRIPT = """
import json, sys
import numpy as np
import keras

sys.path.insert(0, sys.argv[1])
import emitted

backend = keras.backend.backend()
if backend == "jax":
    import jax
    jax.config.update("jax_enable_x64", True)


def compiled(f):
    if backend == "jax":
        return jax.jit(f)
    if backend == "tensorflow":
        import tensorflow as tf
        return tf.function(f, jit_compile=True)
    return f


points = np.load(sys.argv[1] + "/points.npz")
operands, functions = {}, {}
for key in points.files:
    operation, dtype, place = key.split("-")
    operands.setdefault((operation, dtype), []).append(keras.ops.convert_to_tensor(points[key]))
    functions[operation, dtype] = getattr(emitted, "operation_" + operation)


def together(operands):
    return {key: functions[key](*pair) for key, pair in operands.items()}


# Compiled as one: to compile each by itself takes seconds.
runs = {"eager": together(operands)}
if backend != "torch":
    runs["compiled"] = dict(zip(operands, compiled(lambda *pairs: [*together(dict(zip(operands, pairs))).values()])(
        *operands.values()
    )))
results = {
    f"{operation}-{dtype}-{how}": np.asarray(y if backend == "jax" else y.numpy())
    for how, found in runs.items()
    for (operation, dtype), y in found.items()
}
np.savez(sys.argv[1] + "/results.npz", **results)

# The sign of a subnormal number is its own, or 0 where it counts as 0; TensorFlow's is its size.
for dtype, sizes in (("float32", [1e-40, 1e-38]), ("float64", [5e-324, 2e-308])):
    a = np.array([sign * size for sign in (1, -1) for size in sizes] * 8, dtype)
    f = emitted.operation_sign
    for run in (f, compiled(f)):
        y = run(*[keras.ops.convert_to_tensor(a)] * 2)
        y = np.asarray(y if backend == "jax" else y.numpy())
        assert ((y == 0) | (y == np.sign(a))).all(), y
"""


def test_the_table_covers_every_operation_and_no_other() -> None:
    assert set(FORMS) == set(OPERATIONS) | {f"{name}_near" for name in NEAR}


def test_an_unknown_operation_is_refused() -> None:
    printer = KerasPrinter()
    printer.forms = {name: form for name, form in FORMS.items() if name != "exp"}
    with pytest.raises(UnknownOperationError, match="'exp'"):
        printer.print(Kernel(Call("exp", (X,))))


def test_a_private_function_brings_those_it_calls() -> None:
    assert sources(["tan"]) == [EXPANSIONS[name].source for name in ("sin", "cos", "tan")]
    assert sources(["asinh"]) == [EXPANSIONS[name].source for name in ("copysign", "log1p", "asinh")]


@pytest.mark.parametrize(
    ("node", "text"),
    [
        # PyTorch's where takes a Python number for float32, so one that float32 does not hold becomes a tensor.
        (Call("select", (Call("greater", (X, Constant(0.0))), X, Constant(0.5))), "keras.ops.where(x > 0.0, x, 0.5)"),
        (
            Call("select", (Call("greater", (X, Constant(0.0))), X, Constant(0.1))),
            "keras.ops.where(x > 0.0, x, keras.ops.convert_to_tensor(0.1, x.dtype))",
        ),
        (Call("multiply", (Call("negate", (ALPHA,)), X)), "-alpha * x"),
        (Call("multiply", (Call("exp", (ALPHA,)), X)), "keras.ops.exp(alpha) * x"),
    ],
)
def test_numbers_become_tensors_only_where_a_backend_would_round_them(node: Node, text: str) -> None:
    listing = KerasPrinter(["alpha"]).print(Kernel(node))
    assert listing.result == text
    converted = [str(step) for step in listing.statements]
    assert converted == (["alpha = keras.ops.convert_to_tensor(alpha, x.dtype)"] if "exp" in text else [])


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_each_operation_keeps_float64_nan_and_accuracy(backend: str, tmp_path: Path) -> None:
    printer = KerasPrinter()
    functions: list[str] = []
    points: dict[str, Any] = {}
    for operation in OPERATIONS:
        listing = printer.print(operations.kernel(operation), like="a")
        body = "\n    ".join(listing.lines)
        functions.append(f"def operation_{operation}(a, b):\n    {body}")
        for dtype in ("float32", "float64"):
            for place, values in zip("ab", operations.points(operation, dtype), strict=True):
                points[f"{operation}-{dtype}-{place}"] = values
    source = "\n\n\n".join(["import keras", *functions, *sources(printer.expansions)])
    (tmp_path / "emitted.py").write_text(source, encoding="utf-8")
    np.savez(tmp_path / "points.npz", **points)
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    failures = []
    with np.load(tmp_path / "results.npz") as results:
        assert len(results.files) == len(points) // 2 * (1 if backend == "torch" else 2)
        for key in results.files:
            operation, dtype, how = key.split("-")
            try:
                operations.assert_right(operation, dtype, results[key], TOLERATED.get(operation, 4.5))
            except AssertionError as error:
                failures.append(f"{how} {operation} {dtype}: {str(error).strip()[:300]}")
    assert not failures, json.dumps(failures, indent=1)
