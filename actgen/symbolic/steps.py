"""Where a surrogate stands for the derivative of steps: how the steps move with a parameter.

The surrogate g of f = H(u), of which u(x, p) is the argument of the step, stands for the derivative by x. By the chain
rule df/du = g / (du/dx), so that by p is g (du/dp) / (du/dx). Of u = x - theta, by theta: -g. Steps of several
arguments need one ratio (du/dp) / (du/dx): else nobody can tell which part of g belongs to which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from actgen.symbolic.binding import bind
from actgen.symbolic.derivatives import differentiate

_JUMPING = ("Heaviside", "sign", "floor")
_ORDERINGS = (sp.Ge, sp.Gt, sp.Le, sp.Lt)


class UntoldError(ValueError):
    """The derivative by a parameter does not follow from that by the input; the message says why."""


@dataclass(frozen=True)
class Steps:
    """The steps of a formula.

    Attributes:
        arguments: what jumps where it passes a number, as declared.
        x: the input.
    """

    arguments: tuple[sp.Expr, ...]
    x: sp.Symbol

    @classmethod
    def of(cls, expression: sp.Expr, x: sp.Symbol) -> Steps:
        """Find the arguments of Heaviside, sign and floor, and what ``Piecewise`` compares.

        Args:
            expression: as the spec room parses it, functions undefined.
            x: the input.
        """
        return cls(tuple(dict.fromkeys(_arguments(expression))), x)

    def ratio(self, parameter: sp.Symbol) -> sp.Expr:
        """(du/dp) / (du/dx), which all steps have in common; 0 if the parameter moves none.

        Raises:
            UntoldError: they do not have it in common, or a step moves with the parameter and not with x.
        """
        ratios: dict[sp.Expr, sp.Expr] = {}
        for u in self.arguments:
            bound = bind(u, (self.x,))
            by_x, by_parameter = differentiate(bound, self.x), differentiate(bound, parameter)
            if by_x == 0 and by_parameter != 0:
                raise UntoldError(f"{u}, of which there is a step, depends on {parameter} and has no slope by {self.x}")
            if by_x != 0:
                ratios[u] = sp.cancel(by_parameter / by_x)
        (u, ratio), *others = ratios.items() or [(self.x, sp.Integer(0))]
        for other, another in others:
            if sp.cancel(another - ratio) != 0:
                raise UntoldError(f"the steps of {u} and of {other} do not move alike with {parameter}")
        return ratio


def ratios(expression: sp.Expr, x: sp.Symbol, parameters: tuple[sp.Symbol, ...]) -> Mapping[sp.Symbol, sp.Expr]:
    """Of each parameter that moves the steps of a formula, all alike, (du/dp) / (du/dx)."""
    steps, found = Steps.of(expression, x), {}
    for parameter in parameters:
        try:
            ratio = steps.ratio(parameter)
        except UntoldError:  # of a parameter that is trained, the examination says so
            continue
        if ratio != 0:
            found[parameter] = ratio
    return found


def carry(slope: sp.Expr, ratio: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """The derivative of steps by a parameter: the one by x times a ratio, with common factors cancelled."""
    if isinstance(slope, sp.Piecewise):
        return sp.Piecewise(*((carry(value, ratio, x), condition) for value, condition in slope.args))
    if slope.is_Add and slope.has(sp.Piecewise):
        return add(*(carry(term, ratio, x) for term in slope.args))
    if slope.is_Mul and len(choices := [factor for factor in slope.args if isinstance(factor, sp.Piecewise)]) == 1:
        return carry(choices[0], ratio * sp.Mul(*(factor for factor in slope.args if factor != choices[0])), x)
    product = ratio * slope
    if product.is_Add or not sp.denom(ratio).has(x):
        return product
    cancelled = sp.cancel(product)
    return product if sp.denom(cancelled).has(x) else cancelled


def add(*terms: sp.Expr) -> sp.Expr:
    """A sum, of whose choices those with the same conditions are one: what is x - x in each piece is 0."""
    rest, choices = [], dict[tuple[sp.Basic, ...], list[sp.Piecewise]]()
    for term in (part for whole in terms for part in sp.Add.make_args(whole)):
        if isinstance(term, sp.Piecewise):
            choices.setdefault(tuple(condition for _, condition in term.args), []).append(term)
        else:
            rest.append(term)
    for conditions, alike in choices.items():
        values = (sp.Add(*(one.args[place][0] for one in alike)) for place in range(len(conditions)))
        rest.append(sp.Piecewise(*zip(values, conditions, strict=True)))
    return sp.Add(*rest)


def _arguments(node: sp.Basic) -> Iterator[sp.Expr]:
    """What is passed to steps, innermost first. A condition that holds at one point fills a hole and is no step."""
    for argument in node.args:
        yield from _arguments(argument)
    if isinstance(node, AppliedUndef) and node.func.__name__ in _JUMPING:
        yield node.args[0]
    elif isinstance(node, _ORDERINGS):
        yield node.lhs - node.rhs
