"""Turns are taken in turn, and a ratio is that of one round after the other."""

from __future__ import annotations

from timeit import Timer

import pytest

from actgen.bench import turns
from actgen.bench.turns import ratio, take_turns


class Clock:
    """A clock that moves only when something is called."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[str] = []

    def __call__(self) -> float:
        return self.now

    def contestant(self, name: str, seconds: float) -> turns.Call:
        def call() -> None:
            self.calls.append(name)
            self.now += seconds

        return call


class Ticking(Timer):
    """timeit's timer with that clock."""

    clock: Clock

    def __init__(self, stmt: turns.Call) -> None:
        super().__init__(stmt, timer=self.clock)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    Ticking.clock = Clock()
    monkeypatch.setattr(turns, "Timer", Ticking)
    return Ticking.clock


def test_contestants_take_turns_and_another_one_begins_each_round(clock: Clock) -> None:
    contestants = {name: clock.contestant(name, 1.0) for name in "abc"}
    seconds = take_turns(contestants, rounds=3, least=1.0)
    assert seconds == {name: [1.0, 1.0, 1.0] for name in "abc"}
    assert "".join(clock.calls) == "aaabbbccc" + "abc" + "bca" + "cab"


def test_a_turn_of_a_fast_one_is_made_of_many_calls(clock: Clock) -> None:
    seconds = take_turns({"fast": clock.contestant("fast", 0.001), "slow": clock.contestant("slow", 7.0)}, 2, 0.1)
    assert clock.calls.count("fast") == 3 + 2 * 100
    assert clock.calls.count("slow") == 3 + 2
    assert abs(seconds["fast"][0] - 0.001) < 1e-12


def test_what_slows_a_whole_round_cancels() -> None:
    ours, theirs = [1.0, 10.0, 1.0, 10.0], [2.0, 20.0, 2.0, 20.0]
    assert ratio(ours, theirs) == 0.5
    assert ratio([1.0, 1.0, 50.0], [2.0, 2.0, 2.0]) == 0.5, "one bad round of ours is no verdict"
