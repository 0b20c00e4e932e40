"""Which derivatives a framework has at all, told without importing it."""

from __future__ import annotations

from collections.abc import Sequence

# It raises "torch.compile with aot_autograd does not currently support double backward", and torch.func.grad of
# torch.func.grad under the default compiler runs for minutes on one formula.
_LACKS = {("torch", "compiled", 2): "PyTorch has no second derivative of what torch.compile has compiled"}


def supported(orders: Sequence[int], framework: str, mode: str) -> tuple[int, ...]:
    """Those of the derivatives by the input, by their orders, that there are."""
    return tuple(order for order in orders if (framework, mode, order) not in _LACKS)


def lacking(orders: Sequence[int], frameworks: Sequence[str], modes: Sequence[str]) -> list[str]:
    """What there is not, a sentence each without its full stop."""
    return [
        told
        for (framework, mode, order), told in _LACKS.items()
        if framework in frameworks and mode in modes and order in orders
    ]
