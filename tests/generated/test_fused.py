"""The fused kernels of ten activations that are unlike each other, compiled and held against the plain functions."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

ROOT = Path(__file__).parents[2]
NAMES = ("mish", "gelu", "relu", "prelu", "softplus", "swiglu", "celu", "snake", "sine", "rrelu")
"""A ratio, a long one, no function at all, channels, a parameter, a gate, pieces, digits split, an angle, draws."""
ELEMENTWISE = tuple(name for name in NAMES if name != "swiglu")
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
HALVES = (torch.bfloat16, torch.float16)

plain: Any = importlib.import_module("generated.torch")
fused: Any = importlib.import_module("generated.torch_fused")
compiling: Any = importlib.import_module("generated.torch_fused._compiling")
forward_ad: Any = torch.autograd.forward_ad  # without types
Function = Callable[..., Tensor]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """All at once: one after the other takes longer."""
    compiling.compile_all(NAMES)


def both(name: str) -> tuple[Function, Function]:
    return getattr(fused, name), getattr(plain, name)


def operator(name: str) -> Any:
    """The operators of an activation, loaded."""
    operators = importlib.import_module(f"generated.torch_fused.{name}")._operators
    operators.load()
    return operators


def packets(name: str) -> tuple[Any, Any]:
    """The two operators of an activation, each with its overloads."""
    operators = operator(name)
    space = getattr(torch.ops, operators.pull._qualified_op_name.partition("::")[0])
    return getattr(space, name), operators.pull


def every(dtype: torch.dtype) -> Tensor:
    return torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)


def derivatives(f: Function, x: Tensor, order: int = 2) -> list[Tensor]:
    """The value and the derivatives of its sum."""
    x = x.detach().requires_grad_()
    found = [f(x)]
    for _ in range(order):
        if not found[-1].requires_grad:
            break
        found += torch.autograd.grad(found[-1].sum(), x, create_graph=True)
    return [one.detach() for one in found]


def assert_alike(got: Tensor, expected: Tensor, ulps: float = 4.0) -> None:
    """Assert the same type and shape, and values that differ by rounding only."""
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    eps = torch.finfo(got.dtype).eps
    torch.testing.assert_close(got, expected, rtol=ulps * eps, atol=ulps * eps, equal_nan=True)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_half_precision_number_gives_the_same_value_and_derivatives(name: str, dtype: torch.dtype) -> None:
    assert_alike_in_halves(name, every(dtype))


def assert_alike_in_halves(name: str, x: Tensor) -> None:
    """Assert that value and derivatives are those of the plain function, but for the last digit."""
    dtype, tiny = x.dtype, torch.finfo(x.dtype).tiny
    f, g = both(name)
    for order, (got, expected) in enumerate(zip(derivatives(f, x), derivatives(g, x), strict=True)):
        assert got.dtype == dtype
        here = torch.isfinite(x) if order else torch.ones_like(x, dtype=torch.bool)
        got, expected = got[here].double(), expected[here].double()
        # float32 is off by some of its last digits, which can turn the rounding of a half type by one digit.
        allowed = expected.abs().clamp(min=tiny) * torch.finfo(dtype).eps
        is_close = ((got - expected).abs() <= allowed) | (got == expected) | (got.isnan() & expected.isnan())
        assert is_close.all(), (order, x[here][~is_close][:5], got[~is_close][:5], expected[~is_close][:5])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_wide_numbers_give_the_same_value_and_derivatives(name: str, dtype: torch.dtype) -> None:
    f, g = both(name)
    x = torch.cat([torch.linspace(-40, 40, 4001), torch.randn(2**17, generator=torch.manual_seed(0)) * 3]).to(dtype)
    for got, expected in zip(derivatives(f, x, 3), derivatives(g, x, 3), strict=True):
        assert_alike(got, expected, 64)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_infinities_and_nan_give_what_the_plain_function_gives(name: str) -> None:
    f, g = both(name)
    x = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-40, 3e38, -3e38]).repeat(3)
    torch.testing.assert_close(f(x), g(x), equal_nan=True)
    assert f(x)[0].isnan()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_any_shape_and_strides_are_taken_and_kept(name: str, dtype: torch.dtype) -> None:
    assert_any_shape_and_strides_are_taken(name, dtype)


def assert_any_shape_and_strides_are_taken(name: str, dtype: torch.dtype) -> None:
    """Assert that they are, and kept, and that values and derivatives are those of the plain function."""
    f, g = both(name)
    base = torch.linspace(-3, 3, 2 * 3 * 8 * 10).to(dtype)
    image = base.reshape(2, 3, 8, 10)
    cases = [
        image.contiguous(memory_format=torch.channels_last),
        image.permute(3, 0, 2, 1),
        image[:, :, ::2, 1::3],
        base.reshape(30, 16).T,
        base[:3].expand(5, 3),
        base[7],
        base[:0],
        image[:, :0],
        torch.linspace(-3, 3, 3 * 70_000).to(dtype).reshape(70_000, 3).T,
    ]
    for x in cases:
        y, expected = f(x), g(x)
        assert_alike(y, expected)
        if x.numel() and 0 not in x.stride():
            assert y.stride() == torch.empty_like(x).stride()
        for got, wanted in zip(derivatives(f, x), derivatives(g, x), strict=True):
            assert_alike(got, wanted, 64)


def test_channels_are_broadcast_and_their_gradients_summed() -> None:
    x = torch.randn(4, 6, 5, 7, dtype=torch.float64)
    for shape in ((), (1,), (6, 1, 1), (4, 1, 1, 1), (5, 1), (7,), (4, 1, 5, 7), (4, 6, 5, 7)):
        for upstream in (torch.randn(4, 6, 5, 7, dtype=torch.float64), torch.ones(()).double().expand(4, 6, 5, 7)):
            found = []
            for f in both("prelu"):
                leaves = [x.clone().requires_grad_(), torch.full(shape, 0.3, dtype=torch.float64).requires_grad_()]
                y = f(*leaves)
                first = torch.autograd.grad(y, leaves, upstream, create_graph=True)
                second = torch.autograd.grad(torch.stack([part.square().sum() for part in first]).sum(), leaves)
                found.append([y, *first, *second])
            for got, expected in zip(*found, strict=True):
                torch.testing.assert_close(got, expected)


def test_a_parameter_that_is_larger_than_the_input_broadcasts_it() -> None:
    x, alpha = torch.randn(3, 1), torch.rand(5).requires_grad_()
    f, g = both("prelu")
    assert_alike(f(x, alpha), g(x, alpha))
    leaf = x.clone().requires_grad_()
    torch.testing.assert_close(
        torch.autograd.grad(f(leaf, alpha).sum(), leaf), torch.autograd.grad(g(leaf, alpha).sum(), leaf)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", DTYPES)
def test_a_parameter_may_have_a_type_of_its_own(dtype: torch.dtype, kind: torch.dtype) -> None:
    x = torch.linspace(-3, 3, 60).to(dtype).reshape(3, 20)
    found = []
    for f in both("softplus"):
        leaves = [x.clone().requires_grad_(), torch.tensor([1.5], dtype=kind).requires_grad_()]
        y = f(leaves[0], beta=leaves[1])
        found.append([y, *torch.autograd.grad(y.sum(), leaves)])
    eps = max(torch.finfo(one).eps for one in (dtype, kind))
    for got, expected in zip(*found, strict=True):
        assert got.dtype == expected.dtype
        torch.testing.assert_close(got, expected, rtol=8 * eps, atol=8 * eps)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_first_and_second_order_are_what_differences_say(name: str) -> None:
    f = getattr(fused, name)
    x = torch.linspace(-2.9, 2.9, 12, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(f, x)
    assert torch.autograd.gradgradcheck(f, x)
    if name in ("prelu", "softplus"):
        inputs = (x, torch.tensor([1.2], dtype=torch.float64).requires_grad_())
        assert torch.autograd.gradcheck(f, inputs)
        assert torch.autograd.gradgradcheck(f, inputs)


def test_gates_take_one_tensor_or_two() -> None:
    f, g = both("swiglu")
    x = torch.randn(6, 8, 10)
    for axis in (1, -1):
        assert_alike(f(x, dim=axis), g(x, dim=axis))
    a, b = torch.randn(4, 1, requires_grad=True), torch.randn(3).bfloat16().requires_grad_()
    y, expected = f(a, b), g(a, b)
    assert_alike(y, expected)
    torch.testing.assert_close(torch.autograd.grad(y.sum(), (a, b)), torch.autograd.grad(expected.sum(), (a, b)))
    with pytest.raises(RuntimeError, match="halved"):
        f(torch.ones(3))
    with pytest.raises(TypeError, match="must be a tensor"):
        f(torch.ones(4), 2)


def test_draws_are_those_of_the_plain_function() -> None:
    x = torch.full((100,), -1.0)
    values = [f(x, training=True, generator=torch.Generator().manual_seed(3)) for f in both("rrelu")]
    torch.testing.assert_close(*values)
    assert values[0].std() > 0.03
    with pytest.raises(ValueError, match="lower must not be above upper"):
        fused.rrelu(x, 0.5, 0.25)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_other_types_are_refused_in_the_words_of_the_plain_function(name: str) -> None:
    for x in (torch.arange(3), torch.zeros(3, dtype=torch.complex64), torch.zeros(3, dtype=torch.bool)):
        with pytest.raises(NotImplementedError, match=f"{name} is not implemented for {x.dtype}"):
            getattr(fused, name)(x)


def test_a_number_outside_its_domain_is_refused() -> None:
    for f in both("softplus"):
        with pytest.raises(ValueError, match="softplus: beta must be positive, got -1"):
            f(torch.zeros(2), beta=-1)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_torch_finds_nothing_wrong_with_the_operators(name: str) -> None:
    value, pull = packets(name)
    operators = operator(name)
    x, gradient = torch.randn(3, 5, requires_grad=True), torch.randn(3, 5, requires_grad=True)
    numbers = [0.7] * (len(operators.variables) - 1)
    tensors = [torch.tensor(number, requires_grad=True) for number in numbers]
    torch.library.opcheck(value.default, (x, *tensors))
    torch.library.opcheck(pull.default, (gradient, None, "x", 0, x, *tensors))
    strided = torch.randn(5, 3).T.requires_grad_()
    torch.library.opcheck(pull.default, (gradient, None, "x", -1, strided, *tensors))
    if numbers:
        torch.library.opcheck(value.numbers, (x, *numbers))
        torch.library.opcheck(pull.numbers, (gradient, None, "x", 0, x, *numbers))
        torch.library.opcheck(pull.default, (gradient, None, operators.variables[1], 1, x, *tensors))


def test_fake_tensors_pass_through_the_operators_with_sizes_unknown() -> None:
    value, _ = packets("prelu")

    class Model(torch.nn.Module):
        def forward(self, x: Tensor, alpha: Tensor) -> Tensor:
            made: Tensor = value.default(x, alpha)
            return made

    inputs = (torch.randn(4, 6), torch.rand(6))
    exported = torch.export.export(Model(), inputs, dynamic_shapes=({0: torch.export.Dim("n")}, None))
    assert any("prelu" in str(node.target) for node in exported.graph.nodes)
    x = torch.randn(9, 6)
    torch.testing.assert_close(exported.module()(x, inputs[1]), plain.prelu(x, inputs[1]))


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("name", ["mish", "prelu"])
def test_compiled_and_exported_it_is_decomposed(name: str) -> None:
    f, g = both(name)
    x = torch.randn(64, requires_grad=True)
    graphs: list[Any] = []

    def backend(module: Any, _: Any) -> Any:
        graphs.append(module)
        return module.forward

    torch._dynamo.reset()
    y = torch.compile(f, fullgraph=True, backend=backend)(x)
    torch.testing.assert_close(y, g(x))
    torch.testing.assert_close(torch.autograd.grad(y.sum(), x), torch.autograd.grad(g(x).sum(), x))
    layer = {"mish": "Mish", "prelu": "PReLU"}[name]
    exported = torch.export.export(getattr(fused, layer)(), (x.detach(),))
    torch.testing.assert_close(exported.module()(x.detach()), g(x).detach())
    text = "".join(module.code for module in graphs) + str(exported.graph)
    assert not re.search(r"actgen", text)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("name", ["mish", "relu", "gelu"])
def test_transforms_are_those_of_the_plain_function(name: str) -> None:
    f, g = both(name)
    x = torch.randn(7)
    func: Any = torch.func
    for transform in (func.vmap, lambda h: func.vmap(func.grad(h)), lambda h: partial(func.jvp, h)):
        arguments = ((x,), (torch.ones(7),)) if isinstance(transform(f), partial) else (x,)
        torch.testing.assert_close(transform(f)(*arguments), transform(g)(*arguments))
    _, slope = func.jvp(g, (x,), (torch.ones(7),))
    with forward_ad.dual_level():
        dual = f(forward_ad.make_dual(x, torch.ones(7)))
        torch.testing.assert_close(forward_ad.unpack_dual(dual).tangent, slope)


def test_a_batch_of_gradients_goes_through_at_once() -> None:
    x = torch.randn(5, requires_grad=True)
    found = [torch.autograd.grad(f(x), x, torch.eye(5), is_grads_batched=True)[0] for f in both("mish")]
    torch.testing.assert_close(*found)
    hessian: Any = torch.autograd.functional.hessian
    torch.testing.assert_close(
        hessian(lambda x: fused.mish(x).sum(), x.detach(), vectorize=True),
        hessian(lambda x: plain.mish(x).sum(), x.detach()),
    )


def test_forward_mode_reaches_what_was_computed_before_it() -> None:
    x = torch.randn(5, requires_grad=True)
    y = fused.mish(x)
    with forward_ad.dual_level():
        (pulled,) = torch.autograd.grad(y, x, forward_ad.make_dual(torch.ones(5), torch.full((5,), 2.0)))
        got, tangent = forward_ad.unpack_dual(pulled)
        (slope,) = torch.autograd.grad(plain.mish(x).sum(), x)
        torch.testing.assert_close(got, slope)
        torch.testing.assert_close(tangent, 2 * slope)
        value, _ = packets("mish")
        with pytest.raises(NotImplementedError, match="call the function mish"):
            value.default(forward_ad.make_dual(x.detach(), torch.ones(5)))


def test_autocast_changes_nothing() -> None:
    x = torch.randn(16)
    with torch.autocast("cpu", torch.bfloat16):
        assert_alike(fused.mish(x), plain.mish(x))
        y = fused.mish(torch.nn.Linear(16, 16)(x))
    assert y.dtype == torch.bfloat16


def test_only_the_inputs_are_kept() -> None:
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    alpha, x = torch.rand(6, requires_grad=True), torch.randn(4, 6, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = fused.prelu(x, alpha)
        z = fused.mish(x)
    assert {tensor.data_ptr() for tensor in kept} == {x.data_ptr(), alpha.data_ptr()}
    assert len(kept) == 3
    assert y.grad_fn is not None
    assert z.grad_fn is not None


def test_an_input_overwritten_before_the_backward_pass_is_noticed() -> None:
    x = torch.randn(5, requires_grad=True) * 1
    y = fused.mish(x)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_subclasses_of_tensor_and_other_devices_take_the_plain_function() -> None:
    class Own(Tensor):
        pass

    x = torch.randn(5)
    assert isinstance(fused.mish(x.as_subclass(Own)), Own)
    assert fused.mish(torch.empty(5, device="meta")).device.type == "meta"
    assert "Value" in fused.mish(torch.nn.Parameter(x)).grad_fn.name()


def test_modules_are_those_of_the_plain_package_and_share_their_state() -> None:
    one, other = fused.PReLU(6), plain.PReLU(6)
    other.load_parameter_values({"alpha": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]})
    one.load_state_dict(other.state_dict())
    x = torch.randn(2, 6, 3)
    torch.testing.assert_close(one(x), other(x))
    assert isinstance(one, plain.PReLU)
    assert repr(one) == repr(other)


def test_what_reduces_along_an_axis_is_the_plain_function() -> None:
    assert fused.softmax is plain.softmax
    assert not (ROOT / "generated/torch_fused/softmax.cpp").exists()


# ----------------------------------------------------------------------------------------------------- compiling


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, but for the operators, which take long to compile."""
    operators = compiling.library(compiling.OPERATORS)
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    (tmp_path / "actgen").mkdir()
    os.symlink(operators, compiling._path(compiling.OPERATORS))
    return tmp_path / "actgen"


def test_without_a_compiler_it_is_said_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match=r"no C\+\+ compiler: 'no-such-compiler' is not there\. Install g\+\+"):
        fused.compile("relu")
    with pytest.raises(ValueError, match="'softmax' has no fused kernels; names of those that have: "):
        fused.compile("softmax")


def test_what_a_compiler_says_is_shown(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(RuntimeError, match=r"relu: .*false .* fails with 1"):
        fused.compile("relu")
    assert not compiling.is_compiled("relu")
    assert not list(cache.glob("*.tmp"))


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "file"))
    with pytest.raises(RuntimeError, match=r"cannot be written.*TORCH_EXTENSIONS_DIR"):
        fused.compile("relu")


def test_two_processes_compile_once_and_what_is_there_is_not_compiled_again(cache: Path, tmp_path: Path) -> None:
    script = tmp_path / "compiler"
    script.write_text(f'#!/bin/sh\necho >> {tmp_path}/calls\nexec c++ "$@"\n')
    script.chmod(0o755)
    command = [sys.executable, "-P", str(ROOT / "generated/torch_fused/_compiling.py"), "relu"]
    environment = os.environ | {"CXX": str(script)}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert {process.communicate()[0].strip() for process in running} == {"relu"}
    assert not any(process.returncode for process in running)
    assert compiling.is_compiled("relu")
    assert (tmp_path / "calls").read_text() == "\n"
    assert fused.compile("relu") == []


def test_the_source_the_version_and_the_processor_are_in_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    source = compiling.HERE / "mish.cpp"
    names = {compiling._path(source).name}
    monkeypatch.setattr(torch, "__version__", "99.0")
    names.add(compiling._path(source).name)
    monkeypatch.setattr(compiling, "_flags", lambda: ("-mother",))
    names.add(compiling._path(source).name)
    monkeypatch.setattr(Path, "read_bytes", lambda self: b"")
    names.add(compiling._path(source).name)
    assert len(names) == 4


def test_the_generated_tests_pass_for_what_is_compiled() -> None:
    files = [f"generated/tests/test_{name}.py" for name in NAMES]
    options = ["-q", "-n", "0", "-p", "no:hypothesispytest", "-p", "no:jaxtyping"]  # which take a second to import
    command = [sys.executable, "-m", "pytest", *options, "-k", "torch_fused", "-m", "not machinery", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 5 * len(NAMES)  # type: ignore[index]
