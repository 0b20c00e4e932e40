"""Pruning: the corrections that a compensated kernel can do without.

Compensated arithmetic corrects everything, at ten operations for one, and a function at fifty; but mostly a few steps
make the error: one function that is off by three ULP and whose result is multiplied by ten, one sum that cancels. So
corrections are left out, of functions one by one, of other steps in ever shorter runs, and stay out where what is left
is within the margin.

Source: A. Zeller and R. Hildebrandt, Simplifying and isolating failure-inducing input, 2002, for the order of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from actgen.numerics.compensation import compensated
from actgen.numerics.kernel import Call, Kernel, Node

_FINEST = 16
"""The shortest runs of steps that are tried: a sixteenth of all."""


class Pruning:
    """A kernel in compensated arithmetic, and what may be left out of it.

    Args:
        kernel: what to compensate.
        precisely: whether functions are corrected too.
    """

    def __init__(self, kernel: Kernel, precisely: bool) -> None:
        self._kernel, self._precisely = kernel, precisely
        self.whole = compensated(kernel, precisely)

    def pruned(self, is_good: Callable[[Kernel], bool]) -> Kernel:
        """The kernel without the corrections that it can do without.

        Args:
            is_good: whether a compensated kernel is accurate enough. It is so for the one with all corrections.
        """
        rough: frozenset[Node] = frozenset()
        plain: frozenset[Node] = frozenset()
        best, precisely = self.whole, self._precisely
        for function in (call for call in self._kernel.calls() if precisely and call in self._kernel.functions):
            trial = compensated(self._kernel, precisely, rough=rough | {function})
            if trial.cost < best.cost and is_good(trial):
                best, rough = trial, rough | {function}
        for run in _runs(list(self._kernel.calls())):
            trial = compensated(self._kernel, precisely, plain=plain | run, rough=rough)
            if trial.cost < best.cost and is_good(trial):
                best, plain = trial, plain | run
        return best


def _runs(steps: Sequence[Call]) -> Iterator[frozenset[Node]]:
    """All steps, halves, quarters, ... of them, what is computed first first."""
    parts = 1
    while parts <= min(_FINEST, len(steps)):
        bounds = [len(steps) * i // parts for i in range(parts + 1)]
        for low, high in pairwise(bounds):
            yield frozenset(steps[low:high])
        parts *= 2
