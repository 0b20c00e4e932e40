"""Kernels: what a formula computes, as a graph of elementwise operations in a fixed order.

A SymPy expression says what is equal to what; a kernel says what is computed, in which order. Nodes are
immutable and compare by structure, so a subexpression that occurs twice is one node with two users, and a
printer gives it a name. Three parties read kernels: the emulator (runs them in rounded arithmetic), the cost
model, and the printers of the targets (turn them into source text).

Every operation is a row of :data:`OPERATIONS`. A target covers every row, or says how it expands one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from weakref import WeakValueDictionary

Rank = Literal["transcendental", "division", "arithmetic", "comparison"]


@dataclass(frozen=True)
class Operation:
    """One elementwise operation: its name, how many operands it takes, and which class of cost it has."""

    name: str
    arity: int
    rank: Rank
    meaning: str

    @property
    def is_boolean(self) -> bool:
        """Whether the result is a truth value and not a float."""
        return self.rank == "comparison" and self.name != "select"


OPERATIONS: Mapping[str, Operation] = {
    row.name: row
    for row in (
        Operation("add", 2, "arithmetic", "a + b"),
        Operation("subtract", 2, "arithmetic", "a - b"),
        Operation("multiply", 2, "arithmetic", "a b"),
        Operation("divide", 2, "division", "a / b"),
        Operation("negate", 1, "arithmetic", "-a"),
        Operation("absolute", 1, "arithmetic", "|a|"),
        Operation("sign", 1, "arithmetic", "-1, 0 or 1, the sign of a; NaN for NaN"),
        Operation("copysign", 2, "arithmetic", "|a| with the sign bit of b"),
        Operation("square", 1, "arithmetic", "a a"),
        Operation("maximum", 2, "arithmetic", "the larger of a and b; NaN if either is NaN"),
        Operation("minimum", 2, "arithmetic", "the smaller of a and b; NaN if either is NaN"),
        Operation("clamp", 3, "arithmetic", "a held between the constants b and c; NaN if a is NaN (a, b, c)"),
        Operation("floor", 1, "arithmetic", "the largest integer not above a"),
        Operation("head", 1, "arithmetic", "a in half its digits: 12 of 24, 26 of 53, the rest cleared or rounded"),
        Operation(
            "binade", 1, "arithmetic", "the largest power of 2 not above |a|; 0 for 0, infinity for infinity and NaN"
        ),
        Operation("sqrt", 1, "division", "the square root of a"),
        Operation("exp", 1, "transcendental", "e^a"),
        Operation("expm1", 1, "transcendental", "e^a - 1, accurate near 0"),
        Operation("log", 1, "transcendental", "the natural logarithm of a"),
        Operation("log1p", 1, "transcendental", "log(1 + a), accurate near 0"),
        Operation("power", 2, "transcendental", "a^b, a >= 0"),
        Operation("sigmoid", 1, "transcendental", "1 / (1 + e^-a)"),
        Operation("tanh", 1, "transcendental", "the hyperbolic tangent of a"),
        Operation("sinh", 1, "transcendental", "the hyperbolic sine of a"),
        Operation("cosh", 1, "transcendental", "the hyperbolic cosine of a"),
        Operation("asinh", 1, "transcendental", "the inverse hyperbolic sine of a"),
        Operation("atan", 1, "transcendental", "the arc tangent of a"),
        Operation("sin", 1, "transcendental", "the sine of a"),
        Operation("cos", 1, "transcendental", "the cosine of a"),
        Operation("tan", 1, "transcendental", "the tangent of a"),
        Operation("erf", 1, "transcendental", "the error function of a"),
        Operation("erfc", 1, "transcendental", "1 - erf(a), accurate in the right tail"),
        Operation("less", 2, "comparison", "a < b"),
        Operation("less_equal", 2, "comparison", "a <= b"),
        Operation("greater", 2, "comparison", "a > b"),
        Operation("greater_equal", 2, "comparison", "a >= b"),
        Operation("equal", 2, "comparison", "a == b"),
        Operation("not_equal", 2, "comparison", "a != b"),
        Operation("both", 2, "comparison", "p and q, of truth values"),
        Operation("either", 2, "comparison", "p or q, of truth values"),
        Operation("select", 3, "comparison", "a where the truth value p holds, else b (p, a, b)"),
    )
}
"""Every operation a kernel may hold, in one table; targets and the emulator are tested to cover all of it."""


REDUCTIONS: Mapping[str, Operation] = {
    row.name: row
    for row in (
        Operation("sum", 1, "arithmetic", "the sum of a over the axis, which stays with length 1"),
        Operation("mean", 1, "arithmetic", "the sum of a over the axis, divided by its length"),
        Operation("largest", 1, "arithmetic", "the largest a on the axis; NaN if there is one, -inf where it is empty"),
        Operation(
            "smallest", 1, "arithmetic", "the smallest a on the axis; NaN if there is one, inf where it is empty"
        ),
        Operation("length", 1, "arithmetic", "the length of the axis of a, a number"),
        Operation("frozen", 1, "arithmetic", "a, taken for a constant where something is differentiated"),
    )
}
"""What kernels of axis-wise activations hold besides; their targets have a printer of their own for it."""

_ROWS: Mapping[str, Operation] = {**OPERATIONS, **REDUCTIONS}


class Node:
    """A vertex of a kernel: :class:`Variable`, :class:`Constant` or :class:`Call`."""

    __slots__ = ()

    @property
    def operands(self) -> tuple[Node, ...]:
        """The nodes this one reads; empty for leaves."""
        return ()

    @property
    def variables(self) -> frozenset[Variable]:
        """The inputs and parameters that the value depends on."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """An input tensor (``is_parameter`` false) or a parameter of the activation, by its name."""

    name: str
    is_parameter: bool = False

    @property
    def variables(self) -> frozenset[Variable]:
        return frozenset((self,))


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A number: its nearest float64, and the exact closed form it stands for where a literal alone would not tell.

    ``value`` may be infinite or NaN. ``meaning`` (such as ``"sqrt(2/pi)"``) becomes a comment in emitted code and is
    empty for numbers that explain themselves. ``lacking`` is what the nearest float64 is less than that number.
    """

    value: float
    meaning: str = ""
    lacking: float = 0.0

    @property
    def opposite(self) -> Constant:
        """The number times -1, and what that stands for."""
        return Constant(-self.value, _opposite(self.meaning), -self.lacking)


def _opposite(meaning: str) -> str:
    told, of, number = meaning.rpartition("digits of ")
    if not number:
        return ""
    if " + " in number or " - " in number:
        return f"{told}{of}-({number})"
    return told + of + (number.removeprefix("-") if number.startswith("-") else f"-{number}")


@dataclass(frozen=True, slots=True, eq=False, init=False, weakref_slot=True)
class Call(Node):
    """An operation of :data:`OPERATIONS` applied to operands.

    There is one instance for each structure, so that graphs in which much is shared compare in no time; what it
    depends on is noted once for all who ask.
    """

    operation: str
    arguments: tuple[Node, ...]
    variables: frozenset[Variable] = field(repr=False)

    def __new__(cls, operation: str, arguments: tuple[Node, ...]) -> Call:
        """The call, which may exist already.

        Raises:
            ValueError: for a wrong number of operands.
        """
        key = (operation, arguments)
        known = _CALLS.get(key)
        if known is None:
            row = _ROWS[operation]
            if len(arguments) != row.arity:
                raise ValueError(f"{operation} takes {row.arity} operands, got {len(arguments)}")
            known = object.__new__(cls)
            object.__setattr__(known, "operation", operation)
            object.__setattr__(known, "arguments", arguments)
            object.__setattr__(known, "variables", _read_by(arguments))
            _CALLS[key] = known
        return known

    def __reduce__(self) -> tuple[type[Call], tuple[str, tuple[Node, ...]]]:
        return Call, (self.operation, self.arguments)

    @property
    def operands(self) -> tuple[Node, ...]:
        return self.arguments

    @property
    def is_boolean(self) -> bool:
        """Whether this call gives a truth value."""
        return _ROWS[self.operation].is_boolean


def _read_by(operands: tuple[Node, ...]) -> frozenset[Variable]:
    """The variables of all operands; one set for all nodes that read the same, as most do."""
    first, *rest = operands
    found = first.variables
    for operand in rest:
        if not operand.variables <= found:
            found |= operand.variables
    return found


_CALLS: WeakValueDictionary[tuple[str, tuple[Node, ...]], Call] = WeakValueDictionary()


CALL_TIME, DIVISION_TIME = 20, 5
"""How many additions a call and a division take the time of, in loops that a compiler made of a kernel.

Measured on float32 numbers that stay in the cache, in chains of operations, on an AMD EPYC with AVX-512, in ns each. In
JAX 0.10: a product with a sum 0.09, a choice 0.09, a division 0.09, exp 0.64, log 0.63, sin 0.74, sigmoid, expm1 and
tanh 1.1 to 1.4, log1p near 0 and erf 1.6 and 1.7. In PyTorch 2.13, compiled: a product with a sum 0.03, a choice 0.12,
a division 0.16, exp 1.1. So a call is 7 additions or 37, a division 1 or 5. Where each operation is a pass over memory,
as in eager PyTorch, exp takes 7 times as long as a sum and a division 3 times.
"""


@dataclass(frozen=True)
class Cost:
    """What an evaluation costs per element: calls of functions, divisions and square roots, operations in all."""

    transcendentals: int
    divisions: int
    passes: int

    def __lt__(self, other: Cost) -> bool:
        return self.rank < other.rank

    @property
    def key(self) -> tuple[int, int, int]:
        """The three counts."""
        return (self.transcendentals, self.divisions, self.passes)

    @property
    def time(self) -> int:
        """An estimate of the time, in additions."""
        return self.passes + (CALL_TIME - 1) * self.transcendentals + (DIVISION_TIME - 1) * self.divisions

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """The order of comparison: by time, then by calls, divisions and operations."""
        return (self.time, *self.key)


@dataclass(frozen=True)
class Kernel:
    """One formula in the form chosen for it.

    Args:
        result: the node whose value is the answer.
        names: names for shared nodes that mean something (``t`` for exp(-|x|)); the rest are named by their operation.
        form: the name of the form chosen ("exponential normal form", ...), for the manifest and for ``actgen show``.
        note: one sentence for the reader of the emitted code: why this form; may be empty.
    """

    result: Node
    names: Mapping[Node, str] = field(default_factory=dict)
    form: str = "as declared"
    note: str = ""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every distinct node, operands before their users."""
        order: dict[Node, None] = {}
        stack: list[tuple[Node, bool]] = [(self.result, False)]
        while stack:
            node, is_expanded = stack.pop()
            if node in order:
                continue
            if is_expanded:
                order[node] = None
            else:
                stack.append((node, True))
                stack.extend((operand, False) for operand in reversed(node.operands))
        return tuple(order)

    @cached_property
    def users(self) -> Mapping[Node, int]:
        """How many operand places read each node."""
        count: dict[Node, int] = dict.fromkeys(self.nodes, 0)
        for node in self.nodes:
            for operand in node.operands:
                count[operand] += 1
        return count

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The inputs and parameters that the kernel reads, in order of first use."""
        return tuple(node for node in self.nodes if isinstance(node, Variable))

    @property
    def is_constant(self) -> bool:
        """Whether the answer reads no variable at all (a derivative that is 0 or 1 everywhere)."""
        return not self.result.variables

    @cached_property
    def cost(self) -> Cost:
        """Calls, divisions and passes over memory, each distinct node counted once."""
        ranks = [_ROWS[node.operation].rank for node in self.nodes if isinstance(node, Call)]
        return Cost(ranks.count("transcendental"), ranks.count("division"), len(ranks))

    @cached_property
    def functions(self) -> frozenset[Call]:
        """The calls of transcendental functions."""
        return frozenset(node for node in self.calls() if _ROWS[node.operation].rank == "transcendental")

    def calls(self) -> Iterator[Call]:
        """The operations, operands before users."""
        return (node for node in self.nodes if isinstance(node, Call))
