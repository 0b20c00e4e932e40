"""An axis-wise derivation becomes a PyTorch module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from actgen.targets.axiswise import QUANTITIES, class_docstring, function_docstring, functions, parameter_rows, title
from actgen.targets.forms import Form, Precedence
from actgen.targets.package import exported
from actgen.targets.statements import ConstantPool
from actgen.targets.target import Entry
from actgen.targets.templates import environment
from actgen.targets.torch.printer import EXPANSIONS, FORMS, TorchPrinter

if TYPE_CHECKING:
    from actgen.numerics.axiswise import AxiswiseDerivation

_ATOM = (Precedence.ATOM,)
ROW_FORMS: Mapping[str, Form] = {
    **FORMS,
    "sum": Form("{0}.sum(dim, keepdim=True)", operands=_ATOM),
    "mean": Form("{0}.mean(dim, keepdim=True)", operands=_ATOM),
    "largest": Form("_largest({0}, dim)"),
    "smallest": Form("-_largest(-{0}, dim)", Precedence.UNARY, (Precedence.UNARY,)),
    "length": Form("{0}.new_full((), {0}.shape[dim])", operands=_ATOM, repeated=(0,)),
    "frozen": Form("{0}.detach()", operands=_ATOM),
}


class RowPrinter(TorchPrinter):
    """Prints kernels with reductions over `dim`; nothing is overwritten, for autograd may differentiate everything."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__(reuse=False, reserved={"dim", *reserved})
        self.forms = ROW_FORMS


def emit_axiswise(derivation: AxiswiseDerivation) -> str:
    """Return the module of one axis-wise activation."""
    activation = derivation.activation
    names = [parameter.name for parameter in activation.parameters]
    reserved = {activation.name, *activation.aliases, *names, "tangent", "cotangent", "x"}
    constants = ConstantPool()
    made, expansions = functions(derivation, (*QUANTITIES, *names), lambda: RowPrinter(reserved), constants, "dim")
    raises = [("NotImplementedError", "x is not of a floating type.")]
    return (
        environment("actgen.targets.torch")
        .get_template("axiswise_module.py.j2")
        .render(
            name=activation.name,
            class_name=activation.class_name,
            aliases=activation.aliases,
            exported=exported(Entry(activation.name, activation.class_name, activation.aliases, "")),
            headline=title(activation),
            function_docstring=function_docstring(derivation, "dim", raises, "keepdim"),
            class_docstring=class_docstring(derivation, "dim", "keepdim"),
            parameters=parameter_rows(activation),
            names=names,
            functions=made,
            reduces=derivation.reduces,
            grouped=activation.grouped,
            needs_largest=any("_largest(" in line for function in made for line in function.lines),
            expansions=[source for name, source in EXPANSIONS.items() if name in expansions],
            constants=[str(constant) for constant in constants.lines(RowPrinter())],
        )
    )
