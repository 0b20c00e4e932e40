"""What the operations of a formula ask of their arguments, so that there is a real value: log(u) asks for u > 0.

Read off the formula as declared, under the conditions on which an operation is reached: the logarithm of
``Piecewise((log(x), x > 1), (0, True))`` asks only where x > 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from actgen.symbolic.binding import REDUCTIONS, bind

Guards = tuple[sp.Basic, ...]


@dataclass(frozen=True)
class Requirement:
    """An operation and what it asks of a number.

    Attributes:
        operation: as declared, such as log(x), 1/(1 - x) or x**p.
        part: what stands in the text of the spec: the operation, or the divisor of a division.
        argument: the number, over the primitives.
        guards: conditions over the primitives, all of which hold where the operation is reached.
        allows_negative: whether the number may be below 0; None where an exponent decides.
        allows_zero: whether it may be 0; None where an exponent decides.
        exponent: of a power, over the primitives.
    """

    operation: sp.Expr
    part: sp.Expr
    argument: sp.Expr
    guards: Guards
    allows_negative: bool | None
    allows_zero: bool | None
    exponent: sp.Expr | None = None

    @property
    def divides(self) -> bool:
        """Whether the operation is a division."""
        return bool(self.part != self.operation)

    @property
    def symbols(self) -> set[sp.Symbol]:
        """The symbols that decide whether it is met."""
        found = (self.argument, *self.guards, *([] if self.exponent is None else [self.exponent]))
        return set().union(*(one.free_symbols for one in found))

    def at(self, parameters: Mapping[sp.Symbol, sp.Rational]) -> tuple[bool, bool]:
        """Whether negative numbers and 0 are allowed, with the parameters at given values."""
        if self.exponent is None:
            return bool(self.allows_negative), bool(self.allows_zero)
        exponent = self.exponent.xreplace(parameters)
        if not exponent.is_Rational:  # depends on the input, or is a root: only a positive base is safe
            return False, True
        return bool(exponent.is_Integer), bool(exponent >= 0)


def requirements(expression: sp.Expr, inputs: tuple[sp.Symbol, ...]) -> list[Requirement]:
    """What the operations of a formula ask for, innermost first.

    Args:
        expression: as the spec room parses it, functions undefined.
        inputs: the symbols that are tensors.
    """
    return list(dict.fromkeys(_walk(expression, inputs, ())))


def _walk(node: sp.Basic, inputs: tuple[sp.Symbol, ...], guards: Guards) -> Iterator[Requirement]:
    if isinstance(node, sp.Piecewise):
        reached = guards
        for value, condition in node.args:
            yield from _walk(condition, inputs, reached)
            holds = bind(condition, inputs)
            yield from _walk(value, inputs, (*reached, holds))
            reached = (*reached, sp.Not(holds))
        return
    for argument in node.args:
        yield from _walk(argument, inputs, guards)
    if isinstance(node, sp.Pow):
        yield from _of_power(node, inputs, guards)
    elif isinstance(node, AppliedUndef) and node.func.__name__ in _ASKED and not _reduces(node):
        number, allows_negative, allows_zero = _ASKED[node.func.__name__]
        argument = number(bind(node.args[0], inputs))
        yield Requirement(node, node, argument, guards, allows_negative, allows_zero)


def _of_power(node: sp.Pow, inputs: tuple[sp.Symbol, ...], guards: Guards) -> Iterator[Requirement]:
    base, exponent = node.args
    if _reduces(base) or (base.is_number and base.is_positive):
        return
    argument = bind(base, inputs)
    if exponent.is_Integer:
        if exponent < 0:
            yield Requirement(node, base, argument, guards, allows_negative=True, allows_zero=False)
    elif not _reduces(exponent):
        yield Requirement(node, node, argument, guards, None, None, bind(exponent, inputs))


def _reduces(expression: sp.Expr) -> bool:
    """Whether an expression reads a whole axis: nothing is asked of that here."""
    calls = expression.atoms(AppliedUndef)
    return any(len(call.args) == 1 and call.func.__name__ in REDUCTIONS for call in calls)


_ASKED: Mapping[str, tuple[Callable[[sp.Expr], sp.Expr], bool, bool]] = {
    "log": (lambda u: u, False, False),
    "log1p": (lambda u: 1 + u, False, False),
    "sqrt": (lambda u: u, False, True),
    "tan": (sp.cos, True, False),
}
"""Of each function that has no value somewhere: the number that it asks of, and whether that may be negative, and 0."""
