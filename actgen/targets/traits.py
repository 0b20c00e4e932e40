"""What a module is built of, apart from its mathematics: tests of that need not be run for all that are built alike.

Every activation's values are tested against its own reference. Whether a module can be compiled, saved, broadcast and
told off is decided by the templates and the printers: by which kinds of parameters there are, and which operations.
"""

from __future__ import annotations

from collections.abc import Iterable

from actgen.numerics import Derivation
from actgen.numerics.axiswise import AxiswiseDerivation
from actgen.numerics.kernel import Call
from actgen.spec import Activation, Parameter
from actgen.targets.condition import condition
from actgen.targets.confinement import confine


def traits(derivations: Iterable[Derivation]) -> tuple[str, ...]:
    """Return what an activation's modules are built of, in order: its kinds of parameters, its operations.

    Args:
        derivations: of one activation, for each target with kernels of its own.
    """
    derivations = list(derivations)
    activation = derivations[0].activation
    kernels = [kernel for derivation in derivations for kernel in derivation.kernels.values()]
    operations = {node.operation for kernel in kernels for node in kernel.nodes if isinstance(node, Call)}
    found = {_structure(activation), *(_kind(parameter) for parameter in activation.parameters)}
    found |= {f"draws from a {draw.family} distribution" for draw in activation.draws}
    return tuple(sorted(found | operations))


def size(derivations: Iterable[Derivation | AxiswiseDerivation]) -> int:
    """Return how many operations all kernels of an activation have: what compiling its modules takes goes with it."""
    return sum(kernel.cost.passes for derivation in derivations for kernel in derivation.kernels.values())


def axiswise_traits(derivation: AxiswiseDerivation) -> tuple[str, ...]:
    """Return what the modules of an axis-wise activation are built of."""
    activation = derivation.activation
    found = {
        _structure(activation),
        f"{'reduces' if derivation.reduces else 'keeps'} the axis",
        f"shift {derivation.formula.shift}",
        *(_kind(parameter) for parameter in activation.parameters),
    }
    return tuple(sorted(found))


def _structure(activation: Activation) -> str:
    grouped = " in groups" if activation.grouped else ""
    return f"{activation.kind}{grouped} of {min(len(activation.parameters), 2)} parameters"


def _kind(parameter: Parameter) -> str:
    bounds = " with bounds" if condition(parameter) else ""
    if not parameter.trainable:
        return f"number{bounds}"
    confinement = confine(parameter)
    held = f" held as {confinement.value}" if confinement is not None else bounds
    return f"{parameter.shape} parameter{held}"
