"""A derivation becomes a JAX module; the entries of all become the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

from actgen.spec.text import inert
from actgen.targets.condition import condition
from actgen.targets.docstring import describe, document, domain_words, gated_arguments, gated_shape, headline
from actgen.targets.drawing import drawn, explain
from actgen.targets.jax.arithmetic import ARITHMETIC
from actgen.targets.jax.axiswise import emit_axiswise
from actgen.targets.jax.printer import JaxPrinter
from actgen.targets.package import GATES, package
from actgen.targets.statements import ConstantPool, Listing, unused
from actgen.targets.target import Context, Entry
from actgen.targets.templates import environment

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.numerics.axiswise import AxiswiseDerivation
    from actgen.spec.activation import Activation, Parameter

_PACKAGE = "actgen.targets.jax"
_SHAPE = (
    "Elementwise, any shape; float16 and bfloat16 are computed in float32 and rounded once, integers become "
    "floats as in jax.numpy, weak types stay weak."
)


class JaxTarget:
    """Emits `jax/NAME.py`, `jax/__init__.py`, and JAX's part of the tests."""

    name = "jax"
    arithmetic = ARITHMETIC
    borrows = ""

    def emit(self, derivation: Derivation, context: Context) -> dict[str, str]:
        """Return the module of one activation."""
        template = environment(_PACKAGE).get_template("module.py.j2")
        return {f"jax/{derivation.activation.name}.py": template.render(_module(derivation))}

    def emit_axiswise(self, derivation: AxiswiseDerivation, context: Context) -> dict[str, str]:
        """Return the module of one axis-wise activation."""
        return {f"jax/{derivation.activation.name}.py": emit_axiswise(derivation)}

    def emit_row_adaptor(self, context: Context) -> str:
        """Return `tests/rows_on_jax.py`."""
        return environment(_PACKAGE).get_template("row_adaptor.py.j2").render()

    def emit_package(self, entries: Sequence[Entry], context: Context) -> dict[str, str]:
        """Return the package that imports an activation when its name is first used."""
        functions = [replace(entry, class_name="") for entry in entries]
        headline, gates = "Activations for JAX: pure functions.", {"gated": GATES["gated"]}
        return {
            "jax/__init__.py": package(headline, functions, "jax.Array", companions=gates),
            "jax/gated.py": environment(_PACKAGE).get_template("gated.py.j2").render(),
        }

    def emit_adaptor(self, context: Context) -> str:
        """Return `tests/on_jax.py`."""
        return environment(_PACKAGE).get_template("adaptor.py.j2").render()

    def emit_test(self, derivation: Derivation, context: Context) -> str:
        """Return JAX's section of the test of one activation."""
        activation = derivation.activation
        parameters = [_parameter(parameter) for parameter in activation.parameters]
        read = [parameter for parameter in activation.parameters if parameter in activation.variables]
        has_broadcasts = bool(read) and activation.kind != "gated"
        template = environment(_PACKAGE).get_template("test.py.j2")
        return template.render(parameters=parameters, has_broadcasts=has_broadcasts)


def _module(derivation: Derivation) -> dict[str, Any]:
    """Return what the template of a module reads."""
    activation = derivation.activation
    parameters = [_parameter(parameter) for parameter in activation.parameters]
    writer = _Writer(derivation)
    kernels = writer.kernels()
    x = writer.variables[0]
    keys = "key" if len(activation.draws) == 1 else "jax.random.fold_in(key, {place})"
    draws = drawn(
        activation, f"jax.random.uniform({keys}, {x}.shape, wide)", f"jax.random.normal({keys}, {x}.shape, wide)"
    )
    is_gated = activation.kind == "gated"
    halved = [("ValueError", "The axis cannot be halved.")] if is_gated else []
    checked = [parameter["name"] for parameter in parameters if parameter["condition"]]
    outside = [("ValueError", f"{' or '.join(checked)} is a number outside its domain.")] if checked else []
    return {
        "name": activation.name,
        "aliases": activation.aliases,
        "exported": sorted({activation.name, *activation.aliases}),
        "headline": headline(activation, 90)[0],
        "docstring": document(
            derivation,
            indent=4,
            shape=gated_shape(activation) if is_gated else _SHAPE,
            arguments=_arguments(activation),
            notes=[explain(activation)] if activation.draws else [],
            raises=[("TypeError", f"{writer.variables[0]} is complex."), *outside, *halved],
        ),
        "parameters": parameters,
        "checks": [parameter for parameter in parameters if parameter["condition"]],
        "names": {local: unused(local, writer.variables) for local in ("value", "wide")},
        "x": writer.variables[0],
        "gate": writer.variables[1] if is_gated else None,
        "draws": draws,
        "given": [variable for variable in writer.variables if variable not in {draw["name"] for draw in draws}],
        "is_multivariate": len(writer.variables) > 1,
        "arguments": ", ".join(writer.variables),
        "signature": ", ".join(f"{variable}: Array" for variable in writer.variables),
        "kernels": kernels,
        "expansions": writer.printer.sources(),
        "constants": writer.constants.lines(writer.printer),
    }


class _Writer:
    """The private functions of one module: the value, and what its derivatives need."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.variables = tuple(symbol.name for symbol in derivation.formula.variables)
        self.constants = ConstantPool()
        self.printer = JaxPrinter({derivation.activation.name, *self.variables})

    def kernels(self) -> list[dict[str, Any]]:
        """Return the functions in the order of the module: value, first derivatives, second derivatives."""
        keys = [key for order in range(3) for key in combinations_with_replacement(self.variables, order)]
        return [self._kernel(key) for key in keys if key in self.derivation.kernels]

    def _kernel(self, key: tuple[str, ...]) -> dict[str, Any]:
        kernel = self.derivation.kernels[key]
        listing = self.printer.print(kernel, self.constants, like=self.variables[0])
        formula = self.derivation.formulas.get(key, "")
        says = kernel.note or (f"{_symbol(key)} = {formula}" if formula and len(formula) < 70 else _symbol(key))
        return {
            "name": self._function(key),
            "document": inert(says).rstrip(".") + ".",
            "steps": [str(statement) for statement in listing.statements],
            "result": self._filled(listing),
            "partials": [self._partial(key, variable) for variable in self.variables] if len(key) < 2 else [],
        }

    def _partial(self, key: tuple[str, ...], variable: str) -> str:
        """Return the name of the function that differentiates further by a variable; None where that is 0."""
        further = tuple(sorted((*key, variable), key=self.variables.index))
        return self._function(further) if further in self.derivation.kernels else "None"

    def _filled(self, listing: Listing) -> str:
        return f"jnp.full_like({self.variables[0]}, {listing.result})" if listing.is_number else listing.result

    def _function(self, key: tuple[str, ...]) -> str:
        if not key:
            return "_value"
        order = "_derivative" if len(key) == 1 else "_second_derivative"
        return order if len(self.variables) == 1 else "_".join((order, *key))


def _symbol(key: tuple[str, ...]) -> str:
    return "f" if not key else ("df" if len(key) == 1 else "d2f") + " / " + " ".join(f"d{name}" for name in key)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "default": repr(float(parameter.default)),
        "condition": condition(parameter),
        "domain": domain_words(parameter),
    }


def _arguments(activation: Activation) -> list[tuple[str, str]]:
    if activation.kind == "gated":
        return gated_arguments(activation, "axis", "A number, or an array that broadcasts against the result.")
    if not activation.parameters and not activation.draws:
        return []
    rows = [("x", "Input of any shape.")]
    for parameter in activation.parameters:
        what = "A number, or an array that broadcasts against x."
        rows.append((parameter.name, f"{describe(parameter)} {what}"))
    if activation.draws:
        rows.append(("key", "A key of jax.random to draw with, in training; without one nothing is drawn."))
    return rows
