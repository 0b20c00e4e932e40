"""The choice of a form: the cheapest that keeps the accuracy contract in emulated float32 and float64.

Candidates are tried from the cheapest up, on each machine. One that fails at the ends of the float range gets a guard
and is judged again. Where none keeps the contract, forms are mended: joined, patched, compensated. If none does even
then, the one that loses least is taken, and the judgement says by how much it misses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import get_args

import numpy as np
import sympy as sp

from actgen.numerics import contract
from actgen.numerics.candidates import Candidate, Source, Stage, stages
from actgen.numerics.emulation import Arithmetic
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Node
from actgen.numerics.lowering import ZERO, call, constant, lower
from actgen.numerics.mending import mend
from actgen.numerics.race import CONTRACT, Judgement, Race, Trial, cost_of
from actgen.numerics.shape import Joint, Shape, joints_of, shape_of
from actgen.numerics.splitting import split

_NEAR_MISS = 64.0
"""Units: where all forms of one source miss by more, those of the next are tried."""

_LITTLE = 16.0
"""Units: a form that misses by less on one machine may keep the contract on another, and at remote parameters is not
worth a longer one."""

_MOST_TELLING = 40
"""How many of the closest forms are tried on another machine, where none keeps the contract on one."""

_MOST_GOOD = 4
"""How many of the forms that are good enough elsewhere are tried at remote parameters, the cheapest first."""

_MOST_GUARDED = 2
"""How many of all forms are guarded at remote parameters, the closest first."""

_FAR_LESS = 0.5
"""The part of the digits lost at remote parameters that another form may lose which is to replace one."""

_DEAR = 160
"""Operations from which on what won on another machine is compensated or patched, and tried here after all forms that
are neither: on a more exact machine one of these may do."""

_HUGE = 2.0**40
"""Beyond this size of an input, or of its reciprocal, what is lost is lost to overflow or underflow."""

_LEAST_REMOTELY = "what loses least at remote parameters of those that keep the contract at all others"

_STAGES = len(get_args(Stage))


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
    judge: Judge,
    known: Mapping[sp.Basic, Node],
    equals: Sequence[sp.Expr],
    machines: Sequence[Arithmetic],
    *,
    is_part: bool = False,
) -> list[tuple[Kernel, Judgement]]:
    """The kernel for a formula on each of several machines.

    Args:
        judge: the formula with its oracle.
        known: the node of each symbol.
        equals: formulas equal to the judge's, to find forms in as well.
        machines: what the kernels will run on; of two that differ little, the less exact one should come first.
        is_part: whether the formula is a part of one that was split, and is not to be split again.
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
        joints = joints_of(judge.expression, judge.x, judge.parameters, known)
    else:
        joints = (Joint(shape.name, shape.node),)
    forms: Iterable[Sequence[Candidate]] = _Stages(stages(sources))
    winners: list[Candidate] = []
    verdicts = []
    is_hopeless = is_hopeless_remotely = False
    for machine in machines:
        strict = judge.on(machine)
        near = own = strict.nearby()
        race = _raced(near, shape, joints, winners, forms)
        if not race.settle():
            best = race.closest(1)[0].kernel
            if near.leniently().errors(best, math.inf).closeness != near.errors(best, math.inf).closeness:
                # What is flushed next to underflow far from the default is worth another form, but not one of many
                # operations.
                own = near.leniently()
                race = _raced(own, shape, joints, winners, forms)
        if not race.settle():
            if race.best_units > _LITTLE:
                # What is hopeless on the least exact machine is so on the others, and need not be tried there.
                forms = [sorted(race.closest(_MOST_TELLING), key=cost_of)]
            if not is_hopeless:
                mend(race, own, known, shape)
            if not (winners or is_part or race.settle()):
                _split(race, own, known)
            is_hopeless = race.best_units > _NEAR_MISS
        elif race.least_cost is None and shape is not None:
            # Without a shape a threshold is one for the parameters that were tried.
            for spliced in race.spliced():
                race.run(spliced)
            race.confirm()
        candidate, verdict = race.verdict()
        # What may be lost next to underflow far from the default may be lost at remote parameters, too.
        everywhere = strict if own is near else strict.leniently()
        found = everywhere.errors(candidate.kernel, math.inf)
        if verdict.is_within_contract and found.worst > CONTRACT and not is_part:
            # What is lost at remote parameters is worth guards, or another form.
            good = [candidate, *race.good(_MOST_GOOD, candidate)]
            remote = known_good = Race(everywhere, shape, joints)
            for form in (*good, *winners):
                remote.run_with_guards(form)
            if not (remote.settle() or is_hopeless_remotely):
                # What is hopeless on the least exact machine is so on the others.
                remote = _raced_remotely(everywhere, known, shape, joints, [*good, *winners], forms)
                is_hopeless_remotely = remote.best_units > _NEAR_MISS
            if remote.settle() and remote.verdict()[0].cost.passes < _DEAR:
                candidate, verdict = remote.verdict()
            elif (closer := _closer((known_good, remote), everywhere, own, found)) is not None:
                # One remote value that no form holds at should not cost the others.
                near_by = own.errors(closer.kernel, math.inf)
                candidate = closer
                verdict = replace(verdict, units=near_by.worst, at=near_by.worst_at, ulps=near_by.worst_ulps)
                verdict = replace(verdict, is_certified=closer.is_certified, reason=_LEAST_REMOTELY)
        found = strict.errors(candidate.kernel, math.inf)
        if found.worst > max(verdict.units, CONTRACT):
            verdict = replace(verdict, units=found.worst, at=found.worst_at, ulps=found.worst_ulps)
        winners.append(candidate)
        verdicts.append((candidate.kernel, verdict))
    return verdicts


def _fails_in_the_middle(found: contract.Errors) -> bool:
    """Whether a form misses the contract at inputs that are neither tiny nor huge."""
    sizes = np.abs(found.points[found.units > CONTRACT])
    return bool(((sizes > 1 / _HUGE) & (sizes < _HUGE)).any())


def _raced(
    judge: Judge,
    shape: Shape | None,
    joints: Sequence[Joint],
    winners: Sequence[Candidate],
    forms: Iterable[Sequence[Candidate]],
) -> Race:
    """A race of all forms that are not mended, and of what won on other machines."""
    race = Race(judge, shape, joints)
    # What won elsewhere wins here too, if it is good enough and nothing cheaper is.
    elsewhere = sorted({winner.kernel.result: winner for winner in winners}.values(), key=cost_of)
    dear = [winner for winner in elsewhere if winner.cost.passes > _DEAR]
    for winner in elsewhere:
        if winner not in dear:
            race.run(winner)
    _run(race, forms)
    if not race.settle():
        for winner in dear:
            race.run(winner)
    return race


def _raced_remotely(
    judge: Judge,
    known: Mapping[sp.Basic, Node],
    shape: Shape | None,
    joints: Sequence[Joint],
    good: Sequence[Candidate],
    forms: Iterable[Sequence[Candidate]],
) -> Race:
    """A race at all parameters of forms that need not be mended.

    Args:
        judge: asks at remote parameters, too.
        known: the node of each symbol.
        shape: of the formula.
        joints: what forms may be joined by.
        good: forms that are good enough at all other parameters, the one to replace first, or won on other machines.
        forms: all others that may be tried.
    """
    race = _raced(judge, shape, joints, good, forms)
    for close in () if race.settle() else race.closest(_MOST_GUARDED):
        race.run_with_guards(close)
    is_joinable = len(joints) > 1 or _fails_in_the_middle(judge.leniently().errors(good[0].kernel, math.inf))
    # The threshold at which two forms were joined may be one for the parameters that were tried.
    for spliced in race.spliced(wholly=True) if is_joinable and not race.settle() else ():
        race.run_with_guards(spliced)
    if not race.settle():
        race.run_with_guards(_with_zeros(judge, known, good[0]))
    return race


def _closer(races: Sequence[Race], everywhere: Judge, own: Judge, found: contract.Errors) -> Candidate | None:
    """A form of few operations that loses far less at remote parameters than what was found, and holds at others."""
    closest = None
    for race in races if found.worst > _LITTLE else ():
        for form in race.closest(_MOST_GOOD):
            if form.cost.passes >= _DEAR or own.errors(form.kernel).worst > CONTRACT:
                continue
            lost = everywhere.errors(form.kernel, math.inf)
            is_worth_it = lost.closeness[0] < _FAR_LESS * found.closeness[0]
            if is_worth_it and own.errors_close_up(form.kernel).worst <= CONTRACT:
                closest, found = form, lost
    return closest


def _with_zeros(judge: Judge, known: Mapping[sp.Basic, Node], form: Candidate) -> Candidate:
    """A form joined to those of what the formula is where a parameter is 0, if it fails at such parameters only.

    x (1 + a x^2) / (1 + b x^2) grows like a x / b, but for a = 0, where it falls like 1 / (b x).
    """
    if judge.off_zero().errors(form.kernel).worst > CONTRACT:
        return form
    for parameter in judge.parameters:
        without = judge.expression.subs(parameter, 0)
        has_zero = not all(setting[parameter.name] for setting in judge.exact_settings)
        if not has_zero or without.has(sp.nan, sp.zoo, sp.oo):
            continue
        if judge.at_zero(parameter).errors(form.kernel).worst <= CONTRACT:
            continue
        kernel = choose_kernels(judge.without(parameter, without), known, (), (judge.arithmetic,), is_part=True)[0][0]
        is_zero = call("equal", known[parameter], ZERO)
        if known[judge.x] not in kernel.nodes:  # NaN has to come through a constant, too
            is_zero = call("both", is_zero, call("equal", known[judge.x], known[judge.x]))
        name = f"{kernel.form} for {parameter.name} = 0, else {form.form}"
        result = call("select", is_zero, kernel.result, form.kernel.result)
        joined = Candidate(name, Kernel(result, {**kernel.names, **form.kernel.names}, name), False)
        if judge.at_zero(parameter).errors(joined.kernel).worst <= CONTRACT:
            form = joined
    return form


def _split(race: Race, judge: Judge, known: Mapping[sp.Basic, Node]) -> None:
    """Run sums of two formulas with a parameter less, until the contract is kept."""

    def choose(part: Judge, known: Mapping[sp.Basic, Node]) -> Kernel:
        return choose_kernels(part, known, (), (part.arithmetic,), is_part=True)[0][0]

    for candidate in split(judge, known, choose):
        race.run_with_guards(candidate)
        if race.settle():
            return


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
                self._known.append(sorted(stage, key=cost_of))
            yield self._known[number]


def _run(race: Race, forms: Iterable[Sequence[Candidate]]) -> None:
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


__all__ = ["CONTRACT", "Judgement", "Trial", "choose_kernel", "choose_kernels"]
