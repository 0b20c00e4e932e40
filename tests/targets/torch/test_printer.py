"""Each operation as PyTorch writes it means what the kernel says, also for the numbers nobody tries."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from actgen.numerics.emulation import EVALUATIONS
from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable
from actgen.targets.statements import NEAR
from actgen.targets.torch.printer import EXPANSIONS, FORMS, TorchPrinter
from tests.targets.standins import ONE, ZERO, X, add, apply, mul, parameter

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.25, 30.0, -30.0, math.inf, -math.inf, math.nan, 1e-40, -1e-310]
A, B, C = (Variable(name) for name in "abc")


def run(result: Node, reuse: bool = True, **tensors: Any) -> Any:
    lines = TorchPrinter(reuse=reuse).print(Kernel(result)).lines
    scope: dict[str, Any] = {"torch": torch, "Tensor": torch.Tensor, "nn": torch.nn}
    # What the printer wrote, and what it calls.
    exec("\n\n".join(EXPANSIONS.values()), scope)
    exec(f"def f({', '.join(tensors)}):\n    " + "\n    ".join(lines), scope)
    return scope["f"](**tensors)


def each(f: Callable[..., float]) -> Callable[..., Any]:
    def safe(*arguments: float) -> float:
        try:
            return f(*arguments)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return np.vectorize(safe, otypes=[np.float64])


MEANING: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
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
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "power": lambda a, b: np.power(np.abs(a), b),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "erf": each(math.erf),
    "erfc": each(math.erfc),
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
}


def test_the_table_covers_every_operation_and_no_other() -> None:
    assert set(FORMS) == set(OPERATIONS) | {f"{name}_near" for name in NEAR}
    assert set(MEANING) == set(OPERATIONS) - {"clamp", "both", "either", "select"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("operation", MEANING)
def test_an_operation_means_what_its_row_says(operation: str, dtype: Any) -> None:
    arity = OPERATIONS[operation].arity
    grids = list(np.meshgrid(*[np.array(SPECIAL)] * arity))
    if operation == "power":
        grids[0] = np.abs(grids[0])
    tensors = [torch.tensor(grid.ravel(), dtype=dtype) for grid in grids]
    given: dict[str, Any] = dict(zip("ab", tensors, strict=False))
    got = run(Call(operation, (A, B)[:arity]), **given)
    with np.errstate(all="ignore"):
        expected = MEANING[operation](*(t.numpy().astype(np.float64) for t in tensors))
    rtol, atol = (1e-5, 1e-37) if dtype == torch.float32 else (1e-13, 1e-300)
    if got.dtype != torch.bool:
        assert got.dtype == dtype
        with np.errstate(all="ignore"):
            expected = torch.from_numpy(np.asarray(expected)).to(dtype).numpy()
    np.testing.assert_allclose(got.numpy(), expected, rtol=rtol, atol=atol)


def test_clamp_select_and_logic_mean_what_their_rows_say() -> None:
    x = torch.tensor(SPECIAL, dtype=torch.float64)
    ax = x.numpy()
    low, high = Constant(-1.0), Constant(2.0)
    np.testing.assert_array_equal(run(apply("clamp", X, low, high), x=x), np.clip(ax, -1, 2))
    a, b = torch.full_like(x, -1.0), torch.full_like(x, 2.0)
    np.testing.assert_array_equal(run(apply("clamp", X, A, B), x=x, a=a, b=b), np.clip(ax, -1, 2))
    np.testing.assert_array_equal(run(apply("clamp", X, low, B), x=x, b=b), np.clip(ax, -1, 2))
    for name, meaning in (("both", np.logical_and), ("either", np.logical_or)):
        p, q = apply("less", X, ONE), apply("greater", X, low)
        np.testing.assert_array_equal(run(apply(name, p, q), x=x), meaning(ax < 1, ax > -1))
    np.testing.assert_array_equal(run(apply("select", apply("less", X, ONE), X, A), x=x, a=a), np.where(ax < 1, ax, -1))


@pytest.mark.parametrize("count", [8, 2**14])
def test_a_truth_value_that_is_a_number_is_not_overwritten_while_others_read_it(count: int) -> None:
    """Where it is 1.0 and 0.0 already, to(dtype) would hand out the very tensor that the second choice reads."""
    x, a = torch.linspace(-1, 1, count), torch.full((count,), 7.0)
    is_positive = apply("greater", X, ZERO)
    step = mul(apply("select", is_positive, ONE, ZERO), Constant(-3.0))
    got = run(apply("subtract", step, apply("select", is_positive, X, A)), x=x, a=a)
    np.testing.assert_array_equal(got, torch.where(x > 0, -3 - x, -a))


@pytest.mark.parametrize("constants", [(1.0, 0.0), (0.0, 1.0), (0.1, 0.3), (math.inf, 2.0)])
def test_a_choice_between_numbers_has_the_type_of_the_input(constants: tuple[float, float]) -> None:
    x = torch.tensor([-1.0, 1.0, math.nan], dtype=torch.float64)
    got = run(apply("select", apply("greater", X, ZERO), *map(Constant, constants)), x=x)
    assert got.dtype == torch.float64
    assert got.tolist() == [constants[1], constants[0], constants[1]]


def test_numbers_stand_where_torch_wants_tensors() -> None:
    x = torch.tensor([-1.0, 0.5, 3.0, math.nan], dtype=torch.float64)
    np.testing.assert_array_equal(run(apply("maximum", ONE, X), x=x), [1, 1, 3, math.nan])
    np.testing.assert_array_equal(run(apply("minimum", X, ONE), x=x), [-1, 0.5, 1, math.nan])
    np.testing.assert_array_equal(run(apply("copysign", Constant(2.0), X), x=x)[:3], [-2, 2, 2])
    np.testing.assert_array_equal(run(apply("power", Constant(2.0), X), x=x), 2.0 ** x.numpy())


@pytest.mark.parametrize("operation", ["absolute", "exp", "floor"])
def test_a_function_of_a_number_is_that_of_a_tensor(operation: str) -> None:
    y = run(add(apply(operation, ONE), X), x=torch.zeros(2))
    assert y.tolist() == pytest.approx([EVALUATIONS[operation](1.0)] * 2)


def test_private_functions_come_with_the_code_that_calls_them() -> None:
    printer = TorchPrinter(reuse=True)
    assert printer.print(Kernel(mul(X, apply("expm1", X)))).result == "_expm1(x).mul_(x)"
    assert printer.sources() == [EXPANSIONS["expm1"]]


def test_only_spent_temporaries_are_overwritten() -> None:
    x = torch.linspace(-2, 2, 9)
    kept, t = x.clone(), apply("exp", apply("negate", apply("absolute", X)))
    result = add(mul(apply("square", X), t), apply("tanh", t))
    lines = TorchPrinter(reuse=True).print(Kernel(result)).lines
    assert lines[0] == "e = x.abs().neg_().exp_()"  # read twice below: neither reader may overwrite it
    assert lines[-1] == "return x.square().mul_(e).add_(_tanh(e))"
    torch.testing.assert_close(run(result, x=x), run(result, reuse=False, x=x))
    assert torch.equal(x, kept)
    assert "_(" not in "".join(TorchPrinter(reuse=False).print(Kernel(result)).lines)


def test_a_small_temporary_is_not_overwritten_by_a_larger_operand() -> None:
    alpha = parameter("alpha")
    result = mul(apply("exp", alpha), X)  # exp(alpha) is a scalar, x is not
    assert TorchPrinter(reuse=True).print(Kernel(result)).result == "alpha.exp() * x"
    got = run(result, alpha=torch.tensor(1.0), x=torch.ones(3))
    torch.testing.assert_close(got, torch.full((3,), math.e))


@pytest.mark.parametrize("constant", [3.0, -0.3, 1e30])
def test_a_number_is_divided_as_ieee_does(constant: float) -> None:
    """PyTorch takes it for a product with a reciprocal: of 3e38 that is subnormal, and flushed on many machines."""
    x = torch.tensor([3e38, 2.9e38, 7.0, 49.0, 0.3])
    got = run(Call("divide", (Constant(constant), X)), x=x)
    np.testing.assert_array_equal(got.numpy(), np.float32(constant) / x.numpy())
    assert TorchPrinter(reuse=True).print(Kernel(Call("divide", (ONE, X)))).result == "1 / x"
