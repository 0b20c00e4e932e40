"""What there is to say about an activation, as rows and lines for `actgen check`, `list` and `show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.build import InputError
from actgen.build.manifest import partial_name
from actgen.build.misses import Miss, miss_lines

if TYPE_CHECKING:
    import sympy

    from actgen.numerics import Arithmetic, Derivation, Judgement, Node
    from actgen.spec import Activation, Builtin

CHECK_TITLE = (
    "worst of float32 and float64 in the targets' arithmetic, emulated, at the default and at sampled parameters"
)
CHECK_COLUMNS = ("activation", "formula", "targets", "form", "cost", "units", "ulps", "where", "")
CHECK_NUMBERS = ("cost", "units", "ulps", "where")
NUMERICS_TITLE = "forms tried, by cost: calls, divisions, passes; errors in units of the contract, in emulation"
NUMERICS_COLUMNS = ("formula", "target", "form", "cost", "units", "")
NUMERICS_NUMBERS = ("cost", "units")
LIST_COLUMNS = ("name", "class", "formula", "parameters", "aliases")


@dataclass(frozen=True)
class Verdict:
    """What `actgen check` says of one spec: rows of the table, and the formulas that miss the contract."""

    rows: list[tuple[str, ...]]
    missed: list[str]


def judge(path: Path, targets: Sequence[str]) -> Verdict:
    """Load, derive and judge one spec for some targets."""
    from actgen.numerics import derive_for, remembering
    from actgen.spec import load_spec

    activation = load_spec(path)
    if activation.kind == "axiswise":
        from actgen import axiswise_facts

        return Verdict(*axiswise_facts.judge(activation, arithmetics(targets)))
    with remembering():
        derivations = derive_for(activation, arithmetics(targets))
    return Verdict(check_rows(derivations), missed(derivations))


def arithmetics(targets: Sequence[str]) -> dict[str, Arithmetic]:
    """What each target with kernels of its own computes with, by its name.

    Raises:
        InputError: nothing provides a target of that name.
    """
    from actgen.targets.target import TargetError, lenders, load_targets

    try:
        return {target.name: target.arithmetic for target in lenders(load_targets(targets))}
    except TargetError as error:
        raise InputError(f"[tool.actgen] targets: {error}") from error


def check_rows(derivations: Mapping[str, Derivation]) -> list[tuple[str, ...]]:
    """One row a kernel: the targets that use it, its cost, its largest error on any of them and where that is."""
    rows: list[tuple[str, ...]] = []
    first = next(iter(derivations.values()))
    for variables in first.kernels:
        users: dict[Node, list[str]] = {}
        for target, derivation in derivations.items():
            users.setdefault(derivation.kernels[variables].result, []).append(target)
        for number, names in enumerate(users.values()):
            kernel = derivations[names[0]].kernels[variables]
            judgement = max((derivations[name].judgements[variables] for name in names), key=lambda found: found.units)
            calls, divisions, passes = kernel.cost.key
            units = f"{judgement.units:.2f}" if judgement.units < 1000 else f"{judgement.units:.3g}"
            rows.append(
                (
                    first.activation.name if not variables and not number else "",
                    partial_name(variables) if not number else "",
                    "all" if len(names) == len(derivations) else ", ".join(names),
                    kernel.form,
                    f"{calls}c {divisions}d {passes}p",
                    units,
                    f"{judgement.ulps:.3g}",
                    f"{judgement.at:.6g}",
                    "ok" if judgement.is_within_contract else "MISSED",
                )
            )
    return rows


def missed(derivations: Mapping[str, Derivation]) -> list[str]:
    """The kernels whose error is beyond the contract, named with their activation and targets."""
    return miss_lines(
        Miss(f"{derivation.activation.name} {partial_name(variables)}", target, judgement.units, judgement.at)
        for target, derivation in derivations.items()
        for variables, judgement in derivation.missed.items()
    )


_SHOWN = 8


def numerics_rows(derivations: Mapping[str, Derivation]) -> list[tuple[str, ...]]:
    """The story of each choice: the forms tried for a kernel, the cheapest first, and which was taken and why.

    Of many forms the cheapest, the most accurate and the chosen one are shown.
    """
    rows: list[tuple[str, ...]] = []
    first = next(iter(derivations.values()))
    for variables in first.kernels:
        for target, derivation in derivations.items():
            kernel, judgement = derivation.kernels[variables], derivation.judgements[variables]
            trials = sorted(judgement.candidates, key=lambda trial: trial.cost.rank)
            closest = {id(trial) for trial in sorted(trials, key=lambda trial: trial.units)[: _SHOWN // 2]}
            cheapest = {id(trial) for trial in trials[: _SHOWN // 2]}
            left_out = 0
            for number, trial in enumerate(trials):
                is_chosen = trial.form == kernel.form and trial.cost == kernel.cost
                if not (is_chosen or id(trial) in closest | cheapest):
                    left_out += 1
                    continue
                calls, divisions, passes = trial.cost.key
                rows.append(
                    (
                        partial_name(variables) if not number else "",
                        target if not number else "",
                        trial.form,
                        f"{calls}c {divisions}d {passes}p",
                        f"{trial.units:.3g}",
                        _why(judgement) if is_chosen else "",
                    )
                )
            if left_out:
                rows.append(("", "", f"... and {left_out} more", "", "", ""))
    return rows


def _why(judgement: Judgement) -> str:
    return f"{judgement.reason}; certified: nothing cancels" if judgement.is_certified else judgement.reason


def list_row(activation: Activation) -> tuple[str, ...]:
    """The names of an activation, its formula and its parameters."""
    parameters = ", ".join(f"{parameter.name}={_number(parameter.default)}" for parameter in activation.parameters)
    formula = " ".join(activation.expression_text.split())
    return activation.name, activation.class_name, formula, parameters, ", ".join(activation.aliases)


def show_facts(derivation: Derivation, targets: Sequence[str]) -> dict[str, list[str]]:
    """Everything about an activation, by what it is called; what it does not have is left out."""
    activation, properties = derivation.activation, derivation.properties
    facts: dict[str, list[str]] = {
        "summary": [activation.summary],
        "formula": [" ".join(activation.expression_text.split())],
    }
    for variables, text in derivation.formulas.items():
        if variables:
            facts[partial_name(variables)] = [text]
    below, above = (limit or "none" for limit in properties.limits)
    facts["limits"] = [f"{below} at -inf, {above} at inf"]
    if properties.parity:
        facts["parity"] = [properties.parity]
    if properties.kinks:
        facts["kinks"] = [", ".join(f"{kink:g}" for kink in properties.kinks)]
    if properties.range:
        facts["range"] = [" to ".join(properties.range)]
    if properties.roots:
        facts["roots"] = [", ".join(properties.roots)]
    if properties.monotonicity:
        facts["monotonicity"] = [properties.monotonicity]
    if properties.lipschitz:
        facts["Lipschitz"] = [properties.lipschitz]
    return {name: lines for name, lines in (facts | spec_facts(activation, targets)).items() if any(lines)}


def spec_facts(activation: Activation, targets: Sequence[str]) -> dict[str, list[str]]:
    """What the spec itself says, and under which names the code is emitted."""
    facts: dict[str, list[str]] = {}
    facts["parameters"] = [
        f"{parameter.name} = {_number(parameter.default)}, {parameter.domain.text}"
        f"{f', trainable ({parameter.shape})' if parameter.trainable else ''}: {parameter.description}"
        for parameter in activation.parameters
    ]
    facts["aliases"] = [", ".join(activation.aliases)]
    reference = activation.reference
    if reference is not None:
        facts["reference"] = [f"{reference.authors}, {reference.title}, {reference.year}", reference.url]
    facts["emitted"] = [f"{target}: {_emitted_names(activation, target)}" for target in targets]
    facts["built in"] = [f"{framework}: {_call(builtin)}" for framework, builtin in activation.builtins.items()]
    facts["spec"] = [activation.path]
    return facts


def _emitted_names(activation: Activation, target: str) -> str:
    functions = (activation.name, *activation.aliases)
    return ", ".join(functions if target == "jax" else (*functions, activation.class_name))


def _call(builtin: Builtin) -> str:
    """A builtin as it is called: `torch.nn.functional.gelu(x, approximate='tanh')`."""
    arguments = "".join(f", {name}={value!r}" for name, value in builtin.arguments.items())
    return f"{builtin.name}(x{arguments})"


def _number(value: sympy.Rational) -> str:
    """A rational as a person would write it: 0.044715 and not 8943/200000."""
    exact = str(value)
    return f"{float(value):.12g}" if "/" in exact else exact
