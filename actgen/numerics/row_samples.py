"""Rows on which axis-wise kernels are judged: ordinary ones, and those on which codes go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from actgen.numerics.oracle import Floats

_SEED = 20261122


@dataclass(frozen=True)
class RowSample:
    """A row with a tangent and a cotangent for it, all numbers of a type.

    Attributes:
        name: what is special about it.
        row: the input.
        tangent: as long as the row.
        cotangent: as long as the row; a reduction takes its first number.
    """

    name: str
    row: Floats
    tangent: Floats
    cotangent: Floats


def row_samples(dtype: str, lengths: tuple[int, ...] = (1, 2, 3, 8, 31)) -> Iterator[RowSample]:
    """The rows of every kind, of each length, in numbers of a type."""
    rng = np.random.default_rng(_SEED)
    for length in lengths:
        for name, row in _rows(rng, length, dtype):
            for direction, (tangent, cotangent) in _directions(rng, length):
                yield RowSample(
                    f"{name}, {length}, {direction}", *(rounded(a, dtype) for a in (row, tangent, cotangent))
                )


def rounded(values: Floats, dtype: str) -> Floats:
    """Numbers of a type next to the given ones, as float64."""
    if dtype == "bfloat16":
        bits = np.asarray(values, np.float32).view(np.uint32)
        return np.asarray(((bits + np.uint32(0x8000)) & np.uint32(0xFFFF0000)).view(np.float32), np.float64)
    return np.asarray(np.asarray(values, np.float64).astype(dtype), np.float64)


def _rows(rng: np.random.Generator, length: int, dtype: str) -> Iterator[tuple[str, Floats]]:
    plain = rng.normal(size=length)
    offset = 100.0 if dtype in ("float16", "bfloat16") else 1e4
    yield "ordinary", plain
    yield "spread", 10 * rng.normal(size=length)
    yield "offset", offset + plain
    yield "offset below", plain - offset
    yield "small", 1e-3 * plain
    if length > 1:
        yield "saturated", np.where(np.arange(length) == length // 2, 12.0, 2 * plain - 8)
        yield "saturated deeply", np.where(np.arange(length) == 0, 31.0, plain - 13)
        yield "ties", np.where(np.arange(length) % 3 == 0, 1.25, np.minimum(plain, 1.0))
        yield "all alike", np.full(length, 0.75)
        yield "wide", np.copysign(np.exp(3 * rng.normal(size=length)), plain)
        yield "one outlier", np.where(np.arange(length) == length - 1, -1000.0, plain)


def _directions(rng: np.random.Generator, length: int) -> Iterator[tuple[str, tuple[Floats, Floats]]]:
    yield "random", (rng.normal(size=length), rng.normal(size=length))
    if length > 1:
        for place in {0, length // 2}:
            unit = np.where(np.arange(length) == place, 1.0, 0.0)
            yield f"unit {place}", (unit, unit)
