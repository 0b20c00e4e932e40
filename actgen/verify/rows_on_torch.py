"""How functions of rows are run in PyTorch: eagerly, and through torch.compile."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from actgen.numerics.oracle import Floats
from actgen.verify.on_torch import _numbers
from actgen.verify.points import encode


def evaluate(
    function: Callable[..., Any], dtype: str, inputs: Mapping[str, Floats], quantity: str, mode: str
) -> NDArray[np.floating] | None:
    """A quantity for each row."""
    tensors = {name: _tensor(values, dtype) for name, values in inputs.items()}
    x = tensors["x"]
    run = function
    if mode == "compiled":
        torch._dynamo.reset()
        run = torch.compile(function, fullgraph=True, dynamic=False)
    if quantity == "value":
        result = run(x)
    elif quantity == "vjp":
        x.requires_grad_()
        y = run(x)
        (result,) = torch.autograd.grad(y, x, tensors["cotangent"].reshape(y.shape))
    else:

        def push(x: Any, t: Any) -> Any:
            return torch.func.jvp(function, (x,), (t,))[1]

        pushed = torch.compile(push, fullgraph=True, dynamic=False) if mode == "compiled" else push
        with warnings.catch_warnings():
            # 2026-11: forward mode of torch 2.13 uses torch.jit, which is deprecated.
            warnings.filterwarnings("ignore", message=r"`torch\.jit", category=DeprecationWarning)
            result = pushed(x, tensors["tangent"])
    return _numbers(result.detach())


def _tensor(values: Floats, dtype: str) -> torch.Tensor:
    tensor = torch.from_numpy(encode(values, dtype).copy())
    return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor
