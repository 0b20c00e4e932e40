"""How functions are run in PyTorch: eagerly, and through torch.compile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from actgen.symbolic import Order
from actgen.verify.batch import Batch, Refused, Results
from actgen.verify.points import decode, encode


def prepare() -> None:
    """Limit PyTorch to one thread, and Dynamo's memory of other functions to none."""
    torch.set_num_threads(1)
    torch._dynamo.reset()


def supports(order: Order, mode: str) -> bool:
    """PyTorch has no second derivative of compiled code.

    It raises "torch.compile with aot_autograd does not currently support double backward", and torch.func.grad of
    torch.func.grad under the default compiler runs for minutes on one formula.
    """
    return len(order) < 2 or mode == "eager"


def evaluate(function: Callable[..., Any], batches: Sequence[Batch], mode: str) -> Iterator[Results]:
    """Run all batches; compiled ones in one graph, for each graph costs seconds."""
    inputs = [_inputs(batch, padding) for padding, batch in enumerate(batches)]

    def run(*tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [
            function(x, **dict(zip(batch.arrays, arrays, strict=True)), **batch.numbers)
            for batch, (x, *arrays) in zip(batches, tensors, strict=True)
        ]

    try:
        if mode == "compiled":
            torch._dynamo.reset()
            values = torch.compile(run, fullgraph=True, dynamic=False)(*inputs)
            leaves = [leaf for tensors in inputs for leaf in tensors]
            gradients = iter(_gradients(values, leaves))
            for batch, value, tensors in zip(batches, values, inputs, strict=True):
                yield _answer(batch, value, [next(gradients) for _ in tensors], None)
        else:
            for batch, tensors in zip(batches, inputs, strict=True):
                x, *arrays = tensors
                value = function(x, **dict(zip(batch.arrays, arrays, strict=True)), **batch.numbers)
                firsts = _gradients([value], tensors, keep=batch.wants_second)
                second = _gradients([firsts[0]], [x])[0] if batch.wants_second else None
                yield _answer(batch, value, firsts, second)
    except (RuntimeError, NotImplementedError) as error:
        raise Refused(str(error).partition("\n")[0]) from error


def _inputs(batch: Batch, padding: int) -> list[torch.Tensor]:
    """The input and the parameters; of a length of its own, or the compiler would fuse loops over different types."""
    x = torch.from_numpy(_padded(encode(batch.points, batch.dtype), padding))
    if batch.dtype == "bfloat16":
        x = x.view(torch.bfloat16)
    arrays = [torch.from_numpy(_padded(values.astype(batch.wide), padding)) for values in batch.arrays.values()]
    return [tensor.requires_grad_() for tensor in (x, *arrays)]


def _padded(numbers: NDArray[Any], count: int) -> NDArray[Any]:
    return np.append(numbers, numbers[-1:].repeat(count))


def _gradients(values: Sequence[Any], leaves: Sequence[Any], keep: bool = False) -> Sequence[torch.Tensor]:
    moving = [value for value in values if value.requires_grad]
    if not moving:
        return [torch.zeros_like(leaf) for leaf in leaves]
    ones = [torch.ones_like(value) for value in moving]
    return torch.autograd.grad(moving, leaves, ones, create_graph=keep, allow_unused=True, materialize_grads=True)


def _answer(batch: Batch, value: torch.Tensor, firsts: Sequence[torch.Tensor], second: torch.Tensor | None) -> Results:
    found = batch.select(value, firsts, second)
    return {order: _numbers(tensor.detach())[: len(batch.points)] for order, tensor in found.items()}


def _numbers(tensor: torch.Tensor) -> NDArray[Any]:
    if tensor.dtype in (torch.bfloat16, torch.float16):
        name = str(tensor.dtype).removeprefix("torch.")
        return decode(tensor.contiguous().view(torch.int16).numpy().view(np.uint16), name)
    return np.asarray(tensor.numpy())
