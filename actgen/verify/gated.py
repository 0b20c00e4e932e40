"""Gated units under test: pairs of inputs, drawn from all binades and from what is special, against exact products."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actgen.numerics.contract import FORMATS, Format
from actgen.numerics.derivation import settings_of
from actgen.numerics.gated import Factor, factorise, orders, terms
from actgen.numerics.oracle import Floats
from actgen.numerics.pairs import PairTruth, PairValues, joint_settings, pairs, shuffled, units_of
from actgen.numerics.samples import slack
from actgen.spec import Activation
from actgen.symbolic import Formula, Order
from actgen.verify.batch import Batch, Failed, Framework, Refused, Results
from actgen.verify.builtin import Native
from actgen.verify.finding import Finding
from actgen.verify.points import every, wide
from actgen.verify.record import Cell, Entry, quantity_name

_DENSEST = 256
"""Floats a binade and sign, at most: so many have exact values within a minute."""

_FEWER = 8
_TURNS = 6
"""How often each float is taken, with another partner each time."""


class PairSubject:
    """A gated unit under test.

    Args:
        activation: its spec.
        count: about how many pairs of float32 and float64 to take.
    """

    def __init__(self, activation: Activation, count: int) -> None:
        self.activation = activation
        self.formula = Formula.of(activation)
        self.names = tuple(symbol.name for symbol in self.formula.inputs)
        self._dense = max(2, min(_DENSEST, count // (40 * _TURNS)))
        self._points: dict[str, list[Floats]] = {}
        self._values: dict[tuple[Order, str, int], PairValues] = {}
        self._truths: dict[Order, PairTruth] = {}

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The factors."""
        return factorise(self.activation, tuple(settings_of(self.activation)))

    @cached_property
    def settings(self) -> list[dict[str, float]]:
        """Values of the parameters, the defaults first."""
        return joint_settings(self.factors)

    def parameters(self, dtype: str, setting: int) -> dict[str, float]:
        """A setting in the type that is computed in."""
        scalar = np.dtype(wide(dtype)).type
        return {name: float(scalar(value)) for name, value in self.settings[setting].items()}

    def points(self, dtype: str, setting: int) -> list[Floats]:
        """Pairs of numbers of a type; at other parameters than the default fewer."""
        if dtype not in self._points:
            if dtype in ("float64", "float32"):
                kinks = [factor.kinks for factor in self.factors]
                self._points[dtype] = pairs(dtype, kinks, _TURNS, self._dense)
            else:
                numbers = every(dtype)
                numbers = numbers[np.isfinite(numbers)][:: max(3, _DENSEST // self._dense)]
                orders = [shuffled(len(numbers), turn) for turn in range(_TURNS)]
                first = np.tile(numbers, _TURNS)
                self._points[dtype] = [first, numbers[np.concatenate(orders)]]
        return [column[:: _FEWER if setting else 1] for column in self._points[dtype]]

    def values(self, order: Order, dtype: str, setting: int) -> PairValues:
        """The exact values at the points, computed once."""
        key = order, dtype, setting
        if key not in self._values:
            if order not in self._truths:
                self._truths[order] = PairTruth(self.factors, list(terms(self.factors, order)))
            free = slack(self.settings[setting], self.settings[0])
            here = self.parameters(dtype, setting)
            self._values[key] = self._truths[order](self.points(dtype, setting), here, FORMATS[dtype], free)
        return self._values[key]

    def orders(self, most: Sequence[int], parameters: Sequence[str]) -> list[Order]:
        """The value, the derivatives by the inputs, and the first ones by those parameters that are tensors."""
        names = {*self.names, *parameters}
        asked = [order for order in orders(self.formula) if len(order) in most and {*order} <= names]
        return [order for order in asked if len(order) < 2 or order in [(name, name) for name in self.names]]


@dataclass(frozen=True)
class _Side:
    """One input as the variable of a batch, the other as an array beside it: so second derivatives are asked for."""

    variable: str
    function: Callable[..., Any]
    orders: tuple[Order, ...]


def measure(
    framework: Framework,
    subject: PairSubject,
    function: Callable[..., Any],
    builtin: Native | None,
    mode: str,
    dtypes: Sequence[str],
    most: Sequence[int],
    parameters: Sequence[str],
) -> Iterator[tuple[str, Entry]]:
    """Measure a gated unit in one framework and mode, type by type.

    Args:
        framework: that it runs in.
        subject: what is measured.
        function: the generated one.
        builtin: the framework's own, of two tensors.
        mode: eager or compiled.
        dtypes: of the inputs.
        most: the orders of derivatives.
        parameters: those that may be tensors.

    Raises:
        SpecError: the built-in does not run.
    """
    a, b = subject.names
    asked = subject.orders(most, parameters)
    for dtype in dtypes:
        cells: dict[tuple[str, str], Cell] = {}
        try:
            for setting in range(len(subject.settings)):
                values = subject.parameters(dtype, setting)
                own = values if setting else {}
                sides = [_Side(a, function, tuple(order for order in asked if order != (b, b)))]
                if (b, b) in asked:
                    sides.append(_Side(b, _swapped(function, a, b), ((b, b),)))
                for side in sides:
                    points = subject.points(dtype, setting)
                    try:
                        found = _run(framework, side, subject, points, dtype, mode, own, parameters, values)
                    except Exception as error:  # whatever generated code raises is what was found
                        raise Failed from (error.__cause__ if isinstance(error, Refused) else error)
                    theirs: Results = {}
                    if builtin is not None and setting == 0 and side.variable == a:
                        theirs = _native(framework, builtin, side, subject, dtype, mode)
                    for order in side.orders:
                        exact = subject.values(order, dtype, setting)
                        one = _find(subject, dtype, found[order], exact, setting)
                        other = _find(subject, dtype, theirs[order], exact, 0) if order in theirs else None
                        key = quantity_name(order, ""), "sampled" if setting else ""
                        cell = Cell(one, other)
                        cells[key] = cells[key].worse(cell) if key in cells else cell
        except Failed as failure:
            yield dtype, Entry.of_failure(failure.__cause__ or failure)
        else:
            yield dtype, Entry(cells)


def _swapped(function: Callable[..., Any], a: str, b: str) -> Callable[..., Any]:
    def swapped(x: Any, **others: Any) -> Any:
        return function(others.pop(a), x, **others)

    return swapped


def _run(
    framework: Framework,
    side: _Side,
    subject: PairSubject,
    columns: Sequence[Floats],
    dtype: str,
    mode: str,
    numbers: Mapping[str, float],
    parameters: Sequence[str],
    values: Mapping[str, float],
) -> Results:
    points = dict(zip(subject.names, columns, strict=True))
    (other,) = (name for name in subject.names if name != side.variable)
    tensors = {name for order in side.orders for name in order if name in parameters}
    arrays = {other: points[other]}
    arrays |= {name: np.full(len(points[other]), values[name]) for name in sorted(tensors)}
    rest = {name: number for name, number in numbers.items() if name not in tensors}
    batch = Batch(dtype, points[side.variable], side.variable, side.orders, arrays, rest, (other,))
    return next(iter(framework.evaluate(side.function, [batch], mode)))


def _native(framework: Framework, builtin: Native, side: _Side, subject: PairSubject, dtype: str, mode: str) -> Results:
    columns = subject.points(dtype, 0)
    for most in (2, 1, 0):
        orders = tuple(order for order in side.orders if len(order) <= most and {*order} <= {*subject.names})
        theirs = replace(side, function=builtin.function, orders=orders)
        try:
            return _run(framework, theirs, subject, columns, dtype, mode, {}, (), {})
        except Refused:
            continue
        except Exception as error:
            raise builtin.complaint(mode, error) from error
    return {}


def _find(subject: PairSubject, dtype: str, results: NDArray[np.floating], exact: PairValues, setting: int) -> Finding:
    form: Format = FORMATS[dtype]
    first, second = subject.points(dtype, setting)
    units = units_of(results, exact, form)
    place = int(units.argmax())
    with np.errstate(all="ignore"):
        target = form.nearest(exact.exact.astype(np.float64))
        ulps = np.asarray(np.abs(results.astype(np.longdouble) - exact.exact) / form.spacing(target), np.float64)
    ulps = np.where(units == 0, 0.0, np.where(np.isnan(ulps), np.inf, ulps))
    worst = int(ulps.argmax())
    spurious = np.isinf(units) & ~np.isfinite(results) & np.isfinite(target)
    changed = [
        f"{name} = {value:g}" for name, value in subject.settings[setting].items() if value != subject.settings[0][name]
    ]
    where = [*changed, f"{subject.names[1]} = {second[place]:.9g}"]
    return Finding(
        ulps=float(ulps[worst]),
        ulps_at=float(first[worst]),
        units=float(units[place]),
        units_at=float(first[place]),
        spurious=int(np.count_nonzero(spurious)),
        undecided=int(np.count_nonzero(~exact.decided)),
        setting=", ".join(where),
    )
