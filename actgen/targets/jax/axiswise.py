"""An axis-wise derivation becomes a JAX module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from actgen.targets.axiswise import function_docstring, functions, parameter_rows, title
from actgen.targets.forms import Form, Precedence, call
from actgen.targets.jax.printer import EXPANSIONS, FORMS, JaxPrinter
from actgen.targets.statements import ConstantPool, unused
from actgen.targets.templates import environment

if TYPE_CHECKING:
    from actgen.numerics.axiswise import AxiswiseDerivation

_ATOM = (Precedence.ATOM,)
ROW_FORMS: Mapping[str, Form] = {
    **FORMS,
    "sum": Form("{0}.sum(axis, keepdims=True)", operands=_ATOM),
    "mean": Form("{0}.mean(axis, keepdims=True)", operands=_ATOM),
    "largest": Form("{0}.max(axis, keepdims=True, initial=-jnp.inf)", operands=_ATOM),
    "smallest": Form("{0}.min(axis, keepdims=True, initial=jnp.inf)", operands=_ATOM),
    "length": Form("jnp.asarray({0}.shape[axis], {0}.dtype)", operands=_ATOM, repeated=(0,)),
    "frozen": call("jax.lax.stop_gradient"),
}


class RowPrinter(JaxPrinter):
    """Prints kernels with reductions over `axis`."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__({"axis", *reserved})
        self.forms = ROW_FORMS

    def tensor(self, literal: str, like: str) -> str:
        """Write a number as an array without axes: a choice between two numbers may be one for the whole row."""
        return f"jnp.asarray({literal}, {like}.dtype)"


def emit_axiswise(derivation: AxiswiseDerivation) -> str:
    """Return the module of one axis-wise activation."""
    activation = derivation.activation
    names = [parameter.name for parameter in activation.parameters]
    reserved = {activation.name, *names, "tangent", "x"}
    constants = ConstantPool()
    made, expansions = functions(derivation, ("value", "jvp", *names), lambda: RowPrinter(reserved), constants, "axis")
    return (
        environment("actgen.targets.jax")
        .get_template("axiswise_module.py.j2")
        .render(
            name=activation.name,
            aliases=activation.aliases,
            exported=sorted({activation.name, *activation.aliases}),
            headline=title(activation),
            docstring=function_docstring(derivation, "axis", [("TypeError", "x is complex.")], "keepdims"),
            parameters=parameter_rows(activation),
            names=names,
            wide=unused("wide", names),
            value=unused("value", names),
            functions=made,
            reduces=derivation.reduces,
            grouped=activation.grouped,
            expansions=[source for name, source in EXPANSIONS.items() if name in expansions],
            constants=constants.lines(RowPrinter()),
        )
    )
