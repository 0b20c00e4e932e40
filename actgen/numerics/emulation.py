"""Running a kernel in rounded arithmetic, one rounding an operation, the same on every machine.

Each operation is computed in a wider type (float64 for float32, long double for float64) and rounded to the type being
emulated, so the result is that of a machine whose every primitive is correctly rounded. Subnormal results are flushed
to zero, as XLA and TensorFlow do: a form that needs them is not stable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable

Array = NDArray[Any]

_WIDER: Mapping[str, type[np.floating[Any]]] = {"float32": np.float64, "float64": np.longdouble}


def run(kernel: Kernel, values: Mapping[str, Array | float], dtype: str) -> Array:
    """Evaluate a kernel.

    Args:
        kernel: what to run.
        values: an array or a number for each variable, by name; rounded to ``dtype`` first.
        dtype: "float32" or "float64".

    Returns:
        An array of ``dtype``, broadcast over the inputs.
    """
    narrow = np.dtype(dtype)
    wide = _WIDER[dtype]
    tiny = np.finfo(narrow).tiny
    memory: dict[Node, Array] = {}
    with np.errstate(all="ignore"):
        for node in kernel.nodes:
            if isinstance(node, Variable):
                memory[node] = _flushed(np.asarray(values[node.name], dtype=narrow), tiny)
            elif isinstance(node, Constant):
                memory[node] = np.asarray(node.value, dtype=narrow)
            elif isinstance(node, Call):
                memory[node] = _apply(node, memory, narrow, wide, tiny)
    return np.asarray(memory[kernel.result], dtype=narrow)


def _apply(node: Call, memory: Mapping[Node, Array], narrow: np.dtype[Any], wide: Any, tiny: Any) -> Array:
    operands = [memory[operand] for operand in node.arguments]
    if OPERATIONS[node.operation].rank == "comparison":
        return np.asarray(EVALUATIONS[node.operation](*operands))
    widened = [operand.astype(wide) for operand in operands]
    result: Array = np.asarray(EVALUATIONS[node.operation](*widened)).astype(narrow)
    return _flushed(result, tiny)


def _flushed(values: Array, tiny: Any) -> Array:
    return np.asarray(np.where(np.abs(values) < tiny, np.copysign(np.zeros_like(values), values), values))


def _pointwise(function: Callable[[float], float]) -> Callable[[Array], Array]:
    def apply(values: Array) -> Array:
        flat = [function(value) for value in values.astype(np.float64).ravel().tolist()]
        return np.array(flat, dtype=values.dtype).reshape(values.shape)

    return apply


def _sigmoid(values: Array) -> Array:
    t = np.exp(-np.abs(values))
    return np.asarray(np.where(values < 0, t, 1) / (1 + t))


EVALUATIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": np.negative,
    "absolute": np.absolute,
    "sign": np.sign,
    "copysign": np.copysign,
    "square": np.square,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clamp": np.clip,
    "floor": np.floor,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "power": np.power,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "erf": _pointwise(math.erf),
    "erfc": _pointwise(math.erfc),
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "both": np.logical_and,
    "either": np.logical_or,
    "select": np.where,
}
"""What each operation means, in numpy; a test holds the table to OPERATIONS."""
