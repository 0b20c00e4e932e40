"""How functions are timed in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from actgen.bench.runner import Function

Tensors = Sequence[torch.Tensor]


def prepare() -> None:
    """Free what Dynamo holds of other functions."""
    torch._dynamo.reset()


def inputs(shapes: Sequence[tuple[int, ...]], dtype: str) -> Tensors:
    """Tensors of normally distributed numbers."""
    generator = torch.Generator().manual_seed(0)
    return [(2 * torch.randn(shape, generator=generator)).to(getattr(torch, dtype)) for shape in shapes]


def runner(function: Function, inputs: Tensors, mode: str, is_training: bool) -> Callable[[], object]:
    """A call of the function."""
    called = torch.compile(function, fullgraph=True, dynamic=False) if mode == "compiled" else function
    if not is_training:
        return lambda: called(*inputs)
    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    upstream = torch.ones_like(function(*inputs))
    return lambda: torch.autograd.grad(called(*leaves), leaves, upstream)


def copier(inputs: Tensors, mode: str, is_training: bool) -> Callable[[], object]:
    """A copy of the first input."""
    first = inputs[0]
    return (lambda: (first.clone(), first.clone())) if is_training else first.clone


def kept_bytes(function: Function, inputs: Tensors) -> int | None:
    """How many bytes autograd keeps; memory that several tensors share counts once."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def unpack(tensor: torch.Tensor) -> Any:
        return tensor

    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        function(*leaves)
    return sum(kept.values())
