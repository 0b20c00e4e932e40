"""Judging a kernel: its worst error against the oracle, in units of the accuracy contract.

The contract: |y - f(x)| <= N (ulp(f(x)) + u |x f'(x)|), with u half the spacing of floats at 1. The second term is what
moving the input by half an ULP does to the result, and so no fault of the function. Where the input or the result is
subnormal, an error up to the smallest normal number is free.
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
) -> Errors:
    """Measure results of float32 or float64 arithmetic.

    Args:
        points: the inputs, as float64.
        results: the outputs, of the type being judged.
        exact: the oracle's answer at the points; undecided points are left out.
        slope: gives |f'| at some of the points; asked only where the ULP error alone would exceed the worst so far.
        slack: the absolute error that is free near underflow, in smallest normal numbers.

    Returns:
        Errors at the decided points.
    """
    info = np.finfo(results.dtype)
    decided = exact.decided
    is_undefined_at_zero = bool((~decided & (points == 0)).any())
    points, results = points[decided], results[decided]
    high, low = exact.high[decided], exact.low[decided]
    with np.errstate(all="ignore"):
        target = high.astype(info.dtype)
        values = results.astype(np.longdouble)
        difference = np.abs((values - high.astype(np.longdouble)) - low.astype(np.longdouble)).astype(np.float64)
        spacing = np.spacing(np.minimum(np.abs(target), info.max)).astype(np.float64)
        ulps = difference / np.where(spacing > 0, spacing, float(info.smallest_subnormal))
    tiny = float(info.tiny)
    # A subnormal input may be taken for 0 and a subnormal result be returned as 0.
    is_tiny = (np.abs(points) < tiny) & (points != 0)
    at_zero = _matches(results, high[points == 0]) | is_undefined_at_zero
    # Equal infinities and NaN for NaN are right; a result that overflows where the exact value rounds to infinity too.
    same = (np.isnan(high) & np.isnan(results)) | (np.isinf(target) & (results == target))
    ulps = np.where(same, 0.0, np.where(np.isnan(ulps), np.inf, ulps))
    excused = (np.abs(high) < slack * tiny) | is_tiny
    ulps = np.where((excused & (difference <= slack * tiny)) | (is_tiny & at_zero), 0.0, ulps)
    return Errors(points, ulps, _in_units(points, results, ulps, spacing, slope))


def _matches(results: NDArray[np.floating], value: Floats) -> NDArray[np.bool_]:
    """Whether results are within a few ULP of one value; nowhere if there is none."""
    if len(value) == 0:
        return np.zeros(len(results), dtype=bool)
    target = value.astype(results.dtype)[0]
    return np.asarray(np.abs(results - target) <= 4 * np.spacing(np.abs(target)))


def _in_units(
    points: Floats,
    results: NDArray[np.floating],
    ulps: Floats,
    spacing: Floats,
    slope: Callable[[Floats], Floats],
) -> Floats:
    """ULPs divided by 1 + u |x f'| / ulp(f).

    That needs a derivative, so points are taken in order of falling error until none can be the worst any more.
    """
    half_spacing = float(np.finfo(results.dtype).eps) / 2
    units = np.where(_is_beyond_reach(points, ulps, results, half_spacing, slope), 1.0, ulps)
    order = np.argsort(-ulps, kind="stable")
    order = order[np.isfinite(ulps[order]) & (ulps[order] > 0)]
    worst = 0.0
    for start in range(0, len(order), 64):
        chunk = order[start : start + 64]
        if ulps[chunk[0]] <= worst:
            break
        with np.errstate(all="ignore"):
            allowance = half_spacing * np.abs(points[chunk] * slope(points[chunk])) / spacing[chunk]
        units[chunk] = ulps[chunk] / (1.0 + np.where(np.isnan(allowance), 0.0, allowance))
        worst = max(worst, float(units[chunk].max()))
    # What was not reached has fewer ULPs than the worst has units.
    rest = order[start + 64 :] if len(order) else order
    units[rest] = np.minimum(units[rest], worst)
    return units


def _is_beyond_reach(
    points: Floats,
    ulps: Floats,
    results: NDArray[np.floating],
    half_spacing: float,
    slope: Callable[[Floats], Floats],
) -> NDArray[np.bool_]:
    """Where a result overflowed and half an ULP of x is worth more than the largest float: x sin(x)^2 at 1e38."""
    beyond = np.isinf(ulps) & np.isinf(results) & np.isfinite(points)
    if beyond.any():
        with np.errstate(all="ignore"):
            allowance = half_spacing * np.abs(points[beyond] * slope(points[beyond]))
        beyond[beyond] = allowance > float(np.finfo(results.dtype).max)
    return np.asarray(beyond)
