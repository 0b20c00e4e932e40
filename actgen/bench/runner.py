"""What a framework offers to be measured with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Function = Callable[..., Any]


class Runner(Protocol):
    """A framework, as a module of functions."""

    def prepare(self) -> None:
        """Free what was compiled for others."""

    def sample(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A tensor of normally distributed numbers, twice as wide as the standard; the same in every call."""

    def runner(self, function: Function, x: Any, mode: str, is_training: bool) -> Callable[[], object]:
        """A call of a function that is over when it returns; in training with the gradient by its input."""

    def copier(self, x: Any, mode: str, is_training: bool) -> Callable[[], object]:
        """The input copied, in training once more for its gradient: what memory allows at best."""

    def kept_bytes(self, function: Function, x: Any) -> int | None:
        """How many bytes are kept for the backward pass; None where the framework does not tell."""
