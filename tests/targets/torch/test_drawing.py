"""Stochastic parameters in PyTorch: the gradient goes with the draws of the value, whatever runs it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from actgen.numerics import derive
from actgen.spec import load_spec
from actgen.targets import Context
from actgen.targets.torch import target
from tests.targets.torch.conftest import write

pytestmark = [
    # 2026-11: forward mode uses torch.jit, and Dynamo instantiates Functions.
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

SPEC = Path(__file__).resolve().parents[3] / "specs" / "rrelu.toml"
X = torch.linspace(-3, -1, 64)  # all negative: the value is the slope times it


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The module `drawing.torch.rrelu`, imported from a temporary folder."""
    folder = tmp_path_factory.mktemp("drawing")
    write(folder / "drawing", target.emit(derive(load_spec(SPEC)), Context()))
    sys.path.insert(0, str(folder))
    yield importlib.import_module("drawing.torch.rrelu")
    sys.path.remove(str(folder))


def count(drawn: torch.Tensor) -> int:
    """How many different numbers there are."""
    return len(set(drawn.tolist()))


def assert_it_goes_with(slope: torch.Tensor, y: torch.Tensor) -> None:
    torch.testing.assert_close(slope * X, y)
    assert count(slope) > 32
    assert (slope >= 0.125).all()
    assert (slope <= 1 / 3).all()


def test_the_gradient_goes_with_the_draws_of_the_value(emitted: Any) -> None:
    x = X.clone().requires_grad_()
    y = emitted.rrelu(x, training=True)
    torch.rand(5)  # what is drawn between does not matter
    assert_it_goes_with(torch.autograd.grad(y.sum(), x)[0], y.detach())


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointing_draws_the_same_again(emitted: Any, use_reentrant: bool) -> None:
    x, layer = X.clone().requires_grad_(), emitted.RReLU().train()
    y = checkpoint(layer, x, use_reentrant=use_reentrant)
    torch.rand(5)
    assert_it_goes_with(torch.autograd.grad(y.sum(), x)[0] if not use_reentrant else _backward(y, x), y.detach())


def _backward(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    torch.autograd.backward(y.sum())  # reentrant checkpoints know no autograd.grad
    assert x.grad is not None
    return x.grad


def test_checkpointing_does_not_restore_a_generator_of_the_user_s_own(emitted: Any) -> None:
    # As the docstring says. When this fails, PyTorch has learned it, and the docstring is out of date.
    x, generator = X.clone().requires_grad_(), torch.Generator().manual_seed(0)
    y = checkpoint(lambda x: emitted.rrelu(x, training=True, generator=generator), x, use_reentrant=False)
    assert not torch.allclose(torch.autograd.grad(y.sum(), x)[0] * X, y)


def test_compiled_whole_it_draws(emitted: Any) -> None:
    torch._dynamo.reset()
    x = X.clone().requires_grad_()
    layer: Any = torch.compile(emitted.RReLU().train(), fullgraph=True, backend="aot_eager")
    y = layer(x)
    assert_it_goes_with(torch.autograd.grad(y.sum(), x)[0], y.detach())
    assert not torch.equal(layer(x), y)


def test_vectorised_it_draws_for_each_as_it_is_told(emitted: Any) -> None:
    def drawn(x: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, emitted.rrelu(x, training=True))

    both: Any = torch.func.vmap(torch.func.grad_and_value(drawn), randomness="different")
    slope, y = both(X)
    assert_it_goes_with(slope, y)
    same: Any = torch.func.vmap(drawn, randomness="same")
    one = same(torch.full((8,), -1.0))
    assert count(one) == 1
    undecided: Any = torch.func.vmap(drawn)
    with pytest.raises(RuntimeError, match="randomness"):
        undecided(X)


def test_forward_mode_goes_with_the_draws_too(emitted: Any) -> None:
    jvp: Any = torch.func.jvp
    y, slope = jvp(lambda x: emitted.rrelu(x, training=True), (X,), (torch.ones_like(X),))
    assert_it_goes_with(slope, y)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_generator_repeats_what_it_drew_in_every_type(emitted: Any, dtype: torch.dtype) -> None:
    one, other = (
        emitted.rrelu(X.to(dtype), training=True, generator=torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert one.dtype == dtype
    assert torch.equal(one, other)


def test_ends_that_are_tensors_have_gradients(emitted: Any) -> None:
    lower = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    x = X.double()

    def total(end: torch.Tensor) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        return cast(torch.Tensor, emitted.rrelu(x, end, 0.3, training=True, generator=generator).sum())

    (slope,) = torch.autograd.grad(total(lower), lower)
    quotient = (total(lower.detach() + 1e-6) - total(lower.detach() - 1e-6)) / 2e-6
    torch.testing.assert_close(slope, quotient, rtol=1e-6, atol=0)


def test_ends_in_the_wrong_order_are_refused(emitted: Any) -> None:
    with pytest.raises(ValueError, match=r"lower must not be above upper, got 0\.5 and 0\.25"):
        emitted.rrelu(X, 0.5, 0.25)
