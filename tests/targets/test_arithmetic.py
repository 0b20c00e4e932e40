"""Each target's table of errors says what its machines do, and no more than that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from actgen.numerics.emulation import Arithmetic
from actgen.numerics.kernel import OPERATIONS
from actgen.targets.jax.arithmetic import ARITHMETIC as JAX
from actgen.targets.keras.arithmetic import ARITHMETIC as KERAS
from actgen.targets.torch.arithmetic import ARITHMETIC as TORCH
from tests.targets import measuring

HARDEST = json.loads((Path(__file__).parent / "hardest_operands.json").read_text(encoding="utf-8"))
"""For each target and each "OPERATION/DTYPE" of its table, the operands at which the largest error was found."""

TABLES: Mapping[str, Arithmetic] = {"torch": TORCH, "jax": JAX, "keras": KERAS}
BACKENDS = {"torch": ("",), "jax": ("",), "keras": ("tensorflow", "torch", "jax")}
DTYPES = ("float32", "float64")
RANDOM = 1024  # a multiple of every vector's length
ODD = frozenset({"sinh", "asinh", "tanh", "atan", "sin", "tan", "erf"})


@pytest.mark.parametrize("framework", TABLES)
def test_the_table_of_errors_is_what_the_machine_does(framework: str, tmp_path: Path) -> None:
    """Kernels of odd formulas are computed in |x| where a function that the table calls lopsided is in them."""
    given = {}
    for operation in measuring.OPERATIONS_MEASURED:
        for dtype in DTYPES:
            a, b = measuring.operands(operation, dtype, RANDOM)
            for place, hard in enumerate(HARDEST[framework].get(f"{operation}/{dtype}", [])):
                a[place], b[place] = hard
            given[f"{operation}/{dtype}"] = (np.append(a, -a), np.append(b, b)) if operation in ODD else (a, b)
    exact = {key: measuring.exact(key.split("/")[0], a[:RANDOM], b[:RANDOM]) for key, (a, b) in given.items()}
    lopsided = set()
    worst = dict.fromkeys(given, 0.0)
    for backend in BACKENDS[framework]:
        results = measuring.run(framework, backend, given, tmp_path / f"on_{backend}", 16, "short")
        for key, got in results.items():
            way, operation, dtype = key.split("/")
            assert got.dtype == dtype, f"{way} {operation}: {got.dtype}"
            halves = [got[:RANDOM]]
            if len(got) == 2 * RANDOM and not np.array_equal(got[RANDOM:], -got[:RANDOM], equal_nan=True):
                lopsided.add(operation)
                halves.append(-got[RANDOM:])  # what is exact is odd
            for half in halves:
                a, b = (values[: len(half)] for values in given[f"{operation}/{dtype}"])
                inputs = (a, b)[: measuring.arity(operation)]
                errors = measuring.ulps(half, exact[f"{operation}/{dtype}"][: len(half)], *inputs)
                worst[f"{operation}/{dtype}"] = max(worst[f"{operation}/{dtype}"], float(errors.max()))
    table = TABLES[framework].errors
    stated = {key: table.get(key.split("/")[0].removesuffix("_near"), (0.5, 0.5))["64" in key] for key in worst}
    assert not {key: (worst[key], stated[key]) for key in worst if worst[key] > stated[key] + 0.3}
    # What is cheaper near 0 may be better there than all over.
    whole = {key: error for key, error in worst.items() if "_near/" not in key}
    assert not {key: (whole[key], stated[key]) for key in whole if stated[key] > 2 * max(whole[key], 0.5)}
    assert lopsided == TABLES[framework].lopsided


@pytest.mark.parametrize("framework", TABLES)
def test_a_table_names_operations_and_leaves_out_what_is_correctly_rounded(framework: str) -> None:
    errors = TABLES[framework].errors
    assert set(errors) <= set(measuring.OPERATIONS_MEASURED)
    assert all(max(row) > 0.5 for row in errors.values())
    assert [name for name in OPERATIONS if name in errors] == list(errors)


def test_an_error_is_counted_in_units_of_the_exact_value_rounded() -> None:
    one = np.ones(1, np.float32)
    assert measuring.ulps(one + np.float32(2.0**-22), one.astype(np.longdouble))[0] == 2.0
    assert measuring.ulps(one * np.nan, one.astype(np.longdouble))[0] == np.inf
