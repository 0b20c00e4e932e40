"""Judging a kernel: its worst error against the oracle, in units of the accuracy contract.

The contract: |y - f(x)| <= N (ulp(f(x)) + u |x f'(x)|), with u half the spacing of floats at 1. The second term is what
moving the input by half an ULP does to the result, and so no fault of the function. Where the input or the result is
subnormal, an error up to the smallest normal number is free.

N is 4 for float32 and float64. It is 1 for bfloat16 and float16, where arithmetic is float32, rounded once at the end:
half an ULP for the rounding, and a few thousandths for the arithmetic. NumPy knows no bfloat16, so numbers of the half
types are held as float32, and a :class:`Format` says what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.oracle import Exact, Floats

LARGEST_UNITS = 4.0
"""Units of the contract that float32 and float64 code may be off."""


@dataclass(frozen=True)
class Format:
    """A binary floating-point type.

    Attributes:
        name: as NumPy and the frameworks call it.
        digits: bits of precision, the leading one included.
        lowest: exponent of the smallest normal number.
        highest: exponent of the largest number.
        allowed: units of the contract that code may be off.
        flushed: below this size a processor may take numbers of the type that is computed in for 0.
    """

    name: str
    digits: int
    lowest: int
    highest: int
    allowed: float
    flushed: float

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - 2.0 ** (1 - self.digits), self.highest)

    @property
    def smallest(self) -> float:
        """The smallest subnormal number."""
        return math.ldexp(1.0, self.lowest - self.digits + 1)

    @property
    def half_spacing(self) -> float:
        """Half the spacing of numbers at 1."""
        return math.ldexp(1.0, -self.digits)

    def nearest(self, values: Floats) -> Floats:
        """Float64 values rounded to this type, ties to even, held as float64; infinite beyond the largest number."""
        if self.name in ("float32", "float64"):
            with np.errstate(over="ignore"):
                return np.asarray(values.astype(self.name), dtype=np.float64)
        scale = self._scale(values)
        with np.errstate(invalid="ignore"):
            rounded = np.ldexp(np.rint(np.ldexp(values, -scale)), scale)
            overflowed = np.abs(rounded) > self.largest
            return np.asarray(np.where(overflowed, np.copysign(np.inf, rounded), rounded), dtype=np.float64)

    def spacing(self, values: Floats) -> Floats:
        """The distance from each number of this type to the next larger one in size; at infinity as at the largest."""
        bounded = np.minimum(np.abs(values), self.largest)
        if self.name in ("float32", "float64"):
            return np.asarray(np.spacing(bounded.astype(self.name)), dtype=np.float64)
        return np.asarray(np.ldexp(1.0, self._scale(bounded)), dtype=np.float64)

    def _scale(self, values: Floats) -> NDArray[np.int32]:
        """The exponent of the last bit."""
        finite = np.where(np.isfinite(values), values, 0.0)
        exponents = np.where(finite == 0, self.lowest, np.frexp(finite)[1] - 1)
        return np.asarray(np.maximum(exponents, self.lowest) - (self.digits - 1), dtype=np.int32)


FORMATS = {
    form.name: form
    for form in (
        Format("float64", 53, -1022, 1023, LARGEST_UNITS, 2.0**-1022),
        Format("float32", 24, -126, 127, LARGEST_UNITS, 2.0**-126),
        Format("bfloat16", 8, -126, 127, 1.0, 2.0**-126),
        # Its subnormal numbers are normal ones of float32, in which arithmetic is: nothing is flushed.
        Format("float16", 11, -14, 15, 1.0, 2.0**-126),
    )
}


_ALL_DIGITS = 30.0  # what a wrong infinity or NaN counts for


@dataclass(frozen=True)
class Errors:
    """How far results lie from the exact values, point by point.

    Attributes:
        points: the inputs.
        ulps: error in units in the last place of the exact result; infinite for a wrong NaN or infinity.
        units: error in units of the contract; never above ``ulps``.
        places: what variables are at the points, a row each; the input alone where no others are asked for.
    """

    points: Floats
    ulps: Floats
    units: Floats
    places: Floats

    @cached_property
    def worst(self) -> float:
        """The largest error in units of the contract."""
        return float(self.units.max(initial=0.0))

    @cached_property
    def closeness(self) -> tuple[float, float]:
        """Smaller for better: the decimal digits lost beyond the contract, over all points; then the worst error.

        Twice the limit at a dozen points is better than NaN at one.
        """
        beyond = self.units[self.units > LARGEST_UNITS] / LARGEST_UNITS
        return float(np.minimum(np.log10(beyond), _ALL_DIGITS).sum()), self.worst

    @property
    def worst_at(self) -> float:
        """The input where it occurs."""
        return float(self.points[int(self.units.argmax())]) if len(self.points) else math.nan

    @property
    def worst_ulps(self) -> float:
        """The largest error in ULP."""
        return float(self.ulps.max(initial=0.0))


def errors(
    points: Floats,
    results: NDArray[np.floating],
    exact: Exact,
    slope: Callable[[Floats], Floats],
    slack: float = 1.0,
    form: Format | None = None,
    exact_above: float = math.inf,
) -> Errors:
    """Measure results of floating-point arithmetic.

    Args:
        points: the inputs, as float64.
        results: the outputs, of the type being judged, or of a wider one that holds it.
        exact: the oracle's answer at the points; undecided points are left out.
        slope: gives |f'| at some of the points; asked only where the ULP error alone would exceed the worst so far.
        slack: the absolute error that is free near underflow, in smallest normal numbers.
        form: the type being judged; that of the results if not given.
        exact_above: units are exact at every point where they exceed this; else they are at the worst one, and bounds
            elsewhere.

    Returns:
        Errors at the decided points.
    """
    form = form or FORMATS[results.dtype.name]
    return Yardstick(points, exact, slope, form, slack).errors(results, exact_above)


class Yardstick:
    """What results at some points are measured by: all that does not depend on them, for many kernels alike.

    Args:
        points: the inputs, as float64.
        exact: the oracle's answer at the points; undecided points are left out.
        slope: gives |f'| at some of the points; asked once for each, and only where it matters.
        form: the type being judged.
        slack: the absolute error that is free near underflow, in smallest normal numbers.
    """

    def __init__(
        self, points: Floats, exact: Exact, slope: Callable[[Floats], Floats], form: Format, slack: float = 1.0
    ) -> None:
        self._form, self._slope, self._decided = form, slope, exact.decided
        self._points = points[exact.decided]
        high, low = exact.high[exact.decided], exact.low[exact.decided]
        # Of float64 in long double: -1.7e308 for 1.7e308 is off by many ULP, but not by infinitely many.
        self._wide: type[np.floating[Any]] = np.longdouble if form.digits > 24 else np.float64
        self._high: NDArray[np.floating[Any]] = high.astype(self._wide)
        self._low: NDArray[np.floating[Any]] = low.astype(self._wide)
        with np.errstate(all="ignore"):
            self._target = form.nearest(high)
            self._spacing = form.spacing(self._target)
        self._unit = np.where(self._spacing > 0, self._spacing, form.smallest)
        self._not_finite = np.flatnonzero(~np.isfinite(self._target))
        # A subnormal input may be taken for 0 and a subnormal result be returned as 0.
        is_tiny = (np.abs(self._points) < form.flushed) & (self._points != 0)
        self._tiny = np.flatnonzero(is_tiny)
        self._at_zero = self._target[self._points == 0][:1]
        self._is_undefined_at_zero = bool((~exact.decided & (points == 0)).any())
        self._free = slack * form.flushed
        # Up to the smallest normal number itself: in float64, what lies just below may have been rounded to it in
        # ``high``.
        self._excused = np.flatnonzero((np.abs(high) <= self._free) | is_tiny)
        self._known_moves = np.full(len(self._points), np.nan)
        self._is_known = np.zeros(len(self._points), dtype=bool)

    def errors(self, results: NDArray[np.floating], exact_above: float = math.inf) -> Errors:
        """Measure results at all points.

        Args:
            results: the outputs, of the type being judged, or of a wider one that holds it.
            exact_above: as in :func:`errors`.
        """
        results = results[self._decided]
        with np.errstate(all="ignore"):
            difference = np.abs((results.astype(self._wide) - self._high) - self._low)
            ulps = (difference / self._unit).astype(np.float64)
        ulps[np.isnan(ulps)] = np.inf
        # Equal infinities and NaN for NaN are right; a result that overflows where the exact value rounds to infinity
        # too.
        given, wanted = results[self._not_finite], self._target[self._not_finite]
        ulps[self._not_finite[(given == wanted) | (np.isnan(given) & np.isnan(wanted))]] = 0.0
        ulps[self._excused[difference[self._excused] <= self._free]] = 0.0
        ulps[self._tiny[self._is_as_at_zero(results[self._tiny])]] = 0.0
        return Errors(self._points, ulps, self._in_units(results, ulps, exact_above), self._points[None])

    def _is_as_at_zero(self, results: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether results are within a few ULP of the value at 0; nowhere if that is not among the points."""
        if self._is_undefined_at_zero or not len(self._at_zero):
            return np.full(len(results), self._is_undefined_at_zero)
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(results - self._at_zero) <= 4 * self._form.spacing(self._at_zero))

    def _in_units(self, results: NDArray[np.floating], ulps: Floats, exact_above: float) -> Floats:
        """ULPs divided by 1 + u |x f'| / ulp(f).

        That needs a derivative, so points are taken in order of falling error until none can be the worst any more.
        """
        units = ulps.copy()
        # Where a result overflowed and half an ULP of x is worth more than the largest float: x sin(x)^2 at 1e38.
        beyond = np.flatnonzero(np.isinf(ulps) & np.isinf(results) & np.isfinite(self._points))
        units[beyond[self._moves(beyond) > self._form.largest]] = 1.0
        rest = np.flatnonzero(np.isfinite(ulps) & (ulps > 0))
        worst, size = 0.0, _FIRST if math.isinf(exact_above) else 8 * _FIRST
        while len(rest):
            first, rest = _largest(ulps, rest, size)
            with np.errstate(all="ignore"):
                allowance = self._moves(first) / self._spacing[first]
            units[first] = ulps[first] / (1.0 + np.where(np.isnan(allowance), 0.0, allowance))
            worst = max(worst, float(units[first].max()))
            # What is not reached has fewer ULPs than the worst has units.
            is_below = ulps[rest] <= min(worst, exact_above)
            units[rest[is_below]] = np.minimum(units[rest[is_below]], worst)
            rest = rest[~is_below]
            if len(rest) > _MANY:
                size *= 4
        return units

    def _moves(self, places: NDArray[np.intp]) -> Floats:
        """What half an ULP of the input is worth: u |x f'|, at some of the points."""
        missing = places[~self._is_known[places]]
        if len(missing):
            points = self._points[missing]
            with np.errstate(all="ignore"):
                self._known_moves[missing] = self._form.half_spacing * np.abs(points * self._slope(points))
            self._is_known[missing] = True
        return np.asarray(self._known_moves[places])


_FIRST = 64
_MANY = 2**14


def _largest(values: Floats, places: NDArray[np.intp], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the largest values, as many as asked for and those that are equal to the least of them; the rest."""
    if len(places) <= count:
        return places, places[:0]
    here = values[places]
    is_large = here >= np.partition(here, -count)[-count]
    return places[is_large], places[~is_large]
