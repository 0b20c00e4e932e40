"""Every operation by itself: points that are hard for it, and what is right there, from mpmath."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath  # type: ignore[import-untyped]  # it publishes no types
import numpy as np
from numpy.typing import NDArray

from actgen.numerics.emulation import EVALUATIONS
from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable
from actgen.targets.statements import NEAR

Floats = NDArray[np.floating[Any]]
inf, nan = float("inf"), float("nan")

EXACT: Mapping[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "power": mpmath.power,
    "sqrt": mpmath.sqrt,
    "sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)),
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "asinh": mpmath.asinh,
    "atan": mpmath.atan,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "divide": lambda a, b: a / b,
}
"""What numpy does not do exactly."""

NUMPY: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "negate": np.negative,
    "absolute": np.abs,
    "sign": np.sign,
    "copysign": np.copysign,
    "square": np.square,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "floor": np.floor,
    "head": EVALUATIONS["head"],
    "binade": EVALUATIONS["binade"],
    "clamp": np.clip,
    "select": np.where,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "both": np.logical_and,
    "either": np.logical_or,
    "divide": np.divide,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "power": np.power,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "erf": lambda a: np.where(np.isinf(a), np.sign(a), np.where(np.isnan(a), a, 0.5)),
    "erfc": lambda a: np.where(np.isinf(a), 1 - np.sign(a), np.where(np.isnan(a), a, 0.5)),
}
"""At NaN, infinities and zeros, and everywhere for what is exact."""

SPECIAL = (nan, inf, -inf, 0.0, -0.0)


def kernel(operation: str) -> Kernel:
    """The operation on variables a, b; conditions are a > 0 and b > 0, the constants of clamp -0.3 and 0.7.

    One called `log1p_near` and the like is the operation of numbers that a printer can tell to be near 0.
    """
    a, b = Variable("a"), Variable("b")
    zero = Constant(0.0)
    if operation.endswith("_near"):
        operation = operation.removesuffix("_near")
        held = Call("clamp", (a, *map(Constant, NEAR[operation])))
        return Kernel(Call(operation, (held,)))
    operands: Sequence[Node] = (a, b)[: OPERATIONS[operation].arity]
    if operation in ("both", "either"):
        operands = (Call("greater", (a, zero)), Call("greater", (b, zero)))
    if operation == "select":
        operands = (Call("greater", (a, zero)), a, b)
    if operation == "clamp":
        operands = (a, Constant(-0.3), Constant(0.7))
    return Kernel(Call(operation, tuple(operands)))


def points(operation: str, dtype: str) -> tuple[Floats, Floats]:
    """Operands: special pairs, magnitudes from 1e-30 to 700, and the middle of the range."""
    generator = np.random.default_rng(7)
    size = np.exp(generator.uniform(np.log(1e-30), np.log(80.0 if dtype == "float32" else 700.0), 120))
    middle = generator.uniform(-10, 10, 160)
    a = np.concatenate([np.repeat(SPECIAL, 5), size, -size, middle, [1e10, -1e10, 2.5, -2.5]])
    b = np.concatenate([np.tile(SPECIAL, 5), np.tile([0.5, 3.0, -1.7, 2.0], 101)])
    if operation == "power":
        a = np.abs(a)
    return a.astype(dtype), b.astype(dtype)


def assert_right(operation: str, dtype: str, got: Floats, ulps: float) -> None:
    """Assert that results have the type, NaN and infinities, and at most `ulps` of error.

    XLA and TensorFlow take subnormal numbers for zero.
    """
    a, b = points(operation, dtype)
    operands: list[Any] = [a, b][: OPERATIONS[operation].arity]
    if operation in ("both", "either"):
        operands = [a > 0, b > 0]
    if operation == "select":
        operands = [a > 0, a, b]
    if operation == "clamp":
        operands = [a, a.dtype.type(-0.3), a.dtype.type(0.7)]
    with np.errstate(all="ignore"):
        expected = NUMPY[operation](*operands)
    assert got.dtype == expected.dtype
    if operation == "head":  # truncated or rounded: any half of the digits will do, as test_head.py tells
        np.testing.assert_allclose(
            got, a, rtol=2.0 ** (-11 if dtype == "float32" else -25), atol=float(np.finfo(dtype).tiny)
        )
        return
    if operation not in EXACT:
        is_subnormal = (np.abs(expected) < np.finfo(dtype).tiny) & (got == 0)
        np.testing.assert_array_equal(np.where(is_subnormal, expected, got), expected)
        return
    special = ~np.isfinite(a) | (a == 0)
    if OPERATIONS[operation].arity == 2:
        special |= ~np.isfinite(b) | (b == 0)
    np.testing.assert_array_equal(got[special & ~np.isfinite(expected)], expected[special & ~np.isfinite(expected)])
    tiny, largest = float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)
    worst, where = 0.0, 0.0
    with mpmath.workprec(150):
        for values in zip(*operands, got, strict=True):
            *inputs, y = (float(value) for value in values)
            if not all(map(np.isfinite, inputs)) or (operation in ("log", "log1p", "sqrt") and inputs[0] <= -1):
                continue
            if (operation in ("log", "sqrt") and inputs[0] <= 0) or 0.0 in inputs:
                continue
            exact = EXACT[operation](*map(mpmath.mpf, inputs))
            if not tiny < abs(exact) < largest:
                continue
            error = float(abs(mpmath.mpf(y) - exact) / float(np.spacing(np.abs(np.asarray(float(exact), dtype)))))
            if not error <= worst:
                worst, where = error, inputs[0]
    assert worst <= ulps, f"{operation}, {dtype}: {worst} ULP at {where!r}"
