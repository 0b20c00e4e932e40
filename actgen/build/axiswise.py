"""One axis-wise spec from its file to source text; beside the pipeline of elementwise activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from actgen.build.errors import InputError
from actgen.build.manifest import KernelRecord, Record

if TYPE_CHECKING:
    from actgen.numerics.axiswise import AxiswiseDerivation
    from actgen.spec import Activation
    from actgen.targets import Context, Target

NAMES = {"value": "value", "jvp": "J t", "vjp": "g J"}
"""What the quantities are called in the manifest and in reports: t is a tangent, g a cotangent."""


def emit(
    activation: Activation, shown: str, targets: Sequence[Target], context: Context
) -> tuple[Record, dict[str, str]]:
    """Derive and emit one axis-wise activation: its record, without files, and its sources.

    Raises:
        InputError: a target knows no axis-wise activations.
    """
    from actgen.numerics.axiswise import derive_axiswise, reference_rows
    from actgen.targets.axiswise import AxiswiseTarget
    from actgen.targets.axiswise_suite import emit_axiswise_test
    from actgen.targets.target import lenders

    own = lenders(targets)
    derivation = derive_axiswise(activation, {target.name: target.arithmetic for target in own})
    sources = emit_axiswise_test(derivation, reference_rows(derivation), targets, context)
    for target in targets:
        if not isinstance(target, AxiswiseTarget):
            message = f"the target {target.name!r} knows no axis-wise activations, but {activation.path} is one"
            raise InputError(f"{message}; leave the target or the spec out")
        sources |= target.emit_axiswise(derivation, context)
    record = Record(
        spec=shown,
        digest=activation.digest,
        class_name=activation.class_name,
        aliases=activation.aliases,
        summary=activation.summary,
        kernels=records(derivation),
        files={},
    )
    return record, sources


def records(derivation: AxiswiseDerivation) -> Mapping[str, Mapping[str, KernelRecord]]:
    """What the manifest says of the kernels."""
    missed = {(quantity, machine) for quantity, machine, _ in derivation.missed}
    return {
        NAMES[quantity]: {
            machine: KernelRecord(
                form=derivation.setting.describe(),
                units=float(f"{errors.units:.3g}"),
                ulps=float(f"{errors.ulps:.3g}"),
                at=errors.at,
                is_within_contract=(quantity, machine) not in missed,
                is_certified=False,
                cost=derivation.kernels[quantity].cost.key,
            )
            for machine, errors in sorted(by_machine.items())
        }
        for quantity, by_machine in derivation.judgements.items()
    }
