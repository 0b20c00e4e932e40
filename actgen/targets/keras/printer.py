"""How Keras writes each operation, so that float64, NaN and infinities survive on all of its backends.

Arithmetic and comparisons are Python's operators on the backend's own tensors. Several functions of `keras.ops`
(3.15) turn float64 into float32 on one backend or another, lose NaN, or are less accurate than the contract allows;
such operations are calls of a private function that :mod:`actgen.targets.keras.expansions` holds as source.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping

from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.targets.forms import ARITHMETIC, Form, Precedence, call
from actgen.targets.keras.expansions import EXPANSIONS
from actgen.targets.statements import ConstantPool, Listing, Piece, Printer, Statement

FORMS: Mapping[str, Form] = {
    **ARITHMETIC,
    "absolute": call("keras.ops.abs"),
    "square": call("keras.ops.square"),
    "sqrt": call("keras.ops.sqrt"),
    "exp": call("keras.ops.exp"),
    "log": call("keras.ops.log"),
    "power": Form("{0} ** {1}", Precedence.POWER, (Precedence.ATOM, Precedence.UNARY)),
    "clamp": call("keras.ops.clip", 3),
    "select": call("keras.ops.where", 3),
    **{name: call(f"_{name}", expansion.arity) for name, expansion in EXPANSIONS.items()},
}

_TENSOR_PLACES: Mapping[str, tuple[int, ...]] = {
    "select": (1, 2),
    "clamp": (1, 2),
    "maximum": (0, 1),
    "minimum": (0, 1),
    "copysign": (0, 1),
    "head": (0,),
    "binade": (0,),
}
"""Where `keras.ops` on PyTorch takes a Python number for float32, or what is called asks for a type."""

_IN_PYTHON = frozenset({"add", "subtract", "multiply", "negate"})
"""What Python computes with plain numbers, in float64, without an error for any of them."""


class KerasPrinter(Printer):
    """Prints kernels for Keras.

    Args:
        hyperparameters: the parameters that are Python numbers; everything else is a tensor.
        reserved: names that steps must not take.
    """

    def __init__(self, hyperparameters: Iterable[str] = (), reserved: Iterable[str] = ()) -> None:
        super().__init__(FORMS, "keras", {"keras", "gradient", "arguments", *reserved})
        self.hyperparameters = frozenset(hyperparameters)
        self.expansions: set[str] = set()
        self._numbers = self.hyperparameters

    def literal(self, value: float) -> str:
        """Return a number as Python writes it; `keras` has no names for infinity and NaN."""
        return super().literal(value) if math.isfinite(value) else f'float("{value}")'

    def tensor(self, literal: str, like: str) -> str:
        """Return a scalar of the type of a variable."""
        return f"keras.ops.convert_to_tensor({literal}, {like}.dtype)"

    def print(self, kernel: Kernel, constants: ConstantPool | None = None, like: str | None = "x") -> Listing:
        """Return the kernel as statements; hyperparameters that Python cannot compute with become tensors first."""
        self._numbers = self.hyperparameters
        converted = self._not_for_python(kernel)
        self._numbers = self.hyperparameters - set(converted)
        listing = super().print(kernel, constants, like)
        steps = tuple(Statement(name, self.tensor(name, like or "x")) for name in converted)
        return Listing((*steps, *listing.statements), listing.result, listing.is_number, listing.reads)

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call, numbers made tensors where a backend would round them to float32."""
        row = self.row(node)
        if row in EXPANSIONS:
            self.expansions.add(row)
        places = _TENSOR_PLACES.get(node.operation, ())
        all_numbers = all(self._is_number(operands[place].node) for place in places)
        made = list(operands)
        for place in places:
            piece = operands[place]
            is_first = all_numbers and place == places[0] and node.operation != "clamp"
            if self._is_number(piece.node) and (is_first or not _is_exact_in_float32(piece.node)):
                made[place] = Piece(self.tensor(piece.text, like), Precedence.ATOM, piece.node)
        return super().write(node, tuple(made), like)

    def _is_number(self, node: Node) -> bool:
        """Whether a node is a Python number in the emitted code, not a tensor."""
        return all(variable.name in self._numbers for variable in node.variables)

    def _not_for_python(self, kernel: Kernel) -> list[str]:
        """Return the hyperparameters that go, with numbers only, into something else than plain arithmetic."""
        found = {
            variable.name: None
            for node in kernel.calls()
            if node.operation not in _IN_PYTHON and node.operation not in _TENSOR_PLACES and self._is_number(node)
            for variable in Kernel(node).variables
        }
        return list(found)


def _is_exact_in_float32(node: Node) -> bool:
    if isinstance(node, Variable) or not isinstance(node, Constant):
        return False
    if not math.isfinite(node.value):
        return True
    try:
        return bool(struct.unpack("f", struct.pack("f", node.value))[0] == node.value)
    except OverflowError:
        return False
