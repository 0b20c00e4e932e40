"""An activation as exact formulas: the value and every partial derivative up to the second order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import sympy as sp

from actgen.spec import Activation, Problem, SpecError
from actgen.symbolic.binding import bind
from actgen.symbolic.comparisons import solve_comparisons
from actgen.symbolic.continuity import continue_over_kinks
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.steps import add, carry, ratios

Order = tuple[str, ...]
"""The names of the variables differentiated by, inputs first, then parameters as declared; ``()`` is the value."""


@dataclass(frozen=True)
class Formula:
    """The declared formula over the primitives, with its partial derivatives.

    Attributes:
        value: the formula.
        inputs: the tensors it is applied to.
        parameters: the parameters' symbols, in the order in which they are arguments.
        surrogate: what stands in for the derivative by the input, or None.
        moving: each parameter that moves the steps which have a surrogate, with how: see `actgen.symbolic.steps`.
    """

    value: sp.Expr
    inputs: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    surrogate: sp.Expr | None = None
    moving: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    @classmethod
    def of(cls, activation: Activation) -> Formula:
        """Bind the names of a spec to primitives, and solve what is compared.

        Raises:
            SpecError: the formula compares something that is no real number, such as log(-1).
        """
        surrogate = activation.surrogate
        try:
            value = bind(activation.expression, activation.inputs)
            slope = None if surrogate is None else bind(surrogate, activation.inputs)
        except TypeError as error:  # SymPy's word for a comparison of a number that is not real
            message = f"the formula compares what is no real number: {error}"
            raise SpecError([Problem(activation.path, message, "keep to real values")]) from error
        domains = {parameter.symbol: parameter.domain for parameter in activation.variables}
        value = solve_comparisons(value, activation.inputs, domains)
        if slope is None:
            return cls(value, activation.inputs, tuple(domains))
        moving = ratios(activation.expression, activation.inputs[0], tuple(domains))
        slope = solve_comparisons(slope, activation.inputs, domains)
        return cls(value, activation.inputs, tuple(domains), slope, tuple(moving.items()))

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        """Inputs, then parameters."""
        return self.inputs + self.parameters

    @cached_property
    def partials(self) -> Mapping[Order, sp.Expr]:
        """Value, first and second partial derivatives; those that vanish everywhere are left out.

        A surrogate replaces the derivative by the input, those by parameters that move its steps follow by the chain
        rule, and the second derivatives from these.
        """
        x, first = self.inputs[0], {variable: self._derivative(self.value, variable) for variable in self.variables}
        second: dict[tuple[sp.Symbol, sp.Symbol], sp.Expr] = {}
        if self.surrogate is not None:
            flat, slope = first, self.surrogate
            first = {x: slope} | {p: self._carried(self.value, slope, p) for p in self.parameters}
            # The derivative by x of a first derivative by a parameter is held to be that of the surrogate by it.
            second = {
                (outer, inner): self._carried(first[outer], self._derivative(slope, outer), inner)
                for outer, inner in combinations_with_replacement(self.parameters, 2)
                if outer not in dict(self.moving) or flat[outer] != 0
            }
        table: dict[Order, sp.Expr] = {(): self.value}
        table |= {(variable.name,): partial for variable, partial in first.items()}
        for outer, inner in combinations_with_replacement(self.variables, 2):
            known = second.get((outer, inner))
            table[outer.name, inner.name] = self._derivative(first[outer], inner) if known is None else known
        return {order: partial for order, partial in table.items() if order == () or partial != 0}

    def _carried(self, whole: sp.Expr, slope: sp.Expr, parameter: sp.Symbol) -> sp.Expr:
        """The derivative of a formula by a parameter, where that by the input is held to be `slope`."""
        x, flat, ratio = self.inputs[0], self._derivative(whole, parameter), dict(self.moving).get(parameter)
        return flat if ratio is None else add(flat, carry(slope - self._derivative(whole, x), ratio, x))

    def _derivative(self, expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
        return continue_over_kinks(differentiate(expression, variable), expression, self.inputs)
