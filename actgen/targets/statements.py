"""Kernels become statements: named steps in order, and the expression to return.

A node that is read more than once gets a name; a long expression is broken into named steps. Nothing is reordered:
what is printed computes exactly what the kernel says, except that `a + -b` is written `a - b`, the same number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from actgen.numerics.interval import interval
from actgen.numerics.kernel import OPERATIONS, REDUCTIONS, Call, Constant, Kernel, Node, Variable
from actgen.spec.text import inert
from actgen.targets.forms import Form, Precedence

WIDTH = 76  # columns of an expression beyond which it is broken into steps; lines stay below 100
NEAR: Mapping[str, tuple[float, float]] = {"log1p": (-0.5, 1.0)}
"""Where the operand of an operation must lie for the row called that and `_near`."""
_WORTH_A_NAME = 12  # columns below which naming a step gains nothing


class UnknownOperationError(LookupError):
    """A kernel holds an operation that the target's printer table does not."""


@dataclass(frozen=True)
class Piece:
    """The text of a node where it is used, and what a printer may want to know about it.

    `is_name` holds for variables and named steps, `is_number` for literals, `is_spent` for a fresh tensor that is read
    here and nowhere else.
    """

    text: str
    precedence: Precedence
    node: Node
    is_name: bool = False
    is_number: bool = False
    is_spent: bool = False

    def within(self, least: Precedence) -> str:
        """Return the text, in parentheses unless it binds at least this tightly."""
        return self.text if self.precedence >= least else f"({self.text})"


@dataclass(frozen=True)
class Statement:
    """`name = text`; `is_boolean` says whether that is a truth value."""

    name: str
    text: str
    is_boolean: bool = False

    def __str__(self) -> str:
        return f"{self.name} = {self.text}"


@dataclass(frozen=True)
class Listing:
    """A kernel as source text.

    Args:
        statements: named steps in order.
        result: the expression to return.
        is_number: the result is a literal and not a tensor: the target must broadcast it.
        reads: names of the variables that the kernel reads.
    """

    statements: tuple[Statement, ...]
    result: str
    is_number: bool
    reads: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The steps and the return statement, without indentation."""
        return (*map(str, self.statements), f"return {self.result}")


@dataclass
class ConstantPool:
    """Module-level constants that explain themselves: one pool a module, filled while its kernels are printed."""

    names: dict[Constant, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def name(self, constant: Constant) -> str:
        """Return the name of a constant that has a meaning, making one up from the meaning the first time."""
        if constant not in self.names:
            base = _constant_name(constant.meaning)
            name = unused(base, self.taken)
            self.taken.add(name)
            self.names[constant] = name
        return self.names[constant]

    def lines(self, printer: Printer) -> tuple[str, ...]:
        """Return the assignments, each with what the number is: `_SQRT_2_OVER_PI = 0.79788456  # sqrt(2/pi)`."""
        return tuple(
            f"{name} = {printer.literal(constant.value)}  # {inert(constant.meaning)}"
            for constant, name in self.names.items()
        )


_SIGNS = {"/": "over", "**": "to", "-": "minus", "+": "plus", "!": "factorial"}


def _constant_name(meaning: str) -> str:
    words = meaning
    for sign, word in _SIGNS.items():
        words = words.replace(sign, f" {word} ")
    name = "_".join(re.findall(r"[A-Za-z0-9]+", words)).upper()
    return f"_{name}" if 0 < len(name) <= 32 else "_COEFFICIENT"


def unused(name: str, taken: Iterable[str]) -> str:
    """Return `name`, or `name_2`, `name_3`, ... if it is taken."""
    taken = set(taken)
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


class Printer:
    """Prints kernels for one framework. A target gives the table and may override the methods below it.

    Args:
        forms: the table, one :class:`Form` for each operation.
        module: the framework's name in the emitted code, for infinities and NaN (`torch.inf`).
        reserved: names that steps must not take.
    """

    width = WIDTH
    is_typed = False
    """Whether a name keeps its type: it carries on no step that is a number with a truth value."""

    def __init__(self, forms: Mapping[str, Form], module: str, reserved: Iterable[str] = ()) -> None:
        self.forms = forms
        self.module = module
        self.reserved = frozenset(reserved)

    def literal(self, value: float) -> str:
        """Return the shortest text that reads as this float: `2.0`, `0.044715`, `torch.inf`."""
        if math.isnan(value):
            return f"{self.module}.nan"
        if math.isinf(value):
            return f"{self.module}.inf" if value > 0 else f"-{self.module}.inf"
        fraction, exponent = math.frexp(value)
        if abs(fraction) == 0.5 and abs(exponent) > 30:  # a power of two says more than its digits
            return f"{'-' if value < 0 else ''}2.0**{exponent - 1}"
        return repr(float(value))

    def tensor(self, literal: str, like: str) -> str:
        """Return a scalar tensor of the type of the variable `like`."""
        raise NotImplementedError

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call, its operands given as text."""
        form = self.form(self.row(node))
        if form.tensors and all(operands[place].is_number for place in form.tensors):
            first = form.tensors[0]
            made = Piece(self.tensor(operands[first].text, like), Precedence.ATOM, operands[first].node)
            operands = (*operands[:first], made, *operands[first + 1 :])
        texts = [operand.within(form.needs(place)) for place, operand in enumerate(operands)]
        return Piece(form.template.format(*texts), form.precedence, node)

    def row(self, node: Call) -> str:
        """Return the table's row for a call: the operation's, or one that costs less near 0 and is known to do."""
        near = f"{node.operation}_near"
        if near in self.forms:
            low, high = interval(node.arguments[0])
            least, most = NEAR[node.operation]
            if least <= low and high <= most:
                return near
        return node.operation

    def form(self, operation: str) -> Form:
        """Return the table's row for an operation."""
        try:
            return self.forms[operation]
        except KeyError:
            raise UnknownOperationError(
                f"the {self.module} printer has no row for the operation {operation!r}; add one to its table"
            ) from None

    def print(self, kernel: Kernel, constants: ConstantPool | None = None, like: str | None = None) -> Listing:
        """Return the kernel as statements.

        Args:
            kernel: what to print.
            constants: where constants with a meaning go; without a pool they are printed as literals.
            like: the variable whose type literals take where a tensor is needed; by default the first input read.
        """
        return _Session(self, kernel, constants, like).listing()


class _Session:
    """The printing of one kernel."""

    def __init__(self, printer: Printer, kernel: Kernel, constants: ConstantPool | None, like: str | None) -> None:
        self.printer = printer
        self.kernel = kernel
        self.constants = constants
        inputs = [variable.name for variable in kernel.variables if not variable.is_parameter]
        self.like = like or next(iter(inputs), None) or next((v.name for v in kernel.variables), "x")
        self.names: dict[Node, str] = {}
        self.steps: set[Node] = set()  # what has a name only because the expression around it was too long
        self.taken = {variable.name for variable in kernel.variables} | set(printer.reserved)
        self.statements: list[Statement] = []
        self.pieces: dict[Call, Piece] = {}  # as long as no further node is given a name
        self.repeated = {
            user.arguments[place] for user in kernel.calls() for place in printer.form(user.operation).repeated
        }

    def listing(self) -> Listing:
        result = self.kernel.result
        for node in self.kernel.nodes:
            if isinstance(node, Call) and node is not result and self.deserves_name(node):
                self.assign(node)
        piece = self.fitted(result)
        reads = tuple(variable.name for variable in self.kernel.variables)
        return Listing(tuple(self.statements), piece.text, piece.is_number, reads)

    def deserves_name(self, node: Call) -> bool:
        if node in self.kernel.names or node in self.repeated:
            return True
        is_cheap = node.operation == "negate" and not isinstance(node.arguments[0], Call)
        return self.kernel.users[node] > 1 and not is_cheap

    def assign(self, node: Call, role: str | None = None) -> None:
        if node in self.names:
            return
        wanted = self.kernel.names.get(node) or role
        piece = self.fitted(node, wanted)
        name = self.continued(node, wanted) or unused(wanted or self.suggest(node), self.taken)
        self.taken.add(name)
        self.statements.append(Statement(name, piece.text, node.is_boolean))
        self.names[node] = name
        self.pieces.clear()

    def continued(self, node: Call, wanted: str | None) -> str | None:
        """Return the name of a step that ends here and that this one carries on: `total = total * t + 1`."""
        stack: list[Node] = list(reversed(node.operands))
        while stack:
            part = stack.pop()
            is_alike = not self.printer.is_typed or (isinstance(part, Call) and part.is_boolean == node.is_boolean)
            if part in self.steps and wanted in (None, self.names[part]) and is_alike:
                return self.names[part]
            if part not in self.names:
                stack.extend(reversed(part.operands))
        return None

    def fitted(self, node: Node, role: str | None = None) -> Piece:
        """Return the text of a node, after giving names to as many of its parts as it takes to fit the width."""
        while True:
            piece = self.piece(node)
            if len(piece.text) <= self.printer.width:
                return piece
            found = self.largest_part(node, role)
            if found is None:
                return piece
            self.assign(*found)
            self.steps.add(found[0])

    def largest_part(self, node: Node, role: str | None) -> tuple[Call, str | None] | None:
        """Return the part under a node that is best named next, and a name for it.

        That is the longest that fits the width, first among those that carry on a step, truth values last.
        """
        best: tuple[tuple[bool, bool, int], Call, str | None] | None = None
        stack = [(operand, node, place, role) for place, operand in enumerate(node.operands)]
        while stack:
            part, user, place, around = stack.pop()
            if not isinstance(part, Call) or part in self.names:
                continue
            role = self.role(user, place, around)
            length = len(self.piece(part).text)
            if _WORTH_A_NAME < length <= self.printer.width:
                rank = (not part.is_boolean, self.continued(part, None) is not None, length)
                if best is None or rank > best[0]:
                    best = (rank, part, None if part.is_boolean else role)
            stack.extend((operand, part, index, role) for index, operand in enumerate(part.operands))
        return best[1:] if best else None

    def role(self, user: Node, place: int, around: str | None) -> str | None:
        """Return what the operand at a place is to its user: a part of a quotient, else what the user is."""
        if isinstance(user, Call) and user.operation == "divide":
            return ("numerator", "denominator")[place]
        return around

    def piece(self, node: Node) -> Piece:
        if isinstance(node, Variable):
            return Piece(node.name, Precedence.ATOM, node, is_name=True)
        if isinstance(node, Constant):
            if node.meaning and self.constants is not None:
                return Piece(self.constants.name(node), Precedence.ATOM, node, is_number=True)
            text = self.printer.literal(node.value)
            atom = Precedence.POWER if "**" in text else Precedence.ATOM
            binds = Precedence.UNARY if text.startswith("-") else atom
            return Piece(text, binds, node, is_number=True)
        assert isinstance(node, Call)
        if node not in self.pieces:
            self.pieces[node] = self.write(node)
        return self.pieces[node]

    def write(self, node: Call) -> Piece:
        if node in self.names:
            is_spent = self.kernel.users[node] == 1 and not node.is_boolean
            return Piece(self.names[node], Precedence.ATOM, node, is_name=True, is_spent=is_spent)
        tidy = self.tidy(node)
        piece = self.printer.write(tidy, tuple(self.piece(operand) for operand in tidy.arguments), self.like)
        return replace(piece, node=node, is_spent=not node.is_boolean)

    def tidy(self, node: Call) -> Call:
        """Write `a + -b` as `a - b`, `a - -b` as `a + b`, `2 < x` as `x > 2`."""
        if node.operation in ("add", "subtract"):
            other = "subtract" if node.operation == "add" else "add"
            left, right = node.arguments
            if isinstance(right, Call) and right.operation == "negate" and right not in self.names:
                return Call(other, (left, right.arguments[0]))
            if isinstance(right, Constant) and right.value < 0 and not right.meaning:
                return Call(other, (left, Constant(-right.value)))
        mirrored = _MIRRORED.get(node.operation)
        if mirrored and isinstance(node.arguments[0], Constant):
            return Call(mirrored, (node.arguments[1], node.arguments[0]))
        return node

    def suggest(self, node: Call) -> str:
        """Return a name that says what a step is: `exp_x`, `x_squared`, `numerator`-like words for the rest."""
        row = REDUCTIONS.get(node.operation) or OPERATIONS[node.operation]
        first = self.piece(node.arguments[0])
        if row.arity == 1 and first.is_name and len(first.text) <= 12:
            return (
                f"{first.text}_squared"
                if node.operation == "square"
                else f"{_SHORT.get(row.name, row.name)}_{first.text}"
            )
        if len(node.arguments) > 1 and node.arguments[1] == Constant(0.0) and node.operation in _SIDES:
            return _SIDES[node.operation]
        return _WORDS.get(node.operation, node.operation)


_MIRRORED = {
    "less": "greater",
    "less_equal": "greater_equal",
    "greater": "less",
    "greater_equal": "less_equal",
    "equal": "equal",
    "not_equal": "not_equal",
}
_SIDES = {"less": "is_negative", "greater": "is_positive"}
_SHORT = {"absolute": "abs", "negate": "minus"}
_WORDS = {
    "add": "total",
    "subtract": "difference",
    "multiply": "product",
    "divide": "ratio",
    "negate": "negated",
    "absolute": "magnitude",
    "sign": "sign",
    "square": "squared",
    "maximum": "larger",
    "minimum": "smaller",
    "clamp": "clamped",
    "sqrt": "root",
    "exp": "e",
    "expm1": "growth",
    "log": "logarithm",
    "log1p": "logarithm",
    "sigmoid": "gate",
    "both": "inside",
    "either": "outside",
    "less": "is_less",
    "less_equal": "is_at_most",
    "greater": "is_greater",
    "greater_equal": "is_at_least",
    "equal": "is_equal",
    "not_equal": "differs",
    "select": "branch",
    "sum": "total",
}
