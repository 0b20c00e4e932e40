"""Timing: contestants take turns, so that what slows the machine for a while slows all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from timeit import Timer

Call = Callable[[], object]

LEAST_SECONDS = 0.005
"""A turn lasts at least so long: shorter ones are made of several calls."""

_WARM_UPS = 2


def take_turns(contestants: Mapping[str, Call], rounds: int, least: float = LEAST_SECONDS) -> dict[str, list[float]]:
    """Seconds a call, for each contestant one number a round.

    Each is called beforehand, so that nothing is compiled within a turn; who begins changes from round to round.

    Args:
        contestants: what to call, by name.
        rounds: how many turns each has.
        least: the seconds that a turn lasts at least.
    """
    timers = {name: Timer(call) for name, call in contestants.items()}
    numbers = {}
    for name, timer in timers.items():
        timer.timeit(_WARM_UPS)
        numbers[name] = max(1, round(least / max(timer.timeit(1), 1e-9)))
    seconds: dict[str, list[float]] = {name: [] for name in timers}
    order = list(timers)
    for _ in range(rounds):
        for name in order:
            seconds[name].append(timers[name].timeit(numbers[name]) / numbers[name])
        order = order[1:] + order[:1]
    return seconds


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios, round by round: what slows a whole round cancels."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
