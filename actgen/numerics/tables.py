"""Tables of polynomials: looked up by the bits of a float, summed up for thousands of floats at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.oracle import Floats

DIRECT, DIRECT_SLOPE = 1, 2
"""Marks of a piece: the oracle is to be asked for the value, for the slope."""

_MANTISSA = np.uint64((1 << 52) - 1)
_FINEST = 10
_UNSURE = -1
_PARTS = ("powers", "exponents", "high", "low")


@dataclass(frozen=True)
class Format:
    """What a float type asks of a table.

    Attributes:
        lowest, highest: positive floats lie in [2^lowest, 2^highest).
        digits: bits of a significand.
        degree: of the polynomials.
        in_double: coefficients above this power are summed up in float64, the others in long double; -1 where
            float64 is enough for all.
        least: errors below 2^least count as none: far below the spacing of subnormal numbers.
        largest: exact values beyond 2^largest are given as infinite.
        attempts: how many pieces are tried for each sign, before what is left is left to the oracle.
        few: 2^few floats next to each other are left to the oracle rather than cut once more.
    """

    lowest: int
    highest: int
    digits: int
    degree: int
    in_double: int
    least: int
    largest: int
    few: int
    attempts: int

    @property
    def tolerance(self) -> float:
        """The largest error of a polynomial against |f| + |x f'|: half of 1/256 of a unit."""
        return 2.0 ** -(self.digits + 9)


FORMATS = {
    "float32": Format(-149, 128, 24, 10, -1, -160, 140, 5, 8_000),
    "float64": Format(-1074, 1024, 53, 17, 5, -1084, 1030, 20, 3_000),
}


@dataclass(frozen=True)
class Polynomial:
    """x^power 2^exponent times a polynomial.

    Attributes:
        coefficients: each as an unevaluated sum of two float64, constant term first.
    """

    power: int = 0
    exponent: int = 0
    coefficients: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Piece:
    """One row of a table: from ``start`` on in magnitude, up to the start of the next piece.

    Attributes:
        centre: the polynomials' variable is (x - centre) / 2^scale.
        scale: None for a variable that is 0.
    """

    start: float
    centre: float = 0.0
    scale: int | None = None
    value: Polynomial = Polynomial()
    slope: Polynomial | None = None
    is_direct: bool = False


@dataclass(frozen=True)
class Polynomials:
    """A column of polynomials, one a piece."""

    powers: NDArray[np.int32]
    exponents: NDArray[np.int32]
    high: Floats
    low: Floats

    @classmethod
    def of(cls, column: Sequence[Polynomial], degree: int) -> Polynomials:
        """Laid out as arrays, coefficients of one power side by side."""
        parts = np.zeros((2, degree + 1, len(column)))
        for i, polynomial in enumerate(column):
            for k, (high, low) in enumerate(polynomial.coefficients):
                parts[:, k, i] = high, low
        powers = np.array([polynomial.power for polynomial in column], dtype=np.int32)
        exponents = np.array([polynomial.exponent for polynomial in column], dtype=np.int32)
        return cls(powers, exponents, parts[0], parts[1])

    @cached_property
    def _wide(self) -> NDArray[np.longdouble]:
        return self.high.astype(np.longdouble) + self.low

    @cached_property
    def _powers_used(self) -> list[int]:
        return [int(power) for power in np.unique(self.powers) if power]

    @cached_property
    def _has_exponents(self) -> bool:
        return bool(self.exponents.any())

    def evaluate(self, z: Floats, x: Floats, index: NDArray[np.intp], in_double: int) -> NDArray[np.floating]:
        """The polynomials numbered ``index`` at z, in long double where ``in_double`` is not negative."""
        degree = len(self.high) - 1
        total: NDArray[np.floating] = self.high[degree].take(index)
        for k in range(degree - 1, in_double, -1):
            total *= z
            total += self.high[k].take(index)
        if in_double >= 0:
            total = total.astype(np.longdouble)
            variable = z.astype(np.longdouble)
            for k in range(in_double, -1, -1):
                total *= variable
                total += self._wide[k].take(index)
        if self._powers_used:
            powers = self.powers.take(index)
            for power in self._powers_used:
                here = np.flatnonzero(powers == power)
                total[here] *= _power(x[here].astype(total.dtype), power)
        return np.ldexp(total, self.exponents.take(index)) if self._has_exponents else total


def _power(x: NDArray[np.floating], n: int) -> NDArray[np.floating]:
    result = x
    for _ in range(abs(n) - 1):
        result = result * x
    return result if n > 0 else 1 / result


@dataclass(frozen=True)
class Table:
    """Pieces of the positive floats, then those of the negative floats.

    Attributes:
        starts: where each piece begins, in magnitude.
        positive: how many pieces are of positive floats.
        centres, factors: the polynomials' variable is (x - centre) factor.
        value, slope: the polynomials.
        marks: ``DIRECT`` and ``DIRECT_SLOPE``.
    """

    starts: Floats
    positive: int
    centres: Floats
    factors: Floats
    value: Polynomials
    slope: Polynomials
    marks: NDArray[np.uint8]

    @classmethod
    def of(cls, positive: Sequence[Piece], negative: Sequence[Piece], degree: int) -> Table:
        """From pieces in any order; neighbours that are both left to the oracle become one."""
        halves = [_merged(half) for half in (positive, negative)]
        pieces = [*halves[0], *halves[1]]
        marks = [DIRECT if piece.is_direct else DIRECT_SLOPE if piece.slope is None else 0 for piece in pieces]
        return cls(
            starts=np.array([piece.start for piece in pieces]),
            positive=len(halves[0]),
            centres=np.array([piece.centre for piece in pieces]),
            factors=np.array([0.0 if piece.scale is None else 2.0**-piece.scale for piece in pieces]),
            value=Polynomials.of([piece.value for piece in pieces], degree),
            slope=Polynomials.of([piece.slope or Polynomial() for piece in pieces], degree),
            marks=np.array(marks, dtype=np.uint8),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Table:
        """The table whose :attr:`arrays` these are.

        Raises:
            KeyError: an array is missing.
        """
        value, slope = (Polynomials(*(arrays[f"{column}.{name}"] for name in _PARTS)) for column in ("value", "slope"))
        own = {name: arrays[name] for name in ("starts", "centres", "factors", "marks")}
        return cls(positive=int(arrays["positive"]), value=value, slope=slope, **own)

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """All of the table, as arrays by name."""
        columns = {"value": self.value, "slope": self.slope}
        parts = {f"{name}.{part}": getattr(column, part) for name, column in columns.items() for part in _PARTS}
        own = {name: getattr(self, name) for name in ("starts", "centres", "factors", "marks")}
        return {**own, **parts, "positive": np.array(self.positive)}

    def find(self, points: Floats) -> NDArray[np.intp]:
        """The number of the piece of each point, infinities and NaN included."""
        offsets, shifts, cells = self._cells
        bits = points.view(np.uint64)
        binades = (bits >> np.uint64(52)).astype(np.intp)
        places = ((bits & _MANTISSA) >> shifts.take(binades)).astype(np.intp)
        places += offsets.take(binades)
        index = cells.take(places)
        unsure = np.flatnonzero(index == _UNSURE)
        if len(unsure):
            index[unsure] = self._search(points[unsure])
        return index

    def variable(self, points: Floats, index: NDArray[np.intp]) -> Floats:
        """The variable of the polynomials."""
        return np.asarray((points - self.centres.take(index)) * self.factors.take(index))

    def _search(self, points: Floats) -> NDArray[np.intp]:
        sizes = np.abs(points)
        right = np.searchsorted(self.starts[: self.positive], sizes, side="right") - 1
        left = np.searchsorted(self.starts[self.positive :], sizes, side="right") - 1 + self.positive
        return np.where(np.signbit(points), left, right)

    @cached_property
    def _cells(self) -> tuple[NDArray[np.intp], NDArray[np.uint64], NDArray[np.intp]]:
        """For each sign and exponent, where its cells begin and how many bits of a mantissa they leave open.

        A cell holds the number of its piece, or ``_UNSURE`` where a piece begins inside it.
        """
        offsets = np.arange(4096, dtype=np.intp)
        shifts = np.full(4096, 52, dtype=np.uint64)
        binades = np.arange(2048, dtype=np.uint64) << np.uint64(52)
        cells: list[NDArray[np.intp]] = []
        count = 4096
        for first, last in ((0, self.positive), (self.positive, len(self.starts))):
            bits = self.starts[first:last].view(np.uint64)
            cells.append(np.searchsorted(bits, binades, side="right") - 1 + first)
        for sign, (first, last) in enumerate(((0, self.positive), (self.positive, len(self.starts)))):
            bits = self.starts[first:last].view(np.uint64)
            cut = bits[bits & _MANTISSA != 0]
            for exponent in np.unique(cut >> np.uint64(52)).tolist():
                inside = cut[cut >> np.uint64(52) == np.uint64(exponent)]
                shift = max(min((b & -b).bit_length() - 1 for b in inside.tolist()), 52 - _FINEST)
                steps = np.arange((1 << (52 - shift)) + 1, dtype=np.uint64) << np.uint64(shift)
                edges = binades[exponent] + steps
                numbers = np.searchsorted(bits, edges[:-1], side="right") - 1
                ends = np.searchsorted(bits, edges[1:] - np.uint64(1), side="right") - 1
                cells.append(np.where(numbers == ends, numbers + first, _UNSURE))
                offsets[sign * 2048 + exponent] = count
                shifts[sign * 2048 + exponent] = shift
                count += len(numbers)
        return offsets, shifts, np.concatenate(cells)


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if not (merged and merged[-1].is_direct and piece.is_direct):
            merged.append(piece)
    return merged
