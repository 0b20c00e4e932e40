"""Jacobian-vector and vector-Jacobian products of an axis-wise formula, by forward and reverse mode over its graph.

The nodes of the graph are the distinct subexpressions. What flows between an element and a row is a reduction: the
tangent of Total(u) is Total(u'), the cotangent of a row that elements read is the Total of theirs.

Where several elements are the largest, Top passes its slope to them in equal parts, as torch.amax, jax.numpy.max and
logsumexp do.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from actgen.symbolic.derivatives import is_single_point
from actgen.symbolic.primitives import DERIVATIVES
from actgen.symbolic.reductions import Centred, Element, LogMean, LogTotal, Tie, Top, Total, Weights, is_row
from actgen.symbolic.rowwise import centre, fold, settle

TANGENT = Element("tangent")
COTANGENT = Element("cotangent")
"""Of an elementwise result; that of a row is :data:`ROW_COTANGENT`."""

ROW_COTANGENT = sp.Symbol("cotangent", real=True)


def push_forward(formula: sp.Expr, x: Element) -> sp.Expr:
    """The Jacobian times the tangent."""
    return _forward(formula, x, TANGENT)


def slope_by(formula: sp.Expr, parameter: sp.Symbol) -> sp.Expr:
    """The derivative by a parameter."""
    return _forward(formula, parameter, sp.Integer(1))


def _forward(formula: sp.Expr, variable: sp.Symbol, tangent: sp.Expr) -> sp.Expr:
    if not formula.has(variable):
        return sp.Integer(0)
    tangents: dict[sp.Basic, sp.Expr] = {variable: tangent}
    for node in _in_order(formula, variable):
        if node not in tangents and isinstance(node, sp.Expr):
            parts = [
                sp.Mul(*factors, tangents[argument])
                for argument, factors in _partials(node)
                if tangents.get(argument, sp.Integer(0)) != 0
            ]
            tangents[node] = _through(node, parts, tangents)
    return settle(fold(centre(settle(tangents[formula]))))


def pull_back(formula: sp.Expr, x: Element) -> sp.Expr:
    """The cotangent times the Jacobian."""
    cotangents: dict[sp.Basic, list[sp.Expr]] = {formula: [ROW_COTANGENT if is_row(formula) else COTANGENT]}
    for node in reversed(list(_in_order(formula, x))):
        arrived = cotangents.get(node)
        if not arrived or node == x or not isinstance(node, sp.Expr):
            continue
        cotangent = sp.Add(*arrived)
        for argument, passed in _passed(node, cotangent):
            if argument.has(x):
                widened = is_row(argument) and not is_row(passed)
                cotangents.setdefault(argument, []).append(settle(Total(passed)) if widened else passed)
    return settle(fold(centre(settle(sp.Add(*cotangents.get(x, []))))))


def _in_order(expression: sp.Basic, variable: sp.Symbol) -> Iterator[sp.Basic]:
    """Every distinct subexpression that holds the variable, operands before their users."""
    seen: set[sp.Basic] = set()

    def visit(node: sp.Basic) -> Iterator[sp.Basic]:
        if node in seen or not node.has(variable):
            return
        seen.add(node)
        for argument in _operands(node):
            yield from visit(argument)
        yield node

    yield from visit(expression)


def _operands(node: sp.Basic) -> list[sp.Basic]:
    if isinstance(node, sp.Piecewise):
        return [value for value, _ in node.args]
    return list(node.args)


def _partials(node: sp.Expr) -> Iterator[tuple[sp.Basic, tuple[sp.Expr, ...]]]:
    """The operands of an elementwise node, each with the factors of the derivative by it.

    They are multiplied with what flows through at once: SymPy makes 2 a + 2 b of the product of 2 and a + b alone.
    """
    args = node.args
    if isinstance(node, sp.Add):
        yield from ((argument, ()) for argument in args)
    elif isinstance(node, sp.Mul):
        yield from ((argument, (*args[:i], *args[i + 1 :])) for i, argument in enumerate(args))
    elif isinstance(node, sp.Pow):
        base, exponent = args
        yield base, (exponent, base ** (exponent - 1))
        if not exponent.is_number:
            yield exponent, (node, sp.log(base))
    elif isinstance(node, sp.Piecewise):
        pieces = [
            (value, where)
            for value, where in node.args
            if not any(is_single_point(where, symbol) for symbol in where.free_symbols)
        ]
        for value in dict.fromkeys(value for value, _ in pieces):
            yield value, (sp.Piecewise(*((sp.Integer(int(other == value)), where) for other, where in pieces)),)
    elif node.func in DERIVATIVES:
        yield args[0], (DERIVATIVES[node.func](args[0]),)
    elif isinstance(node, Total | Top | LogTotal | LogMean | Weights):
        return
    else:
        raise TypeError(f"no derivative is known for {node.func.__name__}")


def _through(node: sp.Expr, parts: list[sp.Expr], tangents: dict[sp.Basic, sp.Expr]) -> sp.Expr:
    """The tangent of a node."""
    tangent = tangents.get(node.args[0], sp.Integer(0)) if node.args else sp.Integer(0)
    match node:
        case Total():
            return settle(Total(tangent))
        case Top():
            return settle(Total(Tie(node.args[0]) * tangent))
        case LogTotal():
            return settle(Total(Weights(*node.args) * tangent))
        case LogMean():
            return settle(Total(Weights(*node.args, 0) * tangent))
        case Weights():
            return node * Centred(*node.args, tangent) if tangent != 0 else tangent
    return sp.Add(*parts)


def _passed(node: sp.Expr, cotangent: sp.Expr) -> Iterator[tuple[sp.Basic, sp.Expr]]:
    """What each operand of a node gets of its cotangent."""
    match node:
        case Total():
            yield node.args[0], cotangent
        case Top():
            yield node.args[0], cotangent * Tie(node.args[0])
        case LogTotal():
            yield node.args[0], cotangent * Weights(*node.args)
        case LogMean():
            yield node.args[0], cotangent * Weights(*node.args, 0)
        case Weights():
            yield node.args[0], node * Centred(*node.args, cotangent)
        case _:
            yield from ((argument, sp.Mul(*factors, cotangent)) for argument, factors in _partials(node))
