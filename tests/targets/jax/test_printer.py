"""The printer table, and each operation by itself, eager and compiled."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from actgen.numerics.kernel import OPERATIONS, Call, Kernel, Variable
from actgen.targets.jax.printer import EXPANSIONS, FORMS, JaxPrinter
from actgen.targets.statements import NEAR, UnknownOperationError
from tests.targets import operations

# ULP, as in actgen/targets/jax/arithmetic.py.
TOLERATED = {"erfc": 10.0}


def test_the_table_covers_every_operation_and_no_other() -> None:
    assert set(FORMS) == set(OPERATIONS) | {f"{name}_near" for name in NEAR}


def test_an_unknown_operation_is_refused() -> None:
    printer = JaxPrinter()
    printer.forms = {name: form for name, form in FORMS.items() if name != "exp"}
    with pytest.raises(UnknownOperationError, match="'exp'"):
        printer.print(Kernel(Call("exp", (Variable("x"),))))


def test_a_private_function_brings_those_it_calls() -> None:
    printer = JaxPrinter()
    printer.print(Kernel(Call("sinh", (Variable("x"),))))
    assert printer.sources() == [EXPANSIONS["expm1"], EXPANSIONS["sinh"]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_keeps_float64_nan_and_accuracy(operation: str, dtype: str) -> None:
    listing = JaxPrinter().print(operations.kernel(operation), like="a")
    body = "\n    ".join(listing.lines)
    parts = ["from __future__ import annotations", "import jax, jax.numpy as jnp", *EXPANSIONS.values()]
    scope: dict[str, Any] = {}
    exec("\n".join([*parts, f"def f(a, b):\n    {body}"]), scope)  # what the printer wrote
    with jax.enable_x64(True):
        a, b = map(jax.numpy.asarray, operations.points(operation, dtype))
        for f in (scope["f"], jax.jit(scope["f"])):
            got = np.asarray(f(a, b))
            operations.assert_right(operation, dtype, got, TOLERATED.get(operation, 4.5))
