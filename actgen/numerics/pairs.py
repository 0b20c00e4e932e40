"""Pairs: what a gated unit is worth at two inputs, how far code may be off there, and where that is tried.

The contract of two inputs: |y - f| <= N (ulp(f) + u (|a df/da| + |b df/db|)). Next to underflow each factor may be off
by the smallest normal number, so the product by that times the other factor: sigmoid(-100) is 4e-44, which float32
holds in five bits and most processors take for 0, and 1e38 times it is no longer small.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.choice import CONTRACT, Judgement
from actgen.numerics.contract import FORMATS, Format
from actgen.numerics.emulation import Arithmetic, Emulator, Functions
from actgen.numerics.kernel import Kernel
from actgen.numerics.oracle import Floats, Oracle
from actgen.numerics.samples import even, slack, stratified
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.formula import Order

if TYPE_CHECKING:
    from actgen.numerics.gated import Factor, Term

_GOLDEN = 0.6180339887498949

Wide = NDArray[np.longdouble]

Oracles = dict[tuple[int, Order, bool], Oracle]
"""Of each factor's partial derivatives, and of their slopes."""


@dataclass(frozen=True)
class PairValues:
    """Exact values of a gated unit, or of a derivative of it, at pairs of inputs.

    Attributes:
        exact: in long double, which has digits enough to judge float64 by.
        flushed: the same with subnormal inputs taken for 0, as many processors take them.
        moved: |a df/da| + |b df/db|, which the contract excuses half an ULP of.
        free: an error that is free because a factor, an input or the result is next to underflow; infinite where a
            factor overflows.
        decided: False where the exact value could not be told.
    """

    exact: Wide
    flushed: Wide
    moved: Floats
    free: Floats
    decided: NDArray[np.bool_]


class PairTruth:
    """Exact values of a sum of products of factors' derivatives.

    Args:
        factors: of the gated unit.
        products: of each factor what it is differentiated by.
        oracles: those made so far for these factors; more are added.
    """

    def __init__(self, factors: Sequence[Factor], products: Sequence[Term], oracles: Oracles | None = None) -> None:
        self._factors, self._products = tuple(factors), tuple(products)
        self._oracles = {} if oracles is None else oracles

    def __call__(
        self, points: Sequence[Floats], parameters: Mapping[str, float], form: Format, slack: float = 1.0
    ) -> PairValues:
        """The values at pairs.

        Args:
            points: the first inputs and the second ones.
            parameters: of the unit.
            form: the type of the inputs and of the result.
            slack: the error that is free near underflow, in smallest normal numbers.
        """
        found = self._values(points, parameters, form, slack)
        tiny = [(np.abs(column) < form.flushed) & (column != 0) for column in points]
        here = np.logical_or.reduce(tiny)
        if here.any():
            flushed = [np.where(is_tiny, 0.0, column)[here] for is_tiny, column in zip(tiny, points, strict=True)]
            found.flushed[here] = self._values(flushed, parameters, form, slack).exact
        return found

    def _values(
        self, points: Sequence[Floats], parameters: Mapping[str, float], form: Format, slack: float
    ) -> PairValues:
        size, tiny = len(points[0]), slack * form.flushed
        total, slopes = np.zeros(size, np.longdouble), np.zeros((len(points), size), np.longdouble)
        free, decided = np.zeros(size, np.longdouble), np.ones(size, bool)
        with np.errstate(all="ignore"):
            for product in self._products:
                values, derivatives = [], []
                for i, order in enumerate(product):
                    value, is_known = self._at(i, order, False, points[i], parameters)
                    derivative, _ = self._at(i, order, True, points[i], parameters)
                    values.append(value)
                    derivatives.append(np.where(np.isnan(derivative), 0, derivative))
                    decided &= is_known
                total += _times(values)
                for i in range(len(values)):
                    others = np.abs(_times(values[:i] + values[i + 1 :]))
                    slopes[i] += derivatives[i] * _times(values[:i] + values[i + 1 :])
                    free += np.where((np.abs(values[i]) < 2 * tiny) & (values[i] != 0), tiny * others, 0)
                    free += np.where(np.abs(values[i]) > form.largest, np.inf, 0)
            for point, slope in zip(points, slopes, strict=True):
                free += np.where((np.abs(point) < form.flushed) & (point != 0), tiny * np.abs(slope), 0)
            free += np.where(np.abs(total) < 2 * tiny, tiny, 0)
            moved = sum(np.abs(point * slope) for point, slope in zip(points, slopes, strict=True))
            return PairValues(total, total.copy(), np.asarray(moved, np.float64), np.asarray(free, np.float64), decided)

    def _at(
        self, index: int, order: Order, is_slope: bool, points: Floats, parameters: Mapping[str, float]
    ) -> tuple[Wide, NDArray[np.bool_]]:
        key = index, order, is_slope
        formula = self._factors[index].formula
        if key not in self._oracles:
            partial = formula.partials[order]
            expression = differentiate(partial, formula.inputs[0]) if is_slope else partial
            self._oracles[key] = Oracle(expression, formula.inputs[0], formula.parameters, bits=20 if is_slope else 84)
        unique, places = np.unique(points, return_inverse=True)
        own = {parameter.name: parameters[parameter.name] for parameter in formula.parameters}
        found = self._oracles[key](unique, own)
        return (found.high.astype(np.longdouble) + found.low)[places], found.decided[places]


def units_of(results: NDArray[np.floating], values: PairValues, form: Format) -> Floats:
    """Errors in units of the contract; 0 where the exact value is not known."""
    flushed = replace(values, exact=values.flushed)
    return np.minimum(_units_of(results, values, form), _units_of(results, flushed, form))


def _units_of(results: NDArray[np.floating], values: PairValues, form: Format) -> Floats:
    with np.errstate(all="ignore"):
        target = form.nearest(values.exact.astype(np.float64))
        difference = np.abs(results.astype(np.longdouble) - values.exact)
        spacing = form.spacing(target)
        allowance = spacing + form.half_spacing * np.where(np.isnan(values.moved), 0.0, values.moved)
        units = np.asarray(difference / allowance, np.float64)
    is_same = np.isinf(target) & (results == target)
    overflows = np.abs(values.exact) + form.allowed * allowance > form.largest
    overflows &= np.isinf(results) & (np.sign(results) == np.sign(target))
    fine = is_same | overflows | (difference <= values.free) | np.isinf(values.free) | ~values.decided
    return np.where(fine, 0.0, np.where(np.isnan(units), np.inf, units))


class PairJudge:
    """Judges kernels of one partial derivative of a gated unit on pairs.

    Args:
        factors: of the gated unit.
        products: whose sum the derivative is.
        oracles: as for :class:`PairTruth`.
    """

    def __init__(self, factors: Sequence[Factor], products: Sequence[Term], oracles: Oracles | None = None) -> None:
        self._factors = tuple(factors)
        self._truth = PairTruth(factors, products, oracles)
        self._functions = Functions()

    @cached_property
    def _trials(self) -> list[tuple[str, Mapping[str, float], list[Floats], PairValues]]:
        found: list[tuple[str, Mapping[str, float], list[Floats], PairValues]] = []
        settings = joint_settings(self._factors)
        for number, exact in enumerate(settings):
            for dtype in ("float32", "float64") if number == 0 else ("float32",):
                parameters = {name: float(np.dtype(dtype).type(value)) for name, value in exact.items()}
                points = pairs(dtype, [factor.kinks for factor in self._factors], 8 if number == 0 else 1)
                truth = self._truth(points, parameters, FORMATS[dtype], slack(exact, settings[0]))
                found.append((dtype, parameters, points, truth))
        return found

    def judge(self, kernel: Kernel, machine: Arithmetic, parts: Sequence[Judgement]) -> Judgement:
        """How far a kernel is off, at worst, on a machine.

        Args:
            kernel: the product.
            machine: to emulate.
            parts: the judgements of its factors. One that misses the contract by itself is a miss of the product.
        """
        worst, at, ulps = 0.0, math.nan, 0.0
        for dtype, parameters, points, values in self._trials:
            names = [factor.input.name for factor in self._factors]
            inputs = {**dict(zip(names, points, strict=True)), **parameters}
            emulator = Emulator(inputs, dtype, machine, functions=self._functions)
            results = np.broadcast_to(emulator.run(kernel), points[0].shape)
            units = units_of(results, values, FORMATS[dtype])
            place = int(units.argmax())
            if units[place] > worst:
                worst, at = float(units[place]), float(points[0][place])
        ulps = max([worst, *(part.ulps for part in parts)])
        for part in parts:
            if part.units > CONTRACT and part.units > worst:
                worst, at = part.units, part.at
        trials = tuple(dict.fromkeys(trial for part in parts for trial in part.candidates))
        is_certified = all(part.is_certified for part in parts)
        return Judgement(worst, at, ulps, is_certified, trials, "the product of what was chosen for its factors")


def joint_settings(factors: Sequence[Factor]) -> list[dict[str, float]]:
    """Values of all parameters: the defaults, then each at its other values with the rest at their defaults."""
    defaults = {name: float(value) for factor in factors for name, value in factor.settings[0].items()}
    found = [defaults]
    for factor in factors:
        for setting in factor.settings[1:]:
            joint = {**defaults, **{name: float(value) for name, value in setting.items()}}
            if joint not in found:
                found.append(joint)
    return found


def pairs(dtype: str, kinks: Sequence[Sequence[float]], turns: int, dense: int = 32) -> list[Floats]:
    """Pairs of finite floats: all binades against all, the bends against the bends, what is special with itself.

    Args:
        dtype: float32 or float64.
        kinks: of the factors.
        turns: how often each float is taken, each time with another partner.
        dense: floats a binade and sign where activations bend.
    """
    info = np.finfo(dtype)
    sizes = [0.0, float(info.tiny), float(info.tiny) * 2.0**30, 1e-4, 0.3, 1.0, 2.7, 9.0, 17.0, 88.0, 104.0, 750.0]
    sizes += [1e30, float(info.max)]
    signed = np.array([sign * size for size in sizes for sign in (1, -1)], dtype=dtype).astype(np.float64)
    columns: list[list[Floats]] = [[np.repeat(signed, len(signed))], [np.tile(signed, len(signed))]]
    own = [stratified(dtype, dense=dense, around=near) for near in kinks]
    bends = [np.union1d(even(dtype, 25 * dense), stratified(dtype, dense=dense // 2)) for _ in kinks]
    for group in (own, bends):
        longest = max(map(len, group))
        for turn in range(turns):
            for column, points, is_first in zip(columns, group, (True, False), strict=True):
                places = np.arange(longest) if is_first else shuffled(longest, turn)
                column.append(points[places % len(points)])
    return [np.concatenate(column) for column in columns]


def shuffled(count: int, turn: int) -> NDArray[np.int64]:
    """The numbers below a count in an order that follows the golden ratio."""
    return np.argsort((np.arange(count) * _GOLDEN + turn * _GOLDEN**3) % 1.0, kind="stable")


def _times(values: Sequence[Wide]) -> Wide:
    return np.asarray(np.prod(np.stack([*values, np.ones_like(values[0])]) if values else [1.0], axis=0))


__all__ = ["Oracles", "PairJudge", "PairTruth", "PairValues", "joint_settings", "pairs", "shuffled", "units_of"]
