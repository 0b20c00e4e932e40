"""Between which numbers a node of a kernel lies, whatever its variables are: interval arithmetic, without rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import product

from actgen.numerics.kernel import Call, Constant, Kernel, Node

Interval = tuple[float, float]
EVERYWHERE: Interval = (-math.inf, math.inf)


def interval(node: Node) -> Interval:
    """The least and the largest value, NaN apart, up to what rounding adds; wider than need be where terms cancel.

    Of operations that are not known here nothing is said: from -inf to inf.
    """
    found: dict[Node, Interval] = {}
    for part in Kernel(node).nodes:
        if isinstance(part, Constant):
            found[part] = EVERYWHERE if math.isnan(part.value) else (part.value, part.value)
        elif isinstance(part, Call):
            operands = [found.get(operand, EVERYWHERE) for operand in part.arguments]
            found[part] = _RULES[part.operation](*operands) if part.operation in _RULES else EVERYWHERE
        else:
            found[part] = EVERYWHERE
    return found[node]


def _corners(function: Callable[[float, float], float]) -> Callable[[Interval, Interval], Interval]:
    """A function whose extremes lie at corners; what has no value at one (inf - inf, 0 inf) leaves all open."""

    def rule(a: Interval, b: Interval) -> Interval:
        values = [function(x, y) for x, y in product(a, b)]
        return EVERYWHERE if any(map(math.isnan, values)) else (min(values), max(values))

    return rule


def _divide(a: Interval, b: Interval) -> Interval:
    if b[0] <= 0 <= b[1]:
        return EVERYWHERE
    return _corners(lambda x, y: x / y)(a, b)


def _absolute(a: Interval) -> Interval:
    low, high = sorted(map(abs, a))
    return (0.0 if a[0] <= 0 <= a[1] else low, high)


def _square(a: Interval) -> Interval:
    low, high = _absolute(a)
    return low * low, high * high


def _rising(function: Callable[[float], float], low: float, high: float) -> Callable[[Interval], Interval]:
    """A function that rises from one number to another."""

    def at(x: float) -> float:
        if math.isinf(x):
            return low if x < 0 else high
        return function(x)

    return lambda a: (at(a[0]), at(a[1]))


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


def _sigmoid(x: float) -> float:
    return 1 / (1 + _exp(-x))


_RULES: Mapping[str, Callable[..., Interval]] = {
    "add": _corners(lambda x, y: x + y),
    "subtract": _corners(lambda x, y: x - y),
    "multiply": _corners(lambda x, y: x * y),
    "divide": _divide,
    "negate": lambda a: (-a[1], -a[0]),
    "absolute": _absolute,
    "square": _square,
    "maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "clamp": lambda a, low, high: (min(max(a[0], low[0]), high[1]), max(min(a[1], high[1]), low[0])),
    "select": lambda _, a, b: (min(a[0], b[0]), max(a[1], b[1])),
    "exp": _rising(_exp, 0.0, math.inf),
    "sigmoid": _rising(_sigmoid, 0.0, 1.0),
    "tanh": _rising(math.tanh, -1.0, 1.0),
}
