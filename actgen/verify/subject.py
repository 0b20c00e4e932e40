"""One activation under test: what a framework is asked, and what must come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import sympy as sp

from actgen.numerics.oracle import Exact, Floats
from actgen.numerics.samples import parameter_values
from actgen.spec import Activation, load_spec
from actgen.symbolic import Formula, Order
from actgen.symbolic.properties import properties
from actgen.verify.batch import Batch
from actgen.verify.points import every, stratified, wide, without_inexact_kinks
from actgen.verify.truth import Truth, is_few, truth

_FEWER = 64


@dataclass(frozen=True)
class Piece:
    """A part of a batch: the points of one setting of the parameters, and what is judged there."""

    setting: int
    part: slice
    orders: tuple[Order, ...]


class Subject:
    """An activation under test.

    Args:
        spec: its file.
        count: how many floats of float32 and float64 to take.
    """

    def __init__(self, spec: Path, count: int) -> None:
        self.activation: Activation = load_spec(spec)
        self.formula = Formula.of(self.activation)
        self._count = count
        self._truths: dict[tuple[Order, str, int, bool], Truth] = {}
        self._exact: dict[tuple[Order, str, int], Exact] = {}
        self._kinks: dict[tuple[str, int], tuple[float, ...]] = {}
        self._points: dict[tuple[str, int], Floats] = {}

    @property
    def variable(self) -> str:
        """The input's name."""
        return str(self.formula.inputs[0].name)

    @cached_property
    def settings(self) -> tuple[Mapping[str, Fraction], ...]:
        """The parameters' values: the defaults, then each of them at other values with the rest at their defaults."""
        drawn = {draw.parameter.name for draw in self.activation.draws}  # no argument that could be passed
        samples = {p.name: parameter_values(p)[: 1 if p.name in drawn else None] for p in self.activation.variables}
        defaults = {name: values[0] for name, values in samples.items()}
        others = [{**defaults, name: value} for name, values in samples.items() for value in values[1:]]
        return (defaults, *others)

    def rounded(self, setting: int, dtype: str) -> dict[str, float]:
        """A setting in the type that is computed in."""
        scalar = np.dtype(wide(dtype)).type
        return {name: float(scalar(float(value))) for name, value in self.settings[setting].items()}

    def points(self, dtype: str, setting: int) -> Floats:
        """Where a setting is tried; infinities and NaN at the defaults only, for 0 x has a limit and 0 inf has none."""
        if (dtype, setting) not in self._points:
            self._points[dtype, setting] = self._find_points(dtype, setting)
        return self._points[dtype, setting]

    def _find_points(self, dtype: str, setting: int) -> Floats:
        kinks = self.kinks(dtype, setting)
        if dtype in ("float16", "bfloat16"):
            points = every(dtype)
        else:
            points = stratified(dtype, self._count if setting == 0 else self._count // _FEWER, kinks)
            points = np.concatenate([points, [np.inf, -np.inf, np.nan]])
        if setting:
            points = points[np.isfinite(points)]
        return without_inexact_kinks(points, kinks, dtype)

    def kinks(self, dtype: str, setting: int) -> tuple[float, ...]:
        """Where the value or a derivative jumps."""
        key = wide(dtype), setting
        if key not in self._kinks:
            rounded = self.rounded(setting, dtype)
            values = {name: sp.Rational(*value.as_integer_ratio()) for name, value in rounded.items()}
            self._kinks[key] = properties(self.formula, values, [None, None]).seams
        return self._kinks[key]

    def exact(self, order: Order, dtype: str, setting: int, points: Floats) -> Exact:
        """The exact values at the points of :meth:`points`, computed once."""
        key = order, dtype, setting
        if key not in self._exact:
            self._exact[key] = self.truth(order, dtype, setting)(points)
        return self._exact[key]

    def truth(self, order: Order, dtype: str, setting: int, count: int | None = None) -> Truth:
        """Exact values of the formula or a derivative of it at one setting.

        Args:
            order: what it is differentiated by.
            dtype: of the points.
            setting: of the parameters.
            count: how many points there will be, if not those of :meth:`points`.
        """
        count = count or len(self.points(dtype, setting))
        key = order, wide(dtype), setting, is_few(count)
        if key not in self._truths:
            values = self.rounded(setting, dtype)
            parameters = {symbol: Fraction(values[symbol.name]) for symbol in self.formula.parameters}
            self._truths[key] = truth(self._partial(order), self.formula.inputs[0], parameters, wide(dtype), count)
        return self._truths[key]

    def reads_input(self, order: Order) -> bool:
        """Whether a quantity depends on the input: the slope of pi x is pi everywhere, for NaN too."""
        return bool(self._partial(order).has(self.formula.inputs[0]))

    def forget(self, dtype: str) -> None:
        """Free the exact values of one type."""
        self._exact = {key: exact for key, exact in self._exact.items() if key[1] != dtype}
        self._points = {key: points for key, points in self._points.items() if key[0] != dtype}

    def describe(self, setting: int) -> str:
        """A setting as text: "beta = 3"; empty for the defaults."""
        values = self.settings[setting]
        changed = [name for name, value in values.items() if value != self.settings[0][name]]
        return ", ".join(f"{name} = {float(values[name]):g}" for name in changed)

    def by_input(self, orders: tuple[int, ...]) -> tuple[Order, ...]:
        """The value and the derivatives by the input of these orders."""
        return tuple((self.variable,) * order for order in orders)

    def at_defaults(self, dtype: str, orders: tuple[Order, ...]) -> Batch:
        """The call that users make: no parameter is passed."""
        return Batch(dtype, self.points(dtype, 0), self.variable, orders, {}, {})

    def at_settings(
        self, dtype: str, orders: tuple[Order, ...], tensors: tuple[str, ...]
    ) -> list[tuple[Batch, list[Piece]]]:
        """Calls with parameters: as tensors, which have derivatives, or as numbers; as few calls as there can be.

        Args:
            dtype: of the input.
            orders: derivatives by the input to ask for at other parameters than the default.
            tensors: the parameters that can be tensors; derivatives by them are asked for at the defaults too.
        """
        by_parameter: tuple[Order, ...] = tuple((name,) for name in tensors)
        calls: dict[tuple[tuple[str, float], ...], list[tuple[int, Floats]]] = {}
        for setting in range(len(self.settings)):
            if setting == 0 and not tensors:
                continue
            values, defaults = self.rounded(setting, dtype), self.rounded(0, dtype)
            numbers = tuple((n, v) for n, v in values.items() if n not in tensors and v != defaults[n])
            calls.setdefault(numbers, []).append((setting, self.points(dtype, setting)))
        made = []
        for numbers, members in calls.items():
            pieces, start = [], 0
            for setting, points in members:
                judged = by_parameter if setting == 0 else (*orders, *by_parameter)
                pieces.append(Piece(setting, slice(start, start + len(points)), judged))
                start += len(points)
            arrays = {
                name: np.concatenate([np.full(len(points), self.rounded(s, dtype)[name]) for s, points in members])
                for name in tensors
            }
            points = np.concatenate([points for _, points in members])
            asked = (*orders, *by_parameter)
            made.append((Batch(dtype, points, self.variable, asked, arrays, dict(numbers)), pieces))
        return made

    def _partial(self, order: Order) -> sp.Expr:
        return self.formula.partials.get(order, sp.Integer(0))
