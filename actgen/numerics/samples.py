"""Which floats a form is judged on: every binade, both signs, dense where activations bend, and the points that matter.

No random numbers: mantissas follow the golden ratio, so a build gives the same judgement everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from actgen.spec import Domain, Parameter

Real = TypeVar("Real", float, Fraction)

_GOLDEN = 0.6180339887498949

_FAR_ABOVE = 32
"""The largest value of a parameter that is asked, in its defaults."""

_FREE, _FREE_ABOVE = 16.0, 64.0
"""Smallest normal numbers that are free near underflow: where a parameter is not its default, where it is far above."""


def stratified(dtype: DTypeLike, dense: int = 24, sparse: int = 1, around: Iterable[float] = ()) -> NDArray[np.float64]:
    """Points of a float type, ascending, as float64.

    Args:
        dtype: float32 or float64.
        dense: points per binade and sign between 2**-10 and 2**10.
        sparse: points per binade and sign elsewhere; float64 takes every eighth binade there.
        around: points of interest (kinks, roots); each is taken with its neighbours.

    Returns:
        Distinct finite values of ``dtype``, both zeros counted once.
    """
    near = np.array([point for point in around if np.isfinite(point)], dtype=dtype)
    low, high = np.array(-np.inf, dtype=dtype), np.array(np.inf, dtype=dtype)
    neighbours = np.concatenate([near, np.nextafter(near, low), np.nextafter(near, high)])
    points = np.union1d(_spread(np.dtype(dtype).name, dense, sparse), neighbours)
    return np.asarray(points[np.isfinite(points)], dtype=np.float64)


@cache
def _spread(dtype: str, dense: int, sparse: int) -> NDArray[np.floating]:
    info = np.finfo(dtype)
    stride = 1 if info.maxexp <= 128 else 8
    exponents = [
        (k, dense if -10 <= k < 10 else sparse)
        for k in range(int(info.minexp), int(info.maxexp))
        if -16 <= k < 16 or k % stride == 0
    ]
    mantissas: list[float] = []
    for exponent, count in exponents:
        fractions = (np.arange(1, count + 1) * _GOLDEN + exponent * _GOLDEN**2) % 1.0
        mantissas.extend(np.ldexp(1.0 + fractions, exponent).tolist())
        mantissas.append(float(np.ldexp(1.0, exponent)))
    special = [0.0, float(info.max), float(info.tiny), float(info.smallest_subnormal)]
    positive = np.array(mantissas + special, dtype=dtype)
    return np.unique(np.concatenate([positive, -positive]))


def even(dtype: DTypeLike, count: int = 500, reach: float = 16.0) -> NDArray[np.float64]:
    """Points spread evenly over [-reach, reach], where activations bend, ascending, as float64."""
    positive = (reach * ((np.arange(1, count + 1) * _GOLDEN) % 1.0)).astype(dtype)
    return np.asarray(np.unique(np.concatenate([positive, -positive])), dtype=np.float64)


def parameter_values(parameter: Parameter) -> tuple[Fraction, ...]:
    """The values of a parameter a form is judged at: the default first, then a few across its domain.

    0 is one of them, which may make terms vanish, and a number far below the default: what is added to the default and
    taken away again is lost there. The last is far above the default: powers of exp(p) overflow there.
    """
    default = Fraction(int(parameter.default.p), int(parameter.default.q))
    half = default + Fraction(1, 2)
    spread = [default * 3, default / 4, default / 1024, Fraction(0), -default, half, Fraction(1)]
    inside = [value for value in dict.fromkeys(spread) if value != default and _is_inside(value, parameter.domain)]
    above = [value for value in (default * _FAR_ABOVE,) if value != default and _is_inside(value, parameter.domain)]
    return (default, *inside[:5], *above)


def slack(parameters: Mapping[str, Real], defaults: Mapping[str, Real]) -> float:
    """The absolute error that is free near underflow at some parameters, in smallest normal numbers.

    At other parameters than the default it is more than 1: a factor such as 1/beta moves the threshold at which an
    intermediate result is flushed, and a factor of 32 moves it far.
    """
    if parameters == defaults:
        return 1.0
    is_far = any(is_far_above(float(value), float(defaults[name])) for name, value in parameters.items())
    return _FREE_ABOVE if is_far else _FREE


def is_far_above(value: float, default: float) -> bool:
    """Whether a parameter is far above its default, and not only far above a small one: 1 is not far from 0.01."""
    size, usual = abs(value), abs(default)
    return size > _FAR_ABOVE / 2 * usual > 0 and size > 1.0 + usual


def _is_inside(value: Fraction, domain: Domain) -> bool:
    return value in domain
