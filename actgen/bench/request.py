"""What was asked for on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actgen.bench.ways import WAYS
from actgen.build import InputError

PASSES = ("forward", "training")
"""The value alone, without a gradient; or the value, and the gradient by the input for a given one by the output."""

DTYPES = ("float32", "bfloat16")
SIZES = (2**10, 2**16, 2**20, 2**24)
ROUNDS = 9


@dataclass(frozen=True)
class Request:
    """What to measure.

    Attributes:
        ways: names of WAYS; none for those that the project is built for.
        dtypes: of DTYPES.
        sizes: how many numbers an input has.
        passes: of PASSES.
        rounds: how often all contestants take their turn.
    """

    ways: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("float32",)
    sizes: tuple[int, ...] = SIZES
    passes: tuple[str, ...] = PASSES
    rounds: int = ROUNDS

    @classmethod
    def of(
        cls,
        ways: Sequence[str],
        dtypes: Sequence[str],
        sizes: Sequence[str],
        passes: Sequence[str],
        rounds: int | None,
    ) -> Request:
        """A request in the words of the command line; what is not named is the default.

        Raises:
            InputError: a size is no power of two from 2^4 to 2^28, or a model is to be trained forward only.
        """
        if "forward" in passes and "training" not in passes and any(WAYS[name].is_fit for name in ways):
            raise InputError("--pass forward: `fit` trains; leave out its ways, or add --pass training")
        asked = cls()
        return cls(
            tuple(name for name in WAYS if name in ways),
            tuple(dtype for dtype in DTYPES if dtype in dtypes) or asked.dtypes,
            tuple(sorted({_size(text) for text in sizes})) or asked.sizes,
            tuple(one for one in PASSES if one in passes) or asked.passes,
            rounds or asked.rounds,
        )


def _size(text: str) -> int:
    base, _, exponent = text.partition("^")
    is_power = base == "2" and exponent.isdecimal() and 4 <= int(exponent) <= 28
    if not is_power:
        raise InputError(f"--size {text}: write a power of two from 2^4 to 2^28, such as 2^20")
    return int(2 ** int(exponent))
