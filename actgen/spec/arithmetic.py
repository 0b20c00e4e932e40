"""Arithmetic on SymPy expressions within bounds: exact, real, and never large enough to hurt.

SymPy folds constants as it builds: `2**10` becomes 1024, `(x**2)**3` becomes x**6. What it folds is bounded here,
operation by operation, so that no text of a few characters (`x**(10**9)`, `9**9**9`) can cost time or memory; and
whatever would fold into something that is no real number is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanTrue

from actgen.spec.number import fits

EXPONENT = 64
"""The largest constant exponent."""

DENOMINATOR = 1_000_000
"""The largest denominator of a constant exponent."""

_NODES = (
    sympy.Add,
    sympy.Mul,
    sympy.Pow,
    sympy.Rational,
    sympy.NumberSymbol,
    sympy.Symbol,
    sympy.Piecewise,
    sympy.And,
    sympy.Or,
    ExprCondPair,
    Relational,
    AppliedUndef,
    BooleanTrue,
)


class FoldError(ValueError):
    """An operation whose result is no real number or too large; `remedy` says what to do.

    `is_right` tells that the right operand alone, a divisor or an exponent, is at fault.
    """

    def __init__(self, message: str, remedy: str = "", *, is_right: bool = False) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.is_right = is_right


def add(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """Return left + right."""
    return _sound(left + right)


def subtract(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """Return left - right."""
    return _sound(left - right)


def multiply(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """Return left * right."""
    return _sound(left * right)


def divide(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """Return left / right."""
    if right.is_zero:
        raise FoldError("division by zero", "the divisor is 0 whatever x is", is_right=True)
    return _sound(left / right)


def power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """Return base ** exponent; a power of E is the function exp."""
    if base is sympy.E:
        return sympy.Function("exp")(exponent)
    _bound(exponent, is_right=True)
    if base.is_negative and (base.is_number or exponent.is_integer is False) and not exponent.is_Integer:
        raise FoldError("a negative number has no such power among the real numbers", "write -(a**b), or Abs(u)**b")
    if base.is_number and not exponent.is_Integer:
        if base.is_zero and not (exponent.is_number and exponent.is_positive):
            raise FoldError("0 has no such power", "keep the base positive")
        if base.has(sympy.Add):
            raise FoldError("a root of a sum of constants is not folded", "write sqrt(u), or exp(log(u) * b)")
    return _sound(base**exponent)


def finish(expression: sympy.Expr) -> sympy.Expr:
    """Return the expression with what SymPy folded into functions of its own turned back into names."""
    for function in (sympy.Abs, sympy.exp):
        if expression.has(function):
            expression = expression.replace(function, sympy.Function(function.__name__))
    for node in sympy.preorder_traversal(expression):
        if not isinstance(node, _NODES):
            raise FoldError(
                "this is no real function of its symbols for all their values", "restrict the bases of powers"
            )
    return expression


def _bound(exponent: sympy.Expr, *, is_right: bool = False) -> None:
    if not exponent.is_number:
        return
    if exponent.is_Rational and exponent.q > DENOMINATOR:
        remedy = f"constant exponents have denominators up to {DENOMINATOR:,}"
        raise FoldError("the exponent is too fine", remedy, is_right=is_right)
    if abs(exponent if exponent.is_Rational else exponent.evalf(15)) > EXPONENT:
        remedy = f"constant exponents lie between -{EXPONENT} and {EXPONENT}"
        raise FoldError("the exponent is too large", remedy, is_right=is_right)


def _sound(result: sympy.Expr) -> sympy.Expr:
    """Return the result of an operation, or raise `FoldError`; what went into it has been through here before."""
    for node in _upper(result, 3):
        if node.is_Rational:
            if not fits(node):
                raise FoldError("this folds to a number outside the range of float64", "use numbers of ordinary size")
        elif node.is_Pow:
            _bound(node.exp)
            if node.base.is_zero or (node.base.is_Rational and node.base.is_negative and not node.exp.is_integer):
                raise FoldError("a negative number has no such power among the real numbers", "keep the base positive")
        elif node.is_Add:
            # SymPy decides the sign of a sum of algebraic numbers by its minimal polynomial, which can take hours.
            constants = [term for term in node.args if term.is_number]
            if len(constants) > 1 and any(_is_root(part) for term in constants for part in _upper(term, 3)):
                raise FoldError("a sum of roots of constants is not folded", "write sqrt(2) for 2**(1/2)")
        elif node in (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise FoldError("division by zero", "the divisor is 0 whatever x is")
        elif node is sympy.I:
            raise FoldError("this folds to a complex number", "keep the bases of fractional powers positive")
    return result


def _is_root(node: sympy.Expr) -> bool:
    return bool(node.is_Pow and not node.exp.is_Integer)


def _upper(node: sympy.Basic, levels: int) -> Iterator[sympy.Basic]:
    """Yield a node and what lies up to `levels` below it: as deep as one operation of SymPy changes things."""
    yield node
    if levels:
        for argument in node.args:
            yield from _upper(argument, levels - 1)
