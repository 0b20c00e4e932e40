"""Comparisons as numbers and choices by bits are what torch means by them, to the last bit and for every number.

Where a gradient, a transform or few numbers are concerned they are torch's own.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd
from torch._functorch._aot_autograd.utils import make_boxed_func
from torch._functorch.partitioners import min_cut_rematerialization_partition

from actgen.targets.torch.printer import COMPARISONS, EXPANSIONS

# torch 2.13's own, November 2026: the first use of forward mode, and any autograd.Function under Dynamo.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

COUNT = 2**14
SPECIAL = [0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1.0, -2.5, 1e-40, -1e-40, 3e38]


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The private functions as they are emitted."""
    module = ModuleType("emitted")
    monkeypatch.setitem(sys.modules, "emitted", module)  # where Dynamo looks for it
    exec("import torch\nfrom torch import Tensor, nn\n" + "\n\n".join(EXPANSIONS.values()), module.__dict__)
    return module


def numbers(dtype: torch.dtype, shift: int) -> Tensor:
    return torch.tensor(SPECIAL * (COUNT // len(SPECIAL) + 1), dtype=dtype).roll(shift)[:COUNT].clone()


def same(left: Tensor, right: Tensor) -> bool:
    integer = torch.int64 if left.dtype == torch.float64 else torch.int32
    return left.dtype == right.dtype and torch.equal(left.view(integer), right.view(integer))


@pytest.mark.parametrize("function", COMPARISONS.values())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_comparison_is_1_where_it_holds_and_0_where_not(emitted: Any, function: str, dtype: torch.dtype) -> None:
    """NaN included, and every pair of the special numbers."""
    relation = getattr(torch, function)
    for shift in range(len(SPECIAL)):
        a, b = numbers(dtype, 0), numbers(dtype, shift)
        assert same(emitted._compare(relation, a, b), relation(a, b).to(dtype))
    for number in SPECIAL:
        found = emitted._compare(relation, a, number)
        assert same(found, relation(a, number).to(dtype))
        scalar = torch.tensor(number, dtype=dtype)
        assert same(emitted._compare(relation, scalar, a), relation(scalar, a).to(dtype))


def test_compiled_a_comparison_is_a_bool_and_the_same(emitted: Any) -> None:
    """By differences: nan where both are infinite, which no relation may take for its answer."""
    relations = [getattr(torch, function) for function in COMPARISONS.values()]
    a, b = (grid.reshape(-1) for grid in torch.meshgrid(*[torch.tensor(SPECIAL)] * 2, indexing="ij"))

    def compare(a: Tensor, b: Tensor) -> list[Tensor]:
        return [emitted._compare(relation, a, b) for relation in relations]

    compiled: Any = torch.compile(compare, fullgraph=True)
    for relation, found in zip(relations, compiled(a, b), strict=True):
        assert torch.equal(found, relation(a, b)), relation


@pytest.mark.parametrize("is_ours", [True, False])
def test_compiled_no_bool_is_kept_for_the_backward_pass(emitted: Any, is_ours: bool) -> None:
    """AOTAutograd keeps what it takes for a reduction; of torch's own relation it still does."""
    kept: list[torch.dtype] = []

    def compare(a: Tensor, b: Tensor) -> Any:
        return emitted._compare(torch.le, a, b) if is_ours else torch.le(a, b)

    class Held(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, low: Tensor) -> Any:
            ctx.save_for_backward(x, low)
            return emitted._or_nan(torch.where(compare(x, low), low, x), x)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            x, low = ctx.saved_tensors
            return gradient * emitted._or_nan(torch.where(compare(x, low), 0, 1), x), None

    def look(graph: Any, _: Any) -> Any:
        (output,) = (node for node in graph.graph.nodes if node.op == "output")
        kept.extend(value.meta["val"].dtype for value in output.args[0])
        return make_boxed_func(graph)

    backend = aot_autograd(
        fw_compiler=look,
        bw_compiler=lambda graph, _: make_boxed_func(graph),
        partition_fn=min_cut_rematerialization_partition,
    )
    apply: Any = Held.apply
    compiled: Any = torch.compile(lambda x: apply(x, torch.full((), -1.0)), fullgraph=True, backend=backend)  # type: ignore[misc]  # of any type
    compiled(torch.linspace(-2, 2, 64, requires_grad=True)).sum().backward()
    assert (torch.bool in kept) != is_ours


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_number_comes_through_as_it_is(emitted: Any, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = numbers(dtype, 0), numbers(dtype, 3)
    holds = torch.arange(COUNT) % 3 == 0
    expected = torch.where(holds, a, b)
    numbered = torch.where(holds, a, 1), torch.where(holds, -0.0, b), torch.where(holds, a, 0)
    scalar = torch.where(holds, a, torch.tensor(2.5, dtype=dtype))
    monkeypatch.setattr(torch, "where", None)  # it must not be called
    condition = holds.to(dtype)
    assert same(emitted._select(condition, a, b), expected)
    assert same(emitted._select(condition, a, 1), numbered[0])
    assert same(emitted._select(condition, -0.0, b), numbered[1])
    assert same(emitted._select(condition, a, 0), numbered[2])
    assert same(emitted._select(condition, a, torch.tensor(2.5, dtype=dtype)), scalar)


def test_shapes_broadcast_and_memory_may_lie_in_any_order(emitted: Any) -> None:
    a, b = torch.randn(128, 256), torch.randn(256)
    holds = torch.rand(256, 128).T > 0.5
    assert same(emitted._select(holds.float(), a, b), torch.where(holds, a, b))
    assert same(emitted._select(holds.float(), b, a.T.contiguous().T), torch.where(holds, b, a))
    column, row = torch.randn(256, 1), torch.randn(1, 256)
    assert torch.equal(emitted._compare(torch.lt, column, row) > 0, column < row)
    assert torch.equal(emitted._compare(torch.lt, a, b) > 0, a < b)
    assert torch.equal(
        emitted._compare(torch.lt, a.T, a.T.contiguous() + 1) > 0, torch.ones(256, 128, dtype=torch.bool)
    )


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("count", [10, COUNT])
def test_nan_is_kept_where_it_was(emitted: Any, count: int, is_compiled: bool) -> None:
    """Compiled, the function is another one."""
    or_nan = torch.compile(emitted._or_nan, backend="eager", dynamic=False) if is_compiled else emitted._or_nan
    x, a = numbers(torch.float32, 0)[:count], torch.arange(count, dtype=torch.float32)
    assert same(or_nan(a, x), torch.where(x == x, a, float("nan")))
    assert torch.equal(or_nan(1, x).isnan(), x.isnan())
    assert (or_nan(1, x)[~x.isnan()] == 1).all()


def test_what_autograd_or_a_transform_watches_keeps_its_derivative(emitted: Any) -> None:
    def choose(x: Tensor, other: Any) -> Tensor:
        chosen: Tensor = emitted._or_nan(emitted._select(emitted._compare(torch.lt, x, 0), 2 * x, other), x)
        return chosen

    x = torch.randn(COUNT, requires_grad=True)
    (slope,) = torch.autograd.grad(choose(x, 1.0).sum(), x)
    assert torch.equal(slope, 2.0 * (x < 0))
    plain = x.detach()
    condition = emitted._compare(torch.lt, plain, 0)
    assert condition.dtype == torch.float32
    (slope,) = torch.autograd.grad(emitted._select(condition, 2 * x, 1.0).sum(), x)  # only what is chosen is watched
    assert torch.equal(slope, 2.0 * (x < 0))
    assert torch.equal(torch.func.grad(lambda x: choose(x, x).sum())(plain), 1.0 + (plain < 0))
    tangent = torch.func.jvp(lambda x: choose(x, x), (plain,), (torch.ones(COUNT),))[1]
    assert torch.equal(tangent, 1.0 + (plain < 0))
    threshold = torch.zeros((), requires_grad=True)
    assert emitted._compare(torch.lt, plain, threshold).dtype == torch.bool


def test_few_numbers_are_compared_and_chosen_by_torch(emitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(100)
    condition = emitted._compare(torch.lt, x, 0)
    assert torch.equal(condition, x < 0)
    monkeypatch.setattr(torch, "where", lambda *_: "where")
    assert emitted._select(condition, x, 1.0) == "where"
