"""Kernels evaluated in ball arithmetic: what a graph of operations is worth before anything is rounded.

A kernel that equals its formula gives a ball that overlaps the oracle's at every point, whatever the precision. That
cannot be fooled by rounding, and needs no tolerance but for what a kernel only approximates: series, rational
approximations and their constants, and inputs held at the point beyond which a formula no longer moves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb, fmpq

from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable
from actgen.numerics.oracle import Oracle
from actgen.spec.expression import read_expression
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.binding import bind
from tests.symbolic.reading import precision

NONE = arb(0)
APPROXIMATE = arb(2) ** -44
"""The relative difference granted to a kernel that approximates."""

_NEGLIGIBLE = arb(2) ** -1021
_NOTHING = arb(2) ** -1139
_HUGE = arb(2) ** 1023
_PRECISIONS = (160, 800, 4000)
_TIGHT_BITS = 64
_EXACT_DIGITS = 15

Truth = bool | None
Place = tuple[Mapping[str, fmpq], arb]
"""Values of all variables, and what a formula is worth there."""


def evaluate(kernel: Kernel, values: Mapping[str, fmpq]) -> arb:
    """The ball that holds what a kernel gives, tight where some precision makes it so; NaN where nothing is known."""
    result = arb("nan")
    for bits in _PRECISIONS:
        with precision(bits):
            result = _run(kernel, {name: arb(value) for name, value in values.items()})
            if result.rel_accuracy_bits() >= _TIGHT_BITS:
                break
    return result


def places(
    expression: sp.Expr,
    x: sp.Symbol,
    parameters: Sequence[sp.Symbol],
    settings: Iterable[Mapping[str, Fraction]],
    points: Iterable[float],
) -> list[Place]:
    """Where the oracle is sure of a formula: the values of its variables there, the input first, and its own."""
    oracle = Oracle(expression, x, parameters)
    found: list[Place] = []
    points = sorted(set(points))
    for setting in settings:
        values = {name: fmpq(value.numerator, value.denominator) for name, value in setting.items()}
        for point in points:
            enclosure = oracle.enclose(point, [values[symbol.name] for symbol in parameters])
            if enclosure is not None:
                found.append(({x.name: fmpq(*point.as_integer_ratio()), **values}, enclosure))
    return found


def disagreement(kernel: Kernel, sure: Iterable[Place], tolerance: arb = NONE) -> str | None:
    """Where a kernel certainly gives something else than its formula, or None.

    Args:
        kernel: what to evaluate; where it has no finite value, nothing is said.
        sure: the places, and what the formula is worth there.
        tolerance: the least relative difference that counts; a kernel that approximates is granted its own.
    """
    if approximates(kernel):
        tolerance = tolerance.max(APPROXIMATE)
    for values, expected in sure:
        found = evaluate(kernel, values)
        if found.is_finite() and _differs(found, expected, tolerance):
            return f"{found} != {expected} at {values}"
    return None


def _differs(found: arb, expected: arb, tolerance: arb) -> bool:
    """Whether two balls prove that what they hold differs: exactly, or by more than a tolerance within the floats."""
    with precision(_PRECISIONS[-1]):
        if tolerance.is_zero():
            # Far below the floats the oracle may say 0.
            return not found.overlaps(expected) and abs(found - expected) > _NOTHING
        if abs(expected) > _HUGE:
            return not abs(found) > _HUGE
        return bool(abs(found - expected) > tolerance * abs(expected) + _NEGLIGIBLE)


def approximates(kernel: Kernel) -> bool:
    """Whether a kernel holds a number that is no exact one: a coefficient of a series or a rational approximation."""
    return any(isinstance(node, Constant) and _exact(node) is None for node in kernel.nodes)


def _run(kernel: Kernel, values: Mapping[str, arb]) -> arb:
    memory: dict[Node, Any] = {}
    for node in kernel.nodes:
        if isinstance(node, Variable):
            memory[node] = values[node.name]
        elif isinstance(node, Constant):
            memory[node] = _number(node)
        elif isinstance(node, Call):
            memory[node] = MEANINGS[node.operation](*(memory[operand] for operand in node.arguments))
    result: arb = memory[kernel.result]
    return result


def _number(node: Constant) -> arb:
    exact = _exact(node)
    if exact is not None:
        return exact
    ball = arb(node.value)
    return arb(ball.mid(), abs(ball) * arb(2) ** -53) if ball.is_finite() else ball


def _exact(node: Constant) -> arb | None:
    """What a constant stands for, at the working precision; None where only its nearest float64 is known."""
    if node.meaning:
        reading = read_expression(node.meaning, {})
        return None if reading.expression is None else BallFunction(bind(reading.expression, ()), ())()
    digits = repr(node.value).lower().partition("e")[0].replace(".", "").strip("-0")
    if (digits and not digits.isdigit()) or len(digits) > _EXACT_DIGITS:
        return None
    exact = Fraction(repr(node.value))
    return arb(fmpq(exact.numerator, exact.denominator))


def _comparison(holds: Callable[[arb, arb], bool], fails: Callable[[arb, arb], bool]) -> Callable[[arb, arb], Truth]:
    return lambda a, b: True if holds(a, b) else False if fails(a, b) else None


def _both(p: Truth, q: Truth) -> Truth:
    return False if False in (p, q) else None if None in (p, q) else True


def _either(p: Truth, q: Truth) -> Truth:
    return True if True in (p, q) else None if None in (p, q) else False


def _select(p: Truth, a: arb, b: arb) -> arb:
    return a.union(b) if p is None else a if p else b


def _copysign(a: arb, b: arb) -> arb:
    """The sign of a zero is not known to balls: then either."""
    size = abs(a)
    return size if b > 0 else -size if b < 0 else size.union(-size)


def _power(a: arb, b: arb) -> arb:
    return arb(0) if a.is_zero() and b > 0 else a**b


def _sigmoid(a: arb) -> arb:
    return 1 / (1 + (-a).exp()) if a > 0 else a.exp() / (1 + a.exp())


MEANINGS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda a: -a,
    "absolute": abs,
    "sign": arb.sgn,
    "copysign": _copysign,
    "square": lambda a: a * a,
    "maximum": arb.max,
    "minimum": arb.min,
    "clamp": lambda a, b, c: a.max(b).min(c),
    "floor": arb.floor,
    "head": lambda a: a,
    "binade": lambda a: arb(2) ** (math.frexp(float(a.mid()))[1] - 1),
    "sqrt": arb.sqrt,
    "exp": arb.exp,
    "expm1": arb.expm1,
    "log": arb.log,
    "log1p": arb.log1p,
    "power": _power,
    "sigmoid": _sigmoid,
    "tanh": arb.tanh,
    "sinh": arb.sinh,
    "cosh": arb.cosh,
    "asinh": arb.asinh,
    "atan": arb.atan,
    "sin": arb.sin,
    "cos": arb.cos,
    "tan": arb.tan,
    "erf": arb.erf,
    "erfc": arb.erfc,
    "less": _comparison(lambda a, b: a < b, lambda a, b: a >= b),
    "less_equal": _comparison(lambda a, b: a <= b, lambda a, b: a > b),
    "greater": _comparison(lambda a, b: a > b, lambda a, b: a <= b),
    "greater_equal": _comparison(lambda a, b: a >= b, lambda a, b: a < b),
    "equal": _comparison(lambda a, b: a == b, lambda a, b: a != b),
    "not_equal": _comparison(lambda a, b: a != b, lambda a, b: a == b),
    "both": _both,
    "either": _either,
    "select": _select,
}
"""What each operation is, over balls; comparisons give True, False or None, where they cannot be decided."""

assert MEANINGS.keys() == OPERATIONS.keys()
