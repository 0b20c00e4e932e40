"""A kernel of an odd or even formula is made to give, to the last bit, at -x what it gives at x.

Forms are chosen by their accuracy, on either side of 0 by itself: 4 units on the left and 3 on the right are both well,
yet f(-x) = -f(x) is what people rely on. A kernel that is lopsided, by itself or since a function of the machine is, is
computed in |x|, by what it does there, and has its sign restored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np
import sympy as sp

from actgen.numerics.emulation import IDEAL, Arithmetic, run
from actgen.numerics.guards import replaced
from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import call
from actgen.numerics.remembered import Question
from actgen.numerics.samples import stratified
from actgen.symbolic.grid import at
from actgen.symbolic.properties import Parity, parity

_OFF = 4.0, 4.0
"""ULP in float32 and float64: enough to be seen."""

_FALSE, _TRUE = {"less", "less_equal", "equal"}, {"greater", "greater_equal", "not_equal"}


def symmetric(kernel: Kernel, question: Question, machine: Arithmetic = IDEAL) -> Kernel:
    """Return the kernel, or what it gives for |x| with the sign that the formula has at x.

    Args:
        kernel: that was chosen.
        question: the formula; one that is odd or even at all sampled values of its parameters is held to it.
        machine: what the kernel will run on.
    """
    return Mirror(question).hold(kernel, machine)


class Mirror:
    """Holds the kernels of one formula to its symmetry; those of several machines are mostly alike."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._known: dict[tuple[Node, frozenset[str]], bool] = {}

    @cached_property
    def _parity(self) -> Parity | None:
        return _parity(self._question)

    def hold(self, kernel: Kernel, machine: Arithmetic = IDEAL) -> Kernel:
        """The kernel, or what it gives for |x| with the sign that the formula has at x, as :func:`symmetric` says."""
        name = self._question.x.name
        if (name not in {v.name for v in kernel.variables}) or not (found := self._parity):
            return kernel
        key = kernel.result, machine.lopsided & {node.operation for node in kernel.calls()}
        if key not in self._known:
            self._known[key] = _is_symmetric(kernel, found, self._question, key[1])
        if self._known[key]:
            return kernel
        x = Variable(name)
        size = call("absolute", x)
        result = _folded(replaced(kernel.result, {x: size}), size)
        names = {_folded(replaced(node, {x: size}), size): name for node, name in kernel.names.items()}
        if found == "odd":
            result = call("multiply", call("sign", x), result)
        return Kernel(result, names, f"{kernel.form}, in |x|", kernel.note)


def _parity(question: Question) -> Parity | None:
    """What the formula is at every sampled value of its parameters; None if that differs."""
    variables = (question.x, *question.parameters)
    found = set()
    for values in question.settings:
        parameters = [sp.Rational(*values[p.name].as_integer_ratio()) for p in question.parameters]
        found.add(parity(at(question.expression, variables, parameters), question.kinks))
    return found.pop() if len(found) == 1 else None


def _is_symmetric(kernel: Kernel, found: Parity, question: Question, lopsided: Iterable[str]) -> bool:
    # What the emulation adds to a function that is off differs for operands of either sign.
    one_sided = replace(IDEAL, errors=dict.fromkeys(lopsided, _OFF))
    for dtype in ("float32", "float64"):
        x = stratified(dtype, dense=200, around=question.kinks)
        scalar = np.dtype(dtype).type
        for values in question.settings:
            parameters = {name: float(scalar(float(value))) for name, value in values.items()}
            y, mirrored = (run(kernel, {question.x.name: side, **parameters}, dtype, one_sided) for side in (x, -x))
            if not np.array_equal(mirrored, -y if found == "odd" else y, equal_nan=True):
                return False
    return True


def _folded(node: Node, size: Node) -> Node:
    """A graph without the branches for negative numbers, of which there are none."""
    memory: dict[Node, Node] = {}
    for current in Kernel(node).nodes:
        memory[current] = current
        if isinstance(current, Call):
            operands = tuple(memory[operand] for operand in current.arguments)
            memory[current] = _without_dead_branch(Call(current.operation, operands), current.arguments[0], size)
    return memory[node]


def _without_dead_branch(node: Call, condition: Node, size: Node) -> Node:
    if node.operation != "select" or not isinstance(condition, Call) or len(condition.arguments) != 2:
        return node
    first, bound = condition.arguments
    if first != size or not isinstance(bound, Constant) or not bound.value < 0:
        return node
    if condition.operation in _FALSE:
        return node.arguments[2]
    return node.arguments[1] if condition.operation in _TRUE else node
