"""A choice by bits is torch.where, to the last bit and for every number; where bits will not do, it is torch.where."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch

from actgen.targets.torch.printer import EXPANSIONS

# torch 2.13's own, November 2026: the first use of forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

COUNT = 2**14
SPECIAL = [0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1.0, -2.5, 1e-40, -1e-40, 3e38]


@pytest.fixture
def select() -> Any:
    """The function as it is emitted."""
    module = ModuleType("emitted")
    exec("import torch\nfrom torch import Tensor\n" + EXPANSIONS["select"], module.__dict__)
    return module.__dict__["_select"]


def numbers(dtype: torch.dtype, shift: int) -> torch.Tensor:
    return torch.tensor(SPECIAL * (COUNT // len(SPECIAL) + 1), dtype=dtype).roll(shift)[:COUNT].clone()


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    integer = torch.int64 if left.dtype == torch.float64 else torch.int32
    return left.dtype == right.dtype and torch.equal(left.view(integer), right.view(integer))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_number_comes_through_as_it_is(select: Any, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = numbers(dtype, 0), numbers(dtype, 3)
    condition = torch.arange(COUNT) % 3 == 0
    expected = torch.where(condition, a, b)
    numbered = torch.where(condition, a, 1), torch.where(condition, -0.0, b)
    scalar = torch.where(condition, a, torch.tensor(2.5, dtype=dtype))
    monkeypatch.setattr(torch, "where", None)  # it must not be called
    assert same(select(condition, a, b), expected)
    assert same(select(condition, a, 1), numbered[0])
    assert same(select(condition, -0.0, b), numbered[1])
    assert same(select(condition, a, torch.tensor(2.5, dtype=dtype)), scalar)


def test_shapes_broadcast_and_memory_may_lie_in_any_order(select: Any) -> None:
    a, b = torch.randn(128, 256), torch.randn(256)
    condition = torch.rand(256, 128).T > 0.5
    assert same(select(condition, a, b), torch.where(condition, a, b))
    assert same(select(condition, b, a.T.contiguous().T), torch.where(condition, b, a))


def test_what_autograd_or_a_transform_watches_keeps_its_derivative(select: Any) -> None:
    x = torch.randn(COUNT, requires_grad=True)
    (slope,) = torch.autograd.grad(select(x < 0, 2 * x, 1.0).sum(), x)
    assert torch.equal(slope, 2.0 * (x < 0))
    plain = x.detach()
    assert torch.equal(torch.func.grad(lambda x: select(x < 0, 2 * x, x).sum())(plain), 1.0 + (plain < 0))
    tangent = torch.func.jvp(lambda x: select(x < 0, 2 * x, x), (plain,), (torch.ones(COUNT),))[1]
    assert torch.equal(tangent, 1.0 + (plain < 0))


def test_few_numbers_are_chosen_by_where(select: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(100)
    monkeypatch.setattr(torch, "where", lambda *_: "where")
    assert select(x < 0, x, 1.0) == "where"
