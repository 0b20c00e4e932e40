"""The emulated machine: one rounding an operation, subnormals flushed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from actgen.numerics.emulation import EVALUATIONS, run
from actgen.numerics.kernel import OPERATIONS, Constant, Kernel, Variable
from actgen.numerics.lowering import call

A, B, C = Variable("a"), Variable("b"), Variable("c")
NAN, INF = math.nan, math.inf


def test_the_emulator_knows_every_operation_and_no_other() -> None:
    assert set(EVALUATIONS) == set(OPERATIONS)


MEANINGS: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda a: -a,
    "absolute": abs,
    "sign": lambda a: math.copysign(1, a) if a else 0.0,
    "copysign": math.copysign,
    "square": lambda a: a * a,
    "maximum": max,
    "minimum": min,
    "clamp": lambda a, b, c: min(max(a, b), c),
    "floor": math.floor,
    "sqrt": math.sqrt,
    "power": math.pow,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    **{name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "asinh", "atan")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "erf", "erfc")},
}
POSITIVE = {"log", "sqrt", "power", "log1p"}


@pytest.mark.parametrize("name", MEANINGS)
def test_each_operation_does_what_its_row_says_correctly_rounded(name: str) -> None:
    """Python's own function at float32 arguments, rounded once to float32, is the answer to the last bit."""
    arity = OPERATIONS[name].arity
    kernel = Kernel(call(name, *(A, B, C)[:arity]))
    for a in (0.7, 1.9, 3.0) if name in POSITIVE else (-2.6, -0.3, 0.7, 1.9):
        arguments = [float(np.float32(value)) for value in (a, -0.5 if name == "clamp" else 1.3, 0.9)[:arity]]
        values = dict(zip("abc", arguments, strict=False))
        assert run(kernel, values, "float32") == np.float32(MEANINGS[name](*arguments)), arguments
        wide = float(run(kernel, values, "float64"))
        assert wide == pytest.approx(MEANINGS[name](*arguments), rel=4e-16)


def test_comparisons_and_connectives_select() -> None:
    for name, holds in {
        "less": (True, False, False),
        "less_equal": (True, True, False),
        "greater": (False, False, True),
        "greater_equal": (False, True, True),
        "equal": (False, True, False),
        "not_equal": (True, False, True),
    }.items():
        kernel = Kernel(call("select", call(name, A, Constant(1.0)), Constant(1.0), Constant(0.0)))
        assert run(kernel, {"a": np.array([0.0, 1.0, 2.0])}, "float32").astype(bool).tolist() == list(holds), name
        # NaN fails every comparison but !=
        assert bool(run(kernel, {"a": NAN}, "float32")) == (name == "not_equal")
    inside = call("both", call("greater", A, Constant(0.0)), call("less", A, Constant(1.0)))
    outside = call("either", call("less", A, Constant(0.0)), call("greater", A, Constant(1.0)))
    for condition, expected in ((inside, [0, 1, 0]), (outside, [1, 0, 1])):
        kernel = Kernel(call("select", condition, Constant(1.0), Constant(0.0)))
        assert run(kernel, {"a": np.array([-1.0, 0.5, 2.0])}, "float32").tolist() == expected


@pytest.mark.parametrize("name", ["maximum", "minimum", "clamp", "sign", "copysign", "absolute", "square", "sigmoid"])
def test_nan_comes_out_as_nan(name: str) -> None:
    arity = OPERATIONS[name].arity
    kernel = Kernel(call(name, *(A, Constant(-1.0), Constant(1.0))[:arity]))
    assert np.isnan(run(kernel, {"a": NAN}, "float32"))


def test_an_extreme_passes_nan_on_from_either_side() -> None:
    for name in ("maximum", "minimum"):
        assert np.isnan(run(Kernel(call(name, Constant(1.0), A)), {"a": NAN}, "float64"))


def test_every_intermediate_is_rounded_to_the_type() -> None:
    """(1 + 2**-30) - 1 is 0 in float32 and 2**-30 in float64; one rounding at the end would give 2**-30 in both."""
    kernel = Kernel(call("subtract", call("add", A, Constant(1.0)), Constant(1.0)))
    assert run(kernel, {"a": 2.0**-30}, "float32") == 0.0
    assert run(kernel, {"a": 2.0**-30}, "float64") == 2.0**-30


def test_an_intermediate_overflows_where_the_type_does() -> None:
    kernel = Kernel(call("sqrt", call("square", A)))
    assert run(kernel, {"a": 1e20}, "float32") == np.float32(INF)
    assert run(kernel, {"a": 1e20}, "float64") == 1e20
    assert run(kernel, {"a": 1e200}, "float64") == INF


def test_subnormals_are_flushed_with_their_sign_in_and_out() -> None:
    halved = Kernel(call("multiply", A, Constant(0.5)))
    tiny = float(np.finfo(np.float32).tiny)
    for sign in (1.0, -1.0):
        result = run(halved, {"a": sign * tiny}, "float32")
        assert result == 0.0
        assert np.signbit(result) == (sign < 0)
    assert run(Kernel(call("multiply", A, Constant(2.0**100))), {"a": tiny / 2}, "float32") == 0.0
    assert run(halved, {"a": 4 * tiny}, "float32") == 2 * tiny


def test_constants_and_inputs_are_rounded_to_the_type_first() -> None:
    assert run(Kernel(A), {"a": 0.1}, "float32") == np.float32(0.1)
    assert run(Kernel(call("add", A, Constant(0.1))), {"a": 0.0}, "float32") == np.float32(0.1)


def test_arrays_and_numbers_broadcast_and_the_type_is_kept() -> None:
    result = run(Kernel(call("add", A, B)), {"a": np.arange(3.0), "b": 1.0}, "float32")
    assert result.tolist() == [1, 2, 3]
    assert result.dtype == np.float32
