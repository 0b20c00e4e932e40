"""Products held against contraction: the same numbers, right where XLA makes one operation of a product and a sum."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from actgen.numerics import emulation
from actgen.numerics.compensation import compensated
from actgen.numerics.contraction import uncontracted
from actgen.numerics.kernel import Constant, Kernel
from actgen.numerics.lowering import call, lower
from actgen.targets.jax.arithmetic import ARITHMETIC as JAX
from actgen.targets.jax.printer import EXPANSIONS, JaxPrinter
from tests.numerics.judging import KNOWN, errors
from tests.symbolic.reading import formula
from tests.symbolic.reading import x as x_symbol

TEXTS = (
    "x*(1 + asinh(x)/sqrt(1 + asinh(x)**2))/2",
    "x**2 - 2",
    "sqrt(1 + x**2) - x",
    "x**2/3 + x**3",
    "x*(1 + exp(-x**2))*3/4 + 1",
    "(1 + x**2)*(x - 3/7)/(1 + x**4)",
)


def compiled(kernel: Kernel, points: Any) -> Any:
    """What XLA makes of a kernel, as the JAX target prints it."""
    body = "\n    ".join(JaxPrinter().print(kernel, like="x").lines)
    parts = ["from __future__ import annotations", "import jax, jax.numpy as jnp", *EXPANSIONS.values()]
    scope: dict[str, Any] = {}
    exec("\n".join([*parts, f"def f(x):\n    {body}"]), scope)  # what the printer wrote
    return np.asarray(jax.jit(scope["f"])(jax.numpy.asarray(points)))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("machine", [emulation.IDEAL, JAX], ids=["kept", "flushed"])
def test_held_products_are_the_same_numbers(text: str, dtype: str, machine: emulation.Arithmetic) -> None:
    """Infinite ones and NaN too: what is infinite less its head is no number. And the largest, of which the head is
    infinite, and tiny ones, of which half the digits would be flushed to 0.
    """
    kernel = compensated(Kernel(lower(formula(text), KNOWN)))
    held = uncontracted(kernel)
    assert held.result != kernel.result
    sizes = np.array([0.0, 1e-40, 1e-30, 1.3e-18, 1e-9, 1.7e-154, 0.7, 1.3, 4e10, 3e19, 1e30, np.inf], dtype)
    sizes = np.append(sizes, np.finfo(dtype).max * np.array([1, 0.99999, 0.5], dtype))
    points = np.concatenate([sizes, -sizes, np.array([np.nan], dtype)])
    before, after = (emulation.run(one, {"x": points}, dtype, machine) for one in (kernel, held))
    np.testing.assert_array_equal(before, after)


def test_compensated_arithmetic_is_right_where_xla_contracts() -> None:
    """A rounding error that is taken of a product where a sum has the exact one counts twice."""
    points = np.linspace(-30, 30, 4001).astype(np.float32)
    expression = formula(TEXTS[0])
    kernel = compensated(Kernel(lower(expression, KNOWN)))
    held = uncontracted(kernel)
    expected = emulation.run(kernel, {"x": points}, "float32")
    assert errors(kernel, expression, points).worst < 4
    ulp = np.spacing(np.abs(expected))
    assert (np.abs(compiled(held, points) - expected) / ulp).max() <= 3
    assert (np.abs(compiled(kernel, points) - expected) / ulp).max() > 6  # or else nothing has to be held any more


def test_what_is_not_compensated_or_read_once_only_is_left_alone() -> None:
    """Horner's scheme gains by contraction; what no error is taken of needs no holding."""
    plain = Kernel(lower(formula("(1 + x**2)*(x - 3/7)/(1 + x**2)"), KNOWN))
    assert uncontracted(plain) is plain
    x = KNOWN[x_symbol]
    once = call("add", call("multiply", x, call("head", x)), x)
    assert uncontracted(Kernel(once)).result == once
    doubled = call("multiply", x, Constant(2.0))  # exact
    twice = call("subtract", call("add", doubled, call("head", x)), doubled)
    assert uncontracted(Kernel(twice)).result == twice
    product = call("multiply", x, Constant(3.0))
    twice = call("subtract", call("add", product, call("head", x)), product)
    assert uncontracted(Kernel(twice)).result != twice


def test_the_largest_numbers_are_held_though_their_heads_are_infinite() -> None:
    """The head is rounded: of the largest float32 it is infinite, and the number less that is -inf."""
    x = KNOWN[x_symbol]
    product = call("multiply", x, Constant(1 - 2.0**-24))
    sums = call("maximum", call("add", product, Constant(1.0)), call("subtract", product, Constant(1.0)))
    kernel = Kernel(call("maximum", sums, call("head", call("negate", call("absolute", x)))))
    held = uncontracted(kernel)
    assert held.result != kernel.result
    points = np.finfo(np.float32).max * np.array([1, 0.99999, 0.5], np.float32)
    expected = emulation.run(kernel, {"x": points}, "float32")
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(emulation.run(held, {"x": points}, "float32"), expected)
    np.testing.assert_array_equal(compiled(held, points), expected)
