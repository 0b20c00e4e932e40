"""What there is to say about an activation, as rows and lines for `actgen check`, `list` and `show`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from actgen.build.manifest import partial_name

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.spec import Activation, Builtin

CHECK_TITLE = "worst of emulated float32 and float64, at the default and at sampled parameters"
CHECK_COLUMNS = ("activation", "formula", "form", "cost", "units", "ulps", "where", "")
CHECK_NUMBERS = ("cost", "units", "ulps", "where")
LIST_COLUMNS = ("name", "class", "formula", "parameters", "aliases")


@dataclass(frozen=True)
class Verdict:
    """What `actgen check` says of one spec: rows of the table, and the formulas that miss the contract."""

    rows: list[tuple[str, ...]]
    missed: list[str]


def judge(path: Path) -> Verdict:
    """Load, derive and judge one spec."""
    from actgen.numerics import derive
    from actgen.spec import load_spec

    derivation = derive(load_spec(path))
    return Verdict(check_rows(derivation), missed(derivation))


def check_rows(derivation: Derivation) -> list[tuple[str, ...]]:
    """One row a kernel: its form, its cost, its largest error and where that is, and whether it keeps the contract."""
    rows: list[tuple[str, ...]] = []
    for variables, kernel in derivation.kernels.items():
        calls, divisions, passes = kernel.cost.key
        judgement = derivation.judgements.get(variables)
        measured = ("", "", "", "")
        if judgement is not None:
            verdict = "ok" if judgement.is_within_contract else "MISSED"
            units = f"{judgement.units:.2f}" if judgement.units < 1000 else f"{judgement.units:.3g}"
            measured = (units, f"{judgement.ulps:.3g}", f"{judgement.at:.6g}", verdict)
        name = derivation.activation.name if not variables else ""
        rows.append((name, partial_name(variables), kernel.form, f"{calls}c {divisions}d {passes}p", *measured))
    return rows


def missed(derivation: Derivation) -> list[str]:
    """The formulas whose error is beyond the contract, named with their activation."""
    return [
        f"{derivation.activation.name} {partial_name(variables)}: {judgement.units:.3g} units at x = {judgement.at!r}"
        for variables, judgement in derivation.missed.items()
    ]


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
    return {name: lines for name, lines in facts.items() if any(lines)}


def _emitted_names(activation: Activation, target: str) -> str:
    functions = (activation.name, *activation.aliases)
    return ", ".join(functions if target == "jax" else (*functions, activation.class_name))


def _call(builtin: Builtin) -> str:
    """A builtin as it is called: `torch.nn.functional.gelu(x, approximate='tanh')`."""
    arguments = "".join(f", {name}={value!r}" for name, value in builtin.arguments.items())
    return f"{builtin.name}(x{arguments})"


def _number(value: object) -> str:
    """A rational as a person would write it: 0.044715 and not 8943/200000."""
    exact = str(value)
    return f"{float(value):.12g}" if "/" in exact else exact  # type: ignore[arg-type]
