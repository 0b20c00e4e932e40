"""Products that a compiler may not contract.

Where LLVM compiles what XLA has fused, a * b + c is one operation, rounded once: mostly a gain. Compensated arithmetic
takes the rounding error of a product from the rounded product; where some of the sums that read it get the exact one,
the error counts twice. So a product that is read more than once, once by a sum, is put together again from its first
half of the digits and the rest: the same number, and no product any more.
"""

from __future__ import annotations

import math

from actgen.numerics.guards import replaced
from actgen.numerics.kernel import Call, Constant, Kernel, Node
from actgen.numerics.lowering import ZERO, call

_NEAR_UNDERFLOW = 2.0**-60
"""Times this, what is too small to be split is 0."""

_SUMS = frozenset({"add", "subtract"})


def uncontracted(kernel: Kernel) -> Kernel:
    """The kernel, its products held where it is compensated; the same numbers on every machine."""
    if not any(node.operation == "head" for node in kernel.calls()):
        return kernel
    summed = set()
    for node in kernel.calls():
        if node.operation in _SUMS:
            summed |= {_without_sign(operand) for operand in node.operands}
    products = [node for node in kernel.nodes if node in summed and kernel.users[node] > 1 and _is_rounded(node)]
    memory: dict[Node, Node] = {}
    for product in products:  # operands first
        plain = replaced(product, memory)
        memory[product] = _held(plain)
    result = replaced(kernel.result, memory)
    names = {replaced(node, memory): name for node, name in kernel.names.items()}
    return Kernel(result, names, kernel.form, kernel.note)


def _held(product: Node) -> Node:
    head = call("head", product)
    # What is infinite less itself is no number, and the largest have an infinite head; what is left of a tiny number
    # would be flushed to 0.
    is_tiny = call("equal", call("multiply", product, Constant(_NEAR_UNDERFLOW)), ZERO)
    is_whole = call("either", is_tiny, call("equal", call("absolute", head), Constant(math.inf)))
    return call("select", is_whole, product, call("add", head, call("subtract", product, head)))


def _without_sign(node: Node) -> Node:
    return node.operands[0] if isinstance(node, Call) and node.operation == "negate" else node


def _is_rounded(node: Node) -> bool:
    """Whether a node is a product that may be rounded: one with a power of two is not."""
    if not isinstance(node, Call) or node.operation not in {"multiply", "square"}:
        return False
    return not any(isinstance(operand, Constant) and _is_power_of_two(operand.value) for operand in node.operands)


def _is_power_of_two(number: float) -> bool:
    return abs(math.frexp(number)[0]) == 0.5
