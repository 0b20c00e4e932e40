"""The choice of a form: the cheapest that keeps the accuracy contract in emulated float32 and float64.

Candidates are tried from the cheapest up. One that fails only at the ends of the float range gets a guard, one that
fails only around 0 gets the Taylor series there, and each is judged again. If none keeps the contract the most accurate
is taken, and the judgement says by how much it misses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import sympy as sp
from flint import arb, fmpq

from actgen.numerics import emulation, guards, judgement
from actgen.numerics.candidates import Candidate, candidates
from actgen.numerics.kernel import Constant, Cost, Kernel, Node
from actgen.numerics.lowering import call, lower
from actgen.numerics.oracle import Exact, Floats, Oracle
from actgen.numerics.samples import stratified
from actgen.numerics.series import NotAnalyticError, polynomial_near_zero, taylor
from actgen.symbolic.derivatives import differentiate

CONTRACT = 4.0
"""Units of the contract that float32 and float64 code may be off."""

MARGIN = 3.25
"""What a form may be off in emulation, whose primitives are correctly rounded; the rest is for the frameworks' own."""

_SLACK = 16.0
"""At other parameters than the default, the absolute error that is free near underflow, in smallest normal numbers: a
factor such as 1/beta moves the threshold at which an intermediate result is flushed."""

_REACHES = (2.0**-6, 2.0**-4, 2.0**-3, 2.0**-2, 0.375, 0.5, 0.75, 1.0)
_MOST_SERIES = 3


@dataclass(frozen=True)
class Trial:
    """What one candidate costs and how far it is off."""

    form: str
    cost: Cost
    units: float


@dataclass(frozen=True)
class Judgement:
    """How a kernel was chosen.

    Attributes:
        units: its largest error in emulated float32 and float64, in units of the contract.
        at: the input where that occurs.
        ulps: its largest error in ULP.
        is_certified: whether no sum in it can cancel, by the signs of its coefficients.
        candidates: every form that was tried.
    """

    units: float
    at: float
    ulps: float
    is_certified: bool
    candidates: tuple[Trial, ...]

    @property
    def is_within_contract(self) -> bool:
        """Whether the chosen kernel keeps the accuracy contract in emulation."""
        return self.units <= CONTRACT


@dataclass(frozen=True)
class Setting:
    """One assignment of values to the parameters, rounded to the type that is judged."""

    dtype: str
    parameters: Mapping[str, float]
    points: Floats
    slack: float


class Bench:
    """Judges kernels of one formula against its oracle, over all sampled floats and parameter values.

    Args:
        expression: the formula.
        x: the input.
        parameters: the parameters' symbols.
        settings: the exact parameter values to judge at, the default first.
        around: points of interest, such as kinks.
    """

    def __init__(
        self,
        expression: sp.Expr,
        x: sp.Symbol,
        parameters: Sequence[sp.Symbol],
        settings: Sequence[Mapping[str, Fraction]],
        around: Sequence[float] = (),
    ) -> None:
        self.expression, self.x, self.parameters = expression, x, tuple(parameters)
        self.exact_settings = tuple(settings)
        self.oracle = Oracle(expression, x, self.parameters)
        self._slope = Oracle(differentiate(expression, x), x, self.parameters)
        self.settings = tuple(self._settings(settings, around))
        self._exact: dict[int, Exact] = {}

    def _settings(self, exact: Sequence[Mapping[str, Fraction]], around: Sequence[float]) -> Iterator[Setting]:
        for i, values in enumerate(exact):
            for dtype in ("float32", "float64") if i == 0 else ("float32",):
                rounded = {name: float(np.dtype(dtype).type(float(value))) for name, value in values.items()}
                if i == 0:
                    yield self._default_setting(dtype, rounded, around)
                else:
                    # Only finite points: 0 x has the limit 0 at infinity, and no arithmetic says so.
                    finite = stratified(dtype, dense=3, sparse=1)[:: 1 if len(exact) < 3 else 2]
                    yield Setting(dtype, rounded, np.append(np.union1d(finite, [0.0]), np.nan), _SLACK)

    def _default_setting(self, dtype: str, parameters: Mapping[str, float], around: Sequence[float]) -> Setting:
        finite = stratified(dtype, dense={"float32": 16, "float64": 8}[dtype], around=around)
        finite = _without_inexact_kinks(finite, around, dtype)
        finite = np.union1d(finite, self._underflow_edges(finite, parameters, dtype))
        return Setting(dtype, parameters, np.concatenate([finite, [np.inf, -np.inf, np.nan]]), 1.0)

    def _underflow_edges(self, points: Floats, parameters: Mapping[str, float], dtype: str) -> Floats:
        """Points across every stretch on which the value falls from small but normal to subnormal.

        Where a factor underflows before the product does, a form is wrong on a stretch as short as [-13.2, -13.0].
        """
        tiny = float(np.finfo(dtype).tiny)
        sizes = np.abs(self.oracle(points, parameters).high)
        is_small = sizes < tiny * 2.0**20
        edges = np.flatnonzero(np.diff((sizes < tiny).astype(int)) != 0)
        found: list[Floats] = []
        for edge in edges.tolist():
            if not 1.0 < abs(points[edge]) < 2.0**20:
                continue
            low = edge - int(np.argmin(is_small[edge::-1])) if is_small[edge] else edge
            high = edge + 1 + int(np.argmin(is_small[edge + 1 :])) if is_small[edge + 1] else edge + 1
            low, high = max(low, edge - 12), min(high, edge + 13, len(points) - 1)
            found.append(np.linspace(points[low], points[high], 64).astype(dtype).astype(np.float64))
        return np.concatenate(found) if found else np.empty(0)

    def exact(self, index: int) -> Exact:
        """The oracle's answers for one setting, computed once."""
        if index not in self._exact:
            setting = self.settings[index]
            self._exact[index] = self.oracle(setting.points, setting.parameters)
        return self._exact[index]

    def errors(self, kernel: Kernel, give_up: float = math.inf) -> judgement.Errors:
        """Errors of a kernel over all settings, or up to the first setting in which they exceed ``give_up``."""
        parts = []
        for index, setting in enumerate(self.settings):
            results = emulation.run(kernel, {self.x.name: setting.points, **setting.parameters}, setting.dtype)
            results = np.broadcast_to(results, setting.points.shape)

            def slope(points: Floats, setting: Setting = setting) -> Floats:
                return np.abs(self._slope(points, setting.parameters).high)

            part = judgement.errors(setting.points, results, self.exact(index), slope, setting.slack)
            parts.append(part)
            if part.worst > give_up:
                break
        return judgement.Errors(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("points", "ulps", "units")))

    def enclose(self, point: float, parameters: Mapping[str, Fraction]) -> arb | None:
        """The exact value at one point and exact parameters."""
        values = [fmpq(parameters[p.name].numerator, parameters[p.name].denominator) for p in self.parameters]
        return self.oracle.enclose(point, values)

    @cached_property
    def saturations(self) -> tuple[float | None, float | None]:
        """Where the formula stops moving, left and right, at every exact setting; None where it does not."""
        sides: list[float | None] = []
        for sign in (-1, 1):
            bounds = [
                guards.saturation(lambda p, s=setting: self.enclose(p, s), sign) for setting in self.exact_settings
            ]
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


@dataclass
class _Race:
    """The candidates tried so far, and the best of them."""

    bench: Bench
    trials: list[Trial]
    best: tuple[float, Candidate, judgement.Errors] | None = None

    def run(self, candidate: Candidate) -> judgement.Errors:
        threshold = self.best[0] if self.best else math.inf
        found = self.bench.errors(candidate.kernel, give_up=max(threshold, MARGIN))
        self.trials.append(Trial(candidate.kernel.form, candidate.cost, found.worst))
        if self.best is None or found.worst < self.best[0]:
            self.best = (found.worst, candidate, found)
        return found


def choose_kernel(bench: Bench, known: Mapping[sp.Basic, Node]) -> tuple[Kernel, Judgement]:
    """The kernel for a formula, and how it was chosen.

    Args:
        bench: the formula with its oracle.
        known: the node of each symbol.
    """
    if bench.expression.is_Rational:
        return Kernel(lower(bench.expression, known)), Judgement(0.0, math.nan, 0.0, True, ())
    race = _Race(bench)
    forms = sorted(candidates(bench.expression, bench.x, known), key=lambda c: c.cost.key)
    for candidate in forms:
        if race.is_won_by_less_than(candidate):
            break
        race.run_with_guards(candidate)
    if race.best_units > CONTRACT:
        for candidate in sorted(forms, key=race.units_of)[:_MOST_SERIES]:
            for refined in _with_series(bench, candidate.kernel):
                if race.run(refined).worst <= MARGIN:
                    break
    return race.verdict()


class _Race:
    """The candidates tried so far, and the best of them: the cheapest within the margin, else the most accurate."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._trials: dict[Node, Trial] = {}
        self._winner: tuple[Candidate, judgement.Errors] | None = None
        self._closest: tuple[Candidate, judgement.Errors] | None = None

    @property
    def best_units(self) -> float:
        """The smallest error of all candidates so far."""
        return self._closest[1].worst if self._closest else math.inf

    def units_of(self, candidate: Candidate) -> float:
        """The error a candidate was found to have."""
        trial = self._trials.get(candidate.kernel.result)
        return trial.units if trial else math.inf

    def is_won_by_less_than(self, candidate: Candidate) -> bool:
        """Whether a candidate costs no less than one that is within the margin."""
        return self._winner is not None and not candidate.cost < self._winner[0].cost

    def run(self, candidate: Candidate) -> judgement.Errors:
        """Judge one candidate."""
        found = self._bench.errors(candidate.kernel, give_up=max(self.best_units, CONTRACT))
        self._trials[candidate.kernel.result] = Trial(candidate.kernel.form, candidate.cost, found.worst)
        if self._closest is None or found.worst < self._closest[1].worst:
            self._closest = (candidate, found)
        if found.worst <= MARGIN and not self.is_won_by_less_than(candidate):
            self._winner = (candidate, found)
        return found

    def run_with_guards(self, candidate: Candidate) -> None:
        """Judge a candidate and, where it breaks the contract, the same with guards against what it shows."""
        found = self.run(candidate)
        for guarded in _with_guards(self._bench, candidate, found):
            if self.is_won_by_less_than(guarded) or found.worst <= CONTRACT:
                return
            if guarded.kernel.result not in self._trials:
                found = self.run(guarded)

    def verdict(self) -> tuple[Kernel, Judgement]:
        """The kernel chosen and its judgement."""
        chosen = self._winner or self._closest
        assert chosen is not None
        candidate, found = chosen
        trials = tuple(self._trials.values())
        verdict = Judgement(found.worst, found.worst_at, found.worst_ulps, candidate.is_certified, trials)
        return candidate.kernel, verdict


def _with_guards(bench: Bench, candidate: Candidate, found: judgement.Errors) -> Iterator[Candidate]:
    """The candidate with guards for the kinds of failure that it shows."""
    kernel = candidate.kernel
    failing = found.points[found.units > CONTRACT]
    if np.isnan(failing).any():
        kernel = guards.with_nan(kernel)
        yield Candidate(kernel.form, kernel, candidate.is_certified)
    if not (np.abs(failing) > 1.0).any():
        return
    held = guards.with_bounded_angles(kernel)
    if held is not kernel:
        kernel = held
        yield Candidate(kernel.form, kernel, candidate.is_certified)
    left, right = bench.saturations
    # A clamp on one side can only mend what fails beyond it.
    sides: list[tuple[float | None, float | None]] = (
        [(left, None)] if left is not None and (failing <= left).any() else []
    )
    sides += [(None, right)] if right is not None and (failing >= right).any() else []
    sides += [(left, right)] if len(sides) == 2 else []
    for lower_bound, upper_bound in sides:
        clamped = guards.clamped(kernel, lower_bound, upper_bound)
        yield Candidate(clamped.form, clamped, candidate.is_certified)
    if np.isinf(failing).any():
        limited = guards.with_limits(kernel, bench.limits)
        yield Candidate(limited.form, limited, candidate.is_certified)


def _with_series(bench: Bench, kernel: Kernel) -> Iterator[Candidate]:
    """A kernel with the Taylor series around 0, from the shortest reach that could help."""
    if bench.parameters:
        return
    found = bench.errors(kernel)
    near = found.points[(found.units > MARGIN) & (np.abs(found.points) <= 1.0)]
    try:
        coefficients = taylor(bench.expression, bench.x)
    except NotAnalyticError:
        return
    x = next((variable for variable in kernel.variables if not variable.is_parameter), None)
    for reach in _REACHES:
        if x is None or not len(near) or reach < np.abs(near).min():
            continue
        polynomial = polynomial_near_zero(coefficients, x, reach)
        if polynomial is None:
            return
        is_near = call("less", call("absolute", x), Constant(reach))
        result = call("select", is_near, polynomial, kernel.result)
        form = f"{kernel.form}, series below {reach:g}"
        yield Candidate(form, Kernel(result, kernel.names, form, kernel.note), False)


def _without_inexact_kinks(points: Floats, kinks: Sequence[float], dtype: str) -> Floats:
    """Points less those within rounding of a kink that no float hits: there half an ULP of x decides the branch."""
    info = np.finfo(dtype)
    for kink in kinks:
        if Fraction(kink).denominator > 2**20:
            points = points[np.abs(points - kink) > 8 * float(info.eps) * abs(kink)]
    return points
