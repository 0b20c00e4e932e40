"""The choice of a form: the cheapest that keeps the accuracy contract in emulated float32 and float64.

Candidates are tried from the cheapest up. One that fails only at the ends of the float range gets a guard, one that
fails only around 0 gets the Taylor series there, and each is judged again. If none keeps the contract the most accurate
is taken, and the judgement says by how much it misses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, get_args

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from actgen.numerics import contract, guards
from actgen.numerics.candidates import Candidate, Failure, Source, Stage, stages
from actgen.numerics.compensation import compensated
from actgen.numerics.emulation import Arithmetic
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Constant, Cost, Kernel, Node
from actgen.numerics.lowering import call, constant, lower
from actgen.numerics.patches import Patch, Shape, around_zero, elsewhere, shape_of

CONTRACT = contract.LARGEST_UNITS

_CLOSE = 1.1
"""How much more a cheaper form may be off than the most accurate one, where none keeps the contract."""

_MOST_PATCHED = 2
_MOST_COMPENSATED = 4
_MOST_PASSES = 60  # of a form that is worth compensating, which takes ten times as many
_TELLING = 3
_NEAR_MISS = 64.0
_LITTLE = 16.0
_MOST = 6
_MOST_FOR_LITTLE = 2
_LEAST_POINTS = 4
_STAGES = len(get_args(Stage))
_WORTH_A_PATCH = 3.2
_ALL_DIGITS = 30.0  # what a wrong infinity or NaN counts for


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
        reason: why the kernel was taken and none of the others.
    """

    units: float
    at: float
    ulps: float
    is_certified: bool
    candidates: tuple[Trial, ...]
    reason: str = "a number"

    @property
    def is_within_contract(self) -> bool:
        """Whether the chosen kernel keeps the accuracy contract in emulation."""
        return self.units <= CONTRACT


def choose_kernel(
    judge: Judge, known: Mapping[sp.Basic, Node], equals: Sequence[sp.Expr] = ()
) -> tuple[Kernel, Judgement]:
    """The kernel for a formula on the judge's machine, and how it was chosen.

    Args:
        judge: the formula with its oracle.
        known: the node of each symbol.
        equals: formulas equal to the judge's, to find forms in as well.
    """
    return choose_kernels(judge, known, equals, (judge.arithmetic,))[0]


def choose_kernels(
    judge: Judge, known: Mapping[sp.Basic, Node], equals: Sequence[sp.Expr], machines: Sequence[Arithmetic]
) -> list[tuple[Kernel, Judgement]]:
    """The kernel for a formula on each of several machines.

    Args:
        judge: the formula with its oracle.
        known: the node of each symbol.
        equals: formulas equal to the judge's, to find forms in as well.
        machines: what the kernels will run on; of two that differ little, the less exact one should come first.
    """
    if judge.expression.is_Rational:
        return [(Kernel(lower(judge.expression, known)), Judgement(0.0, math.nan, 0.0, True, ()))] * len(machines)
    sources = [Source(expression, judge.x, known, is_declared=False) for expression in equals]
    sources.append(Source(judge.expression, judge.x, known))
    shape = shape_of(judge.expression, judge.x, judge.parameters, known)
    if shape is not None and shape.z != judge.x:
        sources.insert(1, Source.of_shape(shape, known))
    if shape is None:
        sources += _from_defaults(judge, known)
    forms = _Stages(stages(sources))
    winners: list[Candidate] = []
    verdicts = []
    for machine in machines:
        race = _Race(judge.on(machine), shape)
        # What won elsewhere wins here too, if it is good enough and nothing cheaper is.
        for winner in sorted({winner.kernel.result: winner for winner in winners}.values(), key=_cost):
            race.run(winner)
        _run(race, forms)
        race.confirm()
        if race.best_units > CONTRACT:
            _mend(race, judge.on(machine), known, shape)
            race.confirm()
        elif race.least_cost is None and not judge.parameters:
            # With parameters a threshold for x is one for the values that were tried.
            for spliced in race.spliced(known[judge.x]):
                race.run(spliced)
            race.confirm()
        candidate, verdict = race.verdict()
        winners.append(candidate)
        verdicts.append((candidate.kernel, verdict))
    return verdicts


def _from_defaults(judge: Judge, known: Mapping[sp.Basic, Node]) -> Iterator[Source]:
    """The formula with a parameter as its default and what it differs from it by.

    Where the default cancels something, (p + tanh(x)) x at p = 1, the form of that formula is plain to see then.
    """
    for parameter in judge.parameters:
        default = judge.exact_settings[0][parameter.name]
        if default and judge.expression.has(parameter):
            offset = sp.Dummy(f"{parameter.name}_offset", real=True)
            number = sp.Rational(default.numerator, default.denominator)
            node = call("subtract", known[parameter], constant(number))
            expression = judge.expression.xreplace({parameter: number + offset})
            yield Source(expression, judge.x, {**known, offset: node}, is_declared=False)


class _Stages:
    """Stages of candidates, found once and only as far as they are asked for."""

    def __init__(self, found: Iterator[list[Candidate]]) -> None:
        self._rest = found
        self._known: list[list[Candidate]] = []

    def __iter__(self) -> Iterator[list[Candidate]]:
        for number in count():
            if number == len(self._known):
                stage = next(self._rest, None)
                if stage is None:
                    return
                self._known.append(sorted(stage, key=_cost))
            yield self._known[number]


def _run(race: _Race, forms: _Stages) -> None:
    passed_over: list[Candidate] = []
    for number, stage in enumerate(forms):
        for candidate in stage:
            if race.is_won_by_less_than(candidate):
                break
            if candidate.against <= race.failures:
                race.run_with_guards(candidate)
            else:
                passed_over.append(candidate)
        # Normal forms may be cheaper than what is spelled out, but not than one call; what comes later is not.
        if race.least_cost is not None and (number > 0 or race.least_cost.key < (1, 1)):
            return
        if number > 0 and race.best_units <= (race.margin + CONTRACT) / 2:
            return
        if number % _STAGES == _STAGES - 1 and race.best_units <= _NEAR_MISS:
            break
    # What is made for other failures rounds differently, too.
    race.confirm()
    for candidate in passed_over if race.best_units <= _NEAR_MISS else ():
        if race.best_units <= CONTRACT:
            return
        race.run_with_guards(candidate)


class _Race:
    """The candidates tried so far, and the best of them: the cheapest within the margin, else the most accurate.

    Of several about equally accurate ones the cheapest.
    """

    def __init__(self, judge: Judge, shape: Shape | None = None) -> None:
        self._judge = judge
        self._shape = shape
        self.margin = judge.arithmetic.margin
        self._trials: dict[Node, Trial] = {}
        self._confirmed: set[Node] = set()
        self._winner: tuple[Candidate, contract.Errors] | None = None
        self._runs: list[tuple[Candidate, contract.Errors]] = []

    @property
    def _closest(self) -> tuple[Candidate, contract.Errors] | None:
        return min(self._runs, key=lambda run: self._judge.lost(run[1]), default=None)

    @property
    def best_units(self) -> float:
        """The smallest error of all candidates so far."""
        return self._closest[1].worst if self._closest else math.inf

    @property
    def least_cost(self) -> Cost | None:
        """What the winner costs, if there is one."""
        return self._winner[0].cost if self._winner else None

    @property
    def failures(self) -> frozenset[Failure]:
        """The kinds of failure that the closest forms show."""
        runs = [self._runs[i][1] for i in self._by_loss[:_TELLING]]
        return frozenset().union(*map(self._judge.failures, runs))

    def closest(self, count: int, beyond: float = 0.0) -> list[Candidate]:
        """The candidates that lose least at points larger than a bound, the best first."""

        def lost(run: tuple[Candidate, contract.Errors]) -> tuple[bool, float, float, tuple[int, int, int]]:
            is_partial, *_ = self._judge.lost(run[1])
            units = run[1].units[~(np.abs(run[1].points) < beyond)]
            over = np.log10(units[units > CONTRACT] / CONTRACT)
            worst = float(units.max(initial=0.0))
            return is_partial, float(np.minimum(over, _ALL_DIGITS).sum()), max(worst, self.margin), _cost(run[0])

        return [candidate for candidate, _ in sorted(self._runs, key=lost)[:count]]

    @property
    def _by_loss(self) -> list[int]:
        return sorted(range(len(self._runs)), key=lambda i: self._judge.lost(self._runs[i][1]))

    def spliced(self, x: Node, beyond: float = 0.0) -> Iterator[Candidate]:
        """Two forms joined where one begins to fail and the other no longer does: by |x|, and by x.

        What fails at points smaller than ``beyond`` does not count.
        """
        magnitude = call("absolute", x)
        for variable, is_magnitude, thresholds in (
            (magnitude, True, 2.0 ** np.arange(-24, 64)),
            (x, False, np.concatenate([-(2.0 ** np.arange(40, -5, -1)), [0.0], 2.0 ** np.arange(-4, 41)])),
        ):
            pair = self._best_pair(is_magnitude, thresholds, beyond)
            if pair is None:
                continue
            threshold, below, above = pair
            is_below = call("less", variable, Constant(threshold))
            result = call("select", is_below, below.kernel.result, above.kernel.result)
            name = "|x|" if variable is magnitude else "x"
            form = f"{below.form} for {name} < {threshold:g}, else {above.form}"
            names = {**above.kernel.names, **below.kernel.names}
            yield Candidate(form, Kernel(result, names, form, below.kernel.note), False)

    def _best_pair(
        self, is_magnitude: bool, thresholds: NDArray[Any], least: float
    ) -> tuple[float, Candidate, Candidate] | None:
        """The threshold, and the candidates to use below and above it, with which least is lost."""
        losses = []
        limit = CONTRACT if self.best_units > CONTRACT else self.margin
        for _, found in self._runs:
            beyond = (found.units > limit) & ~(np.abs(found.points) < least)
            points = np.abs(found.points[beyond]) if is_magnitude else found.points[beyond]
            points = np.where(np.isnan(points), np.inf, points)
            lost = np.minimum(np.log10(found.units[beyond] / limit), _ALL_DIGITS)
            order = np.argsort(points)
            below = np.concatenate([[0.0], np.cumsum(lost[order])])[np.searchsorted(points[order], thresholds, "left")]
            losses.append((below, lost.sum() - below))
        costs = np.array([_cost(candidate)[0] * 30 + _cost(candidate)[2] for candidate, _ in self._runs]) * 1e-6
        lower = np.array([below for below, _ in losses]) + costs[:, None]
        upper = np.array([above for _, above in losses]) + costs[:, None]
        total = lower.min(axis=0) + upper.min(axis=0)
        best = int(total.argmin())
        if not total[best] < 0.9 * (lower + upper).min():
            return None
        i, j = int(lower[:, best].argmin()), int(upper[:, best].argmin())
        return float(thresholds[best]), self._runs[i][0], self._runs[j][0]

    def is_won_by_less_than(self, candidate: Candidate) -> bool:
        """Whether a candidate costs no less than one that is within the margin."""
        return self._winner is not None and not candidate.cost < self._winner[0].cost

    def run(self, candidate: Candidate) -> contract.Errors:
        """Judge one candidate."""
        found = self._judge.errors(candidate.kernel)
        self._trials[candidate.kernel.result] = Trial(candidate.kernel.form, candidate.cost, found.worst)
        self._runs.append((candidate, found))
        if found.worst <= self.margin and not self.is_won_by_less_than(candidate):
            self._winner = (candidate, found)
        return found

    def run_with_guards(self, candidate: Candidate) -> contract.Errors:
        """Judge a candidate and, where it breaks the contract, the same with guards; the errors of the last tried."""
        found = self.run(candidate)
        for guarded in _with_guards(self._judge, self._shape, candidate, found):
            if self.is_won_by_less_than(guarded) or found.worst <= CONTRACT:
                break
            if guarded.kernel.result not in self._trials:
                found = self.run(guarded)
        return found

    def confirm(self) -> None:
        """Look at the closest forms at more floats, where they are so near the limit that some may lie beyond it."""
        while self._winner is None and self._closest is not None:
            candidate, found = self._closest
            if not self.margin < found.worst <= CONTRACT or candidate.kernel.result in self._confirmed:
                return
            self._confirmed.add(candidate.kernel.result)
            found = _with_worst_of(found, self._judge.errors_close_up(candidate.kernel))
            self._runs = [(run[0], found) if run[0] is candidate else run for run in self._runs]

    def verdict(self) -> tuple[Candidate, Judgement]:
        """The candidate chosen and its judgement."""
        candidate, found = self._winner or self._cheapest_of_the_closest()
        trials = tuple(self._trials.values())
        if self._winner is not None:
            reason = f"the cheapest within {self.margin:g} units"
        elif found.worst <= CONTRACT:
            reason = f"the most accurate, none being within {self.margin:g} units"
        else:
            reason = "loses least; none keeps the contract"
        verdict = Judgement(found.worst, found.worst_at, found.worst_ulps, candidate.is_certified, trials, reason)
        return candidate, verdict

    def _cheapest_of_the_closest(self) -> tuple[Candidate, contract.Errors]:
        """Where nothing keeps the contract, a tenth less error is not worth twice the operations."""
        assert self._closest is not None
        is_partial, lost, worst = self._judge.lost(self._closest[1])
        if worst <= CONTRACT:
            return self._closest

        def is_close(found: contract.Errors) -> bool:
            other = self._judge.lost(found)
            return other[0] == is_partial and other[1] <= _CLOSE * lost and other[2] <= _CLOSE * worst

        return min((run for run in self._runs if is_close(run[1])), key=lambda run: _cost(run[0]))


def _with_worst_of(found: contract.Errors, more: contract.Errors) -> contract.Errors:
    """Errors, with the worst point of a second sample among them."""
    worst = [int(more.units.argmax())]
    parts = ((getattr(found, name), getattr(more, name)[worst]) for name in ("points", "ulps", "units"))
    return contract.Errors(*map(np.concatenate, parts))


def _cost(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.cost.key


def _with_guards(
    judge: Judge, shape: Shape | None, candidate: Candidate, found: contract.Errors
) -> Iterator[Candidate]:
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
    # A clamp on one side can only mend what fails beyond it.
    variable, (left, right) = _saturations(judge, shape, kernel)
    sides: list[tuple[float | None, float | None]] = [(left, None)] if left is not None and (failing < 0).any() else []
    sides += [(None, right)] if right is not None and (failing > 0).any() else []
    sides += [(left, right)] if len(sides) == 2 else []
    for lower_bound, upper_bound in sides:
        clamped = guards.clamped(kernel, lower_bound, upper_bound, variable)
        yield Candidate(clamped.form, clamped, candidate.is_certified)
    if np.isinf(failing).any():
        limited = guards.with_limits(kernel, judge.limits)
        yield Candidate(limited.form, limited, candidate.is_certified)
        if judge.parameters:
            winning = guards.with_winning_zeros(kernel)
            for guarded in (winning, guards.with_continued_limits(winning)):
                yield Candidate(guarded.form, guarded, candidate.is_certified)


def _mend(race: _Race, judge: Judge, known: Mapping[sp.Basic, Node], shape: Shape | None) -> None:
    """Run what no single form can do, until the contract is kept.

    Forms joined where one begins to fail, polynomials where all of them do, and compensated arithmetic.
    """
    cores: list[tuple[Patch, ...]] = [()]
    if shape is not None:
        failing = judge.failing(race.closest(1)[0].kernel, Kernel(shape.node), _WORTH_A_PATCH)
        # What reaches furthest cancels most at its end, where a form may be nearly good enough.
        found = [around_zero(shape, [point for point in failing if abs(point) <= most]) for most in (math.inf, 1.0)]
        cores = list(dict.fromkeys(core for core in found if core)) or cores
    reach = min(max((max(abs(patch.low), abs(patch.high)) for patch in core), default=0.0) for core in cores)
    for base in [*race.closest(_MOST_PATCHED, beyond=reach), *race.spliced(known[judge.x], beyond=reach)]:
        for core in cores:
            race.run_with_guards(_patched(base, core, shape) if core and shape else base)
            if race.best_units <= CONTRACT:
                return
    if shape is not None:
        _patch_elsewhere(race, judge, shape)
    if race.best_units > CONTRACT:
        bases = [base for base in race.closest(4 * _MOST_COMPENSATED) if base.cost.passes <= _MOST_PASSES]
        for base in bases[:_MOST_COMPENSATED]:
            race.run_with_guards(_compensated(base))
            if race.best_units <= CONTRACT:
                return
        for joined in race.spliced(known[judge.x]):
            race.run_with_guards(joined)


def _patch_elsewhere(race: _Race, judge: Judge, shape: Shape) -> None:
    for base in race.closest(_MOST_PATCHED if race.best_units <= _LITTLE else 3 * _MOST_PATCHED):
        failing = judge.failing(base.kernel, Kernel(shape.node), _WORTH_A_PATCH)
        # A miss by a little is not worth many operations.
        is_little = race.best_units <= _LITTLE
        found = elsewhere(shape, failing, *((_MOST_FOR_LITTLE, _LEAST_POINTS) if is_little else (_MOST, 1)))
        if found:
            race.run_with_guards(_patched(base, found, shape))


def _compensated(base: Candidate) -> Candidate:
    kernel = compensated(guards.with_bounded_angles(base.kernel))
    return Candidate(kernel.form, kernel)


_WIDE = 2.0**40


def _saturations(
    judge: Judge, shape: Shape | None, kernel: Kernel
) -> tuple[Node | None, tuple[float | None, float | None]]:
    """What to hold where the formula does not move any more, and the bounds; None for the input.

    A bound for x is one for the parameters that were tried. With a parameter that only scales, z has one for all; with
    others x is held far out, but not so far that its square times a parameter of 2**40 overflows.
    """
    if shape is not None and shape.z != judge.x and shape.node in kernel.nodes:
        return shape.node, shape.saturations
    left, right = judge.saturations
    if judge.parameters:
        left, right = (None if left is None else -_WIDE), (None if right is None else _WIDE)
    return None, (left, right)


def _patched(base: Candidate, found: Sequence[Patch], shape: Shape) -> Candidate:
    """A candidate with polynomials on some stretches."""
    result = base.kernel.result
    for patch in found:
        result = call("select", patch.holds(shape.node), patch.node(shape), result)
    form = f"{base.form}, {_described(found)}"
    return Candidate(form, Kernel(result, base.kernel.names, form, base.kernel.note), False)


def _described(found: Sequence[Patch]) -> str:
    return (
        "polynomial"
        + "s" * (len(found) > 1)
        + " on "
        + ", ".join(f"{'+-' if patch.parity else ''}({patch.low:.4g}, {patch.high:.4g})" for patch in found)
    )
