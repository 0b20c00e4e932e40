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
    """

    points: Floats
    ulps: Floats
    units: Floats

    @property
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
    decided = exact.decided
    is_undefined_at_zero = bool((~decided & (points == 0)).any())
    points, results = points[decided], results[decided]
    high, low = exact.high[decided], exact.low[decided]
    with np.errstate(all="ignore"):
        target = form.nearest(high)
        # Of float64 in long double: -1.7e308 for 1.7e308 is off by many ULP, but not by infinitely many.
        wide = np.longdouble if form.digits > 24 else np.float64
        difference = np.abs((results.astype(wide) - high.astype(wide)) - low.astype(wide))
        spacing = form.spacing(target)
        ulps = (difference / np.where(spacing > 0, spacing, form.smallest)).astype(np.float64)
    # A subnormal input may be taken for 0 and a subnormal result be returned as 0.
    is_tiny = (np.abs(points) < form.flushed) & (points != 0)
    at_zero = _matches(results, high[points == 0], form) | is_undefined_at_zero
    # Equal infinities and NaN for NaN are right; a result that overflows where the exact value rounds to infinity too.
    same = (np.isnan(high) & np.isnan(results)) | (np.isinf(target) & (results == target))
    ulps = np.where(same, 0.0, np.where(np.isnan(ulps), np.inf, ulps))
    free = slack * form.flushed
    # Up to the smallest normal number itself: in float64, what lies just below may have been rounded to it in ``high``.
    excused = (np.abs(high) <= free) | is_tiny
    ulps = np.where((excused & (difference <= free)) | (is_tiny & at_zero), 0.0, ulps)
    return Errors(points, ulps, _in_units(points, results, ulps, spacing, slope, form, exact_above))


def _matches(results: NDArray[np.floating], value: Floats, form: Format) -> NDArray[np.bool_]:
    """Whether results are within a few ULP of one value; nowhere if there is none."""
    if len(value) == 0:
        return np.zeros(len(results), dtype=bool)
    target = form.nearest(value[:1])
    return np.asarray(np.abs(results - target) <= 4 * form.spacing(target))


def _in_units(
    points: Floats,
    results: NDArray[np.floating],
    ulps: Floats,
    spacing: Floats,
    slope: Callable[[Floats], Floats],
    form: Format,
    exact_above: float,
) -> Floats:
    """ULPs divided by 1 + u |x f'| / ulp(f).

    That needs a derivative, so points are taken in order of falling error until none can be the worst any more.
    """
    units = np.where(_is_beyond_reach(points, ulps, results, slope, form), 1.0, ulps)
    rest = np.flatnonzero(np.isfinite(ulps) & (ulps > 0))
    worst, size = 0.0, _FIRST if math.isinf(exact_above) else 8 * _FIRST
    while len(rest):
        if len(rest) > 8 * size:
            # Of a million points few come near the worst: no need to sort them all.
            rest = rest[np.argpartition(-ulps[rest], size)]
            first = rest[:size][np.argsort(-ulps[rest[:size]], kind="stable")]
            rest = rest[size:]
        else:
            rest = rest[np.argsort(-ulps[rest], kind="stable")]
            first, rest = rest[:size], rest[size:]
        with np.errstate(all="ignore"):
            allowance = form.half_spacing * np.abs(points[first] * slope(points[first])) / spacing[first]
        units[first] = ulps[first] / (1.0 + np.where(np.isnan(allowance), 0.0, allowance))
        worst = max(worst, float(units[first].max()))
        # What is not reached has fewer ULPs than the worst has units.
        is_below = ulps[rest] <= min(worst, exact_above)
        units[rest[is_below]] = np.minimum(units[rest[is_below]], worst)
        rest = rest[~is_below]
        if len(rest) > _MANY:
            size *= 4
    return units


_FIRST = 64
_MANY = 2**14


def _is_beyond_reach(
    points: Floats, ulps: Floats, results: NDArray[np.floating], slope: Callable[[Floats], Floats], form: Format
) -> NDArray[np.bool_]:
    """Where a result overflowed and half an ULP of x is worth more than the largest float: x sin(x)^2 at 1e38."""
    beyond = np.isinf(ulps) & np.isinf(results) & np.isfinite(points)
    if beyond.any():
        with np.errstate(all="ignore"):
            allowance = form.half_spacing * np.abs(points[beyond] * slope(points[beyond]))
        beyond[beyond] = allowance > form.largest
    return np.asarray(beyond)
