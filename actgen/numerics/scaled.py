"""Scaled arithmetic: a formula computed with its exponentials and powers of x kept apart, as exponents.

Every intermediate value is a mantissa times scales: M m^w e^(c a) ..., where m = max(|x|, 1) and every a is a number
that is never positive. A product adds exponents. A sum takes the largest scale of its terms outside, so that what is
left inside is at most 1: 1 + x^2 becomes m^2 (q^2 + y^2) with q = 1/m and y = x/m, which neither overflows at 1e30
nor rounds worse than the sum; exp(-exp(-x)) x keeps -exp(-x) as an exponent until the end, where it is multiplied in by
halves, so that a product which is a normal number does not lose a factor that is not. Functions that vanish at 0
pass scales on: log1p(v) is v times log1p(v)/v, a number near 1.

It works on any expression of the grammar, however nested, at the price of a few more operations than the form has
that fits a formula best. Nothing is simplified here: a sum that cancels still cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

import sympy as sp

from actgen.numerics.kernel import Constant, Kernel, Node
from actgen.numerics.lowering import DIRECT, EXPANSIONS, HALF, ONE, ZERO, call, constant, lower, power, powers_of_ratios
from actgen.numerics.scaled_erfc import scaled_erfc
from actgen.symbolic.primitives import arccot, erfc, expm1, log1p, sech, sigmoid, softplus, tanh

_TINY = 2.0**-54
_FAR = 2.0**60
_LARGEST = 2.0**100
_TAIL = 64.0
_GONE = -800.0  # exp(-800) is 0 in float64, too


class NotScalableError(TypeError):
    """An expression holds a node that scaled arithmetic has no rule for, such as a ``Piecewise``."""


@dataclass(frozen=True)
class Exponent:
    """A number that is never positive, as the exponent of a scale.

    Attributes:
        node: computes it.
        of: u, where the exponent is -|u| on one side of u = 0 and 0 on the other; None for an exponent of its own.
        side: -1 where it is u for negative u, 1 where it is -u for positive u; 0 without ``of``.
    """

    node: Node
    of: Node | None = None
    side: int = 0


@dataclass(frozen=True)
class Scaled:
    """Mantissa times m**``weight`` times exp(c a) for every exponent a with its factor c."""

    mantissa: Node
    weight: Fraction = Fraction(0)
    exponents: Mapping[Exponent, Fraction] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether the mantissa is the value."""
        return not self.weight and not self.exponents

    @property
    def can_vanish(self) -> bool:
        """Whether a scale may underflow."""
        return any(c > 0 for c in self.exponents.values())


def scaled_form(
    expression: sp.Expr, x: sp.Symbol, known: Mapping[sp.Basic, Node], *, powers: bool, halved: str
) -> Kernel:
    """The kernel of an expression in scaled arithmetic.

    Args:
        expression: over the primitives, without ``Piecewise``.
        x: the input.
        known: the node of each symbol.
        powers: whether powers of x are scales, too, or exponentials only.
        halved: how an exponential is multiplied in: at once (""), as two square roots ("halved"), or so only where it
            is small ("halved in the tail").

    Raises:
        NotScalableError: for a node without a rule.
    """
    arithmetic = _Arithmetic(x, known, powers, halved)
    arithmetic.share_tails(expression)
    return Kernel(arithmetic.value(arithmetic.scaled(expression)), arithmetic.names)


class _Arithmetic:
    def __init__(self, x: sp.Symbol, known: Mapping[sp.Basic, Node], powers: bool, halved: str) -> None:
        self._memory: dict[sp.Basic, Scaled] = {symbol: Scaled(node) for symbol, node in known.items()}
        self._powers, self._halved = powers, halved
        self._x, self._known = x, dict(known)
        self._errors: tuple[sp.Expr, ...] = ()
        self.names: dict[Node, str] = {}
        magnitude = call("absolute", known[x])
        self._m = call("maximum", magnitude, ONE)
        self._q = call("divide", ONE, self._m)
        if powers:
            held = call("minimum", known[x], ONE) if x.is_positive else call("clamp", known[x], Constant(-1.0), ONE)
            self._memory[x] = Scaled(held, Fraction(1))
            self.names |= {self._m: "scale", self._q: "inverse_scale", held: "held"}

    def share_tails(self, expression: sp.Expr) -> None:
        """Let Gaussians be written by the tails of the complementary error functions of an expression."""
        self._errors = tuple(sorted({function.args[0] for function in expression.atoms(erfc)}, key=sp.default_sort_key))

    def scaled(self, expression: sp.Basic) -> Scaled:
        if expression not in self._memory:
            self._memory[expression] = self._compute(expression)
        return self._memory[expression]

    def argument(self, expression: sp.Expr) -> Node:
        """The value of what a function is applied to; as it stands where no power of x in it can overflow."""
        if self._is_line(expression):
            return lower(expression, self._known)
        return self.value(self.scaled(expression))

    def _is_line(self, expression: sp.Expr) -> bool:
        return bool(expression.is_polynomial(self._x) and sp.degree(expression, self._x) <= 1)

    def _compute(self, expression: sp.Basic) -> Scaled:
        if isinstance(expression, sp.Expr) and not expression.free_symbols:
            return Scaled(constant(expression))
        if isinstance(expression, sp.Add):
            return self._sum(expression)
        if isinstance(expression, sp.Mul):
            return self._product(expression)
        if isinstance(expression, sp.Pow) and expression.base is not sp.E:
            return self._power(expression)
        if isinstance(expression, sp.Pow):
            return self._exp(expression.exp)
        if expression.func in _RULES:
            return _RULES[expression.func](self, *expression.args)
        if expression.func in _VANISHING:
            return self._vanishing(expression.func, expression.args[0])
        if expression.func is arccot:
            return Scaled(EXPANSIONS[arccot](self.argument(expression.args[0])))
        if expression.func in DIRECT:
            return Scaled(call(DIRECT[expression.func], *map(self.argument, expression.args)))
        raise NotScalableError(f"scaled arithmetic has no rule for {expression.func.__name__}")

    def value(self, scaled: Scaled) -> Node:
        """The node of the whole: mantissa and scales multiplied, in an order that loses nothing on the way."""
        if scaled.is_plain:
            return scaled.mantissa
        m = self._held(scaled)
        q = self._q if m is self._m else call("divide", ONE, m)
        up = [self._root(m, scaled.weight)] if scaled.weight > 0 else []
        # One after the other: q^3 may be 0 where 50 q^3 is not, and 1/m where 2/m is not.
        whole, rest = divmod(max(-scaled.weight, Fraction(0)), 1)
        down = [*([self._root(q, rest)] if rest else []), *[q] * max(int(whole) - 1, 0)]
        first, second = self._exponentials(scaled.exponents)
        factors = [*first, *up, *second, *down]
        if scaled.mantissa != ONE or not factors:
            factors.insert(0, scaled.mantissa)
        divisors = [*([m] if whole else []), *self._growing(scaled.exponents)]
        return reduce(lambda a, b: call("divide", a, b), divisors, _multiplied(factors))

    def _held(self, scaled: Scaled) -> Node:
        """The scale m, held where the exponentials are 0 or beyond all floats; what is neither is not touched.

        So neither inf * 0 nor 0 / 0 occurs.
        """
        is_growing = self._is_growing(scaled.exponents)
        if not scaled.weight or not (is_growing or (scaled.weight > 0 and scaled.can_vanish)):
            return self._m
        total = self._total(scaled.exponents)
        is_beyond = call("greater", total, Constant(-_GONE)) if is_growing else call("less", total, Constant(_GONE))
        bound = Constant(_LARGEST ** float(1 / max(abs(scaled.weight), Fraction(1))))
        self.names[is_beyond] = "is_beyond" if is_growing else "is_gone"
        return call("select", is_beyond, call("minimum", self._m, bound), self._m)

    def _exponentials(self, exponents: Mapping[Exponent, Fraction]) -> tuple[list[Node], list[Node]]:
        """The factors that exponents amount to, in two groups between which a power of m may stand."""
        shrinking = {exponent: c for exponent, c in exponents.items() if c}
        if not shrinking or self._is_growing(shrinking):
            return [], []
        if len(shrinking) == 1:
            ((exponent, c),) = shrinking.items()
            if c.denominator == 1 and c > 1:
                return [self.exponential(exponent)], [self.exponential(exponent)] * (int(c) - 1)
            if c == 1 and self._halved == "halved":
                root = self._half(exponent)
                return [root], [root]
            if c == 1 and self._halved == "":
                return [], [self.exponential(exponent)]
        total = self._total(shrinking)
        if self._halved == "":
            return [], [call("exp", total)]
        if self._halved == "halved":
            root = call("exp", call("multiply", HALF, total))
            return [root], [root]
        is_far = call("greater", call("absolute", total), Constant(_TAIL))
        near = call("exp", call("select", is_far, call("multiply", HALF, total), total))
        rest = call("select", is_far, near, ONE)
        self.names |= {is_far: "is_far", near: "part_of_t", rest: "rest_of_t"}
        return [near], [rest]

    @staticmethod
    def _is_growing(exponents: Mapping[Exponent, Fraction]) -> bool:
        return len(exponents) == 1 and all(c < 0 and c.denominator == 1 for c in exponents.values())

    def _growing(self, exponents: Mapping[Exponent, Fraction]) -> list[Node]:
        """Divisors: exp(-c a) as a division by exp(a), c times."""
        exponents = {exponent: c for exponent, c in exponents.items() if c}
        if not self._is_growing(exponents):
            return []
        ((exponent, c),) = exponents.items()
        if c == -1 and self._halved != "":
            return [self._half(exponent)] * 2
        return [self.exponential(exponent)] * int(-c)

    def _total(self, exponents: Mapping[Exponent, Fraction]) -> Node:
        terms = []
        for exponent, c in _joined(exponents).items():
            size = constant(sp.Rational(abs(c).numerator, abs(c).denominator))
            node = exponent.node if abs(c) == 1 else call("multiply", size, exponent.node)
            terms.append((c < 0, node))
        terms.sort(key=lambda term: term[0])
        is_negative, total = terms[0]
        total = call("negate", total) if is_negative else total
        for is_negative, node in terms[1:]:
            total = call("subtract" if is_negative else "add", total, node)
        return total

    def exponential(self, exponent: Exponent) -> Node:
        """exp(a), sharing one exponential between both sides of u = 0."""
        if exponent.of is None:
            return self._squared(exponent.node)
        t = self.t(exponent.of)
        return self._sided(exponent, t)

    def t(self, u: Node) -> Node:
        """exp(-|u|)."""
        node = self._squared(call("negate", call("absolute", u)))
        self.names.setdefault(node, "t")
        return node

    def _squared(self, argument: Node) -> Node:
        if self._halved == "halved":
            return call("square", call("exp", call("multiply", HALF, argument)))
        return call("exp", argument)

    def _half(self, exponent: Exponent) -> Node:
        """exp(a / 2)."""
        if exponent.of is None:
            return call("exp", call("multiply", HALF, exponent.node))
        root = call("exp", call("multiply", HALF, call("negate", call("absolute", exponent.of))))
        return self._sided(exponent, root)

    @staticmethod
    def _sided(exponent: Exponent, node: Node) -> Node:
        assert exponent.of is not None
        is_negative = call("less", exponent.of, ZERO)
        return call("select", is_negative, *((node, ONE) if exponent.side < 0 else (ONE, node)))

    def _root(self, base: Node, exponent: Fraction) -> Node:
        """A power of m or q, for an exponent above 0."""
        if exponent.denominator == 1:
            return power(base, int(exponent))
        if exponent.denominator == 2:
            root = call("sqrt", base)
            whole = exponent - Fraction(1, 2)
            return call("multiply", power(base, int(whole)), root) if whole else root
        return call("power", base, Constant(float(exponent)))

    def _sum(self, expression: sp.Add) -> Scaled:
        terms = expression.as_ordered_terms()
        fixed = [term for term in terms if not term.has(self._x)]
        if fixed and len(terms) - len(fixed) > 1:
            moving = self.scaled(sp.Add(*(term for term in terms if term.has(self._x))))
            if moving.can_vanish:
                # Terms that vanish together are added first: next to a parameter, which may be 0, each is flushed.
                return Scaled(call("add", self.value(moving), self.value(self.scaled(sp.Add(*fixed)))))
        signed = [(bool(term.as_coeff_Mul()[0].is_negative), term) for term in terms]
        parts = [(is_minus, self.scaled(-term if is_minus else term)) for is_minus, term in signed]
        groups = _vanishing_together(parts)
        if 1 < len(groups) < len(parts):
            # Or else each of e^x + x e^x is flushed by itself where a third term vanishes otherwise.
            parts = [group[0] if len(group) == 1 else (False, self._total_of(group)) for group in groups]
        return self._total_of(parts)

    def _total_of(self, parts: Sequence[tuple[bool, Scaled]]) -> Scaled:
        """The sum of terms, of which some are subtracted, with the largest scale outside."""
        weight = max(part.weight for _, part in parts)
        common = _common(parts)
        nodes = [(is_minus, self._inside(part, weight, common)) for is_minus, part in parts]
        plus = [node for is_minus, node in nodes if not is_minus]
        minus = [node for is_minus, node in nodes if is_minus]
        if plus:
            total = reduce(lambda a, b: call("add", a, b), plus)
            total = reduce(lambda a, b: call("subtract", a, b), minus, total)
        else:
            total = call("negate", reduce(lambda a, b: call("add", a, b), minus))
        return Scaled(total, weight, common)

    def _inside(self, part: Scaled, weight: Fraction, common: Mapping[Exponent, Fraction]) -> Node:
        """One term of a sum over the scale taken outside: every factor that remains is at most 1."""
        if not common and part.weight == weight == 0:
            return self.value(part)
        factors: list[Node] = []
        for exponent in dict.fromkeys((*part.exponents, *common)):
            rest = part.exponents.get(exponent, Fraction(0)) - common.get(exponent, Fraction(0))
            if rest.denominator == 1:
                factors += [power(self.exponential(exponent), int(rest))] if rest else []
            else:
                scaled = call("multiply", Constant(float(rest)), exponent.node)
                factors.append(call("exp", scaled))
        if weight > part.weight:
            factors.append(self._root(self._q, weight - part.weight))
        if part.mantissa != ONE or not factors:
            factors.insert(0, part.mantissa)
        return _multiplied(factors)

    def _product(self, expression: sp.Mul) -> Scaled:
        number, rest = expression.as_coeff_Mul()
        above: list[sp.Expr] = []
        below: list[sp.Expr] = []
        for factor in sp.Mul.make_args(rest):
            if not factor.free_symbols:
                number *= factor
            elif isinstance(factor, sp.Pow) and factor.base is not sp.E and factor.exp.is_negative:
                below.append(factor.base ** (-factor.exp))
            else:
                above.append(factor)
        gathered: list[tuple[Scaled, bool]] = []
        if not self._powers:
            for ratio, n, side in powers_of_ratios((above, below), lambda factor: not factor.has(self._x)):
                gathered.append((self._to_power(self.scaled(ratio), sp.Integer(n)), side is above))
        tops = [self.scaled(factor) for factor in above] + [part for part, is_above in gathered if is_above]
        bottoms = [self.scaled(factor) for factor in below] + [part for part, is_above in gathered if not is_above]
        mantissas = [part.mantissa for part in tops if part.mantissa != ONE]
        is_negative = number == -1
        size = -number if is_negative else number
        if size != 1 or not mantissas:
            mantissas.insert(0, constant(size))
        top = _multiplied(mantissas)
        divisors = [part.mantissa for part in bottoms if part.mantissa != ONE]
        node = call("divide", top, _multiplied(divisors)) if divisors else top
        weight = sum((part.weight for part in tops), Fraction(0)) - sum((part.weight for part in bottoms), Fraction(0))
        exponents: dict[Exponent, Fraction] = {}
        for part, sign in (*((p, 1) for p in tops), *((p, -1) for p in bottoms)):
            for exponent, c in part.exponents.items():
                exponents[exponent] = exponents.get(exponent, Fraction(0)) + sign * c
        exponents = {exponent: c for exponent, c in exponents.items() if c}
        return Scaled(call("negate", node) if is_negative else node, weight, exponents)

    def _power(self, expression: sp.Pow) -> Scaled:
        base, exponent = expression.args
        if not isinstance(exponent, sp.Rational):
            if not base.has(self._x) or exponent.has(self._x):
                inside = self.value(self.scaled(base))
                return Scaled(call("power", inside, self.value(self.scaled(exponent))))
            logarithm = self._log1p(base - 1) if base.as_coeff_Add()[0] == 1 else self._log(base)
            below, above = _sides(call("multiply", self.value(self.scaled(exponent)), self.value(logarithm)))
            return Scaled(ONE, Fraction(0), {below: Fraction(1), above: Fraction(-1)})
        return self._to_power(self.scaled(base), exponent)

    def _to_power(self, part: Scaled, exponent: sp.Rational) -> Scaled:
        size = Fraction(int(abs(exponent).p), int(abs(exponent).q))
        node = ONE if part.mantissa == ONE else self._root(part.mantissa, size)
        whole = Fraction(int(exponent.p), int(exponent.q))
        if exponent < 0 and node != ONE:
            node = call("divide", ONE, node)
        return Scaled(node, part.weight * whole, {e: c * whole for e, c in part.exponents.items()})

    def _exp(self, argument: sp.Expr) -> Scaled:
        # exp(2 u), exp(u) and exp(-u) are powers of one scale.
        number, body = argument.as_coeff_Mul(rational=True)
        c = Fraction(int(number.p), int(number.q))
        if body.could_extract_minus_sign():
            c, body = -c, -body
        if (tails := self._tails(argument)) is not None:
            return tails
        u = self.argument(body)
        if argument.is_nonpositive:
            exponent = Exponent(u) if body.is_nonpositive else Exponent(call("negate", u))
            return Scaled(ONE, Fraction(0), {exponent: abs(c)})
        below, above = _sides(u)
        return Scaled(ONE, Fraction(0), {below: c, above: -c})

    def _vanishing(self, function: type[sp.Function], argument: sp.Expr) -> Scaled:
        """A function with f(0) = 0: f(v) / e times e where v has an exponential e in it, that it may pass on.

        Where v is so small that it may have lost digits with e, f(v) / e is what e is multiplied by in v, times the
        slope at 0. Not f(v) / v times that: beyond 1e38 the quotient is subnormal, and 0 at infinity.
        """
        if self._is_line(argument):
            return Scaled(call(DIRECT[function], self.argument(argument)))
        part = self.scaled(argument)
        value = self.value(part)
        plain = call(DIRECT[function], value)
        shrinking = {exponent: c for exponent, c in part.exponents.items() if c > 0}
        growing = [exponent for exponent, c in part.exponents.items() if c < 0]
        if not shrinking or (growing and any(e.of is None or e.of != growing[0].of for e in part.exponents)):
            return Scaled(plain)
        near = self._near_zero(Scaled(part.mantissa, part.weight, shrinking), _VANISHING[function])
        first, second = self._exponentials(shrinking)
        away = reduce(lambda a, b: call("divide", a, b), (*first, *second), plain)
        is_small = call("less", call("absolute", value), Constant(_TINY))
        for exponent in growing:
            # exp(u) has two scales, for either sign of u; where it grows, nothing is lost.
            assert exponent.of is not None
            is_small = call("both", is_small, call("less" if exponent.side > 0 else "greater", exponent.of, ZERO))
        return Scaled(call("select", is_small, near, away), Fraction(0), shrinking)

    def _near_zero(self, scaled: Scaled, slope: sp.Expr) -> Node:
        """The slope at 0 times all of a number but its exponentials."""
        factors: list[Node] = [] if slope == 1 else [constant(slope)]
        factors += [] if scaled.mantissa == ONE else [scaled.mantissa]
        if scaled.weight:
            size = abs(scaled.weight)
            factors.append(self._root(self._held(scaled) if scaled.weight > 0 else self._q, size))
        return _multiplied(factors or [ONE])

    def _log(self, argument: sp.Expr) -> Scaled:
        part = self.scaled(argument)
        node: Node = call("log", part.mantissa)
        if part.weight:
            logarithm = call("log", self._m)
            weight = constant(sp.Rational(abs(part.weight).numerator, abs(part.weight).denominator))
            term = logarithm if abs(part.weight) == 1 else call("multiply", weight, logarithm)
            node = call("add" if part.weight > 0 else "subtract", node, term)
        if part.exponents:
            node = call("add", node, self._total(part.exponents))
        return Scaled(node)

    def _log1p(self, argument: sp.Expr) -> Scaled:
        part = self.scaled(argument)
        growing = [exponent for exponent, c in part.exponents.items() if c < 0]
        if growing and all(exponent.of is not None for exponent in growing):
            return self._log1p_of_growing(argument, growing)
        if part.weight <= 1 or part.exponents:
            return self._vanishing(log1p, argument)
        # Beyond 2**60 the 1 is below half an ULP, and the logarithm is that of the mantissa and the scale.
        far = self._log(argument).mantissa
        value = self.value(part)
        return Scaled(call("select", call("greater", value, Constant(_FAR)), far, call("log1p", value)))

    def _log1p_of_growing(self, argument: sp.Expr, growing: Sequence[Exponent]) -> Scaled:
        """log(1 + v) by the scale of 1 + v where that grows and v is large, else as it is."""
        sides = [call("less" if e.side < 0 else "greater", e.of, ZERO) for e in growing if e.of is not None]
        is_large = call("greater", self.value(self.scaled(argument)), Constant(2.0))
        grows = call("both", reduce(lambda p, q: call("either", p, q), sides), is_large)
        below = self._vanishing(log1p, argument)
        above = self._log(1 + argument)
        if not below.exponents:
            return Scaled(call("select", grows, above.mantissa, below.mantissa))
        return Scaled(call("select", grows, above.mantissa, below.mantissa), below.weight, below.exponents)

    def _expm1(self, argument: sp.Expr) -> Scaled:
        """expm1(u) for u < 0, and exp(u) times -expm1(-u) for u > 0, where it grows."""
        if self.scaled(argument).exponents:
            return self._vanishing(expm1, argument)
        u = self.argument(argument)
        below = call("expm1", call("negate", call("absolute", u)))
        mantissa = call("select", call("less", u, ZERO), below, call("negate", below))
        return Scaled(mantissa, Fraction(0), {_sides(u)[1]: Fraction(-1)})

    def _sigmoid(self, argument: sp.Expr) -> Scaled:
        u = self.argument(argument)
        mantissa = call("divide", ONE, call("add", ONE, self.t(u)))
        return Scaled(mantissa, Fraction(0), {_sides(u)[0]: Fraction(1)})

    def _softplus(self, argument: sp.Expr) -> Scaled:
        u = self.argument(argument)
        t = self.t(u)
        logarithm = call("log1p", t)
        ratio = call("select", call("less", t, Constant(_TINY)), ONE, call("divide", logarithm, t))
        mantissa = call("select", call("less", u, ZERO), ratio, call("add", u, logarithm))
        return Scaled(mantissa, Fraction(0), {_sides(u)[0]: Fraction(1)})

    def _sech(self, argument: sp.Expr) -> Scaled:
        u = self.argument(argument)
        t = self.t(u)
        mantissa = call("divide", Constant(2.0), call("add", ONE, call("square", t)))
        return Scaled(mantissa, Fraction(0), {Exponent(call("negate", call("absolute", u))): Fraction(1)})

    def _cosh(self, argument: sp.Expr) -> Scaled:
        u = self.argument(argument)
        mantissa = call("add", HALF, call("multiply", HALF, call("square", self.t(u))))
        return Scaled(mantissa, Fraction(0), {Exponent(call("negate", call("absolute", u))): Fraction(-1)})

    def _sinh(self, argument: sp.Expr) -> Scaled:
        u = self.argument(argument)
        magnitude = call("absolute", u)
        below = call("expm1", call("multiply", Constant(-2.0), magnitude))
        mantissa = call("multiply", call("sign", u), call("multiply", Constant(-0.5), below))
        return Scaled(mantissa, Fraction(0), {Exponent(call("negate", magnitude)): Fraction(-1)})

    def _erfc(self, argument: sp.Expr) -> Scaled:
        z = self.argument(argument)
        tail = scaled_erfc(call("absolute", z))
        self.names[tail] = "tail"
        exponent = _tail(z)
        minus_square = call("negate", call("square", z))
        near = call("subtract", Constant(2.0), call("multiply", self._squared(minus_square), tail))
        mantissa = call("select", call("less", z, ZERO), near, tail)
        return Scaled(mantissa, Fraction(0), {exponent: Fraction(1)})

    def _tails(self, argument: sp.Expr) -> Scaled | None:
        """exp(-k z^2) as the product of what it is on either side of 0, where an erfc of z has a tail to share."""
        for z in self._errors:
            k = sp.cancel(-argument / z**2)
            if isinstance(k, sp.Rational) and k > 0:
                c = Fraction(int(k.p), int(k.q))
                node = self.argument(z)
                return Scaled(ONE, Fraction(0), {_tail(node): c, _tail(call("negate", node)): c})
        return None

    def _absolute(self, argument: sp.Expr) -> Scaled:
        part = self.scaled(argument)
        return Scaled(call("absolute", part.mantissa), part.weight, part.exponents)

    def _sign(self, argument: sp.Expr) -> Scaled:
        return Scaled(call("sign", self.scaled(argument).mantissa))


def _common(parts: Sequence[tuple[bool, Scaled]]) -> dict[Exponent, Fraction]:
    """The exponents that all terms have, with the least factor of each."""
    order = [exponent for _, part in parts for exponent in part.exponents]
    return {
        exponent: least
        for exponent in dict.fromkeys(order)
        if (least := min(part.exponents.get(exponent, Fraction(0)) for _, part in parts))
    }


def _vanishing_together(parts: Sequence[tuple[bool, Scaled]]) -> list[list[tuple[bool, Scaled]]]:
    """Terms in groups that have an exponent in common; terms without any are one group."""
    groups: list[list[tuple[bool, Scaled]]] = []
    for part in parts:
        for group in groups:
            if any(c > 0 for c in _common([*group, part]).values()) or not (group[0][1].exponents or part[1].exponents):
                group.append(part)
                break
        else:
            groups.append([part])
    return groups


def _sides(u: Node) -> tuple[Exponent, Exponent]:
    """min(u, 0) and min(-u, 0): u is the first less the second."""
    below = Exponent(call("minimum", u, ZERO), u, -1)
    above = Exponent(call("minimum", call("negate", u), ZERO), u, 1)
    return below, above


def _joined(exponents: Mapping[Exponent, Fraction]) -> dict[Exponent, Fraction]:
    """Exponents with c min(u, 0) - c min(-u, 0) as c u."""
    joined = dict(exponents)
    for below, c in exponents.items():
        if below.of is None or below.side > 0:
            continue
        above = _sides(below.of)[1]
        if joined.get(above) == -c:
            del joined[below], joined[above]
            joined[Exponent(below.of)] = c
    return joined


def _tail(z: Node) -> Exponent:
    """-z^2 for z > 0, else 0."""
    return Exponent(call("negate", call("square", call("maximum", z, ZERO))))


def _multiplied(factors: Iterable[Node]) -> Node:
    first, *rest = factors
    return reduce(lambda a, b: call("multiply", a, b), rest, first)


_RULES: Mapping[type[sp.Basic], Callable[..., Scaled]] = {
    sp.exp: _Arithmetic._exp,
    expm1: _Arithmetic._expm1,
    sp.log: _Arithmetic._log,
    log1p: _Arithmetic._log1p,
    sigmoid: _Arithmetic._sigmoid,
    softplus: _Arithmetic._softplus,
    sech: _Arithmetic._sech,
    sp.cosh: _Arithmetic._cosh,
    sp.sinh: _Arithmetic._sinh,
    erfc: _Arithmetic._erfc,
    sp.Abs: _Arithmetic._absolute,
    sp.sign: _Arithmetic._sign,
}

_VANISHING: Mapping[type[sp.Basic], sp.Expr] = {
    log1p: sp.Integer(1),
    expm1: sp.Integer(1),
    tanh: sp.Integer(1),
    sp.erf: 2 / sp.sqrt(sp.pi),
    sp.sin: sp.Integer(1),
    sp.tan: sp.Integer(1),
    sp.atan: sp.Integer(1),
    sp.asinh: sp.Integer(1),
}
"""Functions with f(0) = 0 that are analytic there, and their slopes at 0."""
