"""What there is to say about an axis-wise activation, for `actgen check` and `actgen show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from actgen.build.axiswise import NAMES
from actgen.build.misses import Miss, miss_lines
from actgen.facts import spec_facts

if TYPE_CHECKING:
    from actgen.numerics import Arithmetic
    from actgen.spec import Activation


def judge(activation: Activation, machines: Mapping[str, Arithmetic]) -> tuple[list[tuple[str, ...]], list[str]]:
    """The rows of `actgen check` and the lines of what misses the contract: per element, on rows, in emulation."""
    from actgen.numerics.axiswise import derive_axiswise

    derivation = derive_axiswise(activation, machines)
    missed = {(quantity, machine) for quantity, machine, _ in derivation.missed}
    rows: list[tuple[str, ...]] = []
    for quantity, by_machine in derivation.judgements.items():
        worst = max(by_machine, key=lambda machine: by_machine[machine].units)
        errors = by_machine[worst]
        calls, divisions, passes = derivation.kernels[quantity].cost.key
        rows.append(
            (
                activation.name if quantity == "value" else "",
                NAMES[quantity],
                "all",
                derivation.setting.describe(),
                f"{calls}c {divisions}d {passes}p",
                f"{errors.units:.2f}" if errors.units < 1000 else f"{errors.units:.3g}",
                f"{errors.ulps:.3g}",
                f"{errors.at:.6g}",
                "MISSED" if any((quantity, machine) in missed for machine in by_machine) else "ok",
            )
        )
    misses = (
        Miss(f"{activation.name} {NAMES[quantity]}", machine, errors.units, errors.at, errors.where)
        for quantity, machine, errors in derivation.missed
    )
    return rows, miss_lines(misses)


def show_facts(activation: Activation, targets: Sequence[str]) -> dict[str, list[str]]:
    """Everything about an axis-wise activation, by what it is called."""
    from actgen.numerics.axiswise import derive_axiswise

    derivation = derive_axiswise(activation, {})
    acts = "in each group of consecutive elements of one axis" if activation.grouped else "along one axis"
    left = "one value is left of it" if derivation.reduces else "the shape stays"
    found: dict[str, list[str]] = {
        "summary": [activation.summary],
        "formula": [" ".join(activation.expression_text.split())],
        "acts": [f"{acts}; {left}"],
        "normal form": [derivation.formulas["value"]],
        NAMES["jvp"]: [derivation.formulas["jvp"]],
        NAMES["vjp"]: [derivation.formulas["vjp"]],
        "proved": derivation.proved,
        "computed from": [derivation.setting.describe()],
    }
    return {name: lines for name, lines in (found | spec_facts(activation, targets)).items() if any(lines)}
