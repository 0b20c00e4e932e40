"""How Triton writes each operation, in the arithmetic of `_triton/_arithmetic.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actgen.numerics.kernel import Call, Kernel
from actgen.targets.forms import ARITHMETIC, Form, Precedence, call
from actgen.targets.statements import Piece, Printer

LIBRARY = (
    *("exp", "expm1", "log", "log1p", "erf", "erfc"),
    *("tanh", "sinh", "cosh", "asinh", "sin", "cos", "tan", "atan"),
)
"""Operations of one operand that are functions of the library of the GPU's maker, by the same names."""

_WRITTEN = ("square", "sign", "head", "binade", "sqrt", "sigmoid")
_BINARY = ("divide", "copysign", "maximum", "minimum", "power")
FUNCTIONS = frozenset({*LIBRARY, *_WRITTEN, *_BINARY, "clamp"})
"""Operations that are a function of `_arithmetic.py` of the same name."""

FORMS: Mapping[str, Form] = {
    **ARITHMETIC,
    **{operation: call(operation) for operation in (*LIBRARY, *_WRITTEN)},
    **{operation: call(operation, 2) for operation in _BINARY},
    "clamp": call("clamp", 3),
    "absolute": call("tl.abs"),
    "floor": call("tl.floor"),
    "select": call("tl.where", 3, tensors=(1, 2)),
}

_NUMBER = "number"  # what makes a block of a literal


class TritonPrinter(Printer):
    """Prints kernels in Triton.

    A literal is a float32 to Triton where it is an operand of a function or gets a name; so it is made a block of the
    right type there.

    Args:
        reserved: names that steps must not take.
    """

    is_typed = True

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__(FORMS, "Triton", {*KEPT, *reserved})
        self.called: set[str] = set()

    def literal(self, value: float) -> str:
        """Return a number in a form that is a constant to Triton's compiler."""
        return repr(float(value))  # what is neither finite is typed, see `write`

    def tensor(self, literal: str, like: str) -> str:
        """Return a block full of a number, of the shape and type of a variable."""
        self.called.add(_NUMBER)
        return f"{_NUMBER}({_number(literal)}, {like})"

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call; the literals that a function takes, and infinities and NaN, are blocks."""
        is_function = node.operation in FUNCTIONS
        if is_function:
            self.called.add(node.operation)
        typed = tuple(
            Piece(self.tensor(operand.text, like), Precedence.ATOM, operand.node)
            if operand.is_number and (is_function or operand.text in _SPECIAL)
            else operand
            for operand in operands
        )
        piece = super().write(node, typed, like)
        if any(map(_is_block, typed)):
            return piece
        # A name that is given to an operation on literals would be one of a float32.
        return Piece(self.tensor(piece.text, like), Precedence.ATOM, node)


def _is_block(piece: Piece) -> bool:
    """Whether a text is that of a block, not of literals alone."""
    return piece.is_name or bool(Kernel(piece.node).variables) or piece.text.startswith(f"{_NUMBER}(")


_SPECIAL = frozenset({"inf", "-inf", "nan"})


def _number(literal: str) -> str:
    return f'float("{literal}")' if literal in _SPECIAL else literal


# What neither a step nor a variable of a formula may be called: names that formulas call or that Triton knows.
KEPT = frozenset({*FUNCTIONS, _NUMBER, "tl", "triton", "float"})


def triton_name(name: str) -> str:
    """Return the name of a variable in Triton."""
    return f"{name}_" if name in KEPT else name
