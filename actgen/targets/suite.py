"""The generated tests: what holds for every framework, and each target's own section.

`tests/test_NAME.py` is self-contained apart from neighbours that hold no facts about an activation: `tests/contract.py`
(the accuracy contract, the grids of points), `tests/on_FRAMEWORK.py` (how to call a framework) and `tests/conftest.py`
(what runs by default).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from actgen.numerics.oracle import Oracle
from actgen.spec.text import inert
from actgen.symbolic.derivatives import differentiate
from actgen.targets.axiswise import AxiswiseTarget
from actgen.targets.drawing import probe
from actgen.targets.target import Context, Target, compiled, lenders, wrappers
from actgen.targets.templates import environment
from actgen.targets.traits import size, traits

if TYPE_CHECKING:
    from actgen.numerics import Derivation, ReferenceTable
    from actgen.numerics.gated import PairTable


_LITTLE = 16.0  # units: what rounding errors add up to, and no wrong digit at the front does


def emit_test(
    derivations: Mapping[str, Derivation], reference: ReferenceTable, targets: Sequence[Target], context: Context
) -> dict[str, str]:
    """Return the generated test of one activation: {"tests/test_mish.py": source}.

    Args:
        derivations: of the activation, for each target with kernels of its own.
        reference: points that float32 holds, and the values there; points that a half type holds too serve it as well.
        targets: the frameworks to test, in order.
        context: what holds for the whole build.
    """
    frameworks = [target.name for target in lenders(targets)]
    derivation = derivations[frameworks[0]]
    activation = derivation.activation
    worst = _worst(list(derivations.values()))
    drawn = {draw.parameter.name for draw in activation.draws}
    keys = tuple(key for key in derivation.kernels if key in reference.values and not drawn & {*key})
    asked = {key: in_turn(key, derivation.kernels) for key in keys}
    source = (
        environment("actgen.targets")
        .get_template("test_activation.py.j2")
        .render(
            activation=activation,
            traits=traits(derivations.values()),
            size=size(derivations.values()),
            title=inert(activation.title),
            defaults={name: value for name, value in reference.parameters.items() if name not in drawn},
            keys=tuple(asked.values()),
            rows=list(zip(reference.points, *(reference.values[key] for key in keys), strict=True)),
            bends={asked[key]: values for key, values in _bends(derivation, reference, keys).items()},
            units={asked[key]: units for key, units in _units(worst, keys).items()},
            edges=tuple(asked[key] for key in _edges(worst, keys)),
            probe=probe(derivation) if drawn else None,
            number=_number,
            limits=derivation.properties.limit_values,
            parity=derivation.properties.parity,
            kinks=derivation.properties.seams,
            frameworks=frameworks,
            compiled=[target.name for target in compiled(targets)],
            borrowers=[target.name for target in wrappers(targets)],
            sections=_sections(derivations, targets, context),
        )
    )
    return {f"tests/test_{activation.name}.py": source}


def in_turn(key: tuple[str, ...], kernels: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the order in which a test is to differentiate by the variables of a second derivative.

    What only shapes a surrogate has no derivative of its own: only others have one by it.
    """
    return key if len(key) < 2 or key[:1] in kernels else key[::-1]


def emit_gated_test(
    derivations: Mapping[str, Derivation], reference: PairTable, targets: Sequence[Target], context: Context
) -> dict[str, str]:
    """Return the generated test of a gated unit.

    Args:
        derivations: of the unit, for each target.
        reference: pairs of inputs that float32 holds, and the values there.
        targets: the frameworks to test, in order.
        context: what holds for the whole build.
    """
    frameworks = [target.name for target in lenders(targets)]
    derivation = derivations[frameworks[0]]
    activation = derivation.activation
    keys = tuple(key for key in derivation.kernels if key in reference.values)
    source = (
        environment("actgen.targets")
        .get_template("test_gated.py.j2")
        .render(
            activation=activation,
            traits=traits(derivations.values()),
            size=size(derivations.values()),
            title=inert(activation.title),
            inputs=[symbol.name for symbol in derivation.formula.inputs],
            defaults=dict(reference.parameters),
            keys=keys,
            rows=[
                (*pair, *values)
                for pair, *values in zip(reference.points, *(reference.values[key] for key in keys), strict=True)
            ],
            moved={key: [f"{value:.3g}" for value in reference.moved[key]] for key in keys},
            units=_units(_worst(list(derivations.values())), keys),
            number=_number,
            frameworks=frameworks,
            compiled=[target.name for target in compiled(targets)],
            borrowers=[target.name for target in wrappers(targets)],
            sections=_sections(derivations, targets, context),
        )
    )
    return {f"tests/test_{activation.name}.py": source}


def _sections(derivations: Mapping[str, Derivation], targets: Sequence[Target], context: Context) -> list[str]:
    """Return the targets' own sections of a test."""
    found = [target.emit_test(derivations[target.borrows or target.name], context).strip() for target in targets]
    return [section for section in found if section]


def _bends(
    derivation: Derivation, reference: ReferenceTable, keys: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], list[str]]:
    """Return the slope by x of each second derivative at the points, which the contract needs; 3 digits do."""
    formula, inside = derivation.formula, np.isfinite(reference.points)
    points = np.array(reference.points)[inside]
    found: dict[tuple[str, ...], list[str]] = {}
    for key in (key for key in keys if len(key) == 2):
        slope = differentiate(formula.partials[key], formula.inputs[0])
        exact = Oracle(slope, formula.inputs[0], formula.parameters)(points, reference.parameters).high
        values = np.zeros(len(reference.points))
        values[inside] = np.where(np.isfinite(exact), exact, 0.0)
        found[key] = [f"{value:.3g}" for value in values]
    return found


def _worst(derivations: Sequence[Derivation]) -> dict[tuple[str, ...], float]:
    """Return the largest error of the kernels of any target, for each partial that misses the contract in one."""
    missed = [(key, judgement.units) for derivation in derivations for key, judgement in derivation.missed.items()]
    return {key: max(units for other, units in missed if other == key) for key, _ in missed}


def _units(worst: Mapping[tuple[str, ...], float], keys: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], float]:
    """Return how far the kernels that miss the contract of 4 units by a little are allowed to: twice the measured."""
    return {key: float(f"{2 * worst[key]:.2g}") for key in keys if key in worst and worst[key] <= _LITTLE}


def _edges(worst: Mapping[tuple[str, ...], float], keys: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the kernels that miss it by far: a bound of 1e13 units could not fail, so they get none.

    They are held to the contract itself, but for results close to underflow, where such kernels lose a factor that is
    flushed to zero. One that is wrong anywhere else fails its test, as it should.
    """
    return tuple(key for key in keys if worst.get(key, 0.0) > _LITTLE)


def emit_neighbours(targets: Sequence[Target], context: Context) -> dict[str, str]:
    """Return the files that the generated tests share, and the packages' `__init__.py`."""
    ready = {target.name: target.borrows for target in compiled(targets)}
    contract = (
        environment("actgen.targets")
        .get_template("contract.py.j2")
        .render(frameworks=[target.name for target in lenders(targets)], compiled=ready)
    )
    files = {"__init__.py": "", "tests/__init__.py": "", "tests/contract.py": contract}
    files["tests/conftest.py"] = environment("actgen.targets").get_template("conftest.py.j2").render(compiled=ready)
    files["tests/rows.py"] = environment("actgen.targets").get_template("rows.py.j2").render()
    files |= {
        f"tests/rows_on_{target.name}.py": target.emit_row_adaptor(context)
        for target in lenders(targets)
        if isinstance(target, AxiswiseTarget)
    }
    measured = (*lenders(targets), *compiled(targets))
    return files | {f"tests/on_{target.name}.py": target.emit_adaptor(context) for target in measured}


def _number(value: float) -> str:
    """Return a float as the tests write it, with `nan` and `inf` as names."""
    return repr(float(value))
