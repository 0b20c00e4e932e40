"""Twofold numbers: a value as a float and what it lacks, and arithmetic on such values.

A sum, a product, a quotient and a root give up exactly what they round off (Knuth's and Dekker's error-free
transformations), so that a result has about twice the digits of a float.

Source: T. J. Dekker, A floating-point technique for extending the available precision, 1971; S. M. Rump, Error bounds
for computer arithmetics, 2019, for quotients and roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import HALF, ZERO, call

_FAINT = 2.0**-60


@dataclass(frozen=True)
class Twofold:
    """A value as (node + rest) (1 + part).

    Attributes:
        node: what the kernel computes.
        rest: the correction; None where there is none.
        part: a correction of exponentials, as a part of the whole. Where exp(a) is 1e-35, 1e-6 of it is flushed, but
            what it is multiplied by can be corrected instead.
    """

    node: Node
    rest: Node | None = None
    part: Node | None = None

    @property
    def gathered(self) -> Twofold:
        """The same without ``part``."""
        return Twofold(self.node, plus(self.rest, times(self.part, self.node)))


def finite(correction: Node) -> Node:
    """A correction, or 0 where it is not a number: where a step overflowed, what it lost is inf - inf."""
    if isinstance(correction, Constant):
        return correction
    is_finite = call("less", call("absolute", correction), Constant(math.inf))
    return call("select", is_finite, correction, ZERO)


def plus(*terms: Node | None) -> Node | None:
    """The sum of those corrections that there are."""
    total: Node | None = None
    for term in terms:
        if term is not None:
            total = term if total is None else call("add", total, term)
    return total


def times(correction: Node | None, factor: Node) -> Node | None:
    """A correction times a factor, if there is one."""
    return None if correction is None else call("multiply", correction, factor)


def minus(correction: Node | None) -> Node | None:
    """The negative of a correction, if there is one."""
    return None if correction is None else call("negate", correction)


def renewed(node: Node, rest: Node | None) -> Twofold:
    """The same value with the larger part first again, after a sum that may have cancelled."""
    if rest is None:
        return Twofold(node)
    rest = finite(rest)
    total = call("add", node, rest)
    return Twofold(total, call("subtract", rest, call("subtract", total, node)))


def add(a: Twofold, b: Twofold) -> Twofold:
    """The sum of two values without parts."""
    if isinstance(a.node, Constant):
        a, b = b, a  # XLA takes (1 + t) - 1 for t, but not (t + 1) - t for 1
    total = call("add", a.node, b.node)
    of_b = call("subtract", total, a.node)
    of_a = call("subtract", total, of_b)
    lost = call("add", call("subtract", a.node, of_a), call("subtract", b.node, of_b))
    return renewed(total, plus(lost, a.rest, b.rest))


def negated(a: Twofold) -> Twofold:
    """The negative; of a constant, a constant."""
    if isinstance(a.node, Constant):
        return Twofold(a.node.opposite, a.rest.opposite if isinstance(a.rest, Constant) else None)
    return Twofold(call("negate", a.node), minus(a.rest), a.part)


def subtract(a: Twofold, b: Twofold) -> Twofold:
    """The difference of two values without parts."""
    return add(a, negated(b))


def lost_in_product(a: Node, b: Node, product: Node) -> Node | None:
    """What a product of two nodes rounds off; None where it rounds nothing."""
    if _is_power_of_two(a) or _is_power_of_two(b):
        return None
    heads = {node: call("head", node) for node in (a, b) if not _is_short(node)}
    pairs = []
    for node in (a, b):
        head = heads.get(node, node)
        pairs.append((head, call("subtract", node, head) if node in heads else None))
    (a_head, a_tail), (b_head, b_tail) = pairs
    lost: Node = call("subtract", call("multiply", a_head, b_head), product)
    for first, second in ((a_head, b_tail), (a_tail, b_head), (a_tail, b_tail)):
        if first is not None and second is not None:
            lost = call("add", lost, call("multiply", first, second))
    # Where the product is so small that its last digits are flushed, so are these.
    is_lost = call("equal", call("multiply", product, Constant(_FAINT)), ZERO)
    return call("select", is_lost, ZERO, lost)


def _is_power_of_two(node: Node) -> bool:
    return isinstance(node, Constant) and math.isfinite(node.value) and abs(math.frexp(node.value)[0]) in (0.0, 0.5)


def _is_short(node: Node) -> bool:
    """Whether a number has so few digits that its product with a head is exact."""
    return isinstance(node, Constant) and (math.frexp(node.value)[0] * 2**12).is_integer()


def multiply(a: Twofold, b: Twofold) -> Twofold:
    """The product; what is a part of a factor is one of the product."""
    if a.part is not None or b.part is not None:
        # What is beside an exponential is corrected before that makes it small.
        a, b = (_renewed_beside_part(value) for value in (a, b))
    product = call("multiply", a.node, b.node)
    lost = lost_in_product(a.node, b.node, product)
    rest = plus(lost, times(a.rest, b.node), times(b.rest, a.node))
    return replace(_with_whole_constants("multiply", product, rest, a, b), part=plus(a.part, b.part))


def _renewed_beside_part(value: Twofold) -> Twofold:
    # A constant is in its parts already, and a sum of two numbers would be computed in Python's type, not the kernel's.
    if isinstance(value.node, Constant):
        return value
    return replace(renewed(value.node, value.rest), part=value.part)


def square(a: Twofold) -> Twofold:
    """The product of a value with itself."""
    product = call("square", a.node)
    lost = lost_in_product(a.node, a.node, product)
    return Twofold(product, plus(lost, doubled(times(a.rest, a.node))), doubled(a.part))


def doubled(correction: Node | None) -> Node | None:
    """Twice a correction, if there is one."""
    return times(correction, Constant(2.0))


def divide(a: Twofold, b: Twofold) -> Twofold:
    """The quotient; what is a part of an operand is one of the quotient."""
    quotient = call("divide", a.node, b.node)
    product = call("multiply", quotient, b.node)
    lost = lost_in_product(quotient, b.node, product)
    left = plus(call("subtract", a.node, product), minus(lost), a.rest, minus(times(b.rest, quotient)))
    assert left is not None
    rest = call("divide", left, b.node)
    return replace(_with_whole_constants("divide", quotient, rest, a, b), part=plus(a.part, minus(b.part)))


def _with_whole_constants(operation: str, node: Node, rest: Node | None, a: Twofold, b: Twofold) -> Twofold:
    """A result in which a constant counts as the nearest float, and not as the first of its two parts.

    In float64 that is 3e-8 less than the constant: no small part, and what it lacks is flushed next to underflow.
    """
    operands = [_whole(operand) for operand in (a, b)]
    if operands == [a.node, b.node]:
        return Twofold(node, rest)
    whole = call(operation, *operands)
    return Twofold(whole, plus(call("subtract", node, whole), rest))


def _whole(value: Twofold) -> Node:
    if isinstance(value.node, Constant) and isinstance(value.rest, Constant):
        return Constant(value.node.value + value.rest.value, value.node.meaning.removeprefix(_FIRST))
    return value.node


_FIRST = "the first digits of "


def sqrt(a: Twofold) -> Twofold:
    """The square root of a value without a part; 0 has no correction."""
    root = call("sqrt", a.node)
    square = call("square", root)
    left = plus(call("subtract", a.node, square), minus(lost_in_product(root, root, square)), a.rest)
    assert left is not None
    rest = call("divide", call("multiply", HALF, left), root)
    return Twofold(root, call("select", call("greater", root, ZERO), rest, ZERO))


def absolute(a: Twofold) -> Twofold:
    """The size."""
    rest = None if a.rest is None else call("multiply", a.rest, call("sign", a.node))
    return Twofold(call("absolute", a.node), rest, a.part)


def select(condition: Twofold, a: Twofold, b: Twofold) -> Twofold:
    """One of two values."""

    def of(first: Node | None, second: Node | None) -> Node | None:
        return None if first is None is second else call("select", condition.node, first or ZERO, second or ZERO)

    return Twofold(call("select", condition.node, a.node, b.node), of(a.rest, b.rest), of(a.part, b.part))


def compared(operation: str) -> Callable[[Twofold, Twofold], Twofold]:
    """A comparison of two values without parts, by its name; of equal floats the rests decide."""

    def apply(a: Twofold, b: Twofold) -> Twofold:
        plain = call(operation, a.node, b.node)
        if a.rest is None is b.rest:
            return Twofold(plain)
        of_rests = call(operation, finite(a.rest or ZERO), finite(b.rest or ZERO))
        is_tied = call("both", call("equal", a.node, b.node), of_rests)
        return Twofold(call("either", is_tied, call("both", call("not_equal", a.node, b.node), plain)))

    return apply


def extreme(operation: str) -> Callable[[Twofold, Twofold], Twofold]:
    """The maximum or minimum of two values without parts, by its name; of equal floats the rests decide."""
    wins = compared("greater_equal" if operation == "maximum" else "less_equal")

    def apply(a: Twofold, b: Twofold) -> Twofold:
        return Twofold(call(operation, a.node, b.node), select(wins(a, b), a, b).rest)

    return apply


def clamp(a: Twofold, low: Twofold, high: Twofold) -> Twofold:
    """One value held between two constants, with the correction of whichever it is."""
    held = call("clamp", a.node, low.node, high.node)
    bound = select(Twofold(call("equal", held, low.node)), low, high)
    return Twofold(held, select(Twofold(call("equal", held, a.node)), a, Twofold(held, bound.rest)).rest)


def leaf(node: Node) -> Twofold:
    """A variable as it is; a constant as two, of which the first is the same in float32 and in float64."""
    if not isinstance(node, Constant) or not math.isfinite(node.value):
        return Twofold(node)
    single = float(np.float32(node.value))
    rest = node.value - single + node.lacking
    if rest == 0 or not math.isfinite(single) or single == 0:
        return Twofold(node)
    meaning = node.meaning or repr(node.value)
    return Twofold(Constant(single, f"{_FIRST}{meaning}"), Constant(rest, f"the other digits of {meaning}"))
