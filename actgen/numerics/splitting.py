"""Splitting a formula at the default of a parameter in which it is linear: f(x, p) = f(x, d) + (p - d) df/dp(x).

x - p log1p(x) cancels at p = 1 near 0, and a polynomial that mends it would have coefficients that depend on p. But x -
log1p(x) can be mended, and so can any f(x, d): it has a parameter less. What is added to it is 0 at the default, and
elsewhere cancels no more than the formula itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import sympy as sp

from actgen.numerics.candidates import Candidate
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Node
from actgen.numerics.lowering import call, constant
from actgen.symbolic.derivatives import differentiate

Choose = Callable[[Judge, Mapping[sp.Basic, Node]], Kernel]


def split(judge: Judge, known: Mapping[sp.Basic, Node], choose: Choose) -> Iterator[Candidate]:
    """The formula as a sum of two with a parameter less, for each parameter in which it is linear.

    Args:
        judge: the formula.
        known: the node of each symbol.
        choose: finds the kernel of each part.
    """
    for parameter in judge.parameters:
        slope = differentiate(judge.expression, parameter)
        if slope == 0 or slope.has(parameter) or _decides(judge.expression, parameter):
            continue
        default = judge.exact_settings[0][parameter.name]
        number = sp.Rational(default.numerator, default.denominator)
        base = judge.expression.xreplace({parameter: number})
        if not base.has(judge.x) or not slope.has(judge.x):
            continue
        at_default, more = (choose(judge.without(parameter, part), known) for part in (base, slope))
        offset = call("subtract", known[parameter], constant(number)) if number else known[parameter]
        result = call("add", at_default.result, call("multiply", offset, more.result))
        form = f"{at_default.form}, and {parameter.name} less its default times {more.form}"
        yield Candidate(form, Kernel(result, {**more.names, **at_default.names}, form))


def _decides(expression: sp.Expr, parameter: sp.Symbol) -> bool:
    """Whether a parameter has a say in which branch is taken."""
    conditions = [condition for choice in expression.atoms(sp.Piecewise) for _, condition in choice.args]
    steps = expression.atoms(sp.sign, sp.Abs, sp.floor)
    return any(part.has(parameter) for part in (*conditions, *steps))
