"""How emitted code draws a stochastic parameter: from its distribution in training, its mean otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actgen.spec.text import inert

if TYPE_CHECKING:
    import sympy

    from actgen.spec.activation import Activation, Draw


def drawn(activation: Activation, uniform: str, normal: str) -> list[dict[str, Any]]:
    """Return, for each parameter that is drawn, the texts that a template needs.

    Args:
        activation: whose parameters.
        uniform: the call that draws numbers between 0 and 1.
        normal: the call that draws standard normal numbers. In either, {place} is the number of the parameter.
    """
    return [_drawn(draw, uniform.format(place=i), normal.format(place=i)) for i, draw in enumerate(activation.draws)]


def explain(activation: Activation) -> str:
    """Return a sentence for docstrings: "In training slope is drawn for each element, ...", empty if nothing is."""
    sentences = []
    for draw in activation.draws:
        name, (first, second) = draw.parameter.name, map(_text, draw.ends)
        if draw.family == "uniform":
            how, mean = f"uniformly between {first} and {second}", f"({first} + {second}) / 2"
        else:
            how, mean = f"from a normal distribution with mean {first} and deviation {second}", first
        what = inert(draw.parameter.description).rstrip(". ")
        sentences.append(f"In training {name} ({what}) is drawn for each element, {how}; otherwise it is {mean}.")
    return " ".join(sentences)


def _drawn(draw: Draw, uniform: str, normal: str) -> dict[str, Any]:
    first, second = draw.ends
    low, high = _text(first), _text(second)
    names = [end for end in draw.ends if isinstance(end, str)]
    if draw.family == "uniform":
        width = f"({high} - {low})" if names else repr(float(second) - float(first))
        mean = f"({low} + {high}) / 2" if names else repr((float(first) + float(second)) / 2)
        sample = f"{low} + {width} * {uniform}"
    else:
        mean = low
        sample = normal if high == "1.0" else f"{high} * {normal}"
        sample = sample if low == "0.0" else f"{low} + {sample}"
    return {
        "name": draw.parameter.name,
        "mean": mean,
        "sample": sample,
        "ordered": names if draw.family == "uniform" and len(names) == 2 else [],
    }


def _text(end: sympy.Rational | str) -> str:
    return end if isinstance(end, str) else repr(float(end))
