"""An axis-wise derivation becomes a Keras module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from actgen.targets.axiswise import QUANTITIES, class_docstring, function_docstring, functions, parameter_rows, title
from actgen.targets.forms import Form, Precedence, call
from actgen.targets.keras.expansions import sources
from actgen.targets.keras.printer import FORMS, KerasPrinter
from actgen.targets.statements import ConstantPool, unused
from actgen.targets.templates import environment

if TYPE_CHECKING:
    from actgen.numerics.axiswise import AxiswiseDerivation

ROW_FORMS: Mapping[str, Form] = {
    **FORMS,
    "sum": Form("keras.ops.sum({0}, axis=axis, keepdims=True)"),
    "mean": Form("_mean({0}, axis)"),
    "largest": Form("_largest({0}, axis)"),
    "smallest": Form("-_largest(-{0}, axis)", Precedence.UNARY, (Precedence.UNARY,)),
    "length": Form("keras.ops.cast(keras.ops.shape({0})[axis], {0}.dtype)", repeated=(0,)),
    "frozen": call("keras.ops.stop_gradient"),
}


class RowPrinter(KerasPrinter):
    """Prints kernels with reductions over `axis`; hyperparameters are tensors without axes."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__((), {"axis", *reserved})
        self.forms = ROW_FORMS


def emit_axiswise(derivation: AxiswiseDerivation) -> str:
    """Return the module of one axis-wise activation."""
    activation = derivation.activation
    names = [parameter.name for parameter in activation.parameters]
    reserved = {activation.name, *names, "tangent", "cotangent", "x", "value"}
    constants = ConstantPool()
    quantities = [quantity for quantity in QUANTITIES if quantity != "jvp"]
    made, expansions = functions(derivation, quantities, lambda: RowPrinter(reserved), constants, "axis")
    raises = [("TypeError", "x is complex.")]
    return (
        environment("actgen.targets.keras")
        .get_template("axiswise_module.py.j2")
        .render(
            name=activation.name,
            class_name=activation.class_name,
            aliases=activation.aliases,
            exported=sorted({activation.name, activation.class_name, *activation.aliases}),
            headline=title(activation),
            function_docstring=function_docstring(derivation, "axis", raises, "keepdims"),
            class_docstring=class_docstring(
                derivation, "axis", "keepdims", [("**kwargs", "As for every layer: name, dtype, trainable.")]
            ),
            parameters=parameter_rows(activation),
            names=names,
            wide=unused("wide", names),
            functions=made,
            reduces=derivation.reduces,
            grouped=activation.grouped,
            needs_largest=any("_largest(" in line for function in made for line in function.lines),
            needs_mean=any("_mean(" in line for function in made for line in function.lines),
            expansions=sources(expansions),
            constants=constants.lines(RowPrinter()),
        )
    )
