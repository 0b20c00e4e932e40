"""A derivation becomes an Equinox module around the function that the JAX target emits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actgen.targets import axiswise
from actgen.targets.jax.arithmetic import ARITHMETIC
from actgen.targets.jax.wrapping import cheap_test, wrapper
from actgen.targets.package import package
from actgen.targets.target import Context, Entry
from actgen.targets.templates import environment

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.numerics.axiswise import AxiswiseDerivation

_PACKAGE = "actgen.targets.equinox"


class EquinoxTarget:
    """Emits `equinox/NAME.py`, `equinox/__init__.py`, and a test of each module."""

    name = "equinox"
    arithmetic = ARITHMETIC
    borrows = "jax"

    def emit(self, derivation: Derivation, context: Context) -> dict[str, str]:
        """Return the module of one activation."""
        template = environment(_PACKAGE).get_template("module.py.j2")
        return {f"equinox/{derivation.activation.name}.py": template.render(wrapper(derivation, "dtype"))}

    def emit_axiswise(self, derivation: AxiswiseDerivation, context: Context) -> dict[str, str]:
        """Return the module of one axis-wise activation."""
        template = environment(_PACKAGE).get_template("axiswise_module.py.j2")
        return {f"equinox/{derivation.activation.name}.py": template.render(axiswise.wrapper(derivation))}

    def emit_row_adaptor(self, context: Context) -> str:
        """Return nothing: what is measured are the functions of JAX."""
        return ""

    def emit_package(self, entries: Sequence[Entry], context: Context) -> dict[str, str]:
        """Return the package that imports an activation when its name is first used."""
        headline = "Activations for Equinox: modules, and the functions of the package `jax` that they apply."
        return {"equinox/__init__.py": package(headline, entries, "jax.Array")}

    def emit_adaptor(self, context: Context) -> str:
        """Return nothing: what is measured are the functions of JAX."""
        return ""

    def emit_test(self, derivation: Derivation, context: Context) -> str:
        """Return the test that the module is its function and learns."""
        return environment(_PACKAGE).get_template("test.py.j2").render(cheap_test(derivation))
