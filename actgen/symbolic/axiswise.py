"""An axis-wise activation as exact formulas: the value and its two products, and what is proved of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from actgen.spec import Activation, Problem, SpecError
from actgen.symbolic.binding import bind
from actgen.symbolic.invariance import Scaling, name_constants, scaling_of, shift_of
from actgen.symbolic.products import COTANGENT, TANGENT, pull_back, push_forward, slope_by
from actgen.symbolic.reductions import Element, is_row
from actgen.symbolic.rowwise import distributed, gather, settle, tidy

QUANTITIES = ("value", "jvp", "vjp")
"""The value, the Jacobian times a tangent, a cotangent times the Jacobian."""


@dataclass(frozen=True)
class AxiswiseFormula:
    """The declared formula and what is derived from it.

    Attributes:
        declared: the formula over the primitives and reductions, as the spec writes it.
        value: the same in normal form, exponentials gathered.
        x: the input.
        parameters: the parameters' symbols, in the order in which they are arguments.
    """

    declared: sp.Expr
    value: sp.Expr
    x: Element
    parameters: tuple[sp.Symbol, ...]

    @classmethod
    def of(
        cls, activation: Activation, rewrite: Callable[[sp.Expr], sp.Expr] = lambda formula: formula
    ) -> AxiswiseFormula:
        """Bind the names of a spec to primitives and reductions, and bring the formula into its normal form.

        Args:
            activation: the spec.
            rewrite: applied to the bound formula first; 1 / (1 + exp(-x)) may become sigmoid(x).

        Raises:
            SpecError: the formula compares something that is no real number, or does not depend on its input.
        """
        (symbol,) = activation.inputs
        x = Element(symbol.name)
        try:
            declared = bind(activation.expression.xreplace({symbol: x}), (x,))
        except TypeError as error:  # SymPy's word for a comparison of a number that is not real
            message = f"the formula compares what is no real number: {error}"
            raise SpecError([Problem(activation.path, message, "keep to real values")]) from error
        value = tidy(gather(settle(rewrite(declared))))
        if not value.has(x):
            message = f"the formula does not depend on x: it is {value}"
            raise SpecError([Problem(activation.path, message, "an activation is a function of its input x")])
        return cls(declared, value, x, tuple(parameter.symbol for parameter in activation.parameters))

    @property
    def reduces(self) -> bool:
        """Whether there is one result for the whole axis."""
        return is_row(self.value)

    @cached_property
    def quantities(self) -> Mapping[str, sp.Expr]:
        """The formula of each of QUANTITIES."""
        return {"value": self.value, "jvp": push_forward(self.value, self.x), "vjp": pull_back(self.value, self.x)}

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether the Jacobian is proved to equal its transpose."""
        if self.reduces:
            return False
        forward = self.quantities["jvp"].xreplace({TANGENT: COTANGENT})
        return bool(distributed(forward - self.quantities["vjp"]) == 0)

    @cached_property
    def shift(self) -> int | None:
        """What a constant added to the row adds to the result: 0 times it, once, or None where neither is proved."""
        return shift_of(self.value, self.x)

    @cached_property
    def scaling(self) -> tuple[Scaling, Mapping[sp.Symbol, sp.Expr]] | None:
        """How the result scales with row and parameters, and the constants that scale along; None if it does not."""
        named, constants = name_constants(self.value)
        found = scaling_of(named, self.x, (*self.parameters, *constants))
        return None if found is None else (found, constants)


def with_named_constants(formula: AxiswiseFormula) -> AxiswiseFormula:
    """The formula with a parameter for each constant that scales along with x."""
    named, constants = name_constants(formula.value)
    if not constants:
        return formula
    return AxiswiseFormula(formula.declared, named, formula.x, (*formula.parameters, *constants))


def along_itself(formula: AxiswiseFormula, scaling: Scaling) -> sp.Expr:
    """The Jacobian times the row itself, by Euler: degree f - sum of w p df/dp, which hides no cancellation."""
    terms = [-weight * symbol * slope_by(formula.value, symbol) for symbol, weight in scaling.weights.items() if weight]
    return sp.Add(scaling.degree * formula.value, *terms)
