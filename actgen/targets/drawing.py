"""How emitted code draws a stochastic parameter: from its distribution in training, its mean otherwise."""

from __future__ import annotations

from fractions import Fraction
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import sympy

from actgen.spec.text import inert
from actgen.symbolic.grid import at

if TYPE_CHECKING:
    from actgen.numerics import Derivation
    from actgen.spec.activation import Activation, Draw

_SAMPLES = 16
_ENOUGH = 7  # different values of as many samples
_PROBES = tuple(sign * size for size in (0.1, 0.5, 1.0, 2.5, 6.0, 20.0, 100.0) for sign in (-1, 1))


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


def probe(derivation: Derivation) -> float:
    """Return an input at which the value depends on what is drawn, for tests: Max(0, k x) is 0 below 0 whatever k is.

    Args:
        derivation: of an activation with draws.
    """
    found = {x: _variety(derivation, x) for x in _PROBES}
    return next((x for x, different in found.items() if different >= _ENOUGH), max(found, key=lambda x: found[x]))


def _variety(derivation: Derivation, x: float) -> int:
    """How many different values there are at an input, of samples spread evenly over the distributions."""
    activation, formula = derivation.activation, derivation.formula
    known = {parameter.name: parameter.default for parameter in (*activation.parameters, *activation.variables)}
    values = set()
    for number in range(_SAMPLES):
        for place, draw in enumerate(activation.draws):  # no two in step
            known[draw.parameter.name] = _quantile(draw, known, (number * (2 * place + 1)) % _SAMPLES)
        y = at(formula.value, formula.variables, [known[symbol.name] for symbol in formula.parameters])(x)
        values.add(None if y is None else float(y.mid()))
    return len(values)


def _quantile(draw: Draw, known: dict[str, sympy.Rational], number: int) -> sympy.Rational:
    first, second = (known[end] if isinstance(end, str) else end for end in draw.ends)
    level = Fraction(2 * number + 1, 2 * _SAMPLES)
    if draw.family == "uniform":
        return first + (second - first) * sympy.Rational(level.numerator, level.denominator)
    return first + second * sympy.Rational(NormalDist().inv_cdf(float(level)))


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
