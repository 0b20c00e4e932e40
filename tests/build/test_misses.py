"""Targets that miss the contract alike are told in one line."""

from __future__ import annotations

import math

from actgen.build.misses import Miss, miss_lines


def test_targets_that_miss_alike_share_a_line_with_the_largest_error() -> None:
    misses = [
        Miss("mish value", "torch", 7.0, 1.0),
        Miss("mish d/dx", "torch", 64.125, -1000.0, "one outlier, 3"),
        Miss("mish value", "keras", 9.5, 2.0),
        Miss("mish value", "jax", 7.0, 1.0),
        Miss("mish d/dx", "keras", 4.42, -2.0, "one outlier, 3"),
        Miss("mish d/dx", "jax", 64.125, -1000.0, "one outlier, 3"),
    ]
    assert miss_lines(misses) == [
        "mish value (jax, keras, torch): 9.5 units at x = 2.0",
        "mish d/dx (jax, torch): 64.1 units at x = -1000.0 (one outlier, 3)",
        "mish d/dx (keras): 4.42 units at x = -2.0 (one outlier, 3)",
    ]


def test_what_is_infinitely_off_is_told_apart_from_what_is_not() -> None:
    misses = [Miss("f value", target, units, 1.0) for target, units in (("a", 5.0), ("b", math.inf), ("c", math.inf))]
    assert miss_lines(misses) == ["f value (b, c): inf units at x = 1.0", "f value (a): 5 units at x = 1.0"]


def test_nothing_is_told_where_nothing_is_missed() -> None:
    assert miss_lines([]) == []
