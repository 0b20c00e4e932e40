"""The judge of one formula: its oracle, the floats and parameters it is tried at, a kernel's errors over them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import fields, replace
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
import sympy as sp
from flint import arb, fmpq

from actgen.numerics import contract, emulation, guards
from actgen.numerics.batches import Batch, Setting
from actgen.numerics.candidates import Failure
from actgen.numerics.kernel import Kernel, Node
from actgen.numerics.lowering import lower, variables
from actgen.numerics.oracle import Exact, Floats, Oracle
from actgen.numerics.samples import even, is_far_above, slack, stratified
from actgen.symbolic.derivatives import differentiate

_REMOTE = 2.0**-8
"""A parameter is remote below this part of its default."""

_NEXT_TO_UNDERFLOW = 2.0**10
"""Smallest normal numbers, below which a lenient judge lets pass what is lost at other parameters than the default."""

_FREE_OF_SUBNORMALS = 16.0
"""Smallest normal numbers that are free where the input is subnormal, at whatever parameters."""

_FAR = 2.0**12
_FAR_APART, _MOST_ZOOMS = 16.0, 4
_FAINT = 2.0**-90


class Judge:
    """Judges kernels of one formula against its oracle, over all sampled floats and parameter values.

    Args:
        expression: the formula.
        x: the input.
        parameters: the parameters' symbols.
        settings: the exact parameter values to judge at, the default first.
        around: points of interest, such as kinks.
        arithmetic: of the machine that kernels are judged on.
    """

    def __init__(
        self,
        expression: sp.Expr,
        x: sp.Symbol,
        parameters: Sequence[sp.Symbol],
        settings: Sequence[Mapping[str, Fraction]],
        around: Sequence[float] = (),
        arithmetic: emulation.Arithmetic = emulation.IDEAL,
    ) -> None:
        self.arithmetic = arithmetic
        self.expression, self.x, self.parameters = expression, x, tuple(parameters)
        self.exact_settings = tuple(settings)
        self.oracle = Oracle(expression, x, self.parameters)
        self._slope = Oracle(differentiate(expression, x), x, self.parameters, bits=20)
        self._kinks = tuple(around)
        self._known_turns: Floats | None = None
        self.settings = tuple(self._settings(settings, around))
        self._subnormals = tuple(self._subnormal_settings(settings))
        self._known_close_ups: list[Setting] = []
        self._exact: dict[Setting, Exact] = {}
        self._batches: dict[Setting, Batch] = {}
        self._functions = emulation.Functions()
        self._yardsticks: dict[Setting, contract.Yardstick] = {}
        self._is_lenient = False
        self._variables: tuple[Kernel, ...] = ()
        self._counts: dict[tuple[Setting, ...], int] = {}
        self._known_places: dict[Setting, Floats] = {}
        self._asked_of: Sequence[Setting] = (*self.settings, *self._subnormals)

    def on(self, arithmetic: emulation.Arithmetic) -> Judge:
        """The same judge for another machine; what the oracle has said is shared."""
        other = copy(self)
        other.arithmetic = arithmetic
        other._batches = {}
        return other

    def leniently(self) -> Judge:
        """The same judge, but for misses next to underflow at other parameters than the default, which do not count."""
        other = copy(self)
        other._is_lenient = True
        return other

    def placing(self, *variables: Kernel) -> Judge:
        """The same judge, which tells what variables are at the points that it looks at."""
        other = copy(self)
        other._variables, other._known_places = variables, {}
        return other

    def nearby(self) -> Judge:
        """The same judge without the settings at which a parameter is remote from its default."""
        return self._asking([setting for setting in self._asked_of if not self._is_remote(setting)])

    def at_zero(self, parameter: sp.Symbol) -> Judge:
        """The same judge of the settings at which a parameter is 0."""
        return self._asking([setting for setting in self._asked_of if setting.parameters[parameter.name] == 0])

    def off_zero(self) -> Judge:
        """The same judge without the settings at which a parameter is 0 that is not 0 by default."""
        defaults = self.exact_settings[0]
        return self._asking(
            [s for s in self._asked_of if all(s.parameters[name] for name in defaults if defaults[name])]
        )

    def _asking(self, settings: Sequence[Setting]) -> Judge:
        other = copy(self)
        other._asked_of = settings
        return other

    def without(self, parameter: sp.Symbol, expression: sp.Expr) -> Judge:
        """A judge of another formula, which has a parameter less, at the same values of the others."""
        others = tuple(symbol for symbol in self.parameters if symbol != parameter)
        settings = [{symbol.name: setting[symbol.name] for symbol in others} for setting in self.exact_settings]
        distinct = [setting for i, setting in enumerate(settings) if setting not in settings[:i]]
        return Judge(expression, self.x, others, distinct, self._kinks, self.arithmetic)

    def _settings(self, exact: Sequence[Mapping[str, Fraction]], around: Sequence[float]) -> Iterator[Setting]:
        rounded = {dtype: [_rounded(values, dtype) for values in exact] for dtype in ("float32", "float64")}
        for dtype in rounded:
            yield self._default_setting(dtype, rounded[dtype][0], around)
        for dtype in rounded:
            for parameters in rounded[dtype][1:]:
                free = slack(parameters, rounded[dtype][0])
                yield self._other_setting(dtype, parameters, free, is_sparse=len(exact) > 2)

    def _subnormal_settings(self, exact: Sequence[Mapping[str, Fraction]]) -> Iterator[Setting]:
        """Where machines that keep subnormal numbers are judged too: of these 1 / x is infinite, and 0 / x is NaN."""
        for dtype in ("float32", "float64"):
            tiny, least = float(np.finfo(dtype).tiny), float(np.finfo(dtype).smallest_subnormal)
            sizes = np.array([least, np.sqrt(tiny) * np.sqrt(least), tiny - least], dtype=dtype).astype(np.float64)
            for values in exact:
                points = np.concatenate([-sizes[::-1], sizes])
                yield Setting(dtype, _rounded(values, dtype), points, _FREE_OF_SUBNORMALS, keeps=True)

    def _other_setting(self, dtype: str, parameters: Mapping[str, float], free: float, is_sparse: bool) -> Setting:
        # Only finite points: 0 x has the limit 0 at infinity, and no arithmetic says so.
        if dtype == "float64":  # what only it shows is where a form has another threshold than in float32
            points = stratified(dtype, dense=1)
            is_near = (np.abs(points) >= 2.0**-10) & (np.abs(points) < 2.0**10)
            points = np.union1d(points[is_near], points[::8])
        else:
            points = stratified(dtype, dense=3)[:: 2 if is_sparse else 1]
        largest = float(np.finfo(dtype).max)
        points = np.union1d(points, [-largest, 0.0, largest])
        points = np.union1d(points, self._underflow_edges(points, parameters, dtype, 24))
        return Setting(dtype, parameters, np.append(points, self._nan), free)

    def _default_setting(self, dtype: str, parameters: Mapping[str, float], around: Sequence[float]) -> Setting:
        finite = stratified(dtype, dense={"float32": 16, "float64": 8}[dtype], around=around)
        finite = np.union1d(finite, even(dtype))
        finite = np.union1d(finite, self._turning_points(parameters, dtype))
        finite = _without_inexact_kinks(finite, around, dtype)
        finite = np.union1d(finite, self._underflow_edges(finite, parameters, dtype, 64))
        return Setting(dtype, parameters, np.concatenate([finite, [np.inf, -np.inf], self._nan]), 1.0)

    @property
    def _nan(self) -> Floats:
        """NaN is a point too, but for a formula that does not read the input: the slope of pi x is pi everywhere."""
        return np.array([np.nan] if self.expression.has(self.x) else [])

    def _turning_points(self, parameters: Mapping[str, float], dtype: str) -> Floats:
        """Points around every extreme of the formula, where moving the input excuses nothing.

        There u |x f'(x)| is 0, and the error in units rises to a peak so narrow that even points miss it.
        """
        if self._known_turns is None:
            self._known_turns = np.concatenate([np.empty(0), *self._turns(parameters)])
        points = self._known_turns.astype(dtype).astype(np.float64)
        return np.asarray(points[np.isfinite(points)], dtype=np.float64)

    def _turns(self, parameters: Mapping[str, float]) -> Iterator[Floats]:
        grid = even("float32")
        slopes = self._slope(grid, parameters).high
        for i in np.flatnonzero(np.sign(slopes[:-1]) * np.sign(slopes[1:]) < 0).tolist():
            low, high = grid[i], grid[i + 1]
            for _ in range(30):
                middle = (low + high) / 2
                is_left = self._slope(np.array([middle]), parameters).high[0] * slopes[i] > 0
                low, high = (middle, high) if is_left else (low, middle)
            yield low + np.abs(low) * np.linspace(-0.02, 0.02, 41)

    def _underflow_edges(self, points: Floats, parameters: Mapping[str, float], dtype: str, count: int) -> Floats:
        """Points across every stretch on which the value falls from small but normal to subnormal.

        Where a factor underflows before the product does, a form is wrong on a stretch as short as [-13.2, -13.0].
        """
        tiny = float(np.finfo(dtype).tiny)
        found: list[Floats] = []
        for stretch in self._stretches(points, parameters, tiny):
            low, high = self._closer(stretch, parameters, tiny)
            found.append(_spread(low, high, count).astype(dtype).astype(np.float64))
        return np.concatenate(found) if found else np.empty(0)

    def _closer(
        self, stretch: tuple[float, float], parameters: Mapping[str, float], tiny: float
    ) -> tuple[float, float]:
        """A stretch between points far apart, as it is seen from points between these."""
        for _ in range(_MOST_ZOOMS):
            low, high = sorted(map(abs, stretch))
            if high < _FAR_APART * low:
                break
            inner = self._stretches(_spread(*stretch, 32), parameters, tiny)
            if not inner:
                break
            stretch = inner[0]
        return stretch

    def _stretches(self, points: Floats, parameters: Mapping[str, float], tiny: float) -> list[tuple[float, float]]:
        """Where, between neighbours among points, the value becomes subnormal, and from where to where to look."""
        sizes = np.abs(self.oracle(points, parameters).high)
        is_small = sizes < tiny * 2.0**20
        stretches = []
        for edge in np.flatnonzero(np.diff((sizes < tiny).astype(int)) != 0).tolist():
            low = edge - int(np.argmin(is_small[edge::-1])) if is_small[edge] else edge
            high = edge + 1 + int(np.argmin(is_small[edge + 1 :])) if is_small[edge + 1] else edge + 1
            low, high = max(low, edge - 12), min(high, edge + 13, len(points) - 1)
            # Of a stretch across 0 the side on which the value is normal, from the smallest normal input on.
            normal, other = (edge, edge + 1) if sizes[edge] >= tiny else (edge + 1, edge)
            sign = float(np.sign(points[normal]) or np.sign(points[other]))
            ends = [float(points[end]) if points[end] * sign > 0 else sign * tiny for end in (low, high)]
            stretches.append((ends[0], ends[1]))
        return stretches

    def exact(self, setting: Setting) -> Exact:
        """The oracle's answers for one setting, computed once."""
        if setting not in self._exact:
            self._exact[setting] = self.oracle(setting.points, setting.parameters)
        return self._exact[setting]

    def errors(self, kernel: Kernel, give_up: float = contract.LARGEST_UNITS) -> contract.Errors:
        """Errors of a kernel over all settings, or up to one that shows them to exceed a limit.

        The default parameters, which come first, are always judged in full: where a kernel fails there tells how to
        mend it.

        Args:
            kernel: what to judge.
            give_up: a limit of the worst error, in units.
        """
        parts = []
        for index, setting in enumerate(self._asked):
            parts.append(self._errors_at(setting, kernel))
            if index >= 1 and max(part.worst for part in parts) > give_up:
                break
        return _together(parts)

    def _errors_at(self, setting: Setting, kernel: Kernel) -> contract.Errors:
        found = self._batch(setting).errors(kernel, setting, self._yardstick(setting))
        if self._variables:
            if setting not in self._known_places:
                places = [self._places(setting, variable, found.points) for variable in self._variables]
                self._known_places[setting] = np.stack(places)
            found = replace(found, places=self._known_places[setting])
        if not self._is_lenient or setting in self.settings[:2]:
            return found
        exact = self.exact(setting)
        size = np.abs(exact.high[exact.decided])
        is_excused = (size < _NEXT_TO_UNDERFLOW * float(np.finfo(setting.dtype).tiny)) & np.isfinite(found.ulps)
        return replace(found, ulps=np.where(is_excused, 0, found.ulps), units=np.where(is_excused, 0, found.units))

    def _batch(self, setting: Setting) -> Batch:
        """What evaluates kernels at a setting, and at those that are mostly asked for with it."""
        if setting not in self._batches:

            def kind(one: Setting) -> tuple[str, bool, bool]:
                return one.dtype, one.keeps, not one.keeps and self._is_remote(one)

            others = (*self.settings[2:], *self._subnormals)
            together = [one for one in others if kind(one) == kind(setting)] if setting in others else [setting]
            machine = replace(self.arithmetic, flushes=False) if setting.keeps else self.arithmetic
            batch = Batch(self.x.name, together, machine, self._functions)
            self._batches.update(dict.fromkeys(together, batch))
        return self._batches[setting]

    @property
    def _asked(self) -> Sequence[Setting]:
        """The settings that say something of this machine."""
        return [setting for setting in self._asked_of if self.arithmetic.keeps or not setting.keeps]

    def _is_remote(self, setting: Setting) -> bool:
        """Whether a parameter is far below its default, or 0, or far above, where the default is not 0."""
        defaults = self.exact_settings[0]
        return any(
            abs(value) < _REMOTE * abs(float(defaults[name])) or is_far_above(value, float(defaults[name]))
            for name, value in setting.parameters.items()
        )

    def _yardstick(self, setting: Setting) -> contract.Yardstick:
        """What errors at one setting are measured by, the same on every machine."""
        if setting not in self._yardsticks:
            self._yardsticks[setting] = contract.Yardstick(
                setting.points,
                self.exact(setting),
                partial(self._slopes, setting.parameters),
                contract.FORMATS[setting.dtype],
                setting.slack,
            )
        return self._yardsticks[setting]

    def lost(self, found: contract.Errors) -> tuple[bool, float, float]:
        """Smaller for what is nearer to the contract: whether it fails at the defaults, and how much it loses there."""
        is_complete = len(found.points) > self._points_at_defaults
        return (not is_complete and len(self._asked) > 2, *found.closeness)

    def is_whole(self, found: contract.Errors) -> bool:
        """Whether a form was judged at all settings, and not given up at one that it failed at."""
        return len(found.points) >= self._points_asked

    @property
    def _points_asked(self) -> int:
        asked = tuple(self._asked)
        if asked not in self._counts:
            self._counts[asked] = sum(int(self.exact(setting).decided.sum()) for setting in asked)
        return self._counts[asked]

    @cached_property
    def _points_at_defaults(self) -> int:
        return sum(int(self.exact(setting).decided.sum()) for setting in self.settings[:2])

    def failures(self, found: contract.Errors) -> frozenset[Failure]:
        """The kinds of failure among errors, at the default parameters and elsewhere."""
        points = found.points[found.units > contract.LARGEST_UNITS]
        points = np.unique(points[np.isfinite(points)])
        kinds: set[Failure] = {"far"} if (np.abs(points) > _FAR).any() else set()
        for setting in self.settings[:2]:
            values = np.abs(self.exact(setting).high[np.isin(setting.points, points)])
            kinds |= {"faint"} if ((values < _FAINT) & (values > 0) | (values > 1 / _FAINT)).any() else set()
        return frozenset(kinds)

    def failing(self, kernel: Kernel, variable: Kernel, limit: float) -> list[float]:
        """Values of a variable at which a kernel is off by more than a limit, at whatever parameters."""
        found: list[float] = []
        for setting in (*self._asked, *self._close_ups):
            part = self._errors_at(setting, kernel)
            points = part.points[part.units > limit]
            found += self._places(setting, variable, points).tolist()
        return found

    def _places(self, setting: Setting, variable: Kernel, points: Floats) -> Floats:
        """What a variable is at points."""
        places = emulation.run(variable, {**setting.parameters, self.x.name: points}, setting.dtype)
        return np.broadcast_to(places, points.shape).astype(np.float64)

    def _slopes(self, parameters: Mapping[str, float], points: Floats) -> Floats:
        """|f'| at points."""
        found = np.abs(self._slope(points, parameters).high)
        return np.where(np.isnan(found), 0.0, found)  # no slope excuses nothing

    def errors_close_up(self, kernel: Kernel) -> contract.Errors:
        """Errors of a kernel at the default parameters over many more of the floats where activations bend."""
        return _together([self._errors_at(setting, kernel) for setting in self._close_ups])

    @property
    def _close_ups(self) -> Sequence[Setting]:
        """The same for every machine, and made when first asked for."""
        for setting in () if self._known_close_ups else self.settings[:2]:
            # Small inputs too: x / sqrt(b + x^2) + 1/2 is off most at 0.0075.
            finite = np.union1d(even(setting.dtype, 2000), stratified(setting.dtype, dense=100))
            points = _without_inexact_kinks(finite, self._kinks, setting.dtype)
            self._known_close_ups.append(replace(setting, points=points))
        return self._known_close_ups

    @cached_property
    def slope_at_zero(self) -> Node | None:
        """The derivative at 0 of a formula that vanishes there, over the parameters; None if it has none but 0."""
        at_zero = {self.x: sp.Integer(0)}
        if self.expression.xreplace(at_zero) != 0:
            return None
        slope = differentiate(self.expression, self.x).xreplace(at_zero)
        if slope.has(sp.nan, sp.zoo, sp.oo) or slope == 0:
            return None
        return lower(slope, variables((self.x, *self.parameters), (self.x,)))

    def enclose(self, point: float, parameters: Mapping[str, Fraction]) -> arb | None:
        """The exact value at one point and exact parameters."""
        values = [fmpq(parameters[p.name].numerator, parameters[p.name].denominator) for p in self.parameters]
        return self.oracle.enclose(point, values)

    def _enclose_with(self, parameters: Mapping[str, Fraction], point: float) -> arb | None:
        return self.enclose(point, parameters)

    @cached_property
    def saturations(self) -> tuple[float | None, float | None]:
        """Where the formula stops moving, left and right, at every exact setting; None where it does not."""
        sides: list[float | None] = []
        for sign in (-1, 1):
            bounds = [guards.saturation(partial(self._enclose_with, setting), sign) for setting in self.exact_settings]
            known = [bound for bound in bounds if bound is not None]
            sides.append(max(known, key=abs) if len(known) == len(bounds) else None)
        return sides[0], sides[1]

    @cached_property
    def limits(self) -> Mapping[float, float]:
        """The limit at each infinity, where there is one and it is the same at every setting."""
        found = {}
        for sign in (-1, 1):
            values = {self.oracle.limit(sign, setting.parameters) for setting in self.settings}
            if len(values) == 1 and None not in values:
                found[sign * math.inf] = float(values.pop() or 0.0)
        return found


def _spread(low: float, high: float, count: int) -> Floats:
    """Points between two of one sign, evenly where they are close to each other, else by ratios."""
    evenly = max(abs(low), abs(high)) < _FAR_APART * min(abs(low), abs(high))
    with np.errstate(over="ignore"):  # 10**log10(largest) overflows, and is set right afterwards
        return np.asarray((np.linspace if evenly else np.geomspace)(low, high, count), dtype=np.float64)


def _rounded(values: Mapping[str, Fraction], dtype: str) -> Mapping[str, float]:
    return {name: float(np.dtype(dtype).type(float(value))) for name, value in values.items()}


def _together(parts: Sequence[contract.Errors]) -> contract.Errors:
    """The errors of several settings."""
    names = [field.name for field in fields(contract.Errors)]
    return contract.Errors(*(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names))


def _without_inexact_kinks(points: Floats, kinks: Sequence[float], dtype: str) -> Floats:
    """Points less those within rounding of a kink that no float hits: there half an ULP of x decides the branch."""
    info = np.finfo(dtype)
    for kink in kinks:
        if Fraction(kink).denominator > 2**20:
            points = points[np.abs(points - kink) > 8 * float(info.eps) * abs(kink)]
    return points
