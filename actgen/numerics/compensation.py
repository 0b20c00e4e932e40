"""Compensated arithmetic: a kernel that carries along what its operations round off.

Every value is an unevaluated sum of two floats: what the kernel computed before, and a correction to first order.
A sum, a product, a quotient and a root give up exactly what they lost (see :mod:`twofold`), and a function f passes a
correction d of its argument on as f'(v) d. What remains are terms of second order and the errors of the functions
themselves, which :mod:`precise` can correct too. So exp(-x^2/2) no longer makes a hundred ULP of half a one of
x^2/2 = 100, cos(5 x) sees all of 5 x, and a sum that cancels all but a few digits has them right.

It takes five to ten operations where there was one, and pays where a form misses the contract by rounding alone. At
the ends of the range, where a step overflows, the correction is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from actgen.numerics import precise, twofold
from actgen.numerics.kernel import Call, Constant, Kernel, Node
from actgen.numerics.lowering import HALF, ONE, ZERO, call
from actgen.numerics.twofold import Twofold, finite, leaf, plus, times

_TWO_OVER_ROOT_PI = Constant(2.0 / math.sqrt(math.pi), "2/sqrt(pi)")
_SMALL = 0.5
_FAINT = 2.0**-60


def compensated(
    kernel: Kernel, precisely: bool = False, *, plain: Collection[Node] = (), rough: Collection[Node] = ()
) -> Kernel:
    """The kernel with its rounding errors corrected to first order, and with the form's name saying so.

    Args:
        kernel: what to correct.
        precisely: whether to correct the functions in it too, at some fifty operations for each.
        plain: nodes to compute as the kernel does, from operands that are rounded to one float.
        rough: functions whose own errors stay even so.
    """
    known: dict[Node, Twofold] = {}
    for node in kernel.nodes:
        if not isinstance(node, Call):
            known[node] = leaf(node)
        elif node in plain:
            operands = (_whole(known[operand]) if isinstance(operand, Call) else operand for operand in node.arguments)
            known[node] = Twofold(call(node.operation, *operands))
        else:
            known[node] = _applied(node, known, precisely and node not in rough)
    form = f"{kernel.form}, compensated{' precisely' * precisely}{' in part' * bool(plain or rough)}"
    names = {known[node].node: name for node, name in kernel.names.items() if node in known}
    return Kernel(_whole(known[kernel.result]), names, form, kernel.note)


def _whole(value: Twofold) -> Node:
    """One float, without corrections that are not numbers."""
    result = value.node
    if value.rest is not None:
        result = call("add", result, finite(value.rest))
    if value.part is not None:
        # What is added to a number next to underflow would be flushed.
        is_faint = call("less", call("absolute", result), Constant(_FAINT))
        scaled = call("multiply", result, call("add", finite(value.part), ONE))
        added = call("add", result, finite(call("multiply", result, value.part)))
        result = call("select", is_faint, scaled, added)
    return result


def _applied(node: Call, known: Mapping[Node, Twofold], precisely: bool) -> Twofold:
    operands = [known[operand] for operand in node.arguments]
    if node.operation in _OF_PARTS:
        return _OF_PARTS[node.operation](*operands)
    operands = [operand.gathered for operand in operands]
    if precisely and node.operation in _PRECISE_RULES:
        return _PRECISE_RULES[node.operation](*operands)
    found = _passed_on(node.operation, operands)
    if not precisely:
        return found
    if node.operation in _REPLACED:
        anew = _REPLACED[node.operation](operands[0].node)
        return replace(anew, rest=plus(anew.rest, found.rest))
    more = precise.corrected(node.operation, operands[0].node, found.node)
    return replace(more, rest=plus(more.rest, found.rest))


def _passed_on(operation: str, operands: Sequence[Twofold]) -> Twofold:
    """The result with the corrections of its operands."""
    if operation in _RULES:
        return _RULES[operation](*operands)
    plain = Call(operation, tuple(operand.node for operand in operands))
    if operation not in _SLOPES or operands[0].rest is None:
        return Twofold(plain)
    slope = _SLOPES[operation](operands[0].node, plain)
    return Twofold(plain, call("multiply", slope, operands[0].rest))


def _exp(a: Twofold) -> Twofold:
    """Near 0 as 1 + expm1, whose error is a fraction of an ULP of the whole."""
    plain = call("exp", a.node)
    growth = call("expm1", a.node)
    one_more = call("add", growth, ONE)
    lost = call("subtract", growth, call("subtract", one_more, ONE))
    is_small = call("less", call("absolute", a.node), Constant(_SMALL))
    node = call("select", is_small, one_more, plain)
    return Twofold(node, call("select", is_small, lost, ZERO), a.rest)


def _turned(a: Twofold, sine: Node, cosine: Node) -> Twofold:
    """sin(a + d) = sin a + (cos a sin d - 2 sin a sin(d/2)^2); d may be a radian where a is large."""
    if a.rest is None:
        return Twofold(sine)
    bend = call("multiply", Constant(2.0), call("square", call("sin", call("multiply", HALF, a.rest))))
    turn = call("subtract", call("multiply", cosine, call("sin", a.rest)), call("multiply", sine, bend))
    return Twofold(sine, turn)


def _sin(a: Twofold) -> Twofold:
    return _turned(a, call("sin", a.node), call("cos", a.node))


def _cos(a: Twofold) -> Twofold:
    return _turned(a, call("cos", a.node), call("negate", call("sin", a.node)))


def _power(a: Twofold, b: Twofold) -> Twofold:
    plain = call("power", a.node, b.node)
    by_base = None if a.rest is None else call("divide", call("multiply", b.node, a.rest), a.node)
    change = plus(by_base, times(b.rest, call("log", a.node)))
    return Twofold(plain, times(change, plain))


def _squared_sech(a: Node) -> Node:
    t = call("exp", call("multiply", Constant(-2.0), call("absolute", a)))
    return call("divide", call("multiply", Constant(4.0), t), call("square", call("add", ONE, t)))


_OF_PARTS: dict[str, Callable[..., Twofold]] = {
    "multiply": twofold.multiply,
    "divide": twofold.divide,
    "negate": twofold.negated,
    "absolute": twofold.absolute,
    "square": twofold.square,
    "select": twofold.select,
}
"""What passes on a correction that is a part of the whole."""

_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")

_RULES: dict[str, Callable[..., Twofold]] = {
    "add": twofold.add,
    "subtract": twofold.subtract,
    "maximum": twofold.extreme("maximum"),
    "minimum": twofold.extreme("minimum"),
    "clamp": twofold.clamp,
    **{name: twofold.compared(name) for name in _COMPARISONS},
    "sqrt": twofold.sqrt,
    "exp": _exp,
    "power": _power,
    "sin": _sin,
    "cos": _cos,
}
"""How an operation passes corrections on, and which it adds."""

_REPLACED: Mapping[str, Callable[[Node], Twofold]] = {"erf": precise.erf, "erfc": precise.erfc}
"""Functions that are computed anew rather than corrected: what they are off by may be too small for a float."""

_PRECISE_RULES: Mapping[str, Callable[..., Twofold]] = {
    "exp": precise.exp,
    "sigmoid": precise.sigmoid,
    "power": precise.power,
}
"""Functions whose own errors are corrected as a part of the whole."""

_SLOPES: Mapping[str, Callable[[Node, Node], Node]] = {
    "expm1": lambda a, f: call("exp", a),  # f + 1 cancels far to the left
    "log": lambda a, f: call("divide", ONE, a),
    "log1p": lambda a, f: call("divide", ONE, call("add", a, ONE)),
    "sigmoid": lambda a, f: call("multiply", f, call("subtract", ONE, f)),
    "tanh": lambda a, f: _squared_sech(a),  # 1 - f^2 cancels
    "sinh": lambda a, f: call("cosh", a),
    "cosh": lambda a, f: call("sinh", a),
    "asinh": lambda a, f: call("divide", ONE, call("sqrt", call("add", call("square", a), ONE))),
    "atan": lambda a, f: call("divide", ONE, call("add", call("square", a), ONE)),
    "tan": lambda a, f: call("add", call("square", f), ONE),
    "erf": lambda a, f: call("multiply", _TWO_OVER_ROOT_PI, call("exp", call("negate", call("square", a)))),
    "erfc": lambda a, f: call(
        "multiply", Constant(-_TWO_OVER_ROOT_PI.value), call("exp", call("negate", call("square", a)))
    ),
}
"""The derivative of an operation with one operand, from the operand and the result."""
