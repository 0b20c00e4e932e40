"""Mending: what is tried where no single form keeps the contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import sympy as sp

from actgen.numerics import guards
from actgen.numerics.candidates import Candidate
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Node
from actgen.numerics.lowering import call
from actgen.numerics.patches import MOST_PATCHES, Patch, around_zero, elsewhere
from actgen.numerics.pruning import Pruning
from actgen.numerics.race import CONTRACT, Race, cost_of
from actgen.numerics.shape import Shape

_MOST_PATCHED = 2
"""How many of the closest forms are patched; three times as many where they miss by more than a little."""

_MOST_COMPENSATED = 5
"""How many of the closest forms are compensated."""

_MOST_LEAST_WRONG, _MOST_CHEAP = 2, 1
"""How many of them are chosen for having no large error, and for being cheap."""

_MOST_PASSES = 160
"""Operations of a form that is worth compensating, which takes ten times as many."""

_HALF_MORE, _FEW = 1.5, 24
"""A kernel of so few operations that misses by no more than half is not compensated: in PyTorch's eager mode, say, it
would be fifty times as slow, and the emulation, which tells of the miss, is not so exact."""

_LITTLE = 16.0
"""Units: a miss by less is not worth many operations."""

_MOST_FOR_LITTLE = 2
"""Patches where the miss is little."""

_LEAST_POINTS = 4
"""Failing points that a stretch has which is worth a patch where the miss is little."""

_WORTH_A_PATCH = 3.2
"""Units from which on a point counts as one where a form fails: samples do not find the worst."""


def mend(race: Race, judge: Judge, known: Mapping[sp.Basic, Node], shape: Shape | None) -> None:
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
    for base in [*race.closest(_MOST_PATCHED, beyond=reach), *race.spliced(beyond=reach)]:
        for core in cores:
            race.run_with_guards(_patched(base, core, shape) if core and shape else base)
            if race.settle():
                return
    if shape is not None:
        _patch_elsewhere(race, judge, shape)
    if not race.settle():
        least = min((base.cost.passes for base in race.close()), default=0)
        worst = judge.errors(race.closest(1)[0].kernel, math.inf).worst  # at all parameters: races stop at the first
        is_little = worst <= _HALF_MORE * CONTRACT and least <= _FEW
        _compensate(race, judge, known, () if is_little else _worth_compensating(race))


def _compensate(race: Race, judge: Judge, known: Mapping[sp.Basic, Node], bases: Sequence[Candidate]) -> None:
    """Run forms in compensated arithmetic, then pairs of all forms joined, and what keeps the contract with less."""
    prunings: dict[Node, Pruning] = {}
    for precisely, base in product((False, True), bases):
        pruning = Pruning(guards.with_bounded_angles(base.kernel), precisely)
        prunings[pruning.whole.result] = pruning
        found = race.run_with_guards(_as_candidate(pruning.whole))
        if race.settle():
            if found.worst <= CONTRACT:
                race.run_closely(_as_candidate(pruning.pruned(_no_worse(race, judge, found.worst))))
            return
    for joined in race.spliced():
        found = race.run_with_guards(joined)
        for arm in joined.kernel.result.operands:
            if arm in prunings and found.worst <= CONTRACT:
                joined = _with_less(joined, prunings[arm], _no_worse(race, judge, found.worst))
        race.run_closely(joined)


def _no_worse(race: Race, judge: Judge, worst: float) -> Callable[[Kernel], bool]:
    limit = max(race.margin, worst)
    return lambda kernel: judge.errors(kernel, give_up=limit).worst <= limit


def _with_less(joined: Candidate, pruning: Pruning, is_good: Callable[[Kernel], bool]) -> Candidate:
    """Two joined forms, one of them compensated in part."""

    def put(kernel: Kernel) -> Kernel:
        return guards.put(joined.kernel, pruning.whole.result, kernel.result)

    return _as_candidate(put(pruning.pruned(lambda kernel: is_good(put(kernel)))))


def _as_candidate(kernel: Kernel) -> Candidate:
    return Candidate(kernel.form, kernel)


def _patch_elsewhere(race: Race, judge: Judge, shape: Shape) -> None:
    for base in race.closest(_MOST_PATCHED if race.best_units <= _LITTLE else 3 * _MOST_PATCHED):
        failing = judge.failing(base.kernel, Kernel(shape.node), _WORTH_A_PATCH)
        # A miss by a little is not worth many operations.
        is_little = race.best_units <= _LITTLE
        found = elsewhere(shape, failing, *((_MOST_FOR_LITTLE, _LEAST_POINTS) if is_little else (MOST_PATCHES, 1)))
        if found:
            race.run_with_guards(_patched(base, found, shape))


def _worth_compensating(race: Race) -> list[Candidate]:
    """The forms that are least wrong anywhere, the cheapest of those about as good as the closest, and the closest."""
    cheap = sorted(race.close(), key=cost_of)[:_MOST_CHEAP]
    chosen = (*race.least_wrong(_MOST_LEAST_WRONG), *cheap, *race.closest(_MOST_COMPENSATED))
    bases = {base.kernel.result: base for base in chosen if base.cost.passes <= _MOST_PASSES}
    return sorted(list(bases.values())[:_MOST_COMPENSATED], key=cost_of)


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
