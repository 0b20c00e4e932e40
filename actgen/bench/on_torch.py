"""How functions are timed in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from actgen.bench.runner import Function


def prepare() -> None:
    """Free what Dynamo holds of other functions."""
    torch._dynamo.reset()


def sample(shape: tuple[int, ...], dtype: str) -> torch.Tensor:
    """A tensor of normally distributed numbers."""
    return (2 * torch.randn(shape, generator=torch.Generator().manual_seed(0))).to(getattr(torch, dtype))


def runner(function: Function, x: torch.Tensor, mode: str, is_training: bool) -> Callable[[], object]:
    """A call of the function."""
    called = torch.compile(function, fullgraph=True, dynamic=False) if mode == "compiled" else function
    if not is_training:
        return lambda: called(x)
    leaf = x.detach().requires_grad_()
    upstream = torch.ones_like(function(x))
    return lambda: torch.autograd.grad(called(leaf), leaf, upstream)


def copier(x: torch.Tensor, mode: str, is_training: bool) -> Callable[[], object]:
    """A copy of the input."""
    return (lambda: (x.clone(), x.clone())) if is_training else x.clone


def kept_bytes(function: Function, x: torch.Tensor) -> int | None:
    """How many bytes autograd keeps; memory that several tensors share counts once."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def unpack(tensor: torch.Tensor) -> Any:
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        function(x.detach().requires_grad_())
    return sum(kept.values())
