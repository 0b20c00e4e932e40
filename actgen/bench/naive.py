"""The formula as people type it: the spec's expression, operation by operation, left to automatic differentiation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.numerics.kernel import OPERATIONS, Call, Kernel, Variable
from actgen.numerics.lowering import lower
from actgen.symbolic import Formula
from actgen.targets.forms import ARITHMETIC, call
from actgen.targets.statements import Piece, Printer

if TYPE_CHECKING:
    from actgen.spec import Activation

NAME = "naive"

_MODULES = {"torch": "torch", "jax": "jax.numpy", "keras": "keras.ops"}
_ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "torch": {},
    "jax": {name: f"jax.scipy.special.{name}" for name in ("erf", "erfc")} | {"sigmoid": "jax.nn.sigmoid"},
    "keras": {},
}
_OTHER_NAMES = {"absolute": "abs", "select": "where", "clamp": "clip", "asinh": "arcsinh", "atan": "arctan"}
_TORCH_HAS = {"clamp": "clamp", "asinh": "asinh", "atan": "atan", "power": "pow"}


class _Plain(Printer):
    """Calls the framework's function of an operation's name, and nothing of ours."""

    def __init__(self, framework: str) -> None:
        home = _MODULES[framework]
        names = {**_OTHER_NAMES, **(_TORCH_HAS if framework == "torch" else {})}
        forms = {
            name: call(_ELSEWHERE[framework].get(name, f"{home}.{names.get(name, name)}"), row.arity)
            for name, row in OPERATIONS.items()
        }
        super().__init__({**forms, **ARITHMETIC}, home)

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call; torch's maximum takes no numbers."""
        if self.module == "torch" and node.operation in ("maximum", "minimum"):
            tensors = tuple(_as_tensor(operand, like) for operand in operands)
            return super().write(node, tensors, like)
        return super().write(node, operands, like)


def _as_tensor(operand: Piece, like: str) -> Piece:
    """A number as a tensor of the type of a variable."""
    if not operand.is_number:
        return operand
    return Piece(f"{like}.new_full((), {operand.text})", operand.precedence, operand.node)


def kernel(activation: Activation) -> Kernel:
    """The formula at the default parameters, in the order in which it is written."""
    formula = Formula.of(activation)
    value = formula.value.xreplace({p.symbol: p.default for p in activation.variables})
    return Kernel(lower(value, {symbol: Variable(symbol.name) for symbol in formula.inputs}))


def write_naive(activation: Activation, framework: str, folder: Path) -> Path:
    """Write a module with the function ``naive`` of the inputs; return its path.

    Args:
        activation: elementwise or gated.
        framework: torch, keras or jax.
        folder: where to write it.
    """
    listing = _Plain(framework).print(kernel(activation))
    inputs = ", ".join(symbol.name for symbol in activation.inputs)
    body = "\n".join(f"    {line}" for line in listing.lines)
    imports = "\n".join(sorted({f"import {_MODULES[framework]}", f"import {framework}"}))
    extra = "\nimport jax.scipy.special" if framework == "jax" else ""
    path = folder / framework / f"{activation.name}_{NAME}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{imports}{extra}\n\n\ndef {NAME}({inputs}):\n{body}\n", encoding="utf-8")
    return path
