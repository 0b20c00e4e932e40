"""How functions are run in PyTorch: eagerly, and through torch.compile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from actgen.verify.batch import Batch, Call, Refused, Results
from actgen.verify.points import decode, encode

# An operation has no derivative, or no kernel for a half type.
_REFUSAL = re.compile(r"""derivative for \S+ is not implemented|"\S+" not implemented for '\w+'""")


def prepare() -> None:
    """Limit PyTorch to one thread, and free what Dynamo holds of other functions."""
    torch.set_num_threads(1)
    _compiled.cache_clear()
    torch._dynamo.reset()


def evaluate(function: Callable[..., Any], batches: Sequence[Batch], mode: str) -> Iterator[Results]:
    """Run all batches; compiled ones in one graph, for each graph costs seconds."""
    inputs = [_inputs(batch, padding) for padding, batch in enumerate(batches)]
    try:
        if mode == "compiled":
            values = _compiled(function, tuple(batch.call for batch in batches))(*inputs)
            leaves = [leaf for tensors in inputs for leaf in tensors if leaf.requires_grad]
            gradients = iter(_gradients(values, leaves) if leaves else ())
            for batch, value, tensors in zip(batches, values, inputs, strict=True):
                firsts = [next(gradients) for _ in tensors] if batch.wants_first else []
                yield _answer(batch, value, firsts, None)
        else:
            for batch, tensors in zip(batches, inputs, strict=True):
                x, *arrays = tensors
                value = batch.call(function, x, arrays)
                firsts = _gradients([value], tensors, keep=batch.wants_second) if batch.wants_first else []
                second = _gradients([firsts[0]], [x])[0] if batch.wants_second else None
                yield _answer(batch, value, firsts, second)
    except RuntimeError as error:
        if _REFUSAL.match(str(error)):
            raise Refused(str(error)) from error
        raise


@lru_cache(maxsize=4)
def _compiled(function: Callable[..., Any], calls: tuple[Call, ...]) -> Callable[..., list[torch.Tensor]]:
    """All calls in one graph."""

    def run(*inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [call(function, x, arrays) for call, (x, *arrays) in zip(calls, inputs, strict=True)]

    torch._dynamo.reset()
    return torch.compile(run, fullgraph=True, dynamic=False)


def _inputs(batch: Batch, padding: int) -> list[torch.Tensor]:
    """The input and the parameters; of a length of its own, or the compiler would fuse loops over different types."""
    tensors = []
    for values, dtype in zip((batch.points, *batch.arrays.values()), batch.types(), strict=True):
        tensor = torch.from_numpy(_padded(encode(values, dtype), padding))
        tensors.append(tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor)
    return [tensor.requires_grad_(batch.wants_first) for tensor in tensors]


def _padded(numbers: NDArray[Any], count: int) -> NDArray[Any]:
    return np.append(numbers, numbers[-1:].repeat(count))


def _gradients(values: Sequence[Any], leaves: Sequence[Any], keep: bool = False) -> list[torch.Tensor]:
    moving = [value for value in values if value.requires_grad]
    if not moving:
        return [torch.zeros_like(leaf) for leaf in leaves]
    ones = [torch.ones_like(value) for value in moving]
    options = {"create_graph": keep, "allow_unused": True, "materialize_grads": True}
    return list(torch.autograd.grad(moving, leaves, ones, **options))


def _answer(batch: Batch, value: torch.Tensor, firsts: Sequence[torch.Tensor], second: torch.Tensor | None) -> Results:
    found = batch.select(value, firsts, second)
    return {order: _numbers(tensor.detach())[: len(batch.points)] for order, tensor in found.items()}


def _numbers(tensor: torch.Tensor) -> NDArray[Any]:
    # What autograd knows to be 0 is a tensor without memory, which NumPy does not take.
    tensor = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor)
    name = str(tensor.dtype).removeprefix("torch.")
    # NumPy knows no bfloat16.
    return decode((tensor.view(torch.int16) if name == "bfloat16" else tensor).numpy(), name)
