"""What the modules of axis-wise activations share: their kernels as functions, their docstrings, the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from actgen.spec.text import inert
from actgen.symbolic.axiswise import QUANTITIES
from actgen.targets.condition import condition
from actgen.targets.docstring import describe, document, domain_words, headline
from actgen.targets.statements import ConstantPool, Listing, Printer
from actgen.targets.target import Context, Target

if TYPE_CHECKING:
    from actgen.numerics.axiswise import AxiswiseDerivation
    from actgen.spec.activation import Activation

FUNCTIONS = {"value": "_value", "jvp": "_pushed", "vjp": "_pulled"}
"""The private functions of an emitted module."""

_WORDS = {
    "value": "The value",
    "jvp": "The Jacobian times a tangent",
    "vjp": "A cotangent times the Jacobian",
}
_DIRECTIONS = {"jvp": ("tangent",), "vjp": ("cotangent",)}


@runtime_checkable
class AxiswiseTarget(Target, Protocol):
    """A target that knows axis-wise activations too."""

    def emit_axiswise(self, derivation: AxiswiseDerivation, context: Context) -> dict[str, str]:
        """Return the module of one axis-wise activation: {"torch/softmax.py": source}."""
        ...

    def emit_row_adaptor(self, context: Context) -> str:
        """Return the source of `tests/rows_on_NAME.py`, through which the tests of axis-wise activations call it."""
        ...


@dataclass(frozen=True)
class Function:
    """A kernel as a function of an emitted module."""

    name: str
    document: str
    arguments: tuple[str, ...]
    listing: Listing

    @property
    def lines(self) -> tuple[str, ...]:
        """Its statements."""
        return self.listing.lines


@dataclass(frozen=True)
class ParameterRow:
    """A parameter as templates see it."""

    name: str
    default: str
    condition: str
    domain: str


def parameter_rows(activation: Activation) -> list[ParameterRow]:
    """The parameters of an activation, in order."""
    return [
        ParameterRow(parameter.name, repr(float(parameter.default)), condition(parameter), domain_words(parameter))
        for parameter in activation.parameters
    ]


def functions(
    derivation: AxiswiseDerivation,
    quantities: Sequence[str],
    make: Callable[[], Printer],
    constants: ConstantPool,
    axis: str,
) -> tuple[list[Function], set[str]]:
    """The private functions of a module, and the names of the expansions that they call.

    Args:
        derivation: of the activation.
        quantities: of QUANTITIES, or names of parameters, for the derivatives by them.
        make: makes a printer.
        constants: the module's constants.
        axis: what the axis is called.
    """
    names = [parameter.name for parameter in derivation.activation.parameters]
    found: list[Function] = []
    expansions: set[str] = set()
    for quantity in quantities:
        kernel = derivation.kernels[quantity]
        printer = make()
        listing = printer.print(kernel, constants, like="x")
        expansions |= getattr(printer, "expansions", set())
        title = _WORDS.get(quantity, f"The derivative by {quantity}")
        formula = derivation.formulas.get(quantity, "")
        whole = f"{title}: {inert(formula)}." if formula and len(title) + len(formula) < 85 else f"{title}."
        arguments = ("x", *_DIRECTIONS.get(quantity, ()), *names, axis)
        found.append(Function(FUNCTIONS.get(quantity, f"_by_{quantity}"), whole, arguments, listing))
    return found, expansions


def function_docstring(derivation: AxiswiseDerivation, axis: str, raises: Sequence[tuple[str, str]], kept: str) -> str:
    """The docstring of the emitted function.

    Args:
        derivation: of the activation.
        axis: what the axis is called.
        raises: rows of exceptions.
        kept: what the argument that keeps a reduced axis is called.
    """
    activation = derivation.activation
    rows = [("x", "Input of at least one dimension."), *argument_rows(derivation, axis, kept)]
    checked = [parameter.name for parameter in activation.parameters if condition(parameter)]
    outside = [("ValueError", f"{' or '.join(checked)} is a number outside its domain.")] if checked else []
    return document(
        derivation,  # type: ignore[arg-type]  # only its activation is read where has_facts is False
        indent=4,
        shape=facts(derivation),
        arguments=rows,
        raises=[*raises, *outside],
        has_facts=False,
    )


def class_docstring(derivation: AxiswiseDerivation, axis: str, kept: str, extra: Sequence[tuple[str, str]] = ()) -> str:
    """The docstring of the emitted layer."""
    name = derivation.activation.name
    return document(
        derivation,  # type: ignore[arg-type]  # only its activation is read where has_facts is False
        indent=4,
        shape=f"A layer that applies `{name}`.",
        arguments=[*argument_rows(derivation, axis, kept), *extra],
        has_facts=False,
    )


def argument_rows(derivation: AxiswiseDerivation, axis: str, kept: str) -> list[tuple[str, str]]:
    """The rows of a docstring on what an axis-wise function takes besides its input."""
    activation = derivation.activation
    rows = [(parameter.name, describe(parameter)) for parameter in activation.parameters]
    if activation.grouped:
        rows.append(("group_size", "How many consecutive elements of the axis make a group; divides its length."))
    rows.append((axis, "The axis along which it acts; negative counts from the end."))
    if derivation.reduces and not activation.grouped:
        rows.append((kept, "Whether the axis stays, with length 1."))
    return rows


def facts(derivation: AxiswiseDerivation) -> str:
    """What the function does to shapes and types, and what was proved of it, in sentences."""
    activation = derivation.activation
    where = "in each group of one axis" if activation.grouped else "along one axis"
    if derivation.reduces:
        left = "one value is left of each group" if activation.grouped else "which disappears"
        told = [f"Acts {where}, {left}."]
    else:
        told = [f"Acts {where}; the shape stays."]
    told.append("float16 and bfloat16 are computed in float32 and rounded once.")
    proved = derivation.proved
    if proved:
        told.append(f"Proved: {'; '.join(inert(text) for text in proved)}.")
    if derivation.setting.shifts or derivation.setting.scales:
        told.append(f"Computed from {derivation.setting.describe()}.")
    return " ".join(told)


def wrapper(derivation: AxiswiseDerivation) -> dict[str, object]:
    """What the template of a module around the function of the JAX target reads."""
    activation = derivation.activation
    return {
        "name": activation.name,
        "class_name": activation.class_name,
        "imported": ", ".join(sorted({activation.name, *activation.aliases})),
        "exported": sorted({activation.name, activation.class_name, *activation.aliases}),
        "headline": title(activation),
        "docstring": class_docstring(derivation, "axis", "keepdims"),
        "parameters": parameter_rows(activation),
        "grouped": activation.grouped,
        "keeps": derivation.reduces and not activation.grouped,
    }


def title(activation: Activation) -> str:
    """The first line of a module."""
    return headline(activation, 90)[0].rstrip(".")


__all__ = [
    "FUNCTIONS",
    "QUANTITIES",
    "AxiswiseTarget",
    "Function",
    "class_docstring",
    "function_docstring",
    "functions",
    "parameter_rows",
    "title",
    "wrapper",
]
