"""Factors: a gated unit is a product of a function of one input and a function of the other."""

from __future__ import annotations

from collections.abc import Sequence

import sympy


def separate(expression: sympy.Expr, inputs: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, ...] | None:
    """Return a factor for each input that depends on no other input; their product is the expression.

    Numbers and parameters go with the first factor that is more than its input: they are part of what is gated with,
    `(1 + tanh(b)) / 2`. None where the expression is no such product.
    """
    known = set(inputs)
    factors = [sympy.Integer(1)] * len(inputs)
    rest: list[sympy.Expr] = []
    for part in sympy.Mul.make_args(expression):
        read = part.free_symbols & known
        if len(read) > 1:
            shorter = sympy.factor(part)
            if not shorter.is_Mul or shorter == part:
                return None
            found = separate(shorter, inputs)
            if found is None:
                return None
            factors = [one * other for one, other in zip(factors, found, strict=True)]
        elif read:
            index = inputs.index(read.pop())
            factors[index] = factors[index] * part
        else:
            rest.append(part)
    owner = next((i for i, factor in enumerate(factors) if factor not in known), len(factors) - 1)
    factors[owner] = sympy.Mul(*rest, factors[owner])
    return tuple(factors)
