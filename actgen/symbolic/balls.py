"""Exact evaluation: a formula over balls, intervals that are proved to hold the true value.

Built on python-flint's ``arb``. A ball knows how much of it is certain, so an answer is a number with a guarantee or an
admission: :meth:`BallFunction.__call__` returns ``None`` where a condition of a ``Piecewise`` cannot be decided at the
working precision, and a ball that is not finite where nothing is known.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh

Truth = bool | None
Step = tuple[Callable[..., Any], tuple[int, ...]]

_SYMBOLS: Mapping[Callable[..., Any], str] = {operator.add: "+", operator.mul: "*"}
"""What is written between operands, of which there may be many."""


class UndecidedError(ArithmeticError):
    """A condition of a ``Piecewise`` cannot be decided at the working precision."""


class BallFunction:
    """An expression compiled to a list of steps on balls, evaluated one point at a time.

    Args:
        expression: over the primitives.
        variables: the symbols, in the order in which the values are passed.

    Raises:
        TypeError: if the expression holds a node with no exact evaluation.
    """

    def __init__(self, expression: sp.Expr, variables: Sequence[sp.Symbol]) -> None:
        self.expression = expression
        self.variables = tuple(variables)
        self._steps: list[Step] = []
        self._slots: dict[sp.Basic, int] = {symbol: i for i, symbol in enumerate(self.variables)}
        self._result = self._compile(expression)
        self._constants: dict[int, list[arb]] = {}
        self._run = self._straight_line()

    def __call__(self, *values: arb) -> arb | None:
        """The ball that holds the value at a point, or None where a condition cannot be decided.

        The precision is that of ``flint.ctx``; constants such as 1/3 and pi are rounded to it once for all points.
        """
        try:
            result: arb = self._run(*values, *self._at_precision(ctx.prec))
        except UndecidedError:
            return None
        return result

    def _straight_line(self) -> Callable[..., Any]:
        """The steps as one Python function, since a loop over them is where a build would spend its time.

        Its text is made of slot numbers alone; what the steps call is handed to it by such names too.
        """
        functions: dict[str, Callable[..., Any]] = {}
        arguments = [f"v{slot}" for slot in range(len(self.variables))]
        constants, lines = [], []
        for slot, (function, operands) in enumerate(self._steps, len(self.variables)):
            if not operands:
                constants.append(f"v{slot}")
                continue
            names = [f"v{operand}" for operand in operands]
            if function in _SYMBOLS:
                value = f" {_SYMBOLS[function]} ".join(names)
            elif function in _TEXTS:
                value = _TEXTS[function].format(*names)
            else:
                functions[f"f{slot}"] = function
                value = f"f{slot}({', '.join(names)})"
            lines.append(f"    v{slot} = {value}")
        head = f"def run({', '.join(arguments + constants)}):"
        exec("\n".join([head, *lines, f"    return v{self._result}"]), functions)
        return functions["run"]

    def _at_precision(self, precision: int) -> list[arb]:
        """The constants of the expression, rounded to the working precision."""
        if precision not in self._constants:
            self._constants[precision] = [function() for function, slots in self._steps if not slots]
        return self._constants[precision]

    def _compile(self, node: sp.Basic) -> int:
        if node in self._slots:
            return self._slots[node]
        function, operands = _step(node)
        slots = tuple(self._compile(operand) for operand in operands)
        self._steps.append((function, slots))
        slot = len(self.variables) + len(self._steps) - 1
        self._slots[node] = slot
        return slot


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with balls of so many bits."""
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def ball(number: sp.Rational) -> arb:
    """A rational number as a ball at the working precision."""
    return arb(fmpq(int(number.p), int(number.q)))


def _step(node: sp.Basic) -> tuple[Callable[..., Any], tuple[sp.Basic, ...]]:
    """The function that evaluates one node, and the nodes it reads."""
    if isinstance(node, sp.Rational):
        exact = fmpq(int(node.p), int(node.q))
        return (lambda: arb(exact)), ()
    if node is sp.pi:
        return arb.pi, ()
    if node is sp.E:
        return arb.const_e, ()
    if node in (sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I) or isinstance(node, sp.AccumBounds):
        return (lambda: arb("nan")), ()  # what SymPy makes of 1/0, |1/0|, sqrt(-1), sin(1/0): no real value
    if isinstance(node, sp.Add):
        return operator.add, node.args
    if isinstance(node, sp.Mul):
        return operator.mul, node.args
    if isinstance(node, sp.Pow):
        return _power(node)
    if isinstance(node, sp.Piecewise):
        operands = tuple(part for value, condition in node.args for part in (condition, value))
        return _choose, operands
    if isinstance(node, BooleanTrue | BooleanFalse):
        truth = bool(node)
        return (lambda: truth), ()
    if isinstance(node, Relational):
        return COMPARISONS[type(node)], node.args
    if isinstance(node, And):
        return _all, node.args
    if isinstance(node, Or):
        return (lambda *truths: _negate(_all(*map(_negate, truths)))), node.args
    if isinstance(node, Not):
        return _negate, node.args
    if node.func in FUNCTIONS:
        return FUNCTIONS[node.func], node.args
    raise TypeError(f"no exact evaluation is known for {node.func.__name__}")


def _power(node: sp.Pow) -> tuple[Callable[..., Any], tuple[sp.Basic, ...]]:
    base, exponent = node.args
    if base is sp.E:
        return arb.exp, (exponent,)
    if isinstance(exponent, sp.Integer):
        n = int(exponent)
        if n in _FREQUENT_POWERS:
            return _FREQUENT_POWERS[n], (base,)
        return lambda a: _whole_power(a, n), (base,)
    if isinstance(exponent, sp.Rational):
        p, q = int(exponent.p), int(exponent.q)
        # arb's root of an exact 0 is NaN for q > 2.
        root = arb.sqrt if q == 2 else (lambda a: a if a.is_zero() else a.root(q))
        return lambda a: root(a) ** p, (base,)
    return lambda a, b: arb(0) if a.is_zero() and b > 0 else a**b, (base, exponent)


def _square(a: arb) -> arb:
    return a * a


def _reciprocal(a: arb) -> arb:
    return 1 / a


def _reciprocal_of_square(a: arb) -> arb:
    return 1 / (a * a)


_FREQUENT_POWERS = {2: _square, -1: _reciprocal, -2: _reciprocal_of_square}
_TEXTS = {_square: "{0} * {0}", _reciprocal: "1 / {0}", _reciprocal_of_square: "1 / ({0} * {0})"}
"""What need not be called."""


def _whole_power(a: arb, n: int) -> arb:
    """a^n; arb's own power is NaN for a ball around 0, even if that is squared."""
    if not a.contains(0):
        return a**n
    power = reduce(operator.mul, [a] * abs(n))
    return power if n > 0 else 1 / power


def _choose(*parts: Any) -> arb:
    """The value of the first condition that holds; undecided if one before it is."""
    for condition, value in zip(parts[::2], parts[1::2], strict=True):
        if condition is None:
            raise UndecidedError
        if condition:
            result: arb = value
            return result
    return arb("nan")


def _comparison(holds: Callable[[arb, arb], bool], fails: Callable[[arb, arb], bool]) -> Callable[..., Truth]:
    def compare(a: arb, b: arb) -> Truth:
        if holds(a, b):
            return True
        return False if fails(a, b) else None

    return compare


COMPARISONS: Mapping[type[Relational], Callable[..., Truth]] = {
    sp.StrictLessThan: _comparison(operator.lt, operator.ge),
    sp.LessThan: _comparison(operator.le, operator.gt),
    sp.StrictGreaterThan: _comparison(operator.gt, operator.le),
    sp.GreaterThan: _comparison(operator.ge, operator.lt),
    sp.Equality: _comparison(operator.eq, operator.ne),
    sp.Unequality: _comparison(operator.ne, operator.eq),
}


def _all(*truths: Truth) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _negate(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _sigmoid(u: arb) -> arb:
    # The exponential of a positive number would overflow arb's exponent range at 2**256 and lose everything.
    if u > 0:
        return 1 / (1 + (-u).exp())
    e = u.exp()
    return e / (1 + e)


def _softplus(u: arb) -> arb:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def _arccot(u: arb) -> arb:
    return (1 / u).atan() if u > 1 else arb.pi() / 2 - u.atan()


def _sech(u: arb) -> arb:
    e = (-abs(u)).exp()
    return 2 * e / (1 + e * e)


FUNCTIONS: Mapping[type[sp.Function], Callable[[arb], arb]] = {
    sp.exp: arb.exp,
    expm1: arb.expm1,
    sp.log: arb.log,
    log1p: arb.log1p,
    sp.sin: arb.sin,
    sp.cos: arb.cos,
    sp.tan: arb.tan,
    sp.sinh: arb.sinh,
    sp.cosh: arb.cosh,
    tanh: arb.tanh,
    sech: _sech,
    sp.asinh: arb.asinh,
    sp.atan: arb.atan,
    arccot: _arccot,
    sp.erf: arb.erf,
    erfc: arb.erfc,
    sigmoid: _sigmoid,
    softplus: _softplus,
    sp.Abs: abs,
    sp.sign: arb.sgn,
    sp.floor: arb.floor,
}
"""Exact evaluation of every primitive; a test holds this table to the one of derivatives."""
