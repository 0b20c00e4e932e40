"""The normal forms: a formula as a rational function of x and one exponential t that never exceeds 1.

``tanh``, ``sigmoid``, ``softplus`` and their relatives are rational in exp(u), also nested: with T = exp(x),
tanh(log(1 + T)) = (T^2 + 2 T) / (T^2 + 2 T + 2). In the *exponential normal form*, t = exp(-|u|): for u < 0 put T =
t, for u >= 0 put T = 1/t, and clear denominators. In the *Gaussian normal form*, t = exp(-z^2), and erfc(z) is t
E(z) for z >= 0 and 2 - t E(-z) for z < 0, where E(z) = exp(z^2) erfc(z) is computed by a rational function.

What comes out has one transcendental call, t is in (0, 1] so nothing overflows, and where all coefficients of a
numerator and denominator have one sign no two terms cancel: that is a proof of accuracy, recorded as the
*certificate*.

Logarithms join in as further generators, l = log1p(t): log(1 + exp(u)) is l for u < 0 and u + l for u >= 0, so that
softplus(u) - u sigmoid(u) cancels symbolically and not numerically. So do logarithms of anything rational in exp(u):
log((exp(u) + exp(-u)) / 2) is log1p(t^2) - log(2) + |u|. And so do those of erfc: log(erfc(z)) is log(E(z)) - z^2 for
z >= 0, where erfc itself is 0 from 10 on in float32, and log(2) + log1p(-t E(-z) / 2) for z < 0.

Four details decide whether the form holds over all floats:

* A factor (1 - t) has a root at u = 0 and would cancel there: it is computed as -expm1(-|u|).
* A term with a positive power of t vanishes for large |u|, but x t is inf * 0 = NaN at infinity. In vanishing terms
  x is therefore held at a bound so large that t is 0 beyond it, and so small that its powers do not overflow.
* With a parameter in the exponent t need not be 0 for large x: b x is 0 for b = 0. A variant holds x at 0 wherever t is
  0 instead, and multiplies what does not vanish by a power of x last: 2 x / 4 overflows before x / 2 does.
* x t may be a normal number where t alone is not. The *halved* variant multiplies by exp(-|u|/2) twice instead. That
  doubles the error of the exponential, so another variant does it only in the tail, beyond |u| = 64.
* A term without t may be 0 for some parameters, so that the rest vanishes with t: x (p - 1 + (p + 1) t) / (1 + t) at
  p = 1. A variant adds *term by term*: p - 1 times x, and p + 1 times x times the parts of t.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import product, zip_longest

import sympy as sp

from actgen.numerics.generators import (
    Generators,
    Logarithm,
    centred_generators_of,
    generators_of,
    log_tail,
    t,
    tail,
)
from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import ONE, ZERO, call, constant, lower, power
from actgen.numerics.scaled_erfc import scaled_erfc

a = sp.Symbol("a", nonnegative=True)  # |x|

_LARGEST_TERMS = 160

_TAIL = 64.0  # where t = exp(-64) = 1.6e-28, far from underflow and far from where accuracy of t matters most

_TINY = 2.0**-54

_REMEMBERED = 4096
"""Results of the algebra, which the variants of a form have in common."""

_HALVINGS = ("", "halved", "halved in the tail")


@dataclass(frozen=True)
class NormalForm:
    """A formula in normal form, ready to be computed.

    Attributes:
        name: which normal form, and which variant of it.
        result: the node that computes it.
        names: names for the nodes a reader should recognise, ``t`` first of all.
        is_certified: whether all coefficients have one sign, so that nothing cancels.
        is_for_far: whether it is a variant that differs at large x only.
    """

    name: str
    result: Node
    names: Mapping[Node, str]
    is_certified: bool
    is_for_far: bool = False


@dataclass(frozen=True)
class _Half:
    """One half of the line in lowest terms and in factors: polynomials in x, t and the other generators."""

    number: sp.Expr
    numerator: tuple[tuple[sp.Expr, int], ...]
    denominator: tuple[tuple[sp.Expr, int], ...]

    @property
    def top(self) -> sp.Expr:
        return self.number * sp.Mul(*(factor**n for factor, n in self.numerator))

    @property
    def bottom(self) -> sp.Expr:
        return sp.Mul(*(factor**n for factor, n in self.denominator))

    def degree(self, symbol: sp.Symbol) -> int:
        """The power of a symbol that is a factor of the numerator."""
        return next((n for factor, n in self.numerator if factor == symbol), 0)

    def without(self, x: sp.Symbol) -> _Half:
        """The same without that power."""
        rest = tuple((factor, n) for factor, n in self.numerator if factor != x)
        return _Half(self.number, rest, self.denominator)


def normal_forms(
    expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node], sign: int = 0
) -> Iterator[NormalForm]:
    """The variants of the normal form of an expression; none where it has no normal form.

    Args:
        expression: over the primitives, without ``Piecewise``.
        x: the input.
        known: the node of each symbol.
        sign: 1 where the form is only needed for x >= 0, -1 where only for x <= 0, 0 where for all x.
    """
    if expression.has(sp.Piecewise) or not expression.has(x):
        return
    generators = generators_of(expression, x)
    if generators is None:
        return
    seen: set[Node] = set()
    for found in (generators, generators.with_ratios, centred_generators_of(expression, x)):
        if found is None:
            continue
        side = sign * _direction(found.side, x)
        found = found.on(side)
        halves = [_half(body, x, found.logs) for body in (found.negative, found.positive)]
        if halves[0] is None or halves[1] is None:
            return
        expanded = [_expanded(half) for half in halves if half is not None]
        keeps_tail = any(half is not None and _keeps_tail(half) for half in halves)
        reaches = (False, True) if found.exponent.free_symbols - {x, *found.numbers} else (False,)
        for (negative, positive), suffix in (((halves[0], halves[1]), ""), (expanded, ", expanded")):
            for reach, collect, halving in product(reaches, (False, True), _HALVINGS):
                assembly = _Assembly(found, x, known, collect, halving, keeps_tail, reach, is_one_sided=side != 0)
                forms = [assembly.assemble(negative, positive, suffix)]
                if halving and not collect:
                    forms += assembly.term_by_term(negative, positive, suffix)
                for form in forms:
                    if form.result not in seen:
                        seen.add(form.result)
                        yield form


def _keeps_tail(half: _Half) -> bool:
    """Whether a tail is more than a factor of what vanishes."""
    return bool(half.bottom.has(tail) or sp.expand(half.top).xreplace({t: sp.Integer(0)}).has(tail, log_tail))


@lru_cache(maxsize=_REMEMBERED)
def _direction(side: sp.Expr | None, x: sp.Symbol) -> int:
    """1 where the side has the sign of x, -1 where it has the opposite, 0 where neither is known."""
    if side is None:
        return 0
    slope = sp.cancel(side / x)
    if slope.has(x):
        return 0
    return 1 if slope.is_positive else -1 if slope.is_negative else 0


def _expanded(half: _Half) -> _Half:
    """A half whose denominator is one polynomial: (1 + t)^3 has the rounding of 1 + t three times, 1 + t (...) once."""
    keep = tuple((factor, n) for factor, n in half.denominator if factor in (t, t - 1))
    spread = sp.expand(sp.Mul(*(factor**n for factor, n in half.denominator if factor not in (t, t - 1))))
    return _Half(half.number, half.numerator, keep if spread == 1 else (*keep, (spread, 1)))


def _half(body: sp.Expr, x: sp.Symbol, logs: Collection[sp.Symbol]) -> _Half | None:
    """One half in lowest terms and in factors, each factor scaled so that a plain 1 stands where it can."""
    top, bottom = sp.fraction(sp.cancel(sp.together(body)))
    if len(sp.Add.make_args(sp.expand(top))) > _LARGEST_TERMS or bottom.has(*logs):
        return None
    number, numerator = _monic(sp.factor_list(top))
    sums = [factor for factor, n in numerator if n == 1 and isinstance(factor, sp.Add) and factor.has(x)]
    if bottom.free_symbols and not bottom.has(x, t, tail) and sums:
        # (beta x + l) / beta overflows where x + l / beta does not.
        rest = tuple((factor, n) for factor, n in numerator if factor != sums[0])
        return _Half(number, (*rest, (sp.expand(sums[0] / bottom), 1)), ())
    divisor, denominator = _monic(sp.factor_list(bottom))
    return _Half(number / divisor, numerator, denominator)


def _monic(factored: tuple[sp.Expr, list[tuple[sp.Expr, int]]]) -> tuple[sp.Expr, tuple[tuple[sp.Expr, int], ...]]:
    """Factors with the coefficient of their constant or else first term divided out into the number."""
    number, factors = factored
    scaled = []
    for factor, n in factors:
        terms = factor.as_ordered_terms()
        unit = next((term for term in terms if term.is_Rational), abs(terms[0].as_coeff_Mul()[0]))
        unit = sp.Integer(1) if factor == t - 1 else unit
        number *= unit**n
        scaled.append((sp.expand(factor / unit), n))
    return number, tuple(scaled)


class _Assembly:
    """Puts two halves together into one graph.

    Args:
        collect: write polynomials by powers of x, each coefficient factored in t, instead of by powers of t. Then
            (1 - t^2) + 4 a t, whose terms are positive, is not spread out into 1 + 4 a t - t^2, which cancels at 0.
        halving: whether a factor t of the numerator is multiplied in as two factors, and where: one of ``_HALVINGS``.
        keeps_tail: whether a tail matters where t is 0.
        is_for_far: whether x is held where t is 0, rather than at a bound, and multiplied by last.
        is_one_sided: whether the form is needed for one sign of x only, which x has already.
    """

    def __init__(
        self,
        generators: Generators,
        x: sp.Symbol,
        known: Mapping[sp.Basic, Node],
        collect: bool,
        halving: str,
        keeps_tail: bool,
        is_for_far: bool,
        is_one_sided: bool,
    ) -> None:
        self._generators = generators
        self._x = x
        self._collect = collect
        self._halving = halving
        self._is_for_far = is_for_far
        self._known: dict[sp.Basic, Node] = dict(known)
        self._known |= {symbol: constant(number) for symbol, number in generators.numbers.items()}
        self._names: dict[Node, str] = {}
        self._side = None if generators.side is None else self._node(_horner(generators.side, x))
        self._follows_x = _direction(generators.side, x) > 0
        self._is_one_sided = is_one_sided
        exponent = _horner(generators.exponent, x)
        self._parts = self._parts_of_t(exponent)
        exponential = self._product(self._parts)
        self._names[exponential] = "t"
        self._known[t] = exponential
        self._expm1 = call("expm1", self._minus(exponent))
        if self._side is not None and generators.has_tail:
            scaled = scaled_erfc(call("absolute", self._side), to_infinity=keeps_tail)
            self._known[tail] = scaled
            self._known[log_tail] = call("log", scaled)
            self._names[scaled] = "tail"
        for symbol, q in generators.logs.items():
            self._known[symbol] = call("log1p", self._sided(list(map(self._rational, q))))
        for symbol, q in generators.ratios.items():
            self._known[symbol] = _log_ratio(self._sided(list(map(self._rational, q))))
        for symbol, halves in generators.centred.items():
            self._known[symbol] = self._logarithm(halves, self._minus(exponent))

    def assemble(self, negative: _Half, positive: _Half, suffix: str = "") -> NormalForm:
        """The whole formula from its halves."""
        mirrored = self._mirrored(negative, positive)
        if mirrored is not None:
            result, certified = mirrored, self._is_one_signed(positive, 1)
        elif negative == positive or self._side is None:
            result, certified = self._quotient(positive), self._is_one_signed(positive, 0)
        else:
            result = self._selected(negative, positive)
            certified = self._is_one_signed(negative, -1) and self._is_one_signed(positive, 1)
        return self._named(result, suffix + (", by powers of x" if self._collect else ""), certified)

    def term_by_term(self, negative: _Half, positive: _Half, suffix: str = "") -> Iterator[NormalForm]:
        """The whole formula as c_0 + t Q(t), each multiplied by what else is in the numerator, t in parts and last.

        None where no parameter makes c_0 vanish. At the far ends of x the terms are divided before they are multiplied
        by x: what they add up to may be less than either.
        """
        halves = (positive,) if negative == positive or self._side is None else (negative, positive)
        terms = [_terms(half, self._x, self._vanishing) for half in halves]
        fixed = {self._x, *self._generators.numbers}
        if any(each is None for each in terms) or not any(each and each[0].free_symbols - fixed for each in terms):
            return
        bounds = [self._bound(half) for half in halves]
        bottom = self._sided([self._bottom(half) for half in halves])
        inverse = [call("divide", ONE, bottom)] if self._is_for_far else []
        added = []
        for place, parts in ((0, ()), (1, self._parts)):
            coefficients, factors = [], []
            for each, bound in zip(terms, bounds, strict=True):
                assert each is not None
                coefficients.append(self._polynomial(each[place], self._vanishing, place > 0, bound))
                factors.append([self._factor(f, n, place > 0 or each[0] == 0, bound) for f, n in each[2]])
            if factors[0] == factors[-1]:
                added.append(self._product([self._sided(coefficients), *inverse, *factors[0], *parts]))
            else:
                products = [self._product([c, *inverse, *f]) for c, f in zip(coefficients, factors, strict=True)]
                added.append(self._product([self._sided(products), *parts]))
        total = call("add", *added)
        form = self._named(total if inverse else call("divide", total, bottom), f"{suffix}, term by term", False)
        yield replace(form, is_for_far=False)  # it is for what is faint, too

    def _named(self, result: Node, suffix: str, is_certified: bool) -> NormalForm:
        name = self._generators.name + suffix
        name += f", {self._halving}" if self._halving else ""
        name += ", held where t is 0" if self._is_for_far else ""
        return NormalForm(name, result, self._names, is_certified, self._is_for_far)

    def _sided(self, nodes: Sequence[Node]) -> Node:
        """What one node is for u < 0 and another for u >= 0, or one for both."""
        if nodes[0] == nodes[-1]:
            return nodes[0]
        assert self._side is not None
        return call("select", call("less", self._side, ZERO), *nodes)

    def _mirrored(self, negative: _Half, positive: _Half) -> Node | None:
        """An even or odd formula needs one half only: computed in |x|, with the sign restored exactly."""
        if not self._follows_x or self._is_one_sided:
            return None
        found = self._generators
        logs = (*found.logs.values(), *found.ratios.values(), *found.centred.values())
        parity = _parity(negative, positive, self._x) if all(q[0] == q[1] for q in logs) else 0
        if not parity:
            return None
        x = self._known[self._x]
        self._known[self._x] = call("absolute", x)
        result = self._quotient(positive)
        self._known[self._x] = x
        return result if parity > 0 else call("multiply", call("sign", x), result)

    def _interleaved(self, *halves: _Half) -> Node | None:
        """What vanishes, divided first and then multiplied by x and the parts of t in turn.

        Where a parameter makes t 1 for all x, 2 x / 8 and x x / 4 overflow before x / 8 2 and x / 4 x do.
        """
        degrees = {(half.degree(self._x), half.degree(t)) for half in halves}
        if not self._is_for_far or len(degrees) != 1 or not all(map(self._vanish, halves)):
            return None
        ((k, n),) = degrees
        if not (k and n):
            return None
        bounds = [self._bound(half) for half in halves]
        tops = []
        for half, bound in zip(halves, bounds, strict=True):
            nodes = [self._factor(f, m, True, bound) for f, m in half.numerator if f not in (self._x, t)]
            top = self._product([constant(abs(half.number)), *nodes])
            tops.append(call("negate", top) if half.number.is_negative else top)
        rest = call("divide", self._sided(tops), self._sided([self._bottom(half) for half in halves]))
        turns = zip_longest([self._sided(bounds)] * k, self._parts * n)
        return self._product([rest, *(node for turn in turns for node in turn if node is not None)])

    def _selected(self, negative: _Half, positive: _Half) -> Node:
        if (interleaved := self._interleaved(negative, positive)) is not None:
            return interleaved
        is_whole = not (self._vanish(negative) and self._vanish(positive))
        if self._is_for_far and is_whole and negative.degree(self._x) == positive.degree(self._x) > 0:
            last = [
                power(self._bound(half) if self._vanish(half) else self._known[self._x], half.degree(self._x))
                for half in (negative, positive)
            ]
            rest = self._selected(negative.without(self._x), positive.without(self._x))
            return call("multiply", rest, self._sided(last))
        top = self._sided([self._top(half) for half in (negative, positive)])
        bottom = self._sided([self._bottom(half) for half in (negative, positive)])
        return top if bottom == Constant(1.0) else call("divide", top, bottom)

    def _quotient(self, half: _Half) -> Node:
        if (interleaved := self._interleaved(half)) is not None:
            return interleaved
        if self._is_for_far and half.degree(self._x) and not self._vanish(half):
            factor = power(self._known[self._x], half.degree(self._x))
            return call("multiply", self._quotient(half.without(self._x)), factor)
        top, bottom = self._top(half), self._bottom(half)
        return top if bottom == Constant(1.0) else call("divide", top, bottom)

    def _vanish(self, half: _Half) -> bool:
        """Whether a half tends to 0 with t."""
        return _vanishes(half.top, self._vanishing)

    def _top(self, half: _Half) -> Node:
        vanishes = self._vanish(half)
        bound = self._bound(half)
        parts: list[Node] = []
        nodes = []
        for factor, n in half.numerator:
            if factor == t:
                parts = [part for part in self._parts for _ in range(n)]
            else:
                nodes.append(self._factor(factor, n, vanishes, bound))
        number = half.number
        if abs(number) != 1 or not (nodes or parts):
            nodes.insert(0, constant(abs(number)))
        node = self._product([*nodes, *parts])
        return call("negate", node) if number.is_negative else node

    def _parts_of_t(self, exponent: sp.Expr) -> tuple[Node, ...]:
        """The factors whose product is t: one, or two so that neither underflows before a product with them does."""
        whole = self._minus(exponent)
        if self._halving == "":
            return (call("exp", whole),)
        if self._halving == "halved":
            root = call("exp", self._minus(exponent / 2))
            self._names[root] = "root_t"
            return (root, root)
        is_far = call("less", whole, Constant(-_TAIL))
        near = call("exp", call("select", is_far, call("multiply", Constant(0.5), whole), whole))
        rest = call("select", is_far, near, Constant(1.0))
        self._names |= {is_far: "is_far", near: "part_of_t", rest: "rest_of_t"}
        return (near, rest)

    @staticmethod
    def _product(nodes: Sequence[Node]) -> Node:
        first, *rest = [node for node in nodes if node != ONE] or [ONE]
        if rest == [first]:
            return call("square", first)
        return reduce(lambda p, q: call("multiply", p, q), rest, first)

    def _bottom(self, half: _Half) -> Node:
        nodes = [self._factor(factor, n, False, self._bound(half)) for factor, n in half.denominator]
        return reduce(lambda p, q: call("multiply", p, q), nodes) if nodes else Constant(1.0)

    @property
    def _vanishing(self) -> tuple[sp.Symbol, ...]:
        return (t, *self._generators.logs)

    def _bound(self, half: _Half) -> Node:
        """X held where t is 0; or at 2**(100 / degree): its highest power is below 2**100, and t is 0 long before."""
        if self._is_for_far:
            return call("select", call("equal", self._parts[0], ZERO), ZERO, self._known[self._x])
        degree = max(1, *(_degree(part, self._x) for part in (half.top, half.bottom)))
        limit = 2.0 ** (100 // degree)
        return call("clamp", self._known[self._x], Constant(-limit), Constant(limit))

    def _factor(self, factor: sp.Expr, n: int, vanishes: bool, bound: Node) -> Node:
        if factor == t - 1:
            node: Node = call("negate", self._expm1) if n % 2 == 0 else self._expm1
            return power(node, n)
        if self._collect and factor.is_polynomial(self._x) and factor.has(self._x) and factor.has(*self._vanishing):
            return power(self._by_powers_of_x(factor, vanishes, bound), n)
        return power(self._polynomial(factor, self._vanishing, vanishes, bound), n)

    def _by_powers_of_x(self, factor: sp.Expr, vanishes: bool, bound: Node) -> Node:
        """The sum of x**k p_k(t), each p_k in factors of its own."""
        terms: list[tuple[bool, Node]] = []
        for k, coefficient, number, factors, below in _powers(factor, self._x):
            nodes = [self._factor(part, n, True, bound) for part, n in factors]
            if k:
                is_held = vanishes or _vanishes(coefficient, self._vanishing)
                nodes.append(power(bound if is_held else self._known[self._x], k))
            if abs(number) != 1 or not nodes:
                nodes.insert(0, constant(abs(number)))
            node = reduce(lambda p, q: call("multiply", p, q), nodes)
            node = node if below == 1 else call("divide", node, self._node(below))
            terms.append((bool(number.is_negative), node))
        terms.sort(key=lambda term: term[0])
        is_negative, total = terms[0]
        total = call("negate", total) if is_negative else total
        for is_negative, node in terms[1:]:
            total = call("subtract" if is_negative else "add", total, node)
        return total

    def _polynomial(self, polynomial: sp.Expr, generators: tuple[sp.Symbol, ...], vanishes: bool, bound: Node) -> Node:
        """Horner's scheme in the vanishing generators; what multiplies one of them reads the bounded x."""
        present = [g for g in generators if polynomial.has(g)]
        if not present:
            known = {**self._known, self._x: bound} if vanishes else self._known
            return lower(_horner(polynomial, self._x), known)
        generator, *rest = present
        first, *others = _coefficients(polynomial, generator)
        # What stands so far is -node where is_negative: 1 - t is a subtraction, not 1 + (-1) t.
        is_negative, size = _signed(first)
        node = self._polynomial(size, tuple(rest), True, bound)
        for i, coefficient in enumerate(others, start=1):
            node = self._known[generator] if node == Constant(1.0) else call("multiply", node, self._known[generator])
            if coefficient == 0:
                continue
            is_minus, size = _signed(coefficient)
            other = self._polynomial(size, tuple(rest), vanishes or i < len(others), bound)
            if is_negative == is_minus:
                node = call("add", node, other)
            else:
                node = call("subtract", other, node) if is_negative else call("subtract", node, other)
                is_negative = False
        return call("negate", node) if is_negative else node

    def _rational(self, q: sp.Expr) -> Node:
        """A rational function of t, in factors."""
        half = _half(q, self._x, ())
        assert half is not None
        top, bottom = (
            [power(self._known[t], n) if factor == t else self._factor(factor, n, False, ONE) for factor, n in factors]
            for factors in (half.numerator, half.denominator)
        )
        node = self._product([constant(abs(half.number)), *top])
        node = call("divide", node, self._product(bottom)) if bottom else node
        return call("negate", node) if half.number.is_negative else node

    def _logarithm(self, halves: Sequence[Logarithm], log_t: Node) -> Node:
        """A whole logarithm: near u = 0 as log1p(R - 1), else as log c + m log t + n log1p(q)."""
        is_near = call("less", Constant(-1.0), log_t)
        far = [
            call("add", constant(sp.log(h.c)), call("multiply", constant(sp.Integer(h.m)), log_t) if h.m else ZERO)
            for h in halves
        ]
        q = self._sided([self._rational(half.q) for half in halves])
        rest = call("log1p", call("select", is_near, self._sided([self._rational(h.centred) for h in halves]), q))
        if halves[0].n < 0:
            rest = call("multiply", call("select", is_near, ONE, Constant(-1.0)), rest)
        return call("add", call("select", is_near, ZERO, self._sided(far)), rest)

    def _minus(self, exponent: sp.Expr) -> Node:
        """The node of -|exponent|, its number outside the magnitude."""
        size, body = exponent.as_coeff_Mul()
        numbers = [s for s in self._generators.numbers if s in sp.Mul.make_args(body)]
        for symbol in numbers:
            size, body = size * self._generators.numbers[symbol], body / symbol
        node: Node = self._node(body)
        magnitude = node if body.is_nonnegative else call("absolute", node)
        return call("negate", magnitude) if size == 1 else call("multiply", constant(-abs(size)), magnitude)

    def _node(self, expression: sp.Expr) -> Node:
        return lower(expression, self._known)

    def _is_one_signed(self, half: _Half, side: int) -> bool:
        """Whether no two terms of a factor can cancel: with x = +-a, all have the same sign."""
        for factor, _ in half.numerator + half.denominator:
            if factor == t - 1:
                continue
            signed = factor.xreplace({self._x: side * a}) if self._follows_x and side else factor
            terms = self._signed_terms(signed)
            if not (all(q.is_nonnegative for q in terms) or all(q.is_nonpositive for q in terms)):
                return False
        return True

    def _signed_terms(self, factor: sp.Expr) -> tuple[sp.Expr, ...]:
        if not (self._collect and factor.has(a) and factor.has(t)):
            return tuple(sp.Add.make_args(sp.expand(factor)))
        below = sp.Symbol("below", nonnegative=True)  # 1 - t
        terms = []
        for (k,), coefficient in sp.Poly(factor, a).terms():
            above, positive = sp.fraction(sp.together(coefficient))
            number, factors = sp.factor_list(above)
            product = number * a**k / positive
            for part, n in factors:
                product *= (-below if part == t - 1 else part) ** n
            terms.append(product)
        return tuple(terms)


@lru_cache(maxsize=_REMEMBERED)
def _terms(
    half: _Half, x: sp.Symbol, generators: tuple[sp.Symbol, ...]
) -> tuple[sp.Expr, sp.Expr, tuple[tuple[sp.Expr, int], ...]] | None:
    """The numerator as (c_0 + t Q) times other factors, x last: c_0, Q and these; None where it is no such product."""
    moving = [(factor, n) for factor, n in half.numerator if factor.has(*generators)]
    if len(moving) != 1 or moving[0][1] != 1 or moving[0][0].has(*generators[1:], tail):
        return None
    factor = moving[0][0]
    first = factor.xreplace({t: sp.Integer(0)})
    others = sorted(((f, n) for f, n in half.numerator if f != factor), key=lambda each: each[0] == x)
    rest = sp.expand(half.number * (factor - first) / t)
    return sp.expand(half.number * first), rest, tuple(others)


def _log_ratio(q: Node) -> Node:
    """log1p(q) / q; 1 to float64 precision where q is smaller than 2**-54."""
    ratio = call("divide", call("log1p", q), q)
    return call("select", call("less", call("absolute", q), Constant(_TINY)), ONE, ratio)


def _signed(coefficient: sp.Expr) -> tuple[bool, sp.Expr]:
    """Whether a coefficient is written with a minus sign, and the coefficient without it."""
    is_minus = bool(coefficient.could_extract_minus_sign())
    return is_minus, -coefficient if is_minus else coefficient


@lru_cache(maxsize=_REMEMBERED)
def _parity(negative: _Half, positive: _Half, x: sp.Symbol) -> int:
    """1 where the two halves make an even formula, -1 where they make an odd one, else 0."""
    reflected = (negative.top / negative.bottom).xreplace({x: -x})
    value = positive.top / positive.bottom
    return 1 if sp.cancel(reflected - value) == 0 else -1 if sp.cancel(reflected + value) == 0 else 0


@lru_cache(maxsize=_REMEMBERED)
def _vanishes(expression: sp.Expr, generators: tuple[sp.Symbol, ...]) -> bool:
    """Whether an expression is 0 where all generators are."""
    return bool(sp.expand(expression.xreplace(dict.fromkeys(generators, sp.Integer(0)))) == 0)


@lru_cache(maxsize=_REMEMBERED)
def _degree(expression: sp.Expr, x: sp.Symbol) -> int:
    return int(sp.degree(expression, x)) if expression.has(x) else 0


@lru_cache(maxsize=_REMEMBERED)
def _coefficients(polynomial: sp.Expr, generator: sp.Symbol) -> tuple[sp.Expr, ...]:
    """The coefficients in one generator, that of the highest power first."""
    return tuple(sp.Poly(polynomial, generator).all_coeffs())


@lru_cache(maxsize=_REMEMBERED)
def _powers(
    polynomial: sp.Expr, x: sp.Symbol
) -> tuple[tuple[int, sp.Expr, sp.Expr, tuple[tuple[sp.Expr, int], ...], sp.Expr], ...]:
    """The powers of x, each with its coefficient: whole, and as a number times factors over a divisor."""
    terms = []
    for (k,), coefficient in sp.Poly(polynomial, x).terms():
        above, below = sp.fraction(sp.together(coefficient))
        number, factors = _monic(sp.factor_list(above))
        if below.is_number:
            number, below = number / below, sp.Integer(1)
        terms.append((k, coefficient, number, factors, below))
    return tuple(terms)


@lru_cache(maxsize=_REMEMBERED)
def _horner(polynomial: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """Horner's form in x; a common power of x stays outside."""
    if not polynomial.is_polynomial(x) or not polynomial.has(x):
        return polynomial
    try:
        return sp.horner(polynomial, wrt=x)
    except sp.PolynomialError:  # p and 1 / p, which SymPy takes for two variables
        return sp.horner(polynomial, x)
