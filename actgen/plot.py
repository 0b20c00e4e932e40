"""A picture of an activation and of its derivative, from the exact formula: what the code is meant to compute.

The curves are ball arithmetic at each point, not the emitted kernels, so a picture shows no rounding, and is broken
where the function or its derivative jumps.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actgen.build import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actgen.spec import Activation
    from actgen.symbolic import Formula

# Okabe and Ito's colours: told apart by people who see colours differently, and in grey by their lightness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREEK = {"alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "rho", "sigma", "tau"}
POINTS = 481
MOST_CURVES = len(COLOURS)
_FARTHEST = 1e300  # beyond, the width of the interval and the margins beside it overflow
STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "axes.titlesize": 12,
    "font.size": 10,
    "legend.frameon": False,
    "mathtext.fontset": "cm",
    "svg.hashsalt": "actgen",
}

Function = Callable[[Sequence[float]], list[float]]


def plot(
    activation: Activation,
    path: Path,
    *,
    family: Mapping[str, Sequence[Fraction]] | None = None,
    interval: tuple[float, float] = (-5.0, 5.0),
) -> None:
    """Draw the function and its derivative side by side; one curve for each choice of the parameters' values.

    Args:
        activation: what to draw.
        path: the file to write; its suffix says the format (png, svg, pdf).
        family: values of parameters, by name; the default is drawn for those not named.
        interval: the ends of the input axis.

    Raises:
        InputError: a parameter of that name does not exist, a value is outside its domain, the interval is empty, there
            are more curves than one can tell apart, or the format is not known.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from actgen.symbolic import Formula

    low, high = interval
    if not -_FARTHEST <= low < high <= _FARTHEST:
        told = f"--range {low:g} {high:g}: the first end must be below the second, both within {_FARTHEST:g} of 0"
        raise InputError(told.replace("e+", "e"))
    if activation.kind != "elementwise":
        message = f"{activation.name} is {activation.kind}: it is no curve over one number, and is not drawn"
        raise InputError(f"{message}; `actgen show {activation.name}` tells what there is to know of it")
    choices = _choices(activation, family or {})
    formula = Formula.of(activation)
    variable = formula.inputs[0].name
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 4.2), dpi=150, layout="constrained")
        left, right = figure.subplots(1, 2)
        for colour, (label, values) in zip(COLOURS, choices, strict=False):
            _draw(left, _function(formula, (), values), interval, colour, label)
            _draw(right, _function(formula, (variable,), values), interval, colour, label)
        left.set_title("value")
        right.set_title("derivative" if activation.surrogate is None else "derivative (surrogate)")
        for axes in (left, right):
            _finish(axes, interval, f"${variable}$")
        if len(choices) > 1 or choices[0][0]:
            left.legend(loc="best")
        formula_text = textwrap.fill(" ".join(activation.expression_text.split()), 110)
        figure.suptitle(f"{activation.title}\n{formula_text}", fontsize=12, parse_math=False)
        try:
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        except ValueError as error:
            raise InputError(f"{path}: {error}") from error


def parse_family(texts: Sequence[str]) -> dict[str, tuple[Fraction, ...]]:
    """Read what ``--parameter beta=0.5,1,2`` says, exactly.

    Raises:
        InputError: it is not a name, an equals sign and numbers.
    """
    family: dict[str, tuple[Fraction, ...]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        try:
            numbers = tuple(Fraction(value.strip()) for value in values.split(","))
        except (ValueError, ZeroDivisionError):
            numbers = ()
        if not equals or not numbers or not name.strip():
            raise InputError(f"--parameter {text}: write a name and numbers, such as --parameter beta=0.5,1,2")
        if name.strip() in family:
            raise InputError(f"--parameter {text}: {name.strip()} is given twice; put its values in one list")
        family[name.strip()] = numbers
    return family


def _choices(activation: Activation, family: Mapping[str, Sequence[Fraction]]) -> list[tuple[str, dict[str, Fraction]]]:
    """Every combination of parameter values, with the label of its curve."""
    known = {parameter.name: parameter for parameter in activation.variables}
    for name, values in family.items():
        if name not in known:
            there = ", ".join(known) or "none"
            raise InputError(f"--parameter {name}: {activation.name} has no such parameter; it has {there}")
        for value in values:
            if value not in known[name].domain:
                raise InputError(f"--parameter {name}: {float(value):g} is not {known[name].domain.text}")
    defaults = {name: Fraction(int(p.default.p), int(p.default.q)) for name, p in known.items()}
    choices = []
    for values in product(*family.values()):
        chosen = dict(zip(family, values, strict=True))
        label = ", ".join(f"{_symbol(name)} = {float(value):g}" for name, value in chosen.items())
        choices.append((label, defaults | chosen))
    if len(choices) > MOST_CURVES:
        raise InputError(f"--parameter: {len(choices)} curves are more than one can tell apart; {MOST_CURVES} at most")
    return choices


def _symbol(name: str) -> str:
    """A parameter's name in a legend: the Greek letter where it is the name of one."""
    return f"$\\{name}$" if name in GREEK else name


def _function(formula: Formula, order: tuple[str, ...], values: Mapping[str, Fraction]) -> Function:
    """A formula at given parameters, as a function of floats; NaN where it is not known."""
    import numpy as np

    from actgen.numerics.oracle import Oracle

    partial = formula.partials.get(order)
    if partial is None:
        return lambda points: [0.0] * len(points)
    oracle = Oracle(partial, formula.inputs[0], formula.parameters)

    def evaluate(points: Sequence[float]) -> list[float]:
        result: list[float] = oracle(np.array(points), values).high.tolist()
        return result

    return evaluate


def _draw(axes: Axes, function: Function, interval: tuple[float, float], colour: str, label: str) -> None:
    low, high = interval
    points = [low + (high - low) * i / (POINTS - 1) for i in range(POINTS)]
    values = function(points)
    breaks = _jumps(function, points, values)
    for place, _, _ in breaks:
        points.append(place)
        values.append(math.nan)
    ordered = sorted(zip(points, values, strict=True), key=lambda pair: pair[0])
    axes.plot(*zip(*ordered, strict=True), color=colour, linewidth=2, label=label, solid_capstyle="round")
    for place, before, after in breaks:
        axes.plot([place, place], [before, after], color=colour, linewidth=1, linestyle=":")


def _jumps(function: Function, points: Sequence[float], values: Sequence[float]) -> list[tuple[float, float, float]]:
    """Where the function jumps, and the values on both sides: a step that does not shrink when it is halved."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return []
    threshold = 0.004 * (max(finite) - min(finite))
    found = []
    for (low, before), (high, after) in pairwise(zip(points, values, strict=True)):
        a, b, left, right = low, high, before, after
        for _ in range(24):
            if not abs(right - left) > threshold:
                break
            middle = (a + b) / 2
            value = function([middle])[0]
            if abs(value - left) > abs(right - value):
                b, right = middle, value
            else:
                a, left = middle, value
        else:
            found.append(((a + b) / 2, left, right))
    return found


def _finish(axes: Axes, interval: tuple[float, float], label: str) -> None:
    axes.set_xlim(*interval)
    axes.margins(y=0.08)
    axes.set_xlabel(label)
    axes.axhline(0, color="#808080", linewidth=0.8, zorder=1)
    if interval[0] < 0 < interval[1]:
        axes.axvline(0, color="#808080", linewidth=0.8, zorder=1)
