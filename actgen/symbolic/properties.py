"""What is known of a function as a whole: limits, parity, kinks, roots, range, slope; at its default parameters.

Read off exact values: a formula is evaluated in ball arithmetic on a grid that is dense around 0 and reaches 2**40,
signs are proved there and roots enclosed between neighbouring float64. So the time is bounded and the answers are
numbers; SymPy's own ``limit`` and ``solve`` can run for minutes on a formula a line long.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import sympy as sp
from flint import arb

from actgen.symbolic.formula import Formula
from actgen.symbolic.grid import FAR, GRID, Point, at, isolated_roots
from actgen.symbolic.seams import kinks, seams

Parity = Literal["odd", "even"]


@dataclass(frozen=True)
class Properties:
    """The character of a function at its default parameters.

    Attributes:
        limits: at -inf and +inf as text: a number, "inf", "-inf"; None where there is no limit.
        limit_values: the same as floats.
        parity: "odd", "even" or None.
        seams: where pieces of the formula meet, so that the value or a derivative may jump, ascending.
        kinks: those at which the value or its slope jumps; None where there may be more than can be listed.
        roots: where the value is 0, ascending, as text; "[a, b]" where it is 0 all the way.
        range: the smallest and largest value (or limit) as text.
        monotonicity: "increasing", "decreasing" or None.
        lipschitz: the largest slope in magnitude, as text; "inf" where it grows without bound.
    """

    limits: tuple[str | None, str | None]
    limit_values: tuple[float | None, float | None]
    parity: Parity | None
    seams: tuple[float, ...]
    kinks: tuple[float, ...] | None
    roots: tuple[str, ...]
    range: tuple[str, str] | None
    monotonicity: str | None
    lipschitz: str | None


def properties(formula: Formula, defaults: Mapping[str, sp.Rational], limits: Sequence[float | None]) -> Properties:
    """Derive the properties of a formula.

    Args:
        formula: with its partials.
        defaults: the value of every parameter.
        limits: at -inf and +inf, as the oracle tells them.
    """
    value = _at_defaults(formula, formula.value, defaults)
    slope = _at_defaults(formula, formula.partials.get((formula.inputs[0].name,), sp.Integer(0)), defaults)
    x = formula.inputs[0].name
    bend = _at_defaults(formula, formula.partials.get((x, x), sp.Integer(0)), defaults)
    parameters = {symbol: defaults[symbol.name] for symbol in formula.parameters}
    places = seams(formula.value, formula.inputs[0], parameters)
    grid = sorted({*GRID, *FAR, *places})
    values = [(x, y) for x in grid if (y := value(x)) is not None]
    slopes = [(x, y) for x in grid if x not in places and (y := slope(x)) is not None]
    left, right = limits
    return Properties(
        limits=(_text(left), _text(right)),
        limit_values=(left, right),
        parity=parity(value, places),
        seams=places,
        kinks=kinks(formula.value, formula.inputs[0], parameters, places),
        roots=tuple(_roots(value, values)),
        range=_range(value, slope, values, slopes, limits),
        monotonicity=_monotonicity(values, slopes),
        lipschitz=_lipschitz(slope, bend, slopes, places),
    )


def number_text(value: float) -> str:
    """A number as a person would write it: exact if short, else six significant digits."""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    short = Fraction(value).limit_denominator(24)
    if float(short) == value or abs(float(short) - value) < 1e-15 * max(1.0, abs(value)):
        return str(short)
    return f"{value:.6g}"


def _text(value: float | None) -> str | None:
    return None if value is None else number_text(value)


def _at_defaults(formula: Formula, expression: sp.Expr, defaults: Mapping[str, sp.Rational]) -> Point:
    return at(expression, formula.variables, [defaults[symbol.name] for symbol in formula.parameters])


def parity(value: Point, places: Sequence[float]) -> Parity | None:
    """Return whether a function is odd or even; None if it is neither.

    Proved to 100 bits at two dozen points, which no formula of this size passes by chance, at 0 and at the seams.

    A step that is 1 at 0 and -1 below is odd but for 0.
    """
    points = [0.37 * 1.31**k for k in range(-10, 14)]
    known = [(f, g) for x in points if (f := value(x)) is not None and (g := value(-x)) is not None]
    if len(known) < len(points):
        return None
    for x in (0.0, *places):  # where there may be a hole
        f, g = value(x), value(-x)
        if f is not None and g is not None and f.is_finite() and g.is_finite():
            known.append((f, g))
    close = arb(2) ** -90
    if all(abs(f - g) <= close * (abs(f) + close) for f, g in known):
        return "even"
    if all(abs(f + g) <= close * (abs(f) + close) for f, g in known):
        return "odd"
    return None


def _roots(value: Point, values: Sequence[tuple[float, arb]]) -> Iterator[str]:
    """Isolated roots, and stretches of the line on which the value is 0."""
    flat: list[float] = []
    roots = sorted(set(isolated_roots(value, values)))
    grid = [x for x, _ in values]
    zeros = {x for x, y in values if y.is_zero()}
    runs: list[list[float]] = []
    for x in grid:
        if x in zeros:
            if runs and runs[-1] and grid.index(runs[-1][-1]) + 1 == grid.index(x):
                runs[-1].append(x)
            else:
                runs.append([x])
    for run in runs:
        if len(run) > 2:
            flat += run
            low = "-inf" if run[0] == grid[0] else number_text(run[0])
            high = "inf" if run[-1] == grid[-1] else number_text(run[-1])
            yield f"[{low}, {high}]"
    yield from (number_text(root) for root in roots if root not in flat)


def _range(
    value: Point,
    slope: Point,
    values: Sequence[tuple[float, arb]],
    slopes: Sequence[tuple[float, arb]],
    limits: Sequence[float | None],
) -> tuple[str, str] | None:
    if None in limits or not values:
        return None
    turning = [x for x in isolated_roots(slope, slopes) if abs(x) < 2.0**12]
    extremes = [float(y.mid()) for x in turning if (y := value(x)) is not None]
    candidates = [float(y.mid()) for _, y in values] + extremes + [limit for limit in limits if limit is not None]
    return number_text(min(candidates)), number_text(max(candidates))


def _monotonicity(values: Sequence[tuple[float, arb]], slopes: Sequence[tuple[float, arb]]) -> str | None:
    """By the slopes, and by the values, which jump back in x - floor(x) although its slope is 1."""
    steps = [after - before for (_, before), (_, after) in pairwise(values)]
    if all(y >= 0 for _, y in slopes) and not any(step < 0 for step in steps):
        return "increasing"
    return "decreasing" if all(y <= 0 for _, y in slopes) and not any(step > 0 for step in steps) else None


def _lipschitz(slope: Point, bend: Point, slopes: Sequence[tuple[float, arb]], places: Sequence[float]) -> str | None:
    """The largest slope, over a grid, the turning points of the slope, and both sides of every seam."""
    bends = [(x, y) for x, _ in slopes if (y := bend(x)) is not None]
    sides = [place + sign * 2.0**-60 * max(1.0, abs(place)) * 2.0**20 for place in places for sign in (-1, 1)]
    special = [*(x for x in isolated_roots(bend, bends) if abs(x) < 2.0**12), *sides]
    sizes = [(x, float(abs(y).mid())) for x in (*(x for x, _ in slopes), *special) if (y := slope(x)) is not None]
    if not sizes:
        return None
    middle = max((size for x, size in sizes if abs(x) <= 2.0**10), default=0.0)
    if any(size > 4 * middle for x, size in sizes if abs(x) >= 2.0**30):
        return "inf"
    return number_text(max(size for _, size in sizes))
