"""Compensated arithmetic: a kernel that carries along what its operations round off.

Every value is an unevaluated sum of two floats: what the kernel computed before, and a correction to first order.
A sum, a product, a quotient and a root give up exactly what they lost (Knuth's and Dekker's error-free
transformations), and a function f passes a correction d of its argument on as f'(v) d. What remains are the errors of
the functions themselves and terms of second order. So exp(-x^2/2) no longer makes a hundred ULP of half a one of
x^2/2 = 100, cos(5 x) sees all of 5 x, and a sum that cancels all but a few digits has them right.

It takes five to ten operations where there was one, and pays where a form misses the contract by rounding alone. At
the ends of the range, where a step overflows, the correction is left out.

Source: T. J. Dekker, A floating-point technique for extending the available precision, 1971; S. M. Rump, Error bounds
for computer arithmetics, 2019, for quotients and roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from actgen.numerics.kernel import Call, Constant, Kernel, Node
from actgen.numerics.lowering import HALF, ONE, ZERO, call

_TWO_OVER_ROOT_PI = Constant(2.0 / math.sqrt(math.pi), "2/sqrt(pi)")
_SMALL = 0.5
_FAINT = 2.0**-60


@dataclass(frozen=True)
class _Sum:
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
    def gathered(self) -> _Sum:
        """The same without ``part``."""
        return _Sum(self.node, _plus(self.rest, _times(self.part, self.node)))


def compensated(kernel: Kernel) -> Kernel:
    """The kernel with its rounding errors corrected to first order, and with the form's name saying so."""
    known: dict[Node, _Sum] = {}
    for node in kernel.nodes:
        known[node] = _applied(node, known) if isinstance(node, Call) else _leaf(node)
    form = f"{kernel.form}, compensated"
    names = {known[node].node: name for node, name in kernel.names.items() if node in known}
    return Kernel(_whole(known[kernel.result]), names, form, kernel.note)


def _whole(value: _Sum) -> Node:
    """One float, without corrections that are not numbers."""
    result = value.node
    if value.rest is not None:
        result = call("add", result, _finite(value.rest))
    if value.part is not None:
        result = call("multiply", result, call("add", _finite(value.part), ONE))
    return result


def _finite(correction: Node) -> Node:
    is_finite = call("less", call("absolute", correction), Constant(math.inf))
    return call("select", is_finite, correction, ZERO)


def _leaf(node: Node) -> _Sum:
    """A variable as it is; a constant as two, of which the first is the same in float32 and in float64."""
    if not isinstance(node, Constant) or not math.isfinite(node.value):
        return _Sum(node)
    single = float(np.float32(node.value))
    if single == node.value or not math.isfinite(single) or single == 0:
        return _Sum(node)
    meaning = f"the first digits of {node.meaning or repr(node.value)}"
    return _Sum(Constant(single, meaning), Constant(node.value - single, f"the other digits of {node.meaning}"))


def _applied(node: Call, known: Mapping[Node, _Sum]) -> _Sum:
    operands = [known[operand] for operand in node.arguments]
    if node.operation in _OF_PARTS:
        return _OF_PARTS[node.operation](*operands)
    operands = [operand.gathered for operand in operands]
    if node.operation in _RULES:
        return _RULES[node.operation](*operands)
    plain = Call(node.operation, tuple(operand.node for operand in operands))
    if node.operation not in _SLOPES or operands[0].rest is None:
        return _Sum(plain)
    slope = _SLOPES[node.operation](operands[0].node, plain)
    return _Sum(plain, call("multiply", slope, operands[0].rest))


def _plus(*terms: Node | None) -> Node | None:
    """The sum of those corrections that there are."""
    total: Node | None = None
    for term in terms:
        if term is not None:
            total = term if total is None else call("add", total, term)
    return total


def _times(correction: Node | None, factor: Node) -> Node | None:
    return None if correction is None else call("multiply", correction, factor)


def _minus(correction: Node | None) -> Node | None:
    return None if correction is None else call("negate", correction)


def _renewed(node: Node, rest: Node | None) -> _Sum:
    """The same value with the larger part first again, after a sum that may have cancelled."""
    if rest is None:
        return _Sum(node)
    total = call("add", node, rest)
    return _Sum(total, call("subtract", rest, call("subtract", total, node)))


def _add(a: _Sum, b: _Sum) -> _Sum:
    if isinstance(a.node, Constant):
        a, b = b, a  # XLA takes (1 + t) - 1 for t, but not (t + 1) - t for 1
    total = call("add", a.node, b.node)
    of_b = call("subtract", total, a.node)
    of_a = call("subtract", total, of_b)
    lost = call("add", call("subtract", a.node, of_a), call("subtract", b.node, of_b))
    return _renewed(total, _plus(lost, a.rest, b.rest))


def _negated(a: _Sum) -> _Sum:
    if isinstance(a.node, Constant):
        rest = Constant(-a.rest.value, a.rest.meaning) if isinstance(a.rest, Constant) else None
        return _Sum(Constant(-a.node.value, a.node.meaning and f"-{a.node.meaning}"), rest)
    return _Sum(call("negate", a.node), _minus(a.rest), a.part)


def _subtract(a: _Sum, b: _Sum) -> _Sum:
    return _add(a, _negated(b))


def _lost_in_product(a: Node, b: Node, product: Node) -> Node | None:
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


def _multiply(a: _Sum, b: _Sum) -> _Sum:
    if a.part is not None or b.part is not None:
        # What is beside an exponential is corrected before that makes it small.
        a, b = (replace(_renewed(value.node, value.rest), part=value.part) for value in (a, b))
    product = call("multiply", a.node, b.node)
    lost = _lost_in_product(a.node, b.node, product)
    return _Sum(product, _plus(lost, _times(a.rest, b.node), _times(b.rest, a.node)), _plus(a.part, b.part))


def _square(a: _Sum) -> _Sum:
    product = call("square", a.node)
    lost = _lost_in_product(a.node, a.node, product)
    return _Sum(product, _plus(lost, _doubled(_times(a.rest, a.node))), _doubled(a.part))


def _doubled(correction: Node | None) -> Node | None:
    return _times(correction, Constant(2.0))


def _divide(a: _Sum, b: _Sum) -> _Sum:
    quotient = call("divide", a.node, b.node)
    product = call("multiply", quotient, b.node)
    lost = _lost_in_product(quotient, b.node, product)
    left = _plus(call("subtract", a.node, product), _minus(lost), a.rest, _minus(_times(b.rest, quotient)))
    assert left is not None
    return _Sum(quotient, call("divide", left, b.node), _plus(a.part, _minus(b.part)))


def _sqrt(a: _Sum) -> _Sum:
    root = call("sqrt", a.node)
    square = call("square", root)
    left = _plus(call("subtract", a.node, square), _minus(_lost_in_product(root, root, square)), a.rest)
    assert left is not None
    rest = call("divide", call("multiply", HALF, left), root)
    return _Sum(root, call("select", call("greater", root, ZERO), rest, ZERO))


def _absolute(a: _Sum) -> _Sum:
    rest = None if a.rest is None else call("multiply", a.rest, call("sign", a.node))
    return _Sum(call("absolute", a.node), rest, a.part)


def _select(condition: _Sum, a: _Sum, b: _Sum) -> _Sum:
    def of(first: Node | None, second: Node | None) -> Node | None:
        return None if first is None is second else call("select", condition.node, first or ZERO, second or ZERO)

    return _Sum(call("select", condition.node, a.node, b.node), of(a.rest, b.rest), of(a.part, b.part))


def _extreme(operation: str) -> Callable[[_Sum, _Sum], _Sum]:
    def apply(a: _Sum, b: _Sum) -> _Sum:
        found = call(operation, a.node, b.node)
        is_first = call("equal", found, a.node)
        return _Sum(found, _select(_Sum(is_first), a, b).rest)

    return apply


def _clamp(a: _Sum, low: _Sum, high: _Sum) -> _Sum:
    held = call("clamp", a.node, low.node, high.node)
    rest = None if a.rest is None else call("select", call("equal", held, a.node), a.rest, ZERO)
    return _Sum(held, rest)


def _exp(a: _Sum) -> _Sum:
    """Near 0 as 1 + expm1, whose error is a fraction of an ULP of the whole."""
    plain = call("exp", a.node)
    growth = call("expm1", a.node)
    one_more = call("add", growth, ONE)
    lost = call("subtract", growth, call("subtract", one_more, ONE))
    is_small = call("less", call("absolute", a.node), Constant(_SMALL))
    node = call("select", is_small, one_more, plain)
    return _Sum(node, call("select", is_small, lost, ZERO), a.rest)


def _turned(a: _Sum, sine: Node, cosine: Node) -> _Sum:
    """sin(a + d) = sin a + (cos a sin d - 2 sin a sin(d/2)^2); d may be a radian where a is large."""
    if a.rest is None:
        return _Sum(sine)
    bend = call("multiply", Constant(2.0), call("square", call("sin", call("multiply", HALF, a.rest))))
    turn = call("subtract", call("multiply", cosine, call("sin", a.rest)), call("multiply", sine, bend))
    return _Sum(sine, turn)


def _sin(a: _Sum) -> _Sum:
    return _turned(a, call("sin", a.node), call("cos", a.node))


def _cos(a: _Sum) -> _Sum:
    return _turned(a, call("cos", a.node), call("negate", call("sin", a.node)))


def _power(a: _Sum, b: _Sum) -> _Sum:
    plain = call("power", a.node, b.node)
    by_base = None if a.rest is None else call("divide", call("multiply", b.node, a.rest), a.node)
    change = _plus(by_base, _times(b.rest, call("log", a.node)))
    return _Sum(plain, _times(change, plain))


_OF_PARTS: dict[str, Callable[..., _Sum]] = {
    "multiply": _multiply,
    "divide": _divide,
    "negate": _negated,
    "absolute": _absolute,
    "square": _square,
    "select": _select,
}
"""What passes on a correction that is a part of the whole."""

_RULES: dict[str, Callable[..., _Sum]] = {
    "add": _add,
    "subtract": _subtract,
    "maximum": _extreme("maximum"),
    "minimum": _extreme("minimum"),
    "clamp": _clamp,
    "sqrt": _sqrt,
    "exp": _exp,
    "power": _power,
    "sin": _sin,
    "cos": _cos,
}
"""How an operation passes corrections on, and which it adds."""

_SLOPES: Mapping[str, Callable[[Node, Node], Node]] = {
    "expm1": lambda a, f: call("add", f, ONE),
    "log": lambda a, f: call("divide", ONE, a),
    "log1p": lambda a, f: call("divide", ONE, call("add", a, ONE)),
    "sigmoid": lambda a, f: call("multiply", f, call("subtract", ONE, f)),
    "tanh": lambda a, f: call("subtract", ONE, call("square", f)),
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
