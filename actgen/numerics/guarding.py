"""Which guards a candidate gets, by the failures that it shows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from actgen.numerics import contract, guards
from actgen.numerics.candidates import Candidate
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Node
from actgen.numerics.shape import Shape


def guarded(judge: Judge, shape: Shape | None, candidate: Candidate, found: contract.Errors) -> Iterator[Candidate]:
    """The candidate with guards for the kinds of failure that it shows."""
    kernel = candidate.kernel
    failing = found.points[found.units > contract.LARGEST_UNITS]
    if np.isnan(failing).any():
        kernel = guards.with_nan(kernel)
        yield Candidate(kernel.form, kernel, candidate.is_certified)
    is_tiny = (np.abs(failing) < guards.NEXT_TO_UNDERFLOW).any()
    held = guards.with_held_logarithms(kernel, 0.0) if is_tiny else kernel
    if held is not kernel:
        kernel = held
        yield Candidate(kernel.form, kernel, candidate.is_certified)
    if is_tiny and judge.slope_at_zero is not None:
        kernel = guards.with_line(kernel, judge.slope_at_zero)
        yield Candidate(kernel.form, kernel, candidate.is_certified)
    if (np.abs(failing) < _SMALL).any() and shape is not None and shape.first_term is not None:
        kernel = guards.with_first_term(kernel, shape.node, *shape.first_term)
        yield Candidate(kernel.form, kernel, candidate.is_certified)
    if is_tiny and judge.parameters:
        winning = guards.with_winning_zeros(kernel)
        if winning is not kernel:
            yield Candidate(winning.form, winning, candidate.is_certified)
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
    if sides and variable is None and judge.parameters:
        bounded = guards.with_bounded_exponents(clamped)
        if bounded is not clamped:
            yield Candidate(bounded.form, bounded, candidate.is_certified)
    if np.isinf(failing).any():
        held = guards.with_held_logarithms(kernel, math.inf)
        if held is not kernel:
            kernel = held
            yield Candidate(kernel.form, kernel, candidate.is_certified)
        limited = guards.with_limits(kernel, judge.limits)
        yield Candidate(limited.form, limited, candidate.is_certified)
        if judge.parameters:
            winning = guards.with_winning_zeros(kernel)
            for continued in (winning, guards.with_continued_limits(winning)):
                yield Candidate(continued.form, continued, candidate.is_certified)


_SMALL = 2.0**-20
"""Where the first term of a series in z may be all of it, for whatever parameter."""

_WIDE = 2.0**40
"""Where x is held if there are parameters that do not only scale it."""


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
