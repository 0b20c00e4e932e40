"""Docstrings of emitted functions and layers: the formula, its derivative, limits, parameters, and the paper.

All text from a spec goes through :func:`actgen.spec.text.inert`; nothing that a title holds can end a docstring.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from actgen.spec.text import inert

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.spec.activation import Activation, Parameter, Reference

WIDTH = 100
SHAPE = "Elementwise, any shape; float16 and bfloat16 are computed in float32 and rounded once."


def document(
    derivation: Derivation,
    *,
    indent: int,
    shape: str = SHAPE,
    arguments: Sequence[tuple[str, str]] | None = None,
    notes: Iterable[str] = (),
    raises: Sequence[tuple[str, str]] = (),
    has_facts: bool = True,
) -> str:
    """Return a docstring with its quotes, its lines after the first indented by `indent` columns.

    Args:
        derivation: what is documented.
        indent: columns of the body that the docstring opens.
        shape: the sentence on shapes and types.
        arguments: pairs of name and description; by default the activation's parameters (not its input).
        notes: further paragraphs, for example what saves and loads.
        raises: pairs of an exception's name and when it is raised.
        has_facts: whether to state the derivative, the limits and so on; a layer may leave that to its function.
    """
    activation = derivation.activation
    body = [shape, *(facts(derivation) if has_facts else [])]
    paragraphs: list[list[str]] = [_wrap(" ".join(body), indent)]
    paragraphs += [_wrap(inert(note), indent) for note in notes]
    rows = arguments if arguments is not None else [(p.name, describe(p)) for p in activation.parameters]
    for heading, table in (("Args:", rows), ("Raises:", raises)):
        lines = [line for name, text in table for line in _wrap(f"{name}: {text}", indent, first=4, rest=8)]
        paragraphs += [[heading, *lines]] if lines else []
    if activation.reference is not None:
        paragraphs.append(_wrap("Reference: " + cite(activation.reference), indent, rest=4))
    first = headline(activation, WIDTH - indent - 3)
    lines = [f'"""{first[0]}', *first[1:]]
    for paragraph in paragraphs:
        lines += ["", *paragraph]
    lines.append('"""')
    margin = " " * indent
    return "\n".join(margin + line if line and index else line for index, line in enumerate(lines))


def headline(activation: Activation, width: int) -> list[str]:
    """Return the title and the formula: "Mish, x * tanh(softplus(x))."; a long formula goes below."""
    title = inert(activation.title).rstrip(". ")
    formula = inert(activation.expression_text)
    line = f"{title}, {formula}."
    if len(line) <= width:
        return [line]
    return [f"{textwrap.shorten(title, width - 1, placeholder='...')}.", "", *_break(formula, width)]


def facts(derivation: Derivation) -> list[str]:
    """Return sentences with the derivative, the limits, the parity and the kinks."""
    properties = derivation.properties
    found = []
    inputs = [symbol.name for symbol in derivation.formula.inputs]
    slopes = [inert(derivation.formulas.get((name,), "0")) for name in inputs]
    if len(inputs) == 1:
        kind = "Derivative used in training" if derivation.activation.surrogate is not None else "Derivative"
        found.append(f"{kind}: {slopes[0]}.")
    else:
        found.append(f"Derivatives: {'; '.join(f'by {name}: {s}' for name, s in zip(inputs, slopes, strict=True))}.")
    below, above = properties.limits
    limits = [f"{inert(text)} at {end}" for text, end in ((below, "-inf"), (above, "inf")) if text is not None]
    if limits:
        found.append(f"Limits: {', '.join(limits)}.")
    if properties.parity:
        found.append(f"{properties.parity.capitalize()}.")
    if properties.kinks:
        where = ", ".join(f"{kink:g}" for kink in properties.kinks)
        found.append(f"{'Kinks' if len(properties.kinks) > 1 else 'Kink'} at {where}.")
    return found


def describe(parameter: Parameter) -> str:
    """Return one parameter's description, domain and default: "Slope of the gate; real, default 1.0"."""
    text = inert(parameter.description).rstrip(". ")
    return f"{text}; {domain_words(parameter)}, default {float(parameter.default)!r}."


def gated_shape(activation: Activation) -> str:
    """Return the sentence on shapes and types of a gated unit."""
    a, b = (symbol.name for symbol in activation.inputs)
    what = f"Of one tensor, {a} is the first half of an axis and {b} the second; two tensors are taken as they are and"
    return f"{what} broadcast. float16 and bfloat16 are computed in float32 and rounded once."


def gated_arguments(activation: Activation, axis: str, shape: str = "") -> list[tuple[str, str]]:
    """Return the rows of a docstring on the arguments of a gated unit, its parameters between inputs and axis.

    Args:
        activation: a gated one.
        axis: what the framework calls an axis.
        shape: a sentence on what a parameter may be.
    """
    a, b = (symbol.name for symbol in activation.inputs)
    rows = [(a, f"The first input; or both, if there is no {b}."), (b, "The second input, as large as the first.")]
    rows += [(parameter.name, f"{describe(parameter)} {shape}".rstrip()) for parameter in activation.parameters]
    return [*rows, (axis, f"The axis of {a} that holds both inputs, if there is no {b}; its size is even.")]


def domain_words(parameter: Parameter) -> str:
    """Return "real", "positive" or "in [0, 1]"."""
    text = inert(parameter.domain.text)
    return f"in {text}" if text[:1] in "[(" else text


def cite(reference: Reference) -> str:
    """Return the reference in one line."""
    parts = (inert(reference.authors), f'"{inert(reference.title)}"', str(reference.year))
    return ", ".join([*parts, inert(reference.url)]) if reference.url else ", ".join(parts)


def _wrap(text: str, indent: int, first: int = 0, rest: int = 0) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH - indent,
        initial_indent=" " * first,
        subsequent_indent=" " * rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _break(formula: str, width: int) -> list[str]:
    return textwrap.wrap(
        formula,
        width,
        initial_indent="    ",
        subsequent_indent="        ",
        break_long_words=False,
        break_on_hyphens=False,
    )
