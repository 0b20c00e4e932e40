"""The floats that code is measured at: all of a half type, a stratified million of a wide one."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from actgen.numerics.contract import FORMATS
from actgen.numerics.oracle import Floats

_GOLDEN = 0.6180339887498949
_DENSE = range(-10, 10)


def every(dtype: str) -> Floats:
    """All 65,536 values of a half type in the order of their bits, zeros, infinities and NaN among them."""
    with np.errstate(invalid="ignore"):  # float32 to float64 of a signaling NaN
        return decode(np.arange(2**16, dtype=np.uint16), dtype).astype(np.float64)


def stratified(dtype: str, count: int, kinks: Iterable[float] = ()) -> Floats:
    """About ``count`` floats of every binade and either sign, half of them within 2**-10 and 2**10; zeros last.

    Mantissas follow the golden ratio, so a measurement can be repeated. Powers of two and the floats below them, zeros,
    subnormal numbers, the smallest and largest normal ones, and three floats on either side of each kink are always
    among them.
    """
    form = FORMATS[dtype]
    binades = range(form.lowest, form.highest + 1)
    dense = max(1, count // (4 * len(_DENSE)))
    sparse = max(1, count // (4 * (len(binades) - len(_DENSE))))
    sizes = [_binade(k, dense if k in _DENSE else sparse) for k in binades]
    subnormal = np.ldexp(_binade(0, 8), np.arange(form.lowest - form.digits + 1, form.lowest)[:, None]).ravel()
    special = np.array([0.0, form.smallest, 2.0**form.lowest, form.largest])
    powers = np.ldexp(1.0, np.array(binades))
    scalar = np.dtype(dtype).type
    positive = np.concatenate([*sizes, subnormal, special, powers]).astype(scalar)
    positive = np.concatenate([positive, np.nextafter(positive[-len(powers) :], scalar(0))])
    near = [np.array([kink for kink in kinks if np.isfinite(kink)], dtype=scalar)]
    for end in (scalar(-np.inf), scalar(np.inf)):
        step = near[0]
        for _ in range(3):
            step = np.nextafter(step, end)
            near.append(step)
    points = np.unique(np.concatenate([positive, -positive, *near]))
    points = points[np.isfinite(points) & (points != 0)].astype(np.float64)
    return np.append(points, [0.0, -0.0])


def without_inexact_kinks(points: Floats, kinks: Iterable[float], dtype: str) -> Floats:
    """Points less those within rounding of a kink that no float hits: there half an ULP of x decides the branch."""
    half_spacing = FORMATS[wide(dtype)].half_spacing
    for kink in kinks:
        if Fraction(kink).denominator > 2**20:
            points = points[~(np.abs(points - kink) <= 16 * half_spacing * abs(kink))]
    return points


def wide(dtype: str) -> str:
    """The type that is computed in: half types are computed in float32 and rounded once."""
    return "float64" if dtype == "float64" else "float32"


def encode(points: Floats, dtype: str) -> np.ndarray:
    """The numbers in their own type; bfloat16, which NumPy does not know, as its bits in uint16."""
    with np.errstate(all="ignore"):
        if dtype == "bfloat16":
            return np.asarray(points.astype(np.float32).view(np.uint32) >> 16, dtype=np.uint16)
        return points.astype(dtype)


def decode(numbers: np.ndarray, dtype: str) -> np.ndarray:
    """Numbers of a type as float32 or float64; exact. Half ones may be of any type that has their bits."""
    with np.errstate(all="ignore"):
        if dtype == "bfloat16":
            return (numbers.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        if dtype == "float16":
            return numbers.view(np.float16).astype(np.float32)
        return numbers


def _binade(exponent: int, count: int) -> Floats:
    fractions = (np.arange(1, count + 1) * _GOLDEN + exponent * _GOLDEN**2) % 1.0
    return np.asarray(np.ldexp(1.0 + fractions, exponent), dtype=np.float64)
