"""What the modules of frameworks on top of JAX have in common: they wrap a function of the sibling package `jax`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actgen.targets.condition import condition
from actgen.targets.confinement import confine
from actgen.targets.docstring import describe, document, domain_words, headline
from actgen.targets.drawing import explain
from actgen.targets.templates import environment

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.spec.activation import Parameter

_FUNCTIONS = {
    "softplus": "jax.nn.softplus",
    "sigmoid": "jax.nn.sigmoid",
    "inverse_softplus": "_inverse_softplus",
    "log": "np.log",
}


def wrapper(derivation: Derivation, dtype: str, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the template of a module that wraps the function reads.

    Args:
        derivation: of the activation.
        dtype: the name of the argument that holds the type of the parameters.
        notes: paragraphs of the docstring on the module as a whole.
    """
    activation = derivation.activation
    parameters = [_parameter(parameter) for parameter in activation.parameters]
    trainables = [parameter for parameter in parameters if parameter["trainable"]]
    shared = {
        "class_name": activation.class_name,
        "trainables": trainables,
        "has_channels": any(parameter["is_channel"] for parameter in trainables),
        "confinements": [parameter["confinement"] for parameter in trainables if parameter["confinement"]],
        "has_softplus": any("_inverse_softplus" in parameter["encoded"] for parameter in trainables),
    }
    helpers = environment("actgen.targets.jax").get_template("trainable.py.j2").render(shared)
    return shared | {
        "name": activation.name,
        "aliases": activation.aliases,
        "exported": sorted({activation.name, activation.class_name, *activation.aliases}),
        "imported": ", ".join((activation.name, *activation.aliases)),
        "headline": headline(activation, 90)[0],
        "docstring": _docstring(derivation, dtype, notes),
        "x": activation.inputs[0].name,
        "gate": activation.inputs[1].name if activation.kind == "gated" else None,
        "has_draws": bool(activation.draws),
        "parameters": parameters,
        "hyperparameters": [parameter for parameter in parameters if not parameter["trainable"]],
        "helpers": helpers,
    }


def cheap_test(derivation: Derivation) -> dict[str, Any]:
    """Return what the template of the module's test reads."""
    parameters = [_parameter(parameter) for parameter in derivation.activation.parameters]
    return {
        "trainables": [parameter for parameter in parameters if parameter["trainable"]],
        "refused": [parameter["name"] for parameter in parameters if parameter["condition"]],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    confinement = confine(parameter) if parameter.trainable else None
    return {
        "name": parameter.name,
        "default": repr(float(parameter.default)),
        "trainable": parameter.trainable,
        "is_channel": parameter.trainable and parameter.shape == "channel",
        "domain": domain_words(parameter),
        "condition": condition(parameter),
        "confinement": confinement,
        "held": parameter.name if confinement is None else f"raw_{parameter.name}",
        "decoded": "" if confinement is None else confinement.value.format(raw="raw", **_FUNCTIONS),
        "encoded": "" if confinement is None else confinement.raw.format(**_FUNCTIONS),
    }


def _docstring(derivation: Derivation, dtype: str, notes: tuple[str, ...]) -> str:
    activation = derivation.activation
    rows, paragraphs = [], list(notes)
    trainables = [parameter for parameter in activation.parameters if parameter.trainable]
    for parameter in activation.parameters:
        what = "Fixed at construction."
        if parameter.trainable:
            kind = ", a number or one for each." if parameter.shape == "channel" else "."
            what = f"Trainable; this is its initial value{kind}"
            confinement = confine(parameter)
            if confinement is not None:
                made = f"the optimizer moves raw_{parameter.name}, and {parameter.name} is {confinement.words}."
                paragraphs.append(f"Stays {domain_words(parameter)} in training: {made}")
        rows.append((parameter.name, f"{describe(parameter)} {what}"))
    if any(parameter.shape == "channel" for parameter in trainables):
        channels = " and ".join(parameter.name for parameter in trainables if parameter.shape == "channel")
        what = "The number of channels, to learn one value for each, or a shape that broadcasts against the input."
        rows.append(("shape", f"Of {channels}: () for one number. {what}"))
        rows.append(("channel_axis", "Where the channels lie."))
    if activation.draws:
        paragraphs.append(explain(activation))
        if dtype == "param_dtype":  # Flax
            rows.append(("rngs", "What keys are made of; without it nothing is ever drawn."))
            rows.append(("deterministic", "Whether to draw nothing; `eval()` and `train()` of a model set it."))
        else:
            paragraphs.append("With a key it draws; without one, as in evaluation, it does not.")
    if activation.kind == "gated":
        rows.append(("axis", "The axis that holds both inputs, where the module is called with one array."))
    if trainables:
        rows.append((dtype, "The type of the trainable parameters."))
    checked = [parameter.name for parameter in activation.parameters if condition(parameter)]
    return document(
        derivation,
        indent=4,
        shape=f"A module that applies `{activation.name}`; the result has the type of the input.",
        arguments=rows,
        notes=paragraphs,
        raises=[("ValueError", f"{' or '.join(checked)} is outside its domain.")] if checked else [],
        has_facts=False,
    )
