"""Differentiation by the chain rule over the primitives, with the kink rule built in.

SymPy's own ``diff`` would bring back ``1 - tanh(u)**2`` and Dirac deltas. This one takes the derivative of each
function from :data:`actgen.symbolic.primitives.DERIVATIVES` and differentiates a ``Piecewise`` branch by branch, so the
slope at a boundary is that of the branch that owns it.
"""

from __future__ import annotations

import sympy as sp

from actgen.symbolic.primitives import DERIVATIVES


def is_single_point(condition: sp.Basic, variable: sp.Symbol) -> bool:
    """Whether a condition holds at one value of a variable only.

    A piece such as the 1 of sin(x)/x at 0 fills a hole. It has no slope of its own: the derivative there is that of the
    pieces around it, by continuity.
    """
    return isinstance(condition, sp.Equality) and variable in condition.args and condition.lhs != condition.rhs


def differentiate(expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    """The derivative of an expression over the primitives by one of its symbols.

    Args:
        expression: arithmetic, ``Piecewise`` and the functions of ``DERIVATIVES``.
        variable: an input or a parameter.

    Returns:
        The derivative, unsimplified but with like terms collected by SymPy's arithmetic.

    Raises:
        TypeError: for a node that is none of these; binding produces no such node.
    """
    if not expression.has(variable):
        return sp.Integer(0)
    if expression == variable:
        return sp.Integer(1)
    if isinstance(expression, sp.Add):
        return sp.Add(*(differentiate(term, variable) for term in expression.args))
    if isinstance(expression, sp.Mul):
        factors = expression.args
        return sp.Add(
            *(
                sp.Mul(*factors[:i], differentiate(factor, variable), *factors[i + 1 :])
                for i, factor in enumerate(factors)
                if factor.has(variable)
            )
        )
    if isinstance(expression, sp.Pow):
        base, exponent = expression.args
        if not exponent.has(variable):
            return exponent * base ** (exponent - 1) * differentiate(base, variable)
        return expression * differentiate(exponent * sp.log(base), variable)
    if isinstance(expression, sp.Piecewise):
        pieces = [
            (differentiate(value, variable), condition)
            for value, condition in expression.args
            if not is_single_point(condition, variable)
        ]
        return sp.Piecewise(*pieces)
    if expression.func in DERIVATIVES:
        (argument,) = expression.args
        return DERIVATIVES[expression.func](argument) * differentiate(argument, variable)
    raise TypeError(f"no derivative is known for {expression.func.__name__}")
