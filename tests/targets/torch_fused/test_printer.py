"""Each operation as C++ writes it computes what the kernel says, to the errors that kernels are chosen for."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Variable
from actgen.targets import Context
from actgen.targets.forms import Form, Precedence, call, infix, prefix
from actgen.targets.torch_fused import target
from actgen.targets.torch_fused.printer import FORMS, KEPT, CppPrinter, cpp_name, lines, struct_name
from tests.targets import measuring, operations

Array = NDArray[Any]
DTYPES = ("float32", "float64")
ULPS = target.arithmetic.errors
FUNCTIONS = operations.EXACT.keys() - {"divide", "power"}

OURS = ("exp", "expm1", "log1p")  # written in `_arithmetic.h` for float32, and not PyTorch's
WRONG: Mapping[str, Form] = {
    **{name: infix("*", Precedence.PRODUCT) for name in ("add", "subtract", "divide")},
    "multiply": infix("+", Precedence.SUM),
    "negate": call("abs"),
    "absolute": prefix("-"),
    **{name: infix("<=", Precedence.COMPARISON) for name in ("less", "equal", "greater_equal")},
    **{name: infix("<", Precedence.COMPARISON) for name in ("less_equal", "not_equal", "greater")},
    "both": infix("|", Precedence.AND),
    "either": infix("&", Precedence.AND),
    "select": Form("select({0}, {2}, {1})"),
    "copysign": Form("copysign({1}, {0})"),
    "maximum": call("minimum", 2),
    "minimum": call("maximum", 2),
    "clamp": Form("minimum({0}, {2})"),
    "power": Form("pow({1}, {0})"),
    "square": call("abs"),
    # All others: nearly right, which is what a test that is too lax would pass.
    **{name: Form(f"{FORMS[name].template} * 1.0001", Precedence.PRODUCT) for name in FUNCTIONS},
    **{name: Form(f"{FORMS[name].template} + 0.5", Precedence.SUM) for name in ("sign", "floor", "head", "binade")},
}
"""A wrong row for each right one."""


def program(forms: Mapping[str, Form]) -> str:
    """All operations as kernels of the variables a and b, by their names; truth values as 1 and 0."""
    parts = ['#include "_arithmetic.h"', "namespace actgen { namespace {"]
    rows = []
    for name, row in OPERATIONS.items():
        printer = CppPrinter(["a", "b"])
        printer.forms = forms
        kernel = operations.kernel(name)
        if row.is_boolean:
            kernel = Kernel(Call("select", (kernel.result, Constant(1.0), Constant(0.0))))
            printer.forms = {**forms, "select": FORMS["select"]}
        body = "\n".join(lines(printer.print(kernel, like="a")))
        struct = f"Is{struct_name((name,))}"
        parts.append(f"struct {struct} {{ template <typename Number> Number operator()(Number a, Number b) const {{")
        parts.append(f"{body} }} }};")
        blocks = (f"actgen::block<{kind}, actgen::{struct}, false, 2>" for kind in ("float", "double"))
        rows.append(f'{{"{name}", 3, {", ".join(blocks)}}}')
    parts += ["}}", f'extern "C" const actgen::Kernel actgen_kernels[] = {{ {", ".join(rows)} }};']
    return "\n".join(parts) + "\n"


def compute(library: Path, given: Mapping[str, tuple[Array, Array]]) -> dict[str, Array]:
    """Run the kernels of a library on operands by "OPERATION/DTYPE"."""

    class Row(ctypes.Structure):
        _fields_ = [  # as ctypes wants it
            ("by", ctypes.c_char_p),
            ("reads", ctypes.c_uint64),
            ("float32", ctypes.c_void_p),
            ("float64", ctypes.c_void_p),
        ]

    rows = (Row * len(OPERATIONS)).in_dll(ctypes.CDLL(str(library)), "actgen_kernels")
    blocks = {row.by.decode(): row for row in rows}
    block = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    found = {}
    for key, (a, b) in given.items():
        name, dtype = key.split("/")
        operands = (ctypes.c_void_p * 2)(a.ctypes.data, b.ctypes.data)
        steps = (ctypes.c_int64 * 2)(1, 1)
        result = np.empty_like(a)
        block(getattr(blocks[name], dtype))(operands, steps, result.ctypes.data, len(a))
        found[key] = result.astype(bool) if OPERATIONS[name].is_boolean else result
    return found


@pytest.fixture(scope="module")
def compiling(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The emitted program that compiles, beside right and wrong operations."""
    folder = tmp_path_factory.mktemp("operations")
    for path, text in target.emit_package([], Context()).items():
        if Path(path).name.startswith("_") and Path(path).name != "__init__.py":
            (folder / Path(path).name).write_text(text)
    (folder / "right.cpp").write_text(program(FORMS))
    (folder / "wrong.cpp").write_text(program(WRONG))
    spec = importlib.util.spec_from_file_location("operations_compiling", folder / "_compiling.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(key: str, got: Array) -> None:
    name, dtype = key.split("/")
    operations.assert_right(name, dtype, got, ULPS.get(name, (0.5, 0.5))[dtype == "float64"] + 0.01)


def test_every_operation_is_right_also_for_the_numbers_nobody_tries(compiling: Any) -> None:
    given = {f"{name}/{dtype}": operations.points(name, dtype) for name in OPERATIONS for dtype in DTYPES}
    found = compute(compiling.library(compiling.HERE / "right.cpp"), given)
    for key, got in found.items():
        check(key, got)


def test_no_operation_is_further_off_than_kernels_are_chosen_for(compiling: Any) -> None:
    given = {
        f"{name}/{dtype}": measuring.operands(name, dtype, 2**13 if name in OURS and dtype == "float32" else 2**11)
        for name in measuring.OPERATIONS_MEASURED
        if name in FORMS
        for dtype in DTYPES
    }
    found = compute(compiling.library(compiling.HERE / "right.cpp"), given)
    worst = {}
    for key, got in found.items():
        name, dtype = key.split("/")
        a, b = given[key]
        errors = measuring.ulps(got, measuring.exact(name, a, b), *(a, b)[: OPERATIONS[name].arity])
        worst[key] = (float(errors.max()), ULPS.get(name, (0.5, 0.5))[dtype == "float64"])
    assert not {key: pair for key, pair in worst.items() if pair[0] > pair[1] + 0.01}


@pytest.mark.parametrize(
    ("name", "sign"), [("cos", 1), ("cosh", 1), ("sin", -1), ("tan", -1), ("tanh", -1), ("atan", -1)]
)
def test_what_is_even_or_odd_is_so_to_the_last_digit(compiling: Any, name: str, sign: int) -> None:
    library = compiling.library(compiling.HERE / "right.cpp")
    for dtype in DTYPES:
        a, b = measuring.operands(name, dtype, 2**12)
        key = f"{name}/{dtype}"
        got, mirrored = compute(library, {key: (a, b)}), compute(library, {key: (-a, b)})
        np.testing.assert_array_equal(mirrored[key], sign * got[key])


def test_a_wrong_row_is_noticed(compiling: Any) -> None:
    given = {f"{name}/{dtype}": operations.points(name, dtype) for name in OPERATIONS for dtype in DTYPES}
    for key, got in compute(compiling.library(compiling.HERE / "wrong.cpp"), given).items():
        with pytest.raises(AssertionError):
            check(key, got)


def test_the_table_covers_every_operation_and_so_does_that_of_wrong_rows() -> None:
    assert set(FORMS) == set(WRONG) == set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_a_number_gives_depends_neither_on_its_place_nor_on_its_neighbours(compiling: Any, name: str) -> None:
    library = compiling.library(compiling.HERE / "right.cpp")
    for dtype in DTYPES:
        key = f"{name}/{dtype}"
        a, b = (
            np.concatenate(pair)
            for pair in zip(operations.points(name, dtype), measuring.operands(name, dtype, 512), strict=True)
        )
        whole = compute(library, {key: (a, b)})[key]
        order = np.random.default_rng(0).permutation(len(a))
        np.testing.assert_array_equal(compute(library, {key: (a[order], b[order])})[key], whole[order])
        for at in range(0, len(a), 7):  # alone, and in a rest that fills no register
            part = slice(at, at + at % 3 + 1)
            np.testing.assert_array_equal(
                compute(library, {key: (a[part].copy(), b[part].copy())})[key], whole[part], err_msg=repr(a[part])
            )


def test_literals_are_numbers_of_cpp() -> None:
    literal = CppPrinter().literal
    assert literal(2.0) == "2.0"
    assert literal(-0.0) == "-0.0"
    assert literal(2.0**100) == "0x1p100"
    assert literal(-(2.0**-126)) == "-0x1p-126"
    assert literal(float("inf")) == "infinity"
    assert literal(-float("inf")) == "-infinity"
    assert literal(float("nan")) == "nan"
    assert literal(1e300) == "1e+300"


def test_a_step_carried_on_is_declared_once() -> None:
    x = Variable("x")
    total: Any = x
    for k in range(24):
        total = Call("add", (Call("multiply", (total, x)), Constant(1.0 + k / 7)))
    text = lines(CppPrinter(["x"]).print(Kernel(total)))
    declared = [line.split()[1] for line in text if line.startswith("auto ")]
    assert len(declared) == len(set(declared)) < len(text) - 1


@pytest.mark.parametrize("name", ["default", "new", "exp", "select", "Number"])
def test_a_variable_whose_name_is_taken_is_called_otherwise(name: str) -> None:
    assert cpp_name(name) == f"{name}_"
    assert cpp_name("alpha") == "alpha"
    assert not KEPT & {cpp_name(word) for word in KEPT}
    assert re.fullmatch(r"ByXAndAlphaP", struct_name(("x", "alpha_p")))


def test_a_step_that_is_a_truth_value_gets_a_name_of_its_own() -> None:
    x = Variable("x")
    node: Any = x
    for k in range(9):
        node = Call("add", (Call("multiply", (node, x)), Constant(1.0 + k / 7)))
    is_far: Any = Call("greater", (node, Constant(0.5)))
    for k in range(9):
        is_far = Call("either", (is_far, Call("less", (Call("add", (x, Constant(k / 3))), Constant(k / 7)))))
    text = lines(CppPrinter(["x"]).print(Kernel(Call("select", (is_far, x, Constant(0.0))))))
    kinds: dict[str, set[str]] = {"auto": set(), "Number": set()}
    for line in text[:-1]:
        kind, name, *_ = line.split()
        if kind in kinds:
            kinds[kind].add(name)
            continue
        is_truth = "|" in line or "<" in line or ">" in line
        assert kind in kinds["auto" if is_truth else "Number"], line
    assert kinds["Number"]
    assert not kinds["auto"] & kinds["Number"]


def test_what_cpp_reads_otherwise_than_python_is_written_otherwise() -> None:
    x, half = Variable("x"), Constant(0.5)

    def text(result: Any) -> str:
        return lines(CppPrinter(["x"]).print(Kernel(result)))[-1]

    assert text(Call("negate", (Call("negate", (x,)),))) == "return -(-x);"
    assert text(Call("negate", (Constant(-0.5),))) == "return -(-0.5);"
    product = Call("multiply", (half, Constant(3.0)))
    assert text(Call("square", (product,))) == "return square(Number(0.5 * 3.0));"
    assert text(Call("maximum", (product, x))) == "return maximum(0.5 * 3.0, x);"
