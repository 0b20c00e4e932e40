"""A derivation becomes a Keras module; the entries of all become the package."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

from actgen.spec.text import inert
from actgen.targets.condition import condition
from actgen.targets.confinement import confine, projection
from actgen.targets.docstring import describe, document, domain_words, gated_arguments, gated_shape, headline
from actgen.targets.drawing import drawn, explain, probe
from actgen.targets.keras.arithmetic import ARITHMETIC
from actgen.targets.keras.axiswise import emit_axiswise
from actgen.targets.keras.expansions import sources
from actgen.targets.keras.printer import KerasPrinter
from actgen.targets.package import GATES, package
from actgen.targets.statements import ConstantPool, Listing, unused
from actgen.targets.target import Context, Entry
from actgen.targets.templates import environment

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.numerics.axiswise import AxiswiseDerivation
    from actgen.spec.activation import Activation, Parameter

_PACKAGE = "actgen.targets.keras"
_SHAPE = "Elementwise, any shape; float16 and bfloat16 are computed in float32 and rounded once, integers in floatx."
_LOCALS = ("value", "upstream", "differentiable", "wide")
"""Local names of emitted functions, which give way to a parameter of the same name."""


class KerasTarget:
    """Emits `keras/NAME.py`, `keras/__init__.py`, and Keras's part of the tests."""

    name = "keras"
    arithmetic = ARITHMETIC
    borrows = ""

    def emit(self, derivation: Derivation, context: Context) -> dict[str, str]:
        """Return the module of one activation."""
        template = environment(_PACKAGE).get_template("module.py.j2")
        return {f"keras/{derivation.activation.name}.py": template.render(_module(derivation))}

    def emit_axiswise(self, derivation: AxiswiseDerivation, context: Context) -> dict[str, str]:
        """Return the module of one axis-wise activation."""
        return {f"keras/{derivation.activation.name}.py": emit_axiswise(derivation)}

    def emit_row_adaptor(self, context: Context) -> str:
        """Return `tests/rows_on_keras.py`."""
        return environment(_PACKAGE).get_template("row_adaptor.py.j2").render()

    def emit_package(self, entries: Sequence[Entry], context: Context) -> dict[str, str]:
        """Return the package that imports an activation when its name is first used."""
        headline = "Activations for Keras: functions and layers, on every backend."
        register = environment(_PACKAGE).get_template("register.py.j2").render().rstrip()
        return {
            "keras/__init__.py": package(
                headline, entries, functions={"register": register}, companions={**GATES, "Compiled": "compiled"}
            ),
            "keras/gated.py": environment(_PACKAGE).get_template("gated.py.j2").render(),
            "keras/compiled.py": environment(_PACKAGE).get_template("compiled.py.j2").render(),
        }

    def emit_adaptor(self, context: Context) -> str:
        """Return `tests/on_keras.py`."""
        return environment(_PACKAGE).get_template("adaptor.py.j2").render()

    def emit_test(self, derivation: Derivation, context: Context) -> str:
        """Return Keras's section of the test of one activation."""
        activation = derivation.activation
        parameters = [_parameter(parameter, activation.class_name) for parameter in activation.parameters]
        return (
            environment(_PACKAGE)
            .get_template("test.py.j2")
            .render(
                name=activation.name,
                class_name=activation.class_name,
                is_gated=activation.kind == "gated",
                probe=probe(derivation) if activation.draws else None,
                parameters=parameters,
                trainables=[parameter for parameter in parameters if parameter["trainable"]],
                hyperparameters=[parameter for parameter in parameters if not parameter["trainable"]],
            )
        )


def _module(derivation: Derivation) -> dict[str, Any]:
    """Return what the template of a module reads."""
    activation = derivation.activation
    parameters = [_parameter(parameter, activation.class_name) for parameter in activation.parameters]
    trainables = [parameter for parameter in parameters if parameter["trainable"]]
    hyperparameters = [parameter for parameter in parameters if not parameter["trainable"]]
    is_gated = activation.kind == "gated"
    halved = [("ValueError", "The axis cannot be halved.")] if is_gated else []
    writer = _Writer(derivation, [parameter["name"] for parameter in hyperparameters])
    kernels = writer.kernels()
    x = writer.inputs[0]
    return {
        "name": activation.name,
        "class_name": activation.class_name,
        "aliases": activation.aliases,
        "exported": sorted({activation.name, activation.class_name, *activation.aliases}),
        "headline": headline(activation, 90)[0],
        "function_docstring": document(
            derivation,
            indent=4,
            shape=gated_shape(activation) if is_gated else _SHAPE,
            arguments=_function_arguments(activation),
            notes=[explain(activation)] if activation.draws else [],
            raises=[("TypeError", f"{writer.inputs[0]} is complex."), *_outside(activation.parameters), *halved],
        ),
        "x": writer.inputs[0],
        "gate": writer.inputs[1] if is_gated else None,
        "draws": drawn(
            activation,
            *(f"keras.random.{draw}(keras.ops.shape({x}), dtype=wide, seed=seed)" for draw in ("uniform", "normal")),
        ),
        "class_docstring": _class_docstring(derivation),
        "parameters": parameters,
        "trainables": trainables,
        "hyperparameters": hyperparameters,
        "has_channels": any(parameter["is_channel"] for parameter in trainables),
        "projections": [parameter["name"] for parameter in trainables if parameter["constraint"] != "None"],
        "checks": [parameter for parameter in parameters if parameter["condition"]],
        "names": writer.names,
        "arguments": ", ".join(writer.arguments),
        "tensors": ", ".join(writer.tensors),
        "kernels": kernels,
        "expansions": sources(writer.printer.expansions),
        "constants": writer.constants.lines(writer.printer),
    }


class _Writer:
    """The private functions of one module: the value, and what its derivatives need."""

    def __init__(self, derivation: Derivation, hyperparameters: Sequence[str]) -> None:
        self.derivation = derivation
        parameters = derivation.activation.parameters
        self.inputs = tuple(symbol.name for symbol in derivation.formula.inputs)
        self.arguments = tuple(symbol.name for symbol in derivation.formula.variables)
        drawn = [draw.parameter.name for draw in derivation.activation.draws]
        trained = [p.name for p in parameters if p.trainable and p.name in self.arguments]
        self.differentiated = (*self.inputs, *trained)
        self.tensors = (*self.differentiated, *drawn)
        self.constants = ConstantPool()
        self.names = {local: unused(local, self.arguments) for local in _LOCALS}
        reserved = {derivation.activation.name, *self.arguments, *self.names.values()}
        self.printer = KerasPrinter(hyperparameters, reserved)

    def kernels(self) -> list[dict[str, Any]]:
        """Return the functions in the order of the module: value, first derivatives, second derivatives."""
        keys = [key for order in range(3) for key in combinations_with_replacement(self.differentiated, order)]
        return [self._kernel(key) for key in keys if key == () or self._is_function(key)]

    def _kernel(self, key: tuple[str, ...]) -> dict[str, Any]:
        kernel = self.derivation.kernels[key]
        listing = self.printer.print(kernel, self.constants, like=self.inputs[0])
        formula = self.derivation.formulas.get(key, "")
        says = kernel.note or (f"{_symbol(key)} = {formula}" if formula and len(formula) < 70 else _symbol(key))
        gradients = [self._gradient(key, variable) for variable in self.tensors]
        # Outside the function that is differentiated: an assignment inside would make a parameter local to it.
        conversions = [str(step) for step in listing.statements if step.name in self.printer.hyperparameters]
        return {
            "name": self._function(key),
            "document": inert(says).rstrip(".") + ".",
            "conversions": conversions,
            "steps": [str(step) for step in listing.statements if step.name not in self.printer.hyperparameters],
            "result": self._filled(listing),
            "is_differentiated": len(key) < 2,
            "gradients": gradients,
            "has_upstream": any(self.names["upstream"] in gradient for gradient in gradients),
        }

    def _gradient(self, key: tuple[str, ...], variable: str) -> str:
        """Return the gradient by one variable: upstream times the next derivative, summed to the variable's shape."""
        if len(key) == 2:
            return ""
        if variable not in self.differentiated:
            return f"keras.ops.zeros_like({variable})"  # of what is drawn nobody asks the gradient
        further = tuple(sorted((*key, variable), key=self.tensors.index))
        kernel = self.derivation.kernels.get(further)
        if kernel is None:
            return f"keras.ops.zeros_like({variable})"
        upstream = self.names["upstream"]
        product = f"{upstream} * {self._function(further)}({', '.join(self.arguments)})"
        if not self._is_function(further):
            number = self.printer.print(kernel, self.constants, like=self.inputs[0]).result
            product = upstream if number == "1.0" else f"{number} * {upstream}"
        return product if variable in self.inputs else f"_sum_to({product}, {variable})"

    def _is_function(self, key: tuple[str, ...]) -> bool:
        """Whether a derivative gets a function: it is neither 0 nor another number."""
        kernel = self.derivation.kernels.get(key)
        return kernel is not None and not kernel.is_constant

    def _filled(self, listing: Listing) -> str:
        reads_tensor = any(name in self.tensors for name in listing.reads)
        return listing.result if reads_tensor else f"keras.ops.full_like({self.inputs[0]}, {listing.result})"

    def _function(self, key: tuple[str, ...]) -> str:
        if not key:
            return "_value"
        order = "_derivative" if len(key) == 1 else "_second_derivative"
        return order if len(self.differentiated) == 1 else "_".join((order, *key))


def _symbol(key: tuple[str, ...]) -> str:
    return "f" if not key else ("df" if len(key) == 1 else "d2f") + " / " + " ".join(f"d{name}" for name in key)


def _parameter(parameter: Parameter, class_name: str) -> dict[str, Any]:
    ends = projection(parameter) if parameter.trainable else None
    return {
        "name": parameter.name,
        "default": repr(float(parameter.default)),
        "trainable": parameter.trainable,
        "is_channel": parameter.trainable and parameter.shape == "channel",
        "condition": condition(parameter),
        "confinement": confine(parameter) if parameter.trainable else None,
        "constraint": "None" if ends is None else f"{class_name}Domain({ends[0]}, {ends[1]})",
        "domain": domain_words(parameter),
    }


def _function_arguments(activation: Activation) -> list[tuple[str, str]]:
    if activation.kind == "gated":
        return gated_arguments(activation, "axis")
    if not activation.parameters and not activation.draws:
        return []
    rows = [("x", "Input of any shape.")]
    for parameter in activation.parameters:
        what = "A number, or a tensor that broadcasts against x." if parameter.trainable else "A number."
        rows.append((parameter.name, f"{describe(parameter)} {what}"))
    if activation.draws:
        rows += [("training", "Whether to draw."), ("seed", "A number or a keras.random.SeedGenerator to draw with.")]
    return rows


def _outside(parameters: Sequence[Parameter]) -> list[tuple[str, str]]:
    """Return the row of a docstring on numbers outside the domain of a parameter; none if all reals are allowed."""
    checked = [parameter.name for parameter in parameters if condition(parameter)]
    return [("ValueError", f"{' or '.join(checked)} is a number outside its domain.")] if checked else []


def _class_docstring(derivation: Derivation) -> str:
    activation = derivation.activation
    rows: list[tuple[str, str]] = []
    if activation.kind == "gated":
        rows.append(("axis", "The axis that holds both inputs, where the layer is called with one tensor."))
    for parameter in activation.parameters:
        name = parameter.name
        if not parameter.trainable:
            rows.append((name, f"{describe(parameter)} Fixed at construction."))
            continue
        kept = f"Projection of {name} after each update{_kept(parameter)}."
        initial = "An initializer, a number, or one for each."
        rows += [
            (f"{name}_initializer", f"Initial value of {name}, which is trained. {describe(parameter)} {initial}"),
            (f"{name}_regularizer", f"Penalty on {name}."),
            (f"{name}_constraint", kept),
        ]
    trainables = [parameter for parameter in activation.parameters if parameter.trainable]
    if any(parameter.shape == "channel" for parameter in trainables):
        what = "Axes along which a parameter is shared, as in keras.layers.PReLU. By default all but the last, so"
        rows.append(("shared_axes", f"{what} one value a channel; with channels on axis 1 of an image, [2, 3]."))
    if activation.draws:
        rows.append(("seed", "Where its random numbers start; by default anywhere."))
    rows.append(("**kwargs", "As for every layer: name, dtype, trainable."))
    notes = ["Saves and loads. Parameters stay in the variable type under mixed precision."] if trainables else []
    notes += [explain(activation)] if activation.draws else []
    hyperparameters = [parameter for parameter in activation.parameters if not parameter.trainable]
    return document(
        derivation,
        indent=4,
        shape=f"The layer that applies `{activation.name}`.",
        arguments=rows,
        notes=notes,
        raises=_outside(hyperparameters),
        has_facts=False,
    )


def _kept(parameter: Parameter) -> str:
    """Return how the default constraint keeps a parameter in its domain, in words."""
    ends = projection(parameter)
    if ends is None:
        return ""
    words = {"lowest": ends[0], "highest": ends[1]}
    kept = " and ".join(f"{name} {end}" for name, end in words.items() if end != "None")
    return f", by default to its domain: {kept}"
