"""The kernels for GPUs: run by Triton's interpreter in place of those in C++, and compiled for a GPU that is not there.

The interpreter has no functions of the GPU's library; PyTorch's take their place. So it shows that formulas, launches
and gradients are right, and not how accurate `exp` is on a GPU.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.generated.test_fused import (  # noqa: F401
    ELEMENTWISE,
    HALVES,
    NAMES,
    _compiled,
    assert_alike_in_halves,
    assert_any_shape_and_strides_are_taken,
    every,
    operator,
    packets,
    test_a_batch_of_gradients_goes_through_at_once,
    test_a_parameter_may_have_a_type_of_its_own,
    test_a_parameter_that_is_larger_than_the_input_broadcasts_it,
    test_channels_are_broadcast_and_their_gradients_summed,
    test_gates_take_one_tensor_or_two,
    test_gradients_of_first_and_second_order_are_what_differences_say,
    test_only_the_inputs_are_kept,
    test_torch_finds_nothing_wrong_with_the_operators,
)
from tests.targets.torch_fused.interpreting import forget, interpreted, tl, triton

# numpy, in which the interpreter computes, tells of every overflow and every division by 0.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

PACKAGE = "generated.torch_fused._triton"
KERNELS = Path(__file__).parents[2] / "generated" / "torch_fused" / "_triton"
EVERY = sorted(path.stem for path in KERNELS.glob("[!_]*.py"))
SIGNATURES = {torch.float32: (tl.float32, "*fp32"), torch.float64: (tl.float64, "*fp64")}


@pytest.fixture(scope="module")
def _interpreted() -> Iterator[None]:
    with interpreted(PACKAGE, as_in_torch=("sigmoid", "sqrt")):
        yield


@pytest.fixture(scope="module", autouse=True)
def _in_place_of_cpp(_interpreted: None, _compiled: None) -> Iterator[None]:  # noqa: F811
    """What runs on a CPU is what would run on a GPU."""
    libraries = []
    for name in NAMES:
        kernels = importlib.import_module(f"{PACKAGE}.{name}").kernels
        for packet, run in zip(packets(name), (kernels.value, kernels.pull), strict=True):
            space, _, short = packet._qualified_op_name.partition("::")
            library: Any = torch.library.Library(space, "IMPL")  # type: ignore[no-untyped-call]
            for overload in packet.overloads():
                suffix = "" if overload == "default" else f".{overload}"
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Warning only once", UserWarning)  # that it overrides
                    library.impl(f"{short}{suffix}", run, "CPU", allow_override=True)
            libraries.append(library)
    yield
    for library in libraries:
        library._destroy()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_operators_have_kernels_for_gpus(name: str) -> None:
    for packet in packets(name):
        assert torch._C._dispatch_has_kernel_for_dispatch_key(packet._qualified_op_name, "CUDA")


@pytest.mark.parametrize(("name", "dtype"), [("prelu", torch.float32), ("mish", torch.bfloat16)])
def test_any_shape_and_strides_are_taken_and_kept(name: str, dtype: torch.dtype) -> None:
    assert_any_shape_and_strides_are_taken(name, dtype)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ["mish", "gelu", "celu"])
def test_every_half_precision_number_gives_the_same_value_and_derivatives(name: str, dtype: torch.dtype) -> None:
    """But for bfloat16's subnormal numbers, as inputs or results, which the interpreter converts to others."""
    x = every(dtype)
    assert_alike_in_halves(name, x if dtype == torch.float16 else x[((x.abs() > 2.0**-120) & ~(x < -10)) | (x == 0)])


@pytest.mark.parametrize("name", EVERY)
def test_formulas_are_those_of_the_plain_module(name: str) -> None:
    """To the last digit: the same operations in the same order. A whole block: PyTorch rounds the rest otherwise."""
    kernels = importlib.import_module(f"{PACKAGE}.{name}").kernels
    plain = importlib.import_module(f"generated.torch.{name}")
    count = sum(argument.startswith("operand_") for argument in kernels.run.arg_names)
    special = [0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1e30, -1e30, 1e-30, -1e-30]
    for dtype in SIGNATURES if name in NAMES else (torch.float64,):  # in which a literal of the other type shows
        x = torch.cat([torch.linspace(-30, 30, 700), torch.linspace(-2, 2, 315), torch.tensor(special)]).to(dtype)
        others = [torch.full_like(x, 0.7 + 0.1 * k) for k in range(count - 1)]
        for by in kernels.formulas:
            got = kernels.pull(torch.ones_like(x), None, by, -1, x, *others) if by else kernels.value(x, *others)
            expected = plain._evaluate(by, x, *others).expand(x.shape)
            is_same = (got == expected) | (got.isnan() & expected.isnan())
            assert is_same.all(), (by, x[~is_same][:5], got[~is_same][:5], expected[~is_same][:5])


def test_operands_on_two_devices_are_refused() -> None:
    kernels = importlib.import_module(f"{PACKAGE}.prelu").kernels
    with pytest.raises(ValueError, match="prelu: operands on cpu and on meta; move them to one device"):
        kernels.value(torch.ones(3), torch.ones(3, device="meta"))


def test_a_derivative_that_is_0_is_refused() -> None:
    kernels = importlib.import_module(f"{PACKAGE}.prelu").kernels
    with pytest.raises(ValueError, match="prelu has no derivative by 'alpha alpha' that is not 0"):
        kernels.pull(torch.ones(3), None, "alpha alpha", 0, torch.ones(3), 0.3)


def test_launches_fuse_no_products_with_sums_and_count_large_tensors_in_64_bits() -> None:
    """A kernel that carries a rounding error along is wrong if they do."""
    launching: Any = importlib.import_module(f"{PACKAGE}._launching")
    told: dict[str, Any] = {}

    class Run:
        def __getitem__(self, grid: tuple[int, ...]) -> Any:
            return lambda *arguments, **options: told.update(options, grid=grid, count=arguments[-1])

    kernels = launching.Kernels("some", Run(), {"": None})
    kernels.value(torch.zeros(2000))
    assert told["enable_fp_fusion"] is False
    assert (told["grid"], told["count"], told["INDEX"]) == ((2,), 2000, tl.int32)
    large = torch.zeros(()).expand(2**16, 2**15)
    launching.torch, launching_torch = _Allocating(), launching.torch
    try:
        kernels.value(large)
    finally:
        launching.torch = launching_torch
    assert (told["grid"], told["count"], told["INDEX"]) == ((2**21,), 2**31, tl.int64)


class _Allocating:
    """PyTorch without the memory for a large result."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def empty_strided(shape: Any, strides: Any, **options: Any) -> torch.Tensor:
        return torch.empty_strided(shape, strides, **{**options, "device": "meta"})


# ------------------------------------------------------------------------------------------------- compiled


def compiled(run: Any, signature: Mapping[str, str], constants: Mapping[str, Any]) -> str:
    """The assembler of a kernel for a GPU, which need not be there."""
    compiler: Any = importlib.import_module("triton.compiler")
    backends: Any = importlib.import_module("triton.backends.compiler")
    ordered = {name: signature.get(name, "constexpr") for name in run.arg_names}
    source = compiler.ASTSource(run, ordered, constexprs={name: constants.get(name) for name in constants})
    target = backends.GPUTarget("cuda", 80, 32)
    made = triton.compile(source, target=target, options={"enable_fp_fusion": False})
    assert made.asm["cubin"]
    return str(made.asm["ptx"])


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kernels that are imported meanwhile are compiled, into a cache of their own."""
    kept = {name: module for name, module in sys.modules.items() if name.startswith(PACKAGE)}
    forget(PACKAGE)
    monkeypatch.setattr(triton.knobs.runtime, "interpret", False)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    yield
    forget(PACKAGE)
    sys.modules.update(kept)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("dtype", SIGNATURES)
@pytest.mark.parametrize(("name", "by"), [("mish", ""), ("prelu", "alpha"), ("celu", "x x"), ("swiglu", "b")])
def test_kernels_compile(name: str, by: str, dtype: torch.dtype) -> None:
    """As launched with a number for a parameter, and with a tensor that has one for each channel."""
    kernels = importlib.import_module(f"{PACKAGE}.{name}").kernels
    wide, pointer = SIGNATURES[dtype]
    count = sum(argument.startswith("operand_") for argument in kernels.run.arg_names)
    for is_number in (False, True):
        signature = {"result": pointer, "count": "i32", "operand_1": pointer, "number_1": "fp64"}
        constants = {"FORMULA": kernels.formulas[by], "WIDE": wide, "INDEX": tl.int32, "BLOCK": 1024}
        constants |= {"size_1": None, "inner_1": None, "factor": None, "factor_size": None, "factor_inner": None}
        if by:
            signature |= {"gradient": pointer, "gradient_size": "i32", "gradient_inner": "i32"}
        else:
            constants |= {"gradient": None, "gradient_size": None, "gradient_inner": None}
        for k in range(2, count + 1):
            signature[f"number_{k}"] = "fp64"
            if is_number:
                constants |= {f"operand_{k}": None, f"size_{k}": None, f"inner_{k}": None}
            else:
                signature |= {f"operand_{k}": pointer, f"size_{k}": "i32", f"inner_{k}": "i32"}
        assembler = compiled(kernels.run, signature, constants)
        if "prelu" in name:
            assert "fma" not in assembler


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("dtype", SIGNATURES)
def test_functions_compile_with_correctly_rounded_divisions_and_roots_and_maxima_that_keep_nan(
    dtype: torch.dtype,
) -> None:
    """Of maxima the interpreter does not tell: it keeps NaN in either kind."""
    arithmetic = importlib.import_module(f"{PACKAGE}._arithmetic")
    # They may have been interpreted before.
    probes = importlib.reload(importlib.import_module("tests.targets.torch_fused.triton_probes"))
    wide, pointer = SIGNATURES[dtype]
    unary: set[str] = set()
    binary: set[str] = set()
    for name, function in vars(arithmetic).items():
        if isinstance(function, triton.runtime.jit.JITFunction) and name not in ("read", "number", "clamp"):
            (unary if len(function.arg_names) == 1 else binary).add(name)
    assert {"sqrt", "exp", "erfc", "sigmoid", "head", "binade"} <= unary
    assert binary == {"divide", "power", "maximum", "minimum", "copysign"}
    for name in sorted(unary | binary):
        run = probes.unary if name in unary else probes.binary
        signature = {"result": pointer, "a": pointer, "b": pointer}
        text = compiled(run, signature, {"function": getattr(arithmetic, name), "wide": wide})
        if name in ("divide", "sqrt"):
            kind = {"divide": "div", "sqrt": "sqrt"}[name]
            assert f"{kind}.rn.f{32 if dtype == torch.float32 else 64}" in text
            assert f"{kind}.full" not in text
            assert f"{kind}.approx" not in text
        if name in ("maximum", "minimum"):
            assert (f"{name[:3]}.NaN.f32" if dtype == torch.float32 else "setp.nan.f64") in text
