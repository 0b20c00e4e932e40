"""Each operation as Triton writes it computes what the kernel says, in float32 and float64, in Triton's interpreter."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Variable
from actgen.targets import Context
from actgen.targets.forms import Form, Precedence, call
from actgen.targets.torch_fused import target
from actgen.targets.torch_fused.triton_printer import FORMS, TritonPrinter
from tests.targets import operations
from tests.targets.torch_fused.interpreting import interpreted
from tests.targets.torch_fused.test_printer import DTYPES, FUNCTIONS, ULPS
from tests.targets.torch_fused.test_printer import WRONG as WRONG_IN_CPP

PACKAGE = "operations_in_triton"
WRONG: Mapping[str, Form] = {
    **WRONG_IN_CPP,
    **{name: call("tl.abs") for name in ("negate", "square")},
    "clamp": Form("minimum({0}, {2})"),
    "power": Form("power({1}, {0})"),
    "select": Form("tl.where({0}, {2}, {1})"),
    **{name: Form(f"{FORMS[name].template} * 1.0001", Precedence.PRODUCT) for name in FUNCTIONS},
    **{name: Form(f"{FORMS[name].template} + 0.5", Precedence.SUM) for name in ("sign", "floor", "head", "binade")},
}
"""A wrong row for each right one."""


def program(forms: Mapping[str, Form]) -> str:
    """All operations as functions of blocks a and b, by their names; truth values as 1 and 0."""
    parts = [
        "import triton\nimport triton.language as tl\nfrom . import _arithmetic",
        "globals().update(vars(_arithmetic))",
    ]
    for name, row in OPERATIONS.items():
        printer = TritonPrinter(["a", "b"])
        printer.forms = forms
        kernel = operations.kernel(name)
        if row.is_boolean:
            kernel = Kernel(Call("select", (kernel.result, Constant(1.0), Constant(0.0))))
            printer.forms = {**forms, "select": FORMS["select"]}
        listing = printer.print(kernel, like="a")
        body = "\n    ".join([*map(str, listing.statements), f"return {listing.result}"])
        parts.append(f"@triton.jit\ndef op_{name}(a, b):\n    {body}")
    parts.append(
        "@triton.jit\ndef run(result, a, b, FUNCTION: tl.constexpr, SIZE: tl.constexpr):\n"
        "    at = tl.arange(0, SIZE)\n    tl.store(result + at, FUNCTION(tl.load(a + at), tl.load(b + at)))"
    )
    return "\n\n\n".join(parts) + "\n"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Right and wrong operations, interpreted."""
    folder = tmp_path_factory.mktemp("operations") / PACKAGE
    folder.mkdir()
    emitted = target.emit_package([], Context())
    for name in ("__init__", "_arithmetic", "_launching"):
        (folder / f"{name}.py").write_text(emitted[f"torch_fused/_triton/{name}.py"])
    (folder / "right.py").write_text(program(FORMS))
    (folder / "wrong.py").write_text(program(WRONG))
    sys.path.insert(0, str(folder.parent))
    with interpreted(PACKAGE):
        yield {name: importlib.import_module(f"{PACKAGE}.{name}") for name in ("right", "wrong")}
    sys.path.remove(str(folder.parent))


def check(module: Any, name: str, dtype: str) -> None:
    """Assert that an operation is right; the interpreter takes a power of two elements, so some are there twice."""
    a, b = operations.points(name, dtype)
    size = 1 << (len(a) - 1).bit_length()
    operands = [torch.from_numpy(np.resize(one, size)) for one in (a, b)]
    result = torch.empty_like(operands[0])
    module.run[(1,)](result, *operands, FUNCTION=getattr(module, f"op_{name}"), SIZE=size)
    got = result.numpy()[: len(a)]
    got = got.astype(bool) if OPERATIONS[name].is_boolean else got
    operations.assert_right(name, dtype, got, ULPS.get(name, (0.5, 0.5))[dtype == "float64"] + 0.01)


def test_every_operation_has_a_row() -> None:
    assert FORMS.keys() == OPERATIONS.keys()
    assert WRONG.keys() == OPERATIONS.keys()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_right_and_a_wrong_one_is_noticed(modules: Any, name: str, dtype: str) -> None:
    check(modules["right"], name, dtype)
    with pytest.raises(AssertionError):
        check(modules["wrong"], name, dtype)


@pytest.mark.parametrize("operation", ["maximum", "divide", "power", "clamp"])
def test_a_literal_that_a_function_takes_has_the_digits_of_the_block(operation: str) -> None:
    """Triton takes 0.1 for a float32, also beside a float64."""
    x, tenth = Variable("x"), Constant(0.1)
    operands = (x, tenth, tenth) if operation == "clamp" else (x, tenth)
    assert TritonPrinter().print(Kernel(Call(operation, operands))).result.count("number(0.1, x)") == len(operands) - 1


def test_a_step_that_reads_no_variable_has_the_digits_of_the_block() -> None:
    x, step = Variable("x"), Call("multiply", (Constant(0.1), Constant(0.7, "seven tenths")))
    kernel = Kernel(Call("add", (Call("multiply", (step, x)), step)))
    assert str(TritonPrinter().print(kernel).statements[0]) == "product = number(0.1 * 0.7, x)"


def test_what_is_not_finite_is_a_block() -> None:
    total = Kernel(Call("add", (Variable("x"), Constant(float("-inf")))))
    assert TritonPrinter().print(total).result == 'x - number(float("inf"), x)'
