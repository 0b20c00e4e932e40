"""From a formula with reductions to a kernel: exponents held against the largest, rows against their size.

* Weights are computed from exp(v - Top(v)): the largest exponential is 1, the others underflow at most. Where v is made
  of products, a compiler may round it anew in the difference; that of the largest is held at 0.
* LogTotal is Top(v) + log1p(rest), where rest counts every exponential but one of the largest: a row in which one
  element dominates keeps its digits. LogMean is the logarithm of a mean near 0, log1p of a mean of expm1 near 1.
* Centred is t - Sum(W t) of tangents less that at the element with more than half of the weight, where it is computed
  from the others: 1 - W would have no digits. Spread, its transpose, likewise.
* A formula proved not to change when the row is shifted is computed from x - Top(x) (or from x - its least element,
  where that is what its exponents want), one that scales with the row from x / s, s a power of two next to its size.
* References drop out of what is computed and are frozen: no slope is taken of them. Where the formula itself holds
  Top(x), x - Top(x) has it for 0, and the slope of Top(x) is that of the shift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.relational import Relational

from actgen.numerics.kernel import Call, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import HALF, ONE, PLAIN, ZERO, Lowering, call, constant
from actgen.symbolic.axiswise import AxiswiseFormula, along_itself, with_named_constants
from actgen.symbolic.invariance import Scaling
from actgen.symbolic.primitives import sech, sigmoid, tanh
from actgen.symbolic.products import COTANGENT, ROW_COTANGENT, TANGENT, slope_by
from actgen.symbolic.reductions import (
    LENGTH,
    Centred,
    Element,
    LogMean,
    LogTotal,
    Reduction,
    Spread,
    Tie,
    Top,
    Total,
    Weights,
    is_row,
    split_factors,
    split_terms,
)
from actgen.symbolic.rowwise import settle

_BOUNDED = (sigmoid, tanh, sech, sp.sign, sp.sin, sp.cos, sp.atan, sp.erf, Weights)
_INFINITY = Constant(math.inf)
_ROUNDED_IN_ONE_WAY = frozenset(
    {"add", "subtract", "negate", "absolute", "maximum", "minimum", "largest", "smallest", "frozen"}
)


class _Mean(Reduction):
    """Total(u) / n, as one operation."""


@dataclass(frozen=True)
class Setting:
    """How the row is brought into range before a formula is applied to it.

    Attributes:
        shifts: "largest" or "smallest", which element is subtracted; empty for none.
        scales: whether the row is divided by its size.
    """

    shifts: str
    scales: bool

    @classmethod
    def of(cls, formula: AxiswiseFormula) -> Setting:
        """What a formula allows and wants."""
        shifts = ""
        if formula.shift is not None:
            costs = {end: _cost(formula, end) for end in ("largest", "smallest")}
            shifts = min(costs, key=lambda end: (*costs[end], end))
        return cls(shifts, formula.scaling is not None and _is_product(formula.value))

    def describe(self) -> str:
        """The setting in words, for reports."""
        told = []
        if self.scales:
            told.append("x over its size")
        if self.shifts:
            told.append(f"x less its {self.shifts}")
        return ", ".join(told) or "as declared"


def lower_quantity(formula: AxiswiseFormula, quantity: str, setting: Setting) -> Kernel:
    """The kernel of the value, a product (``QUANTITIES`` of the symbolic room), or the derivative by a parameter."""
    named = with_named_constants(formula) if setting.scales else formula
    parameter = next((symbol for symbol in formula.parameters if symbol.name == quantity), None)
    # A value that moves along with the row is computed from the row itself: its logarithms have their own references.
    shifted = setting.shifts if quantity in ("jvp", "vjp") or formula.shift == 0 else ""
    end = Top(_own(formula.x, shifted)) if shifted else None
    is_anchored = end is not None and formula.shift == 0 and _is_anchored(named, end)
    if is_anchored:
        named = replace(named, value=settle(named.value.xreplace({end: sp.Integer(0)})))
    expression = named.quantities[quantity] if parameter is None else slope_by(named.value, parameter)
    x: Node = Variable(formula.x.name)
    known: dict[sp.Basic, Node] = {symbol: Variable(symbol.name, is_parameter=True) for symbol in formula.parameters}
    known[TANGENT] = Variable("tangent")
    known[COTANGENT] = known[ROW_COTANGENT] = Variable("cotangent")
    names: dict[Node, str] = {}
    factor: Node | None = None
    degree = sp.Integer(0)
    if setting.scales and formula.scaling is not None:
        scaling, constants = formula.scaling
        known |= {symbol: constant(number) for symbol, number in constants.items()}
        factor = _size(x, known, scaling.weights)
        names[factor] = "size"
        degree = scaling.degree
        if quantity != "value":
            degree = degree - (1 if parameter is None else scaling.weights[parameter])
        for symbol, weight in scaling.weights.items():
            for _ in range(weight):
                known[symbol] = call("divide", known[symbol], factor)
        x = call("divide", x, factor)
        names[x] = "scaled"
    # What moves along with a row has a slope of 1 that nothing cancels.
    is_relative = factor is not None and quantity in ("jvp", "vjp") and not formula.reduces and formula.shift != 1
    if end is not None:
        reference: Node = call(shifted, x)
        # What drops out of a formula passes no slope. An end that stands in it, where 0 is put in for it, does: of
        # x - Max(x) every slope is taken.
        if not is_anchored and not _bears_slope(expression, end):
            reference = call("frozen", reference)
        names[reference] = shifted
        x = call("subtract", x, reference)
        names[x] = "shifted"
    lowering = _Rows({**known, formula.x: x}, formula.x, shifted)
    if is_anchored and quantity == "jvp":
        lowering.anchor_tangent()
    if is_relative and formula.scaling is not None:
        result = _relative_to_heavy(lowering, named, quantity, formula.scaling[0], "" if is_anchored else shifted)
    else:
        result = lowering.lowered(expression)
    if is_anchored and quantity == "vjp":
        result = lowering.anchored_cotangent(result)
    if factor is not None and degree != 0:
        scale = _Rows({LENGTH: factor}, formula.x, "").node(LENGTH ** abs(degree))
        result = call("multiply" if degree > 0 else "divide", result, scale)
    reachable = set(Kernel(result).nodes)
    names = {node: name for node, name in (lowering.names | names).items() if node in reachable}
    return Kernel(result, names, form=setting.describe())


def _relative_to_heavy(
    lowering: _Rows, formula: AxiswiseFormula, quantity: str, scaling: Scaling, shifted: str
) -> Node:
    """A product with a tangent from which a multiple of the row is taken: none is left where one element dominates.

    The element that dominates has more than half of what the formula adds up, or is the largest by itself.

    The row itself is sent to q, which Euler's theorem gives without cancellation, so J t = J (t - b x) + b q. Of a
    Jacobian that is not symmetric, the transpose of this: the cotangent of the element that dominates follows from
    those of the others.
    """
    row = lowering.relative_row(shifted)
    counted = _mass(formula)
    mass = call("square", row) if shifted else lowering.lowered(counted)
    is_heavy: Node = call("greater", call("multiply", Constant(2.0), mass), call("sum", mass))
    if isinstance(counted, Tie) and not shifted:  # shares of 1
        is_heavy = call("greater", mass, HALF)
    image = along_itself(formula, scaling)
    if image != 0:
        # Where the image of the row is no smaller than what it is made of, nothing cancels.
        size = call("absolute", lowering.lowered(formula.value))
        doubled = call("multiply", Constant(2.0), call("absolute", lowering.lowered(image)))
        is_heavy = call("both", is_heavy, call("less", doubled, size))
    is_heavy = lowering.named("is_heavy", is_heavy)
    heavy = call("sum", call("select", is_heavy, row, ZERO))
    is_none = call("equal", heavy, ZERO)
    divisor = call("select", is_none, ONE, heavy)
    if quantity == "jvp" or formula.is_symmetric:
        direction = lowering.nodes[TANGENT if quantity == "jvp" else COTANGENT]
        if shifted:
            # The row may be shifted: what the other elements have in common has no effect.
            light = call("sum", call("select", is_heavy, ZERO, direction))
            one_less = call("subtract", call("length", row), ONE)
            common = call("select", is_none, ZERO, call("divide", light, one_less))
            direction = lowering.named("uncommon", call("subtract", direction, common))
        leading = call("sum", call("select", is_heavy, direction, ZERO))
        multiple = lowering.named("multiple", call("divide", leading, divisor))
        rest = call("select", is_heavy, ZERO, call("subtract", direction, call("multiply", multiple, row)))
        lowering.nodes[TANGENT] = lowering.named("relative", rest)
        result = lowering.lowered(formula.quantities["jvp"])
        if image != 0:
            result = call("add", result, call("multiply", multiple, lowering.lowered(image)))
        return result
    plain = lowering.named("plain", lowering.lowered(formula.quantities[quantity]))
    others: Node = call("negate", call("sum", call("select", is_heavy, ZERO, call("multiply", row, plain))))
    if image != 0:
        along = call("sum", call("multiply", lowering.nodes[COTANGENT], lowering.lowered(image)))
        others = call("add", along, others)
    return call("select", is_heavy, call("divide", others, divisor), plain)


def _size(x: Node, known: Mapping[sp.Basic, Node], weights: Mapping[sp.Symbol, int]) -> Node:
    """A power of two next to the largest element and the parameters that scale with it; 1 if that is 0 or infinite."""
    size: Node = call("largest", call("absolute", x))
    for symbol, weight in weights.items():
        if weight:
            part = known[symbol] if symbol.is_nonnegative else call("absolute", known[symbol])
            for _ in range(weight.bit_length() - 1):
                part = call("sqrt", part)
            size = call("maximum", size, part)
    power = call("binade", call("frozen", size))
    is_usable = call("both", call("greater", power, ZERO), call("less", power, _INFINITY))
    return call("select", is_usable, power, ONE)


def _mass(formula: AxiswiseFormula) -> sp.Expr:
    """What each element has of the one reduction in a formula; of the squares, where there is none or there are more.

    It is the element times the slope of the reduction there, but for a constant: the reduction scales with the row.
    """
    x = formula.x
    reductions = {part for part in formula.value.atoms(Total, Top) if _bears_slope(formula.value, part)}
    if len(reductions) == 1:
        (reduction,) = reductions
        u = reduction.args[0]
        if u.free_symbols == {x} and not u.has(Reduction):
            return Tie(u) if isinstance(reduction, Top) else u if u.is_nonnegative else sp.Abs(u)
    return x**2


def _cost(formula: AxiswiseFormula, end: str) -> tuple[int, int]:
    """What a formula costs if the row is relative to one of its ends: references, and what is left to compute."""
    anchored = settle(formula.value.xreplace({Top(_own(formula.x, end)): sp.Integer(0)}))
    return _references(formula.value, formula.x, end), sp.count_ops(anchored)


def _references(expression: sp.Expr, x: Element, end: str) -> int:
    """How many reductions a formula needs to hold its exponents, if the row is relative to one of its ends."""
    own = _own(x, end)
    exponents = {part.args[0] for part in expression.atoms(Weights, LogTotal, LogMean)}
    tops = {exponent_parts(v)[1] for v in exponents} | {part.args[0] for part in expression.atoms(Top)}
    return len(tops - {own})


def _own(x: Element, end: str) -> sp.Expr:
    """Of what the largest is an end of the row, but for its sign."""
    return x if end == "largest" else -x


def _is_anchored(formula: AxiswiseFormula, end: sp.Expr) -> bool:
    """Whether a formula that holds an end of the row is taken for one of the row relative to it.

    Its products are then those of the relative row, on tangents relative to that of the end. As they stand, the slopes
    of Max(x) and of a weight that is nearly 1 all but cancel, and so do those of x - Min(x) and Max(x) - Min(x) at the
    largest. Where one number is left of the row and the end stands beside sums alone, they add up as they stand.
    """
    return _bears_slope(formula.value, end) and (not formula.reduces or formula.value.has(Weights, LogTotal, LogMean))


def _bears_slope(expression: sp.Basic, part: sp.Expr) -> bool:
    """Whether a part stands in an expression other than in what is compared, which passes no slope."""
    if expression == part:
        return True
    if isinstance(expression, sp.Piecewise):
        return any(_bears_slope(value, part) for value, _ in expression.args)
    return not isinstance(expression, Tie) and any(_bears_slope(argument, part) for argument in expression.args)


def _is_product(expression: sp.Expr) -> bool:
    """Whether products and powers of elements may overflow where the result does not."""
    if expression.has(Weights, LogTotal, LogMean):
        return False
    return any(
        (isinstance(part, sp.Pow) and part.base.has(Element))
        or (isinstance(part, sp.Mul) and sum(factor.has(Element) for factor in part.args) > 1)
        for part in sp.preorder_traversal(expression)
    )


def exponent_parts(v: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """An exponent as a positive constant times something, its constant terms left out."""
    varying = split_terms(v)[1]
    if isinstance(varying, sp.Add):
        return sp.Integer(1), varying
    row, rest = split_factors(varying)
    if row.is_negative:
        row, rest = -row, -rest
    return (row, rest) if row.is_positive else (sp.Integer(1), varying)


class _Rows(Lowering):
    """Lowers a formula in one element variable, of which one end may be known to be 0."""

    def __init__(self, known: Mapping[sp.Basic, Node], x: Element, shifted: str) -> None:
        super().__init__(known, PLAIN)
        self._x = x
        self._zero = _own(x, shifted) if shifted else None
        self.names: dict[Node, str] = {}
        self._exponentials: dict[tuple[sp.Expr, sp.Expr], tuple[Node, Node, Node, Node | None]] = {}

    def lowered(self, expression: sp.Expr) -> Node:
        """The node of a formula, with what is known to be 0 put in, and with means as operations."""
        if self._zero is not None:
            expression = settle(expression.xreplace({Top(self._zero): sp.Integer(0)}))
        return self.node(expression.replace(_holds_mean, _with_means))

    def relative_row(self, shifted: str) -> Node:
        """The row; one that may be shifted, relative to the end that is nearer to its mean."""
        row = self.nodes[self._x]
        if not shifted:
            return row
        end = call("frozen", call("smallest" if shifted == "largest" else "largest", row))
        middle = call("multiply", Constant(2.0), call("frozen", call("mean", row)))
        is_beyond = call("greater" if shifted == "largest" else "less", middle, end)
        return self.named("from_bulk", call("subtract", row, call("select", is_beyond, ZERO, end)))

    def anchor_tangent(self) -> None:
        """Take from the tangent what the end of the row moves by, to which the row is relative."""
        tangent, ties = self.nodes[TANGENT], self.node(Tie(self._zero))
        relative = call("subtract", tangent, call("sum", call("multiply", ties, tangent)))
        # It is 0 there; what JAX makes of this for reverse mode adds up the others alone.
        is_end = self.named("is_end", call("greater", ties, HALF))
        self.nodes[TANGENT] = self.named("anchored", call("select", is_end, ZERO, relative))

    def anchored_cotangent(self, cotangent: Node) -> Node:
        """The transpose: what all elements pass to the end; to a single one, what it lacks of those of the others."""
        ties = self.node(Tie(self._zero))
        is_end = self.named("is_end", call("greater", ties, HALF))
        others = call("sum", call("select", is_end, ZERO, cotangent))
        shared = call("subtract", cotangent, call("multiply", ties, others))
        return call("select", is_end, call("negate", others), shared)

    def _lower(self, expression: sp.Basic) -> Node:
        match expression:
            case Total():
                return call("sum", self.node(expression.args[0]))
            case _Mean():
                return call("mean", self.node(expression.args[0]))
            case Top():
                return self._top(expression.args[0])
            case Tie():
                return self._tie(expression.args[0])
            case Weights():
                exponentials, _, total, _ = self._gathered(*expression.args)
                return self.named("weights", call("divide", exponentials, total))
            case LogTotal():
                return self._log_total(*expression.args)
            case LogMean():
                return self._log_mean(expression.args[0])
            case Centred():
                return self._centred(*expression.args)
            case Spread():
                return self._spread(*expression.args)
        if expression == LENGTH:
            return call("length", self.nodes[self._x])
        return super()._lower(expression)

    def named(self, name: str, node: Node) -> Node:
        """The node, with a name for the reader of emitted code."""
        self.names.setdefault(node, name)
        return node

    def _top(self, u: sp.Expr) -> Node:
        if u.could_extract_minus_sign():
            return call("negate", call("smallest", self.node(-u)))
        return call("largest", self.node(u))

    def _tie(self, u: sp.Expr) -> Node:
        is_largest = call("equal", self.node(u), ZERO if u == self._zero else self._top(u))
        ties = self.named("ties", call("select", is_largest, ONE, ZERO))
        return call("divide", ties, call("sum", ties))

    def _product(self, expression: sp.Mul) -> Node:
        """A product; 0 where a weight is 0, also if another factor grows beyond every bound there."""
        product = super()._product(expression)
        weights = [factor for factor in expression.args if isinstance(factor, Weights)]
        others = sp.Mul(*(factor for factor in expression.args if not isinstance(factor, Weights)))
        if weights and _grows(others, self._x):
            return call("select", call("equal", self.node(weights[0]), ZERO), ZERO, product)
        return product

    def _choice(self, expression: sp.Piecewise) -> Node:
        for _, condition in expression.args:
            for relation in condition.atoms(Relational):
                for side in relation.args:
                    self.node(side)
        return super()._choice(expression)

    def _distance(self, v: sp.Expr, beside: sp.Expr, *, is_guarded: bool) -> tuple[Node, Node, Node]:
        """Exponents less the largest, that of the term beside them, and the largest."""
        if beside == 0:
            row, rest = exponent_parts(v)
            if rest == self._zero:
                return self.node(v), ZERO, ZERO
            reference = self._reference(rest, is_guarded=is_guarded)
            distance = self._below(self.node(rest), reference, is_guarded=is_guarded)
            if row != 1:
                distance = call("multiply", self.node(row), distance)
                reference = call("multiply", self.node(row), reference)
            return distance, ZERO, reference
        logarithm = self.node(sp.log(beside))
        largest = ZERO if v == self._zero else self._reference(v, is_guarded=False)
        reference = self.named("reference", call("maximum", largest, logarithm))
        reference = self.named("finite", _finite(reference)) if is_guarded else reference
        distance = self._below(self.node(v), reference, is_guarded=is_guarded)
        return distance, self._below(logarithm, reference, is_guarded=is_guarded), reference

    def _below(self, exponent: Node, reference: Node, *, is_guarded: bool) -> Node:
        """An exponent less the largest: exactly 0 where it is the largest, however a compiler rounds the difference.

        Compilers contract x x - largest to one operation, and what that leaves of the largest is the error of the
        rounded square: of a large one so much that its exponential overflows, or that all of them are 0. It is taken
        away again, as a constant: the slope stays.
        """
        distance = _difference(exponent, reference)
        if _is_the_same_everywhere(exponent):
            return distance
        above, below = distance.operands if len(distance.operands) == 2 else (ZERO, reference)
        is_largest = call("greater_equal", above, below)
        if is_guarded:  # an infinite exponent stays infinite
            is_largest = call("both", is_largest, call("less", call("absolute", distance), _INFINITY))
        excess = self.named("excess", call("frozen", call("select", is_largest, distance, ZERO)))
        return call("subtract", self.named("distance", distance), excess)

    def _reference(self, u: sp.Expr, *, is_guarded: bool) -> Node:
        """The largest u, taken for a constant; 0 in place of an infinity where that is asked for."""
        negative = u.could_extract_minus_sign()
        end = "smallest" if negative else "largest"
        reference: Node = self.named(end, call("frozen", call(end, self.node(-u if negative else u))))
        reference = self.named("finite", _finite(reference)) if is_guarded else reference
        return call("negate", reference) if negative else reference

    def _gathered(self, v: sp.Expr, beside: sp.Expr) -> tuple[Node, Node, Node, Node | None]:
        """exp(v) scaled, the exponents of it, its total with the term beside it, and that term."""
        if (v, beside) not in self._exponentials:
            distance, other, _ = self._distance(v, beside, is_guarded=False)
            exponentials = self.named("exponentials", call("exp", distance))
            total: Node = call("sum", exponentials)
            extra: Node | None = None
            if beside != 0:
                extra = self.named("beside", call("exp", other))
                total = call("add", total, extra)
            self._exponentials[v, beside] = exponentials, distance, self.named("total", total), extra
        return self._exponentials[v, beside]

    def _log_total(self, v: sp.Expr, beside: sp.Expr) -> Node:
        is_shifted = beside == 0 and exponent_parts(v)[1] == self._zero
        distance, other, reference = self._distance(v, beside, is_guarded=not is_shifted)
        exponentials = self.named("exponentials", call("exp", distance))
        is_largest = call("equal", distance, ZERO)
        # A largest exponential is 1, and left out; what is subtracted is 0 and keeps its derivative.
        others = call("select", is_largest, call("subtract", exponentials, ONE), exponentials)
        rest: Node = call("sum", others)
        count: Node = call("sum", call("select", is_largest, ONE, ZERO))
        if beside != 0:
            extra = self.named("beside", call("exp", other))
            is_extra = call("equal", other, ZERO)
            rest = call("add", rest, call("select", is_extra, call("subtract", extra, ONE), extra))
            count = call("add", count, call("select", is_extra, ONE, ZERO))
        rest = self.named("rest", call("add", rest, call("subtract", count, ONE)))
        logarithm = call("log1p", rest)
        return logarithm if reference == ZERO else call("add", reference, logarithm)

    def _log_mean(self, v: sp.Expr) -> Node:
        is_shifted = exponent_parts(v)[1] == self._zero
        distance, _, reference = self._distance(v, sp.Integer(0), is_guarded=not is_shifted)
        growth = self.named("growth", call("mean", call("expm1", distance)))
        plain = call("log", call("mean", call("exp", distance)))
        is_near = call("greater", growth, call("negate", HALF))
        # log1p is kept from -1, where its slope is infinite, on the side that is not chosen.
        near = call("log1p", call("select", is_near, growth, ZERO))
        logarithm = call("select", is_near, near, plain)
        return logarithm if reference == ZERO else call("add", reference, logarithm)

    def _centred(self, v: sp.Expr, beside: sp.Expr, t: sp.Expr) -> Node:
        weights = self.node(Weights(v, beside))
        _, _, total, extra = self._gathered(v, beside)
        tangents = self.node(t)
        is_heavy = self.named("is_heavy", call("greater", weights, HALF))
        heavy = call("sum", call("select", is_heavy, tangents, ZERO))
        relative = self.named("relative", call("select", is_heavy, ZERO, call("subtract", tangents, heavy)))
        weighted: Node = call("multiply", weights, relative)
        if _grows(t, self._x):
            weighted = call("select", call("equal", weights, ZERO), ZERO, weighted)
        result: Node = call("subtract", relative, call("sum", weighted))
        if extra is not None:
            result = call("add", result, call("multiply", call("divide", extra, total), heavy))
        return result

    def _spread(self, v: sp.Expr, beside: sp.Expr, g: sp.Expr) -> Node:
        weights = self.node(Weights(v, beside))
        _, _, divisor, extra = self._gathered(v, beside)
        cotangents = self.node(g)
        total = call("sum", cotangents)
        plain = self.named("spread", call("subtract", cotangents, call("multiply", weights, total)))
        is_heavy = self.named("is_heavy", call("greater", weights, HALF))
        heavy: Node = call("negate", call("sum", call("select", is_heavy, ZERO, plain)))
        if extra is not None:
            heavy = call("add", call("multiply", call("divide", extra, divisor), total), heavy)
        return call("select", is_heavy, heavy, plain)


def _finite(reference: Node) -> Node:
    """A reference, or 0 where it is infinite: the logarithm of a row of -inf is -inf, and not NaN."""
    return call("select", call("less", call("absolute", reference), _INFINITY), reference, ZERO)


def _difference(a: Node, b: Node) -> Node:
    """A - b, written without a difference of two negatives, or from 0."""
    negatives = [node for node in (a, b) if isinstance(node, Call) and node.operation == "negate"]
    if len(negatives) == 2:
        return call("subtract", negatives[1].arguments[0], negatives[0].arguments[0])
    return call("negate", b) if a == ZERO else call("subtract", a, b)


def _is_the_same_everywhere(node: Node) -> bool:
    """Whether a quantity is rounded in one way, wherever a compiler computes it: no product, and nothing beyond."""
    return all(not isinstance(part, Call) or part.operation in _ROUNDED_IN_ONE_WAY for part in Kernel(node).nodes)


def _grows(expression: sp.Expr, x: Element) -> bool:
    """Whether an expression may be infinite where x is."""
    if isinstance(expression, _BOUNDED):
        return False
    if isinstance(expression, Centred | Spread):
        return _grows(expression.args[2], x)
    return expression == x or (not is_row(expression) and any(_grows(argument, x) for argument in expression.args))


def _holds_mean(part: sp.Basic) -> bool:
    return isinstance(part, sp.Mul) and 1 / LENGTH in part.args and any(isinstance(f, Total) for f in part.args)


def _with_means(product: sp.Mul) -> sp.Expr:
    factors = list(product.args)
    factors.remove(1 / LENGTH)
    reduced = next(factor for factor in factors if isinstance(factor, Total))
    factors.remove(reduced)
    return sp.Mul(*factors, _Mean(reduced.args[0]))


__all__ = ["Setting", "lower_quantity"]
