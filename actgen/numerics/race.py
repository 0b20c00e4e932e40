"""The race: the candidates tried so far on one machine, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from actgen.numerics import contract
from actgen.numerics.candidates import Candidate, Failure
from actgen.numerics.guarding import guarded
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Call, Constant, Cost, Kernel, Node
from actgen.numerics.lowering import call
from actgen.numerics.shape import Joint, Shape

T = TypeVar("T")

CONTRACT = contract.LARGEST_UNITS

_CLOSE = 1.1
"""How much more a cheaper form may be off than the most accurate one, where none keeps the contract."""

_QUARTER_MORE = 1.25
"""Where nothing keeps the contract, the cheapest of those is taken that miss by no more than a quarter."""

_TELLING = 3
"""How many of the closest forms are asked what failures there are."""

_MOST_LOOKS = 16
"""How often the best pair of forms may turn out to be worse at other parameters, before what was not judged there is
passed over."""

_FEW_DIGITS = 10.0
"""Digits lost, over all points: a form that loses so many more is close."""

_ALL_DIGITS = 30.0
"""What a wrong infinity or NaN counts for, in decimal digits."""


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


_Sides = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class _Pair:
    """Two forms to be joined: by what, where, and the runs below and above."""

    joint: Joint
    threshold: float
    below: int
    above: int


class Race:
    """The candidates tried so far, and the best of them: the cheapest within the margin, else the most accurate.

    Of several about equally accurate ones the cheapest.
    """

    def __init__(self, judge: Judge, shape: Shape | None = None, joints: Sequence[Joint] = ()) -> None:
        self._judge = judge.placing(*(Kernel(joint.node) for joint in joints))
        self._shape = shape
        self._joints = joints
        self.margin = judge.arithmetic.margin
        self._trials: dict[Node, Trial] = {}
        self._confirmed: set[Node] = set()
        self._winner: tuple[Candidate, contract.Errors] | None = None
        self._runs: list[tuple[Candidate, contract.Errors]] = []
        # By the place of a run: its errors, and what was made of them. It is judged anew where it may seem too good.
        self._made: dict[int, tuple[contract.Errors, dict[tuple[object, ...], Any]]] = {}

    @property
    def _closest(self) -> tuple[Candidate, contract.Errors] | None:
        return self._runs[min(range(len(self._runs)), key=self._loss)] if self._runs else None

    def _loss(self, i: int) -> tuple[bool, float, float]:
        """How far a run is from the contract."""
        return self._remembered(i, ("loss",), self._judge.lost)

    def _remembered(self, i: int, key: tuple[object, ...], make: Callable[[contract.Errors], T]) -> T:
        """What is made of the errors of a run; made once, until it is judged anew."""
        found = self._runs[i][1]
        known, made = self._made.get(i, (None, {}))
        if known is not found:
            self._made[i] = found, (made := {})
        if key not in made:
            made[key] = make(found)
        result: T = made[key]
        return result

    @property
    def best_units(self) -> float:
        """The smallest error of all candidates so far."""
        closest = self._closest
        return closest[1].worst if closest else math.inf

    @property
    def least_cost(self) -> Cost | None:
        """What the winner costs, if there is one."""
        return self._winner[0].cost if self._winner else None

    @property
    def failures(self) -> frozenset[Failure]:
        """The kinds of failure that the closest forms show."""
        telling = self._by_loss[:_TELLING]
        for i in telling:
            self._complete(i)
        return frozenset().union(*(self._remembered(i, ("failures",), self._judge.failures) for i in telling))

    def closest(self, count: int, beyond: float = 0.0) -> list[Candidate]:
        """The candidates that lose least at places beyond a bound, the best first; one of several that lose alike."""
        while True:
            found = self._closest_beyond(count, beyond)
            if not any(list(map(self._complete, found))):
                return [self._runs[i][0] for i in found]

    def _closest_beyond(self, count: int, beyond: float) -> list[int]:
        def lost(found: contract.Errors) -> tuple[float, float]:
            units = found.units[~(np.abs(found.places[0]) < beyond)]
            over = np.log10(units[units > CONTRACT] / CONTRACT)
            return float(np.minimum(over, _ALL_DIGITS).sum()), max(float(units.max(initial=0.0)), self.margin)

        losses = [
            (*self._remembered(i, ("beyond", beyond), lost), cost_of(candidate))
            for i, (candidate, _) in enumerate(self._runs)
        ]
        alike: dict[tuple[object, ...], int] = {}
        for i in sorted(range(len(self._runs)), key=losses.__getitem__):
            # What calls other functions is another form, even if it is off by the same here.
            alike.setdefault((*losses[i][:2], self._runs[i][0].kernel.functions), i)
        return list(alike.values())[:count]

    def _complete(self, i: int, wholly: bool = False) -> bool:
        """Judge a form at all parameter values, if it has not been because it failed at the first, or at any.

        Or else it would seem to be right wherever it has not been looked at.

        Returns:
            Whether there was something to judge.
        """
        candidate, found = self._runs[i]
        if not self._is_partial(found, wholly):
            return False
        self._runs[i] = (candidate, self._judge.errors(candidate.kernel, give_up=math.inf))
        return True

    def _is_partial(self, found: contract.Errors, wholly: bool) -> bool:
        return not self._judge.is_whole(found) if wholly else self._judge.lost(found)[0]

    def good(self, count: int, other_than: Candidate) -> list[Candidate]:
        """The candidates within the margin at all that was judged, without one of them, the cheapest first."""
        found = [
            candidate
            for candidate, errors in self._runs
            if errors.worst <= self.margin and candidate.kernel != other_than.kernel
        ]
        return sorted(found, key=cost_of)[:count]

    def close(self) -> list[Candidate]:
        """The candidates that lose little more than the one that loses least."""
        if self._closest is None:
            return []
        is_partial, lost, _ = self._judge.lost(self._closest[1])
        losses = [self._loss(i) for i in range(len(self._runs))]
        limit = (is_partial, 2 * lost + _FEW_DIGITS)
        return [run[0] for run, loss in zip(self._runs, losses, strict=True) if loss[:2] <= limit]

    def least_wrong(self, count: int) -> list[Candidate]:
        """The candidates whose largest error is least, one of several that call the same functions.

        Many small errors may be rounding; a large one is not.
        """

        def key(run: tuple[Candidate, contract.Errors]) -> tuple[bool, float, tuple[int, int, int, int]]:
            return self._judge.lost(run[1])[0], run[1].worst, cost_of(run[0])

        found: dict[frozenset[Call], Candidate] = {}
        for candidate, _ in sorted(self._runs, key=key):
            found.setdefault(candidate.kernel.functions, candidate)
        return list(found.values())[:count]

    @property
    def _by_loss(self) -> list[int]:
        return sorted(range(len(self._runs)), key=self._loss)

    def spliced(self, beyond: float = 0.0, wholly: bool = False) -> Iterator[Candidate]:
        """Two forms joined where one begins to fail and the other no longer does: by |v|, and by v.

        v is one of the joints.

        Args:
            beyond: what fails at places of the first joint that are smaller does not count.
            wholly: whether only forms are joined that were judged at all settings, and not given up at one that is not
                the first.
        """
        most_looks = 4 * _MOST_LOOKS if wholly else _MOST_LOOKS
        for is_magnitude, thresholds in (
            (True, 2.0 ** np.arange(-24, 64)),
            (False, np.concatenate([-(2.0 ** np.arange(40, -5, -1)), [0.0], 2.0 ** np.arange(-4, 41)])),
        ):
            pair = self._best_pair(is_magnitude, thresholds, beyond, wholly)
            for looks in range(1, most_looks + 1):
                if pair is None or not any([self._complete(pair.below, wholly), self._complete(pair.above, wholly)]):
                    break
                pair = self._best_pair(is_magnitude, thresholds, beyond, wholly, only_complete=looks == most_looks)
            if pair is None:
                continue
            below, above = self._runs[pair.below][0], self._runs[pair.above][0]
            variable = call("absolute", pair.joint.node) if is_magnitude else pair.joint.node
            is_below = call("less", variable, Constant(pair.threshold))
            result = call("select", is_below, below.kernel.result, above.kernel.result)
            name = f"|{pair.joint.name}|" if is_magnitude else pair.joint.name
            form = f"{below.form} for {name} < {pair.threshold:g}, else {above.form}"
            names = {**above.kernel.names, **below.kernel.names}
            yield Candidate(form, Kernel(result, names, form, below.kernel.note), False)

    def _best_pair(
        self, is_magnitude: bool, thresholds: NDArray[Any], least: float, wholly: bool, only_complete: bool = False
    ) -> _Pair | None:
        """The joint and threshold, and which runs to use below and above it, with which least is lost."""
        limit = CONTRACT if self.best_units > CONTRACT else self.margin
        costs = np.array([candidate.cost.time for candidate, _ in self._runs]) * 1e-6
        is_partial = np.array([self._is_partial(found, wholly) for _, found in self._runs])
        if only_complete:
            costs += 1e9 * is_partial
        pair, least_lost = None, math.inf
        for place, joint in enumerate(self._joints):
            losses = [
                self._lost_on_either_side(i, place, is_magnitude, thresholds, least, limit)
                for i in range(len(self._runs))
            ]
            lower = np.array([below for below, _ in losses]) + costs[:, None]
            upper = np.array([above for _, above in losses]) + costs[:, None]
            total = lower.min(axis=0) + upper.min(axis=0)
            best = int(total.argmin())
            # What was not judged everywhere only seems to lose little; a further joint has to be better by something.
            alone = (lower + upper)[~is_partial].min(initial=math.inf)
            if total[best] < 0.9 * min(alone, least_lost):
                least_lost = float(total[best])
                pair = _Pair(joint, float(thresholds[best]), int(lower[:, best].argmin()), int(upper[:, best].argmin()))
        return pair

    def _lost_on_either_side(
        self, i: int, place: int, is_magnitude: bool, thresholds: NDArray[Any], least: float, limit: float
    ) -> _Sides:
        """The digits that a run loses below and above each threshold."""

        def sides(found: contract.Errors) -> _Sides:
            beyond = (found.units > limit) & ~(np.abs(found.places[0]) < least)
            places = np.abs(found.places[place, beyond]) if is_magnitude else found.places[place, beyond]
            places = np.where(np.isnan(places), np.inf, places)
            lost = np.minimum(np.log10(found.units[beyond] / limit), _ALL_DIGITS)
            order = np.argsort(places)
            below = np.concatenate([[0.0], np.cumsum(lost[order])])[np.searchsorted(places[order], thresholds, "left")]
            return below, lost.sum() - below

        return self._remembered(i, ("sides", place, is_magnitude, least, limit), sides)

    def is_won_by_less_than(self, candidate: Candidate) -> bool:
        """Whether a candidate costs no less than one that is within the margin."""
        return self._winner is not None and not candidate.cost < self._winner[0].cost

    def run(self, candidate: Candidate) -> contract.Errors:
        """Judge one candidate; what is known of one that was judged before, perhaps at more floats, stands."""
        result = candidate.kernel.result
        if result in self._trials:
            return next(found for known, found in self._runs if known.kernel.result == result)
        found = self._judge.errors(candidate.kernel)
        self._trials[result] = Trial(candidate.kernel.form, candidate.cost, found.worst)
        self._runs.append((candidate, found))
        if found.worst <= self.margin and not self.is_won_by_less_than(candidate):
            self._winner = (candidate, found)
        return found

    def run_with_guards(self, candidate: Candidate) -> contract.Errors:
        """Judge a candidate and, where it breaks the contract, the same with guards; the errors of the last tried."""
        found = self.run(candidate)
        for other in guarded(self._judge, self._shape, candidate, found):
            if self.is_won_by_less_than(other) or found.worst <= CONTRACT:
                break
            if other.kernel.result not in self._trials:
                found = self.run(other)
        return found

    def settle(self) -> bool:
        """Whether a form keeps the contract, at more floats too if it does so by little."""
        self.confirm()
        return self.best_units <= CONTRACT

    def confirm(self) -> None:
        """Look at the closest forms at more floats, where they are so near the limit that some may lie beyond it."""
        while self._winner is None and (closest := self._closest) is not None:
            if not self._confirm(*closest):
                return

    def run_closely(self, candidate: Candidate) -> None:
        """Judge one candidate, at more floats if it is near the limit."""
        self._confirm(candidate, self.run(candidate))

    def _confirm(self, candidate: Candidate, found: contract.Errors) -> bool:
        """Whether there was need to look at more floats."""
        if not self.margin < found.worst <= CONTRACT or candidate.kernel.result in self._confirmed:
            return False
        self._confirmed.add(candidate.kernel.result)
        found = _with_worst_of(found, self._judge.errors_close_up(candidate.kernel))
        self._runs = [(run[0], found) if run[0] is candidate else run for run in self._runs]
        return True

    def verdict(self) -> tuple[Candidate, Judgement]:
        """The candidate chosen and its judgement."""
        candidate, found = self._winner or self._cheapest_of_the_closest()
        trials = tuple(self._trials.values())
        if self._winner is not None:
            reason = f"the cheapest within {self.margin:g} units"
        elif found.worst <= CONTRACT:
            reason = f"the cheapest that keeps the contract at more floats, none being within {self.margin:g} units"
        else:
            reason = "the cheapest of those that lose least; none keeps the contract"
        verdict = Judgement(found.worst, found.worst_at, found.worst_ulps, candidate.is_certified, trials, reason)
        return candidate, verdict

    def _cheapest_of_the_closest(self) -> tuple[Candidate, contract.Errors]:
        """Where nothing keeps the contract, a tenth less error is not worth twice the operations."""
        assert self._closest is not None
        is_partial, lost, worst = self._judge.lost(self._closest[1])
        if worst <= CONTRACT:
            confirmed = (run for run in self._runs if run[0].kernel.result in self._confirmed)
            good = (run for run in confirmed if run[1].worst <= CONTRACT)
            return min(good, key=lambda run: cost_of(run[0]), default=self._closest)

        def is_close(found: contract.Errors) -> bool:
            other = self._judge.lost(found)
            if not other[0] and found.worst <= _QUARTER_MORE * CONTRACT:
                return True
            return other[0] == is_partial and other[1] <= _CLOSE * lost and other[2] <= _CLOSE * worst

        return min((run for run in self._runs if is_close(run[1])), key=lambda run: cost_of(run[0]))


def _with_worst_of(found: contract.Errors, more: contract.Errors) -> contract.Errors:
    """Errors, with the worst point of a second sample among them, if the oracle knows any of that."""
    if not len(more.units):
        return found
    worst = [int(more.units.argmax())]
    names = [field.name for field in fields(contract.Errors)]
    parts = ((getattr(found, name), getattr(more, name)[..., worst]) for name in names)
    return contract.Errors(*(np.concatenate(part, axis=-1) for part in parts))


def cost_of(candidate: Candidate) -> tuple[int, int, int, int]:
    """The order of candidates by cost."""
    return candidate.cost.rank
