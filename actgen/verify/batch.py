"""What a framework is asked: points, parameters, and which derivatives; and how its answer comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.oracle import Floats
from actgen.symbolic import Order
from actgen.verify.points import wide

Results = Mapping[Order, NDArray[np.floating]]
"""By what was differentiated by; float64 for float64, float32 for all narrower types."""


@dataclass(frozen=True)
class Batch:
    """One call of a function.

    Attributes:
        dtype: of the input.
        points: numbers of that type, as float64.
        variable: the input's name in ``orders``.
        arrays: parameters passed as tensors of the type that is computed in, one value a point.
        numbers: parameters passed as Python numbers; the others are left to their defaults.
        inputs: those of ``arrays`` that are inputs too, and so of the input's type.
        orders: the derivatives asked for; ``()`` is the value.
    """

    dtype: str
    points: Floats
    variable: str
    orders: tuple[Order, ...]
    arrays: Mapping[str, Floats]
    numbers: Mapping[str, float]
    inputs: tuple[str, ...] = ()

    def types(self) -> list[str]:
        """The type of the input, and of each of ``arrays``."""
        return [self.dtype, *(self.dtype if name in self.inputs else self.wide for name in self.arrays)]

    @property
    def wide(self) -> str:
        """The type that is computed in."""
        return wide(self.dtype)

    @property
    def wants_first(self) -> bool:
        """Whether anything but the value is asked for."""
        return self.orders != ((),)

    @property
    def wants_second(self) -> bool:
        """Whether the second derivative by the input is asked for."""
        return (self.variable, self.variable) in self.orders

    @property
    def call(self) -> Call:
        """What of the batch decides how it is run: all but the numbers in it."""
        return Call(tuple(self.arrays), tuple(self.numbers.items()), self.wants_first, self.wants_second)

    def select(self, value: Any, firsts: Sequence[Any], second: Any) -> dict[Order, Any]:
        """Name an answer.

        Args:
            value: of the function.
            firsts: the derivatives by the input and by each of ``arrays``, in turn; none if they are not asked for.
            second: the second derivative by the input, or None.
        """
        names = (self.variable, *self.arrays)
        found: dict[Order, Any] = {(): value}
        found |= {(name,): first for name, first in zip(names, firsts, strict=bool(firsts))}
        if second is not None:
            found[self.variable, self.variable] = second
        return {order: result for order, result in found.items() if order in self.orders}


@dataclass(frozen=True)
class Call:
    """How a function is called: the same for batches of the same kind, so that it is compiled once for all of them.

    Attributes:
        names: of the parameters passed as tensors.
        numbers: the parameters passed as Python numbers.
        wants_first: whether derivatives are asked for.
        wants_second: whether the second derivative by the input is.
    """

    names: tuple[str, ...]
    numbers: tuple[tuple[str, float], ...]
    wants_first: bool
    wants_second: bool

    def __call__(self, function: Callable[..., Any], x: Any, arrays: Sequence[Any]) -> Any:
        """The function's value."""
        return function(x, **dict(zip(self.names, arrays, strict=True)), **dict(self.numbers))


class Refused(Exception):  # noqa: N818 - it is an answer, not an error
    """A framework has no such derivative of one of its functions, or no such type."""


class Failed(Exception):  # noqa: N818 - it is a result, not an error
    """Generated code did not run; the error it ended in is the cause."""


class Framework(Protocol):
    """A module that runs functions in one framework."""

    def prepare(self) -> None:
        """Limit it to one thread, and free what it holds of other functions."""

    def evaluate(self, function: Callable[..., Any], batches: Sequence[Batch], mode: str) -> Iterator[Results]:
        """The results of each batch, ``eager`` or ``compiled``.

        Raises:
            Refused: the framework has no such derivative, or no such type. Whatever else is wrong is raised as it is.
        """
