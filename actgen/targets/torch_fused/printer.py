"""How C++ writes each operation, in the arithmetic of `_arithmetic.h`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from actgen.numerics.kernel import Call, Kernel
from actgen.targets.forms import ARITHMETIC, Form, Precedence, call
from actgen.targets.statements import Listing, Piece, Printer

FORMS: Mapping[str, Form] = {
    **ARITHMETIC,
    "negate": Form("-{0}", Precedence.UNARY, (Precedence.POWER,)),  # --a is another operator
    "absolute": call("abs", tensors=(0,)),
    "sign": call("sign", tensors=(0,)),
    "copysign": call("copysign", 2, tensors=(0, 1)),
    "square": call("square", tensors=(0,)),
    "maximum": call("maximum", 2, tensors=(0, 1)),
    "minimum": call("minimum", 2, tensors=(0, 1)),
    "clamp": call("clamp", 3, tensors=(0,)),
    "floor": call("floor", tensors=(0,)),
    "head": call("head", tensors=(0,)),
    "binade": call("binade", tensors=(0,)),
    "sqrt": call("sqrt", tensors=(0,)),
    "exp": call("exp", tensors=(0,)),
    "expm1": call("expm1", tensors=(0,)),
    "log": call("log", tensors=(0,)),
    "log1p": call("log1p", tensors=(0,)),
    "power": call("pow", 2, tensors=(0, 1)),
    "sigmoid": call("sigmoid", tensors=(0,)),
    "tanh": call("tanh", tensors=(0,)),
    "sinh": call("sinh", tensors=(0,)),
    "cosh": call("cosh", tensors=(0,)),
    "asinh": call("asinh", tensors=(0,)),
    "atan": call("atan", tensors=(0,)),
    "sin": call("sin", tensors=(0,)),
    "cos": call("cos", tensors=(0,)),
    "tan": call("tan", tensors=(0,)),
    "erf": call("erf", tensors=(0,)),
    "erfc": call("erfc", tensors=(0,)),
    "select": call("select", 3, tensors=(1, 2)),
}

# What a step must not be called: C++ keeps these words, `_arithmetic.h` or C's own header the others.
_WORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char class co_await co_return co_yield "
    "compl concept const const_cast consteval constexpr constinit continue decltype default delete do double "
    "dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace "
    "new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast "
    "requires return short signed sizeof static static_assert static_cast struct switch template this thread_local "
    "throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq "
    "actgen at c10 infinity linux nan std unix"
)
KEPT = frozenset(_WORDS.split())
_NUMBER = "Number"  # the template parameter of a formula
_FUNCTIONS = frozenset(form.template.partition("(")[0] for form in FORMS.values() if form.template[0].isalpha())


class CppPrinter(Printer):
    """Prints kernels as C++; variables whose names C++ keeps get an underscore behind them.

    Args:
        reserved: names that steps must not take.
    """

    is_typed = True

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__(FORMS, "C++", {*KEPT, *_FUNCTIONS, _NUMBER, *reserved})

    def literal(self, value: float) -> str:
        """Return a number as C++ reads it: a double, large powers of two in hexadecimal."""
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "infinity" if value > 0 else "-infinity"
        fraction, exponent = math.frexp(value)
        if abs(fraction) == 0.5 and abs(exponent) > 30:
            return f"{'-' if value < 0 else ''}0x1p{exponent - 1}"
        return repr(float(value))

    def tensor(self, literal: str, like: str) -> str:
        """Return a register full of a number."""
        return f"{_NUMBER}({literal})"

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call; a function of nothing but literals, which are doubles, is one of a Number."""
        places = self.form(node.operation).tensors
        if places and all(_is_double(operands[place]) for place in places):
            first = places[0]
            made = Piece(self.tensor(operands[first].text, like), Precedence.ATOM, operands[first].node)
            operands = (*operands[:first], made, *operands[first + 1 :])
        return super().write(node, operands, like)


def _is_double(piece: Piece) -> bool:
    """Whether a text is one of literals only: no variable is in it, and no step, which is a Number."""
    return not piece.is_name and not Kernel(piece.node).variables and not piece.text.startswith(f"{_NUMBER}(")


def lines(listing: Listing) -> list[str]:
    """Return the steps as C++ statements: a name is declared where it comes first, and assigned to further on."""
    made, known = [], set()
    for statement in listing.statements:
        kind = "auto " if statement.is_boolean else f"{_NUMBER} "
        made.append(f"{'' if statement.name in known else kind}{statement.name} = {statement.text};")
        known.add(statement.name)
    return [*made, f"return {listing.result};"]


def cpp_name(name: str) -> str:
    """Return the name of a variable in C++."""
    return f"{name}_" if name in KEPT | _FUNCTIONS | {_NUMBER} else name


def struct_name(by: Iterable[str]) -> str:
    """Return the name of the formula of a derivative: `Value`, `ByX`, `ByXAlpha`."""
    words = [re.sub(r"(?:^|_)(.)", lambda found: found[1].upper(), name) for name in by]
    return "By" + "And".join(words) if words else "Value"
