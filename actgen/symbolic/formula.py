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
    """

    value: sp.Expr
    inputs: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]
    surrogate: sp.Expr | None = None

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
        return cls(value, activation.inputs, tuple(domains), slope)

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        """Inputs, then parameters."""
        return self.inputs + self.parameters

    @cached_property
    def partials(self) -> Mapping[Order, sp.Expr]:
        """Value, first and second partial derivatives; those that vanish everywhere are left out.

        A surrogate replaces the derivative by the input, and the second derivatives by the input follow from it.
        """
        first = {variable: self._derivative(self.value, variable) for variable in self.variables}
        if self.surrogate is not None:
            first[self.inputs[0]] = self.surrogate
        table: dict[Order, sp.Expr] = {(): self.value}
        table |= {(variable.name,): partial for variable, partial in first.items()}
        for outer, inner in combinations_with_replacement(self.variables, 2):
            table[outer.name, inner.name] = self._derivative(first[outer], inner)
        return {order: partial for order, partial in table.items() if order == () or partial != 0}

    def _derivative(self, expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
        return continue_over_kinks(differentiate(expression, variable), expression, self.inputs)
