"""What is computed block by block is what is computed at once, to the last bit, and only plain numbers are."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch

BLOCK = 64
COUNT = 8 * BLOCK + 37  # the last block is not whole


@pytest.fixture(params=["mish", "swish", "prelu", "repu", "relu", "swiglu"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A generated module with small blocks."""
    found = import_module(f"generated.torch.{request.param}")
    monkeypatch.setattr(found, "_BLOCK", BLOCK)
    return found


def inputs_of(module: Any, shape: tuple[int, ...] = (COUNT,), dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    """An input for each variable: parameters are one number."""
    generator = torch.Generator().manual_seed(1)
    names = getattr(module, "_VARIABLES", ("x",))
    wide = dtype if dtype == torch.float64 else torch.float32
    return [
        (3 * torch.randn(shape, generator=generator)).to(dtype)
        if name in ("x", "a", "b")
        else torch.tensor(1.25, dtype=wide)
        for name in names
    ]


def at_once(module: Any, by: str, inputs: list[torch.Tensor]) -> torch.Tensor:
    x = inputs[0]
    result: torch.Tensor = module._DERIVATIVES[by](*(tensor.to(module._wide(x)) for tensor in inputs))
    return result.expand(x.shape) if by else result.to(x.dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_blocks_give_what_the_whole_gives(module: Any, dtype: torch.dtype) -> None:
    inputs = inputs_of(module, dtype=dtype)
    assert module._is_for_blocks(*inputs)
    for by in module._DERIVATIVES:
        result = module._evaluate(by, *inputs)
        assert result.dtype == (module._wide(inputs[0]) if by else dtype)
        torch.testing.assert_close(result, at_once(module, by, inputs), rtol=0, atol=0, equal_nan=True)


def test_shapes_of_many_axes_stay_and_memory_in_another_order_is_taken_whole(module: Any) -> None:
    inputs = inputs_of(module, (3, 5, 67))
    turned = [tensor.transpose(0, -1) if tensor.ndim else tensor for tensor in inputs]
    assert module._is_for_blocks(*inputs)
    assert not module._is_for_blocks(*turned)
    torch.testing.assert_close(module._evaluate("", *turned), module._evaluate("", *inputs).transpose(0, -1))


def test_what_autograd_watches_or_a_transform_wraps_is_taken_whole(module: Any) -> None:
    """A third derivative is autograd's own, through the operations of the second: nothing may be written over."""
    inputs = inputs_of(module)
    watched = [inputs[0].clone().requires_grad_(), *inputs[1:]]
    assert not module._is_for_blocks(*watched)
    with torch.no_grad():
        assert module._is_for_blocks(*watched)
    seen = []

    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append(module._is_for_blocks(x, *inputs[1:]))
        return x

    torch.func.vmap(look)(inputs[0].expand(2, COUNT))
    torch.func.grad(lambda x: look(x).sum())(inputs[0])
    with torch.device("meta"):
        seen.append(module._is_for_blocks(*(torch.empty(tensor.shape) for tensor in inputs)))
    assert seen == [False] * 3


def test_gradients_of_blocks_are_those_of_the_whole(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gradients() -> tuple[torch.Tensor, ...]:
        leaves = [tensor.clone().requires_grad_() for tensor in inputs_of(module)]
        return torch.autograd.grad(module._derivative("", *leaves).sum(), leaves)

    blocks = gradients()
    monkeypatch.setattr(module, "_is_for_blocks", lambda *_: False)
    for block, whole in zip(blocks, gradients(), strict=True):
        torch.testing.assert_close(block, whole, rtol=0, atol=0)


def test_a_parameter_for_each_channel_is_taken_whole() -> None:
    module = import_module("generated.torch.prelu")
    x = torch.linspace(-2, 2, 8 * module._BLOCK + 4).reshape(-1, 4)
    slopes = torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert not module._is_for_blocks(x, slopes)
    torch.testing.assert_close(module._evaluate("", x, slopes), torch.where(x > 0, x, slopes * x))


def test_few_numbers_are_not_cut(module: Any) -> None:
    assert not module._is_for_blocks(*inputs_of(module, (8 * BLOCK,)))
