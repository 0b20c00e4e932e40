"""A derivation becomes a PyTorch module; the entries of all become the package."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement, cycle, islice
from typing import TYPE_CHECKING, Any

import sympy

from actgen.numerics.kernel import Kernel
from actgen.numerics.samples import parameter_values
from actgen.spec.text import inert
from actgen.targets.condition import condition
from actgen.targets.confinement import confine
from actgen.targets.docstring import (
    SHAPE,
    WIDTH,
    describe,
    document,
    domain_words,
    gated_arguments,
    gated_shape,
    headline,
)
from actgen.targets.drawing import drawn, explain, probe
from actgen.targets.package import GATES, exported, package
from actgen.targets.statements import ConstantPool, Listing
from actgen.targets.target import Context, Entry
from actgen.targets.templates import environment
from actgen.targets.torch.arithmetic import ARITHMETIC
from actgen.targets.torch.axiswise import emit_axiswise
from actgen.targets.torch.printer import TorchPrinter

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.numerics.axiswise import AxiswiseDerivation
    from actgen.spec.activation import Activation, Parameter

_PACKAGE = "actgen.targets.torch"
_DRAWN = "torch.{draw}({x}.shape, generator=generator, dtype=_wide({x}), device={x}.device)"


class TorchTarget:
    """Emits `torch/NAME.py`, `torch/__init__.py`, and PyTorch's part of the tests."""

    name = "torch"
    arithmetic = ARITHMETIC
    borrows = ""

    def emit(self, derivation: Derivation, context: Context) -> dict[str, str]:
        """Return the module of one activation."""
        template = environment(_PACKAGE).get_template("module.py.j2")
        return {f"torch/{derivation.activation.name}.py": template.render(module_facts(derivation))}

    def emit_axiswise(self, derivation: AxiswiseDerivation, context: Context) -> dict[str, str]:
        """Return the module of one axis-wise activation."""
        return {f"torch/{derivation.activation.name}.py": emit_axiswise(derivation)}

    def emit_row_adaptor(self, context: Context) -> str:
        """Return `tests/rows_on_torch.py`."""
        return environment(_PACKAGE).get_template("row_adaptor.py.j2").render()

    def emit_package(self, entries: Sequence[Entry], context: Context) -> dict[str, str]:
        """Return the package that imports an activation when its name is first used."""
        headline = "Activations for PyTorch: functions and nn.Modules."
        return {
            "torch/__init__.py": package(headline, entries, tensor="torch.Tensor", companions=GATES),
            "torch/gated.py": environment(_PACKAGE).get_template("gated.py.j2").render(),
        }

    def emit_adaptor(self, context: Context) -> str:
        """Return `tests/on_torch.py`."""
        return environment(_PACKAGE).get_template("adaptor.py.j2").render()

    def emit_test(self, derivation: Derivation, context: Context, package: str = "torch") -> str:
        """Return PyTorch's section of the test of one activation; `package` is the one that is tested."""
        activation = derivation.activation
        trainables = [parameter for parameter in map(_parameter, activation.parameters) if parameter["trainable"]]
        return (
            environment(_PACKAGE)
            .get_template("test.py.j2")
            .render(
                package=package,
                trainables=trainables,
                channels=[parameter for parameter in trainables if parameter["is_channel"]],
                refused=[
                    (parameter.name, outside(parameter)) for parameter in activation.parameters if condition(parameter)
                ],
                aliases=activation.aliases,
                probe=probe(derivation) if activation.draws else None,
            )
        )


def module_facts(derivation: Derivation) -> dict[str, Any]:
    """Return what the templates of modules read."""
    activation = derivation.activation
    variables = tuple(symbol.name for symbol in derivation.formula.variables)
    x, is_gated = variables[0], activation.kind == "gated"
    constants = ConstantPool()
    kernels, table = [], []
    expansions: set[str] = set()
    for order in range(3):
        for key in combinations_with_replacement(variables, order):
            if key in derivation.kernels:
                function = "_" + "_".join(("by", *key)) if key else "_value"
                kernels.append(_kernel(derivation, key, function, constants, expansions))
                table += [(" ".join(each), function) for each in dict.fromkeys((key, key[::-1]))]
    parameters = [_parameter(parameter) for parameter in activation.parameters]
    trainables = [parameter for parameter in activation.parameters if parameter.trainable]
    return {
        "name": activation.name,
        "class_name": activation.class_name,
        "aliases": activation.aliases,
        "exported": exported(Entry(activation.name, activation.class_name, activation.aliases, "")),
        "headline": headline(activation, 90)[0].rstrip("."),
        "function_docstring": document(
            derivation,
            indent=4,
            shape=gated_shape(activation) if is_gated else SHAPE,
            arguments=_arguments(activation),
            notes=[explain(activation)] if activation.draws else [],
            raises=_raises(activation),
        ),
        "class_docstring": _class_docstring(derivation),
        "parameters": parameters,
        "x": x,
        "gate": variables[1] if is_gated else None,
        "draws": drawn(activation, _DRAWN.format(draw="rand", x=x), _DRAWN.format(draw="randn", x=x)),
        "read": variables,
        "is_multivariate": len(variables) > 1,
        "has_trainables": bool(trainables),
        "confinements": [parameter["confinement"] for parameter in parameters if parameter["confinement"]],
        "has_softplus": any("_inverse_softplus" in parameter["encoded"] for parameter in parameters),
        "has_channels": any(parameter.shape == "channel" for parameter in trainables),
        "signature": ", ".join(f"{variable}: Tensor" for variable in variables),
        "inputs": ", ".join(variables),
        "variables": ", ".join(repr(variable) for variable in variables),
        "widened": ", ".join(f"{variable}.to(wide)" for variable in variables),
        "wants_gradient": _any(f"{variable}.requires_grad" for variable in variables),
        "is_complete": all(
            key in derivation.kernels for order in (1, 2) for key in combinations_with_replacement(variables, order)
        ),
        "module_arguments": ", ".join(_module_arguments(activation)),
        "extra_repr": _extra_repr(activation),
        "kernels": kernels,
        "table": table,
        "keys": [key for key, _ in table],
        "expansions": sorted(expansions),
        "constants": [str(constant) for constant in constants.lines(TorchPrinter(reuse=False))],
    }


def _any(claims: Iterable[str]) -> str:
    claims = tuple(claims)
    return claims[0] if len(claims) == 1 else f"({' or '.join(claims)})"


def _kernel(
    derivation: Derivation,
    key: tuple[str, ...],
    function: str,
    constants: ConstantPool,
    expansions: set[str],
) -> dict[str, Any]:
    """Return one kernel as a function: its name, its docstring, its lines; add the private functions it calls."""
    activation = derivation.activation
    kernel = derivation.kernels[key]
    variables = [symbol.name for symbol in derivation.formula.variables]
    names = {activation.name, *activation.aliases, *variables, *(p.name for p in activation.parameters)}
    # Second derivatives are what autograd differentiates for the third; nothing may be overwritten there.
    printer = TorchPrinter(reuse=len(key) < 2, reserved=names)
    listing = printer.print(kernel, constants, like=variables[0])
    expansions.update(printer.sources())
    return {
        "name": function,
        "document": kernel_title(key, kernel, derivation.formulas.get(key, "")),
        "lines": _lines(listing, variables),
    }


def kernel_title(key: tuple[str, ...], kernel: Kernel, formula: str) -> str:
    """Return what a kernel computes, for its docstring: its order, its form, the reason for it."""
    words = ("The value", "The derivative by", "The second derivative by")[len(key)]
    text = " ".join((words, " and ".join(dict.fromkeys(key)))).rstrip()
    if kernel.form != "as declared":
        text = f"{text}: {kernel.form}"
    elif formula and len(text) + len(formula) < 80:
        text = f"{text}: {inert(formula)}"
    whole = f"{text}. {kernel.note.rstrip('.')}." if kernel.note else f"{text}."
    if len(whole) + len('    """"""') <= WIDTH:
        return whole
    # The summary on a line of its own, the form below it.
    summary, _, form = whole.partition(": ")
    below = textwrap.fill(form[:1].upper() + form[1:], WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
    return f"{summary}.\n\n{below}\n    "


def _lines(listing: Listing, variables: Sequence[str]) -> tuple[str, ...]:
    """Return the statements; a result that is a number becomes a tensor, one that is a variable a view of it.

    Of several variables a number is a scalar, which cannot broadcast the gradient of another one to a larger shape. A
    variable that is returned as it is, and kept for the backward pass too, is refused by autograd.
    """
    if listing.result in variables:
        return (*map(str, listing.statements), f"return {listing.result}.view_as({listing.result})")
    if not listing.is_number:
        return listing.lines
    x, number = variables[0], listing.result
    made = f"{x}.new_full((), {number})" if len(variables) > 1 else f"torch.full_like({x}, {number})"
    return (*map(str, listing.statements), f"return {made}")


_FUNCTIONS = {
    "softplus": "nn.functional.softplus",
    "sigmoid": "torch.sigmoid",
    "inverse_softplus": "_inverse_softplus",
    "log": "torch.log",
}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    confinement = confine(parameter) if parameter.trainable else None
    return {
        "name": parameter.name,
        "default": repr(float(parameter.default)),
        "trainable": parameter.trainable,
        "is_channel": parameter.trainable and parameter.shape == "channel",
        "samples": _three(parameter),
        "domain": domain_words(parameter),
        "condition": condition(parameter),
        "confinement": confinement,
        "held": parameter.name if confinement is None else f"raw_{parameter.name}",
        "decoded": "" if confinement is None else confinement.value.format(raw="raw", **_FUNCTIONS),
        "encoded": "" if confinement is None else confinement.raw.format(**_FUNCTIONS),
    }


def _three(parameter: Parameter) -> list[float]:
    """Return three numbers of the domain, different ones where there are as many samples, for tests."""
    return [float(value) for value in islice(cycle(parameter_values(parameter)), 3)]


def outside(parameter: Parameter) -> float:
    """Return a number outside the domain, for tests."""
    domain = parameter.domain
    return float(domain.lower) - 1.0 if domain.lower != -sympy.oo else float(domain.upper) + 1.0


def _argument(parameter: Parameter) -> str:
    if not parameter.trainable:
        return f"self.{parameter.name}"
    shape = "shape" if parameter.shape == "channel" else "()"
    return f"self.{parameter.name}.reshape({shape})"


def _module_arguments(activation: Activation) -> list[str]:
    """Return what a module passes to its function."""
    inputs = [symbol.name for symbol in activation.inputs]
    if activation.kind != "gated":
        how = ["training=self.training", "generator=generator"] if activation.draws else []
        return [*inputs, *(_argument(parameter) for parameter in activation.parameters), *how]
    own = [f"{parameter.name}={_argument(parameter)}" for parameter in activation.parameters]
    return [*inputs, *own, "dim=self.dim"]


def _extra_repr(activation: Activation) -> list[str]:
    """Return the text that tells a module from others of its class: f-strings, a line each, that Python joins."""
    fields = ["dim={self.dim}"] if activation.kind == "gated" else []
    if any(parameter.trainable and parameter.shape == "channel" for parameter in activation.parameters):
        fields.append("num_parameters={self.num_parameters}")
    for parameter in activation.parameters:
        held = f"initial_{parameter.name}" if parameter.trainable else parameter.name
        fields.append(f"{parameter.name}={{self.{held}}}")
    lines = textwrap.wrap(", ".join(fields), WIDTH - 16, drop_whitespace=False, break_long_words=False)
    return [f'f"{line}"' for line in lines]


def _arguments(activation: Activation) -> list[tuple[str, str]]:
    shape = "A number, or a tensor that broadcasts against x."
    if activation.kind == "gated":
        return gated_arguments(activation, "dim", shape.replace("x.", "the result."))
    has_rows = activation.parameters or activation.draws
    rows = [("x", "Input of any shape and floating type.")] if has_rows else []
    rows += [(parameter.name, f"{describe(parameter)} {shape}") for parameter in activation.parameters]
    if activation.draws:
        which = "What to draw from; by default PyTorch's own, which alone torch.utils.checkpoint restores and"
        rows += [("training", "Whether to draw."), ("generator", f"{which} torch.compile takes.")]
    return rows


def _raises(activation: Activation) -> list[tuple[str, str]]:
    rows = [("NotImplementedError", f"{activation.inputs[0].name} is not of a floating type.")]
    if activation.kind == "gated":
        rows.append(("RuntimeError", "The axis cannot be halved."))
    checked = [parameter.name for parameter in activation.parameters if condition(parameter)]
    return rows + ([("ValueError", f"{' or '.join(checked)} is a number outside its domain.")] if checked else [])


def _class_docstring(derivation: Derivation) -> str:
    activation = derivation.activation
    rows, notes = [], [explain(activation)] if activation.draws else []
    if activation.kind == "gated":
        rows.append(("dim", "The axis that holds both inputs, where the layer is called with one tensor."))
    has_channels = any(parameter.trainable and parameter.shape == "channel" for parameter in activation.parameters)
    if has_channels:
        what = "1; the number of channels, to learn one value for each; or the sizes of a shape that broadcasts"
        rows.append(("num_parameters", f"{what} against the input without its first axis."))
    for parameter in activation.parameters:
        what = "Fixed at construction."
        if parameter.trainable:
            kind = ", a number or one for each." if parameter.shape == "channel" else "."
            what = f"Trainable; this is its initial value{kind}"
            confinement = confine(parameter)
            if confinement is not None:
                made = f"the optimizer moves raw_{parameter.name}, and {parameter.name} is {confinement.words}."
                notes.append(f"Stays {domain_words(parameter)} in training: {made}")
        rows.append((parameter.name, f"{describe(parameter)} {what}"))
    if has_channels:
        rows.append(("channel_axis", "Where the channels lie."))
    if any(parameter.trainable for parameter in activation.parameters):
        rows += [("device", "Where the trainable parameters live."), ("dtype", "Their type.")]
    return document(
        derivation,
        indent=4,
        shape=f"A layer that applies :func:`{activation.name}`.",
        arguments=rows,
        notes=notes,
        has_facts=False,
    )
