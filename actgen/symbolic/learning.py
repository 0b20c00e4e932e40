"""Whether the parameters that a spec declares trainable have a gradient to learn by.

A step is flat, also by the parameters inside it: a threshold learns by what a surrogate implies, or not at all. One
that would keep its initial value, whatever the data, is refused or warned of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from actgen.spec import Activation, Parameter, Problem, SpecError
from actgen.spec.placing import place_key
from actgen.symbolic.binding import bind
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.formula import Formula
from actgen.symbolic.steps import Steps, UntoldError


@dataclass(frozen=True)
class Gradient:
    """The derivative by a trained parameter that moves steps.

    Attributes:
        parameter: its name.
        ratio: how the steps move with it; see `actgen.symbolic.steps`.
        partial: the derivative.
    """

    parameter: str
    ratio: sp.Expr
    partial: sp.Expr


def implied_gradients(activation: Activation) -> list[Gradient]:
    """Return what a surrogate implies for the parameters that are trained and move its steps.

    Raises:
        SpecError: for one of them that is nothing.
    """
    trained = _trained(activation)
    if activation.surrogate is None or not trained:
        return []
    steps, problems = Steps.of(activation.expression, activation.inputs[0]), []
    for parameter in trained:
        try:
            steps.ratio(parameter.symbol)
        except UntoldError as error:
            what = f"{parameter.name} is trained, but its gradient does not follow from the surrogate: {error}"
            remedy = "write trainable = false, or a formula whose steps all have one argument"
            problems.append(_problem(activation, parameter, what, remedy))
    if problems:
        raise SpecError(problems)
    formula = Formula.of(activation)
    moving = {symbol.name: ratio for symbol, ratio in formula.moving}
    return [
        Gradient(parameter.name, moving[parameter.name], formula.partials[parameter.name,])
        for parameter in trained
        if parameter.name in moving and (parameter.name,) in formula.partials
    ]


def never_learning(activation: Activation) -> Iterator[Problem]:
    """Warn of each trained parameter whose derivative is 0 everywhere."""
    for parameter in _trained(activation):
        if _learns(activation, parameter):
            continue
        what = f"warning: {parameter.name} is trained, but its gradient is 0 everywhere, so it stays as it is"
        remedy = "write trainable = false"
        if not activation.expression.has(parameter.symbol):
            what = f"{what}: it shapes the surrogate only"
        elif activation.surrogate is None and activation.kind == "elementwise":
            remedy = f"{remedy}, or give a [surrogate] derivative"
        yield _problem(activation, parameter, what, remedy)


def _trained(activation: Activation) -> list[Parameter]:
    return [parameter for parameter in activation.parameters if parameter.trainable]


def _learns(activation: Activation, parameter: Parameter) -> bool:
    if activation.surrogate is not None:
        return (parameter.name,) in Formula.of(activation).partials
    return bool(differentiate(bind(activation.expression, activation.inputs), parameter.symbol) != 0)


def _problem(activation: Activation, parameter: Parameter, what: str, remedy: str) -> Problem:
    return place_key(activation, ("parameters", parameter.name, "trainable"), what, remedy)
