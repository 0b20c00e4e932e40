"""Exact values of axis-wise formulas on a row, with their products and with what rounding the inputs is worth.

The declared formula is evaluated in ball arithmetic, forwards for values and tangents and backwards for cotangents, on
numbers that carry a derivative. Nothing is shared with the derivation that it judges: no normal form, no weights, no
symbolic product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, ctx
from numpy.typing import NDArray
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from actgen.symbolic.axiswise import AxiswiseFormula
from actgen.symbolic.balls import COMPARISONS, BallFunction, UndecidedError
from actgen.symbolic.derivatives import differentiate
from actgen.symbolic.reductions import LENGTH, Element, Top, Total

_PRECISIONS = (128, 256, 512, 1024, 2048, 4096, 8192)
_TIGHT_BITS = 70
_NEXT_TO_NOTHING = arb(2) ** -1200

Dual = tuple[arb, arb]
"""A number and its derivative in one direction."""

Column = list[Dual]
"""A quantity at each element, or at one for what is constant along the axis."""


@dataclass(frozen=True)
class RowTruth:
    """Exact results on a row.

    Attributes:
        values: enclosures of the result at each element (one for a reduction).
        conditions: for each result, the sum of |input| times |its derivative by that input|, over all inputs.
    """

    values: tuple[arb, ...]
    conditions: NDArray[np.float64]


class RowOracle:
    """Exact evaluation of one formula at given parameters."""

    def __init__(self, formula: AxiswiseFormula, parameters: Mapping[str, Fraction | float]) -> None:
        self._numbers = {symbol: sp.Rational(*_ratio(parameters[symbol.name])) for symbol in formula.parameters}
        self._x = formula.x
        self._expression = self._decided(formula.declared)
        self._functions: dict[sp.Basic, tuple[BallFunction, ...]] = {}

    def value(self, row: Sequence[float], places: Sequence[int] | None = None) -> RowTruth:
        """The value; conditions only at the given places (all of them if none are given)."""

        def values(tape: _Tape) -> list[arb]:
            return [number for number, _ in tape.result]

        def condition(tape: _Tape, place: int) -> float:
            gradient = tape.pull(_unit(len(tape.result), place))
            return _weighed(row, [number for number, _ in gradient])

        return self._tight(row, None, values, condition, places)

    def jvp(self, row: Sequence[float], tangent: Sequence[float], places: Sequence[int] | None = None) -> RowTruth:
        """The Jacobian times a tangent."""

        def values(tape: _Tape) -> list[arb]:
            return [derivative for _, derivative in tape.result]

        def condition(tape: _Tape, place: int) -> float:
            gradient = tape.pull(_unit(len(tape.result), place))
            by_x = _weighed(row, [derivative for _, derivative in gradient])
            return by_x + _weighed(tangent, [number for number, _ in gradient])

        return self._tight(row, tangent, values, condition, places)

    def vjp(self, row: Sequence[float], cotangent: Sequence[float], places: Sequence[int] | None = None) -> RowTruth:
        """A cotangent times the Jacobian."""
        arrived = [arb(number) for number in cotangent]

        def values(tape: _Tape) -> list[arb]:
            return [number for number, _ in tape.pull(arrived)]

        def condition(tape: _Tape, place: int) -> float:
            # The derivative of the gradient is symmetric: along one element it is that of one element along all.
            here = tape.along(_unit(len(row), place))
            by_x = _weighed(row, [derivative for _, derivative in here.pull(arrived)])
            return by_x + _weighed(cotangent, [derivative for _, derivative in here.result])

        return self._tight(row, None, values, condition, places)

    def bend(self, row: Sequence[float], cotangent: Sequence[float], tangent: Sequence[float]) -> tuple[arb, ...]:
        """The derivative of a cotangent times the Jacobian along a tangent; without conditions.

        Elements that are largest together stay so: along the tangent Max moves by the mean of theirs.
        """
        arrived = [arb(number) for number in cotangent]

        def values(tape: _Tape) -> list[arb]:
            return [derivative for _, derivative in tape.pull(arrived)]

        return self._tight(row, tangent, values, lambda tape, place: math.nan, ()).values

    def _tight(
        self,
        row: Sequence[float],
        tangent: Sequence[float] | None,
        values: Callable[[_Tape], list[arb]],
        condition: Callable[[_Tape, int], float],
        places: Sequence[int] | None,
    ) -> RowTruth:
        before = ctx.prec
        try:
            for precision in _PRECISIONS:
                ctx.prec = precision
                try:
                    tape = _Tape(self, row, [arb(0)] * len(row) if tangent is None else [arb(t) for t in tangent])
                    found = values(tape)
                except UndecidedError:
                    continue
                if all(map(_is_tight, found)):
                    chosen = range(len(found)) if places is None else places
                    conditions = np.full(len(found), np.nan)
                    for place in chosen:
                        conditions[place] = condition(tape, place)
                    return RowTruth(tuple(found), conditions)
            raise UndecidedError(f"no exact value at {precision} bits for the row {list(row)[:8]}")
        finally:
            ctx.prec = before

    def functions(self, node: sp.Expr) -> tuple[BallFunction, ...]:
        """A node with one operand that varies, as a function of that operand: itself and two derivatives."""
        if node not in self._functions:
            u = sp.Symbol("operand", real=True)
            (operand,) = (argument for argument in node.args if argument.has(Element))
            function = node.func(*(u if argument == operand else self.number(argument) for argument in node.args))
            slope = differentiate(function, u)
            self._functions[node] = tuple(
                BallFunction(each, (u, LENGTH)) for each in (function, slope, differentiate(slope, u))
            )
        return self._functions[node]

    def number(self, expression: sp.Basic) -> sp.Basic:
        """An expression without elements, with numbers for its parameters."""
        return expression.xreplace(self._numbers)

    def _decided(self, expression: sp.Basic) -> sp.Basic:
        """An expression without the pieces that the parameters alone rule out."""
        if not expression.args:
            return expression
        if not isinstance(expression, sp.Piecewise):
            return expression.func(*map(self._decided, expression.args))
        pieces = []
        for value, condition in expression.args:
            outcome = condition if condition.has(Element) else self.number(condition)
            if outcome != sp.false:
                pieces.append((self._decided(value), outcome))
        return sp.Piecewise(*pieces) if pieces else sp.nan

    @property
    def expression(self) -> sp.Expr:
        """The declared formula, its parameters left as symbols.

        A number put in for one may take the elements out of what is reduced, or out of all of it: at alpha = 0, SymPy
        makes Total(1) of Total(exp(alpha x)), and alpha x is no longer a row.
        """
        return self._expression

    @property
    def x(self) -> Element:
        """The input."""
        return self._x


class _Tape:
    """A formula evaluated on a row, each node kept for the way back."""

    def __init__(self, oracle: RowOracle, row: Sequence[float], tangent: Sequence[arb]) -> None:
        self._oracle, self._row = oracle, row
        self._length = arb(len(row))
        self._columns: dict[sp.Basic, Column] = {oracle.x: [(arb(x), t) for x, t in zip(row, tangent, strict=True)]}
        self._chosen: dict[sp.Basic, list[int]] = {}
        self._tops: dict[sp.Basic, list[int]] = {}
        self._order = list(_in_order(oracle.expression))
        for node in self._order:
            if node not in self._columns:
                self._columns[node] = self._evaluate(node)

    @property
    def result(self) -> Column:
        """The value of the formula."""
        return self._columns[self._oracle.expression]

    def along(self, tangent: Sequence[arb]) -> _Tape:
        """The same in another direction."""
        return _Tape(self._oracle, self._row, tangent)

    def _evaluate(self, node: sp.Basic) -> Column:
        if not node.has(Element):
            value = BallFunction(self._oracle.number(node), (LENGTH,))(self._length)
            if value is None:
                raise UndecidedError
            return [(value, arb(0))]
        match node:
            case Total():
                return [_sum(self._columns[node.args[0]])]
            case Top():
                column = self._columns[node.args[0]]
                self._tops[node] = self._largest(column)
                return [_mean([column[i] for i in self._tops[node]])]
            case sp.Add():
                return [_sum(parts) for parts in self._rows(node.args)]
            case sp.Mul():
                return [_product(parts) for parts in self._rows(node.args)]
            case sp.Piecewise():
                return self._choose(node)
        (operand,) = (argument for argument in node.args if argument.has(Element))
        function, slope, _ = self._oracle.functions(node)
        return [
            (self._apply(function, value), self._apply(slope, value) * derivative if derivative != 0 else arb(0))
            for value, derivative in self._columns[operand]
        ]

    def _apply(self, function: BallFunction, value: arb) -> arb:
        found = function(value, self._length)
        if found is None:
            raise UndecidedError
        return found

    def _rows(self, operands: Sequence[sp.Basic]) -> Iterator[list[Dual]]:
        columns = [self._columns[operand] for operand in operands]
        length = max(map(len, columns))
        for i in range(length):
            yield [column[i if len(column) > 1 else 0] for column in columns]

    def _largest(self, column: Column) -> list[int]:
        """The places of the largest; places whose inputs are the same number are the same."""
        best = max(range(len(column)), key=lambda i: float(column[i][0].mid()))
        near = [i for i, (value, _) in enumerate(column) if not value < column[best][0]]
        if any(self._row[i] != self._row[best] and not column[i][0] == column[best][0] for i in near):
            raise UndecidedError
        return near

    def _choose(self, node: sp.Piecewise) -> Column:
        length = max(len(self._columns[part]) for part in _operands(node))
        self._chosen[node] = []
        column = []
        for i in range(length):
            for number, (value, condition) in enumerate(node.args):
                holds = self._holds(condition, i)
                if holds is None:
                    raise UndecidedError
                if holds:
                    self._chosen[node].append(number)
                    column.append(self._at(value, i))
                    break
        return column

    def _at(self, node: sp.Basic, i: int) -> Dual:
        column = self._columns[node]
        return column[i if len(column) > 1 else 0]

    def _holds(self, condition: sp.Basic, i: int) -> bool | None:
        if isinstance(condition, BooleanTrue | BooleanFalse):
            return bool(condition)
        if isinstance(condition, Relational):
            left, right = (self._at(side, i)[0] for side in condition.args)
            truth: bool | None = COMPARISONS[type(condition)](left, right)
            return truth
        truths = [self._holds(part, i) for part in condition.args]
        if isinstance(condition, Not):
            return None if truths[0] is None else not truths[0]
        decisive = isinstance(condition, Or)
        assert isinstance(condition, And | Or)
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive

    def pull(self, cotangent: Sequence[arb]) -> Column:
        """The cotangent of the row for one of the result, with its derivative along the tape's direction."""
        zero = (arb(0), arb(0))
        arrived: dict[sp.Basic, Column] = {self._oracle.expression: [(g, arb(0)) for g in cotangent]}
        for node in reversed(self._order):
            if node not in arrived or node == self._oracle.x or not node.has(Element):
                continue
            for operand, passed in self._passed(node, arrived[node]):
                if not operand.has(Element):
                    continue
                width = len(self._columns[operand])
                if width == 1 and len(passed) > 1:
                    passed = [_sum(passed)]
                elif width > 1 and len(passed) == 1:
                    passed = passed * width
                known = arrived.get(operand)
                arrived[operand] = passed if known is None else [_sum(pair) for pair in zip(known, passed, strict=True)]
        return arrived.get(self._oracle.x, [zero] * len(self._row))

    def _passed(self, node: sp.Basic, cotangent: Column) -> Iterator[tuple[sp.Basic, Column]]:
        match node:
            case Total():
                yield node.args[0], cotangent
            case Top():
                places = self._tops[node]
                share = (1 / arb(len(places)), arb(0))
                column = [(arb(0), arb(0))] * len(self._columns[node.args[0]])
                for place in places:
                    column[place] = _product([cotangent[0], share])
                yield node.args[0], column
            case sp.Add():
                yield from ((operand, cotangent) for operand in node.args)
            case sp.Mul():
                for i, operand in enumerate(node.args):
                    others = list(self._rows((*node.args[:i], *node.args[i + 1 :])))
                    length = max(len(others), len(cotangent))
                    pairs = zip(_wide(others, length), _wide(cotangent, length), strict=True)
                    yield operand, [_product([*factors, g]) for factors, g in pairs]
            case sp.Piecewise():
                for number, (value, _) in enumerate(node.args):
                    chosen = self._chosen[node]
                    zero = (arb(0), arb(0))
                    yield value, [g if i == number else zero for i, g in zip(chosen, cotangent, strict=True)]
            case _:
                (operand,) = (argument for argument in node.args if argument.has(Element))
                _, slope, bend = self._oracle.functions(node)
                column = []
                for (value, derivative), g in zip(self._columns[operand], cotangent, strict=True):
                    second = self._apply(bend, value) * derivative if derivative != 0 else arb(0)
                    column.append(_product([(self._apply(slope, value), second), g]))
                yield operand, column


def _in_order(expression: sp.Basic) -> Iterator[sp.Basic]:
    """Every distinct subexpression that has a value, operands before their users."""
    seen: set[sp.Basic] = set()

    def visit(node: sp.Basic) -> Iterator[sp.Basic]:
        if node in seen:
            return
        seen.add(node)
        if node.has(Element):
            for operand in _operands(node):
                yield from visit(operand)
        yield node

    yield from visit(expression)


def _operands(node: sp.Basic) -> list[sp.Basic]:
    if not isinstance(node, sp.Piecewise):
        return list(node.args)
    sides = [side for _, condition in node.args for part in condition.atoms(Relational) for side in part.args]
    return [*(value for value, _ in node.args), *sides]


def _sum(terms: Sequence[Dual]) -> Dual:
    value, derivative = terms[0]
    for other, slope in terms[1:]:
        value, derivative = value + other, derivative + slope
    return value, derivative


def _mean(terms: Sequence[Dual]) -> Dual:
    value, derivative = _sum(terms)
    return terms[0][0] if len(terms) == 1 else value / len(terms), derivative / len(terms)


def _product(factors: Sequence[Dual]) -> Dual:
    value, derivative = factors[0]
    for other, slope in factors[1:]:
        value, derivative = value * other, derivative * other + value * slope
    return value, derivative


def _wide(column: list[Any], length: int) -> list[Any]:
    return column * length if len(column) == 1 else column


def _unit(length: int, place: int) -> list[arb]:
    return [arb(int(i == place)) for i in range(length)]


def _weighed(inputs: Sequence[float], derivatives: Sequence[arb]) -> float:
    total = arb(0)
    for number, derivative in zip(inputs, derivatives, strict=True):
        total += abs(arb(number) * derivative)
    found = float(total.mid())
    return found if math.isfinite(found) else math.inf


def _is_tight(value: arb) -> bool:
    return bool(value.is_zero() or value.rel_accuracy_bits() >= _TIGHT_BITS or abs(value) < _NEXT_TO_NOTHING)


def _ratio(value: Fraction | float) -> tuple[int, int]:
    exact = Fraction(value)
    return exact.numerator, exact.denominator
