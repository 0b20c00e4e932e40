"""The choice of a form: the cheapest that keeps the accuracy contract in emulated float32 and float64.

Candidates are tried from the cheapest up. One that fails only at the ends of the float range gets a guard, one that
fails only around 0 gets the Taylor series there, and each is judged again. If none keeps the contract the most accurate
is taken, and the judgement says by how much it misses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp

from actgen.numerics import contract, guards
from actgen.numerics.candidates import Candidate, candidates
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Constant, Cost, Kernel, Node
from actgen.numerics.lowering import call, lower
from actgen.numerics.series import NotAnalyticError, series_near_zero

CONTRACT = contract.LARGEST_UNITS
MARGIN = 2.75
"""What a form may be off in emulation, whose primitives are correctly rounded; the rest is for the frameworks' own."""

_CLOSE = 1.1
"""How much more a cheaper form may be off than the most accurate one, where none keeps the contract."""

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


def choose_kernel(judge: Judge, known: Mapping[sp.Basic, Node]) -> tuple[Kernel, Judgement]:
    """The kernel for a formula, and how it was chosen.

    Args:
        judge: the formula with its oracle.
        known: the node of each symbol.
    """
    if judge.expression.is_Rational:
        return Kernel(lower(judge.expression, known)), Judgement(0.0, math.nan, 0.0, True, ())
    race = _Race(judge)
    forms = sorted(candidates(judge.expression, judge.x, known), key=_cost)
    for candidate in forms:
        if race.is_won_by_less_than(candidate):
            break
        race.run_with_guards(candidate)
    if race.best_units > CONTRACT:
        for candidate in sorted(forms, key=race.units_of)[:_MOST_SERIES]:
            for refined in _with_series(judge, candidate.kernel, known):
                if race.run_with_guards(refined).worst <= MARGIN:
                    break
    return race.verdict()


class _Race:
    """The candidates tried so far, and the best of them: the cheapest within the margin, else the most accurate.

    Of several about equally accurate ones the cheapest.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._trials: dict[Node, Trial] = {}
        self._winner: tuple[Candidate, contract.Errors] | None = None
        self._runs: list[tuple[Candidate, contract.Errors]] = []

    @property
    def _closest(self) -> tuple[Candidate, contract.Errors] | None:
        return min(self._runs, key=lambda run: run[1].closeness, default=None)

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

    def run(self, candidate: Candidate) -> contract.Errors:
        """Judge one candidate."""
        # Once something keeps the contract, how far another misses it does not matter; before, what loses more than
        # the best so far need not be judged to the end.
        if self._closest is None:
            found = self._judge.errors(candidate.kernel)
        elif self.best_units <= CONTRACT:
            found = self._judge.errors(candidate.kernel, give_up=CONTRACT)
        else:
            found = self._judge.errors(candidate.kernel, most_lost=_CLOSE * self._closest[1].closeness[0])
        self._trials[candidate.kernel.result] = Trial(candidate.kernel.form, candidate.cost, found.worst)
        self._runs.append((candidate, found))
        if found.worst <= MARGIN and not self.is_won_by_less_than(candidate):
            self._winner = (candidate, found)
        return found

    def run_with_guards(self, candidate: Candidate) -> contract.Errors:
        """Judge a candidate and, where it breaks the contract, the same with guards; the errors of the last tried."""
        found = self.run(candidate)
        for guarded in _with_guards(self._judge, candidate, found):
            if self.is_won_by_less_than(guarded) or found.worst <= CONTRACT:
                break
            if guarded.kernel.result not in self._trials:
                found = self.run(guarded)
        return found

    def verdict(self) -> tuple[Kernel, Judgement]:
        """The kernel chosen and its judgement."""
        candidate, found = self._winner or self._cheapest_of_the_closest()
        if MARGIN < found.worst <= CONTRACT:
            # So near the limit that floats which the sample left out may lie beyond it.
            found = max(found, self._judge.errors_close_up(candidate.kernel), key=lambda errors: errors.worst)
        trials = tuple(self._trials.values())
        verdict = Judgement(found.worst, found.worst_at, found.worst_ulps, candidate.is_certified, trials)
        return candidate.kernel, verdict

    def _cheapest_of_the_closest(self) -> tuple[Candidate, contract.Errors]:
        """Where nothing keeps the contract, a tenth less error is not worth twice the operations."""
        assert self._closest is not None
        lost, worst = self._closest[1].closeness
        if worst <= CONTRACT:
            return self._closest
        close = [run for run in self._runs if run[1].closeness[0] <= _CLOSE * lost and run[1].worst <= _CLOSE * worst]
        return min(close, key=lambda run: _cost(run[0]))


def _cost(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.cost.key


def _with_guards(judge: Judge, candidate: Candidate, found: contract.Errors) -> Iterator[Candidate]:
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
    left, right = judge.saturations
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
        limited = guards.with_limits(kernel, judge.limits)
        yield Candidate(limited.form, limited, candidate.is_certified)


def _with_series(judge: Judge, kernel: Kernel, known: Mapping[sp.Basic, Node]) -> Iterator[Candidate]:
    """A kernel with the Taylor series around 0, from the shortest reach that could help."""
    found = judge.errors(kernel)
    if not ((found.units > CONTRACT) & (np.abs(found.points) <= 1.0)).any():
        return
    for reach in _REACHES:
        try:
            near = series_near_zero(judge.expression, judge.x, judge.parameters, known, reach)
        except NotAnalyticError:
            return
        if near is None:
            return
        is_near = call("less", call("absolute", near.variable), Constant(reach))
        result = call("select", is_near, near.result, kernel.result)
        form = f"{kernel.form}, series below {reach:g}"
        yield Candidate(form, Kernel(result, kernel.names, form, kernel.note), False)
