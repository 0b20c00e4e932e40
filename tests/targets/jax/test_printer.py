"""The printer table, and each operation by itself, eager and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actgen.numerics.kernel import OPERATIONS, Call, Kernel, Variable
from actgen.targets.jax.printer import EXPANSIONS, FORMS, JaxPrinter
from actgen.targets.statements import UnknownOperationError
from tests.targets import operations

# ULP. erfc: its own argument moved by half an ULP does as much (the contract's second term); log1p below 0 in float64
# is XLA's.
TOLERATED = {"erfc": 300.0, "log1p": 130.0, "expm1": 6.0, "erf": 5.0}


def test_the_table_covers_every_operation_and_no_other() -> None:
    assert set(FORMS) == set(OPERATIONS)


def test_an_unknown_operation_is_refused() -> None:
    printer = JaxPrinter()
    printer.forms = {name: form for name, form in FORMS.items() if name != "exp"}
    with pytest.raises(UnknownOperationError, match="'exp'"):
        printer.print(Kernel(Call("exp", (Variable("x"),))))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_keeps_float64_nan_and_accuracy(operation: str, dtype: str) -> None:
    jax = pytest.importorskip("jax")
    listing = JaxPrinter().print(operations.kernel(operation), like="a")
    body = "\n    ".join(listing.lines)
    parts = ["from __future__ import annotations", "import jax, jax.numpy as jnp", *EXPANSIONS.values()]
    scope: dict[str, Any] = {}
    exec("\n".join([*parts, f"def f(a, b):\n    {body}"]), scope)
    with jax.enable_x64(True):
        a, b = map(jax.numpy.asarray, operations.points(operation, dtype))
        for f in (scope["f"], jax.jit(scope["f"])):
            got = np.asarray(f(a, b))
            operations.assert_right(operation, dtype, got, TOLERATED.get(operation, 4.5))
