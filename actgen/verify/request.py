"""What was asked for on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actgen.build import InputError
from actgen.verify.record import DTYPES, FRAMEWORKS, MODES

POINTS = 2**20


@dataclass(frozen=True)
class Request:
    """What to measure.

    Attributes:
        frameworks: of FRAMEWORKS; none for those that the project is built for.
        dtypes: of DTYPES.
        orders: of the derivatives by the input; derivatives by parameters come with order 1.
        modes: of MODES.
        points: how many floats of float32 and float64.
        is_exhaustive: whether to take all of float32 instead, which is then the only type.
    """

    frameworks: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = DTYPES
    orders: tuple[int, ...] = (0, 1, 2)
    modes: tuple[str, ...] = MODES
    points: int = POINTS
    is_exhaustive: bool = False

    @classmethod
    def of(
        cls,
        frameworks: Sequence[str],
        modes: Sequence[str],
        dtypes: Sequence[str],
        orders: str | None,
        points: int | None,
        is_exhaustive: bool = False,
    ) -> Request:
        """A request in the words of the command line; what is not named is everything.

        Raises:
            InputError: the orders are not numbers from 0 to 2, or an exhaustive run is to be of something else.
        """
        orders = orders if orders is not None else "0" if is_exhaustive else "0,1,2"
        found = {order.strip() for order in orders.split(",")}
        if is_exhaustive and tuple(dtypes) not in ((), ("float32",)):
            raise InputError("--exhaustive takes all of float32, and no other type; leave out --dtype")
        if is_exhaustive and points is not None:
            raise InputError("--exhaustive takes all of float32, and no sample; leave out --points")
        if not found <= {"0", "1", "2"}:
            raise InputError(f"--order {orders}: write 0, 1 and 2 with commas between them, such as 0,1")

        def in_order(names: Sequence[str], every: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(name for name in every if name in names)

        return cls(
            in_order(frameworks, FRAMEWORKS),
            ("float32",) if is_exhaustive else in_order(dtypes, DTYPES) or DTYPES,
            tuple(sorted(int(order) for order in found)),
            in_order(modes, MODES) or MODES,
            0 if is_exhaustive else points or POINTS,
            is_exhaustive,
        )
