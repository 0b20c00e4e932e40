"""The generated test of an axis-wise activation: exact rows, special rows, every axis, transforms, layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from actgen.spec.text import inert
from actgen.symbolic.axiswise import QUANTITIES
from actgen.targets.condition import condition
from actgen.targets.target import Context, Target, lenders, wrappers
from actgen.targets.templates import environment
from actgen.targets.traits import axiswise_traits, size

if TYPE_CHECKING:
    from actgen.numerics.axiswise import AxiswiseDerivation, RowReference

_LITTLE = 1000.0  # units: a bound beyond it would pass what has no digit left on rows that saturate


def emit_axiswise_test(
    derivation: AxiswiseDerivation, rows: Sequence[RowReference], targets: Sequence[Target], context: Context
) -> dict[str, str]:
    """Return the generated test of one activation: {"tests/test_softmax.py": source}.

    Args:
        derivation: of the activation.
        rows: with exact results, in numbers that every type holds.
        targets: the frameworks to test, in order.
        context: what holds for the whole build.
    """
    activation = derivation.activation
    source = (
        environment("actgen.targets")
        .get_template("test_axiswise.py.j2")
        .render(
            name=activation.name,
            class_name=activation.class_name,
            aliases=activation.aliases,
            traits=axiswise_traits(derivation),
            size=size([derivation]),
            title=inert(activation.title),
            frameworks=[target.name for target in lenders(targets)],
            wrappers=[target.name for target in wrappers(targets)],
            rows=[_row(row) for row in rows],
            units=_units(derivation),
            parameters={p.name: float(np.float32(float(p.default))) for p in activation.parameters},
            checked=[parameter.name for parameter in activation.parameters if condition(parameter)],
            reduces=derivation.reduces,
            grouped=activation.grouped,
            shift=derivation.formula.shift,
        )
    )
    return {f"tests/test_{activation.name}.py": source}


def _row(row: RowReference) -> dict[str, object]:
    sample = row.sample
    found: dict[str, object] = {
        "name": sample.name,
        "x": _numbers(sample.row),
        "tangent": _numbers(sample.tangent),
        "cotangent": _numbers(sample.cotangent),
    }
    for quantity in QUANTITIES:
        found[quantity] = _numbers(row.values[quantity])
        found[f"{quantity}_condition"] = ", ".join(f"{value:.3g}" for value in row.conditions[quantity])
    found["bend"] = _numbers(row.bend)
    return found


def _units(derivation: AxiswiseDerivation) -> Mapping[str, float]:
    """Twice what was measured in emulation, of the quantities that miss the contract by little."""
    worst: dict[str, float] = {}
    for quantity, _, errors in derivation.missed:
        worst[quantity] = max(worst.get(quantity, 0.0), errors.units)
    return {q: float(f"{2 * units:.2g}") for q, units in worst.items() if units <= _LITTLE}


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(repr(float(value)) for value in values)
