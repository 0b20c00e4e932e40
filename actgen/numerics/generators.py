"""Recognising the generators of a formula: the one exponential, with its logarithms and tails, in which it is rational.

See :mod:`actgen.numerics.normal_form` for what is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from math import gcd, lcm

import sympy as sp

from actgen.symbolic.primitives import erfc, expm1, log1p, sech, sigmoid, softplus, tanh

t = sp.Symbol("t", positive=True)
"""exp(-|u|) in the exponential, exp(-z^2) in the Gaussian normal form."""

tail = sp.Symbol("tail", positive=True)
"""exp(z^2) erfc(|z|)."""

log_tail = sp.Symbol("log_tail", real=True)
"""The logarithm of the tail."""

_T = sp.Symbol("T", positive=True)  # exp(u)
_LARGEST_EXPONENT = 12


Halves = tuple[sp.Expr, sp.Expr]
"""What something is where the side is negative, and where it is positive."""


@dataclass(frozen=True)
class Logarithm:
    """log R(t), where R(t) = c t**m (1 + q)**n.

    Attributes:
        c: a positive number.
        m: an integer.
        n: 1 or -1.
        q: rational in t, 0 with it, above -1.
        centred: R - 1 in factors, of which t - 1 is one; None where R is not 1 at t = 1.
    """

    c: sp.Rational
    m: int
    n: int
    q: sp.Expr
    centred: sp.Expr | None


@dataclass(frozen=True)
class Generators:
    """A formula over x and the generators, separately for either sign of ``side``.

    Attributes:
        name: of the normal form.
        side: the expression whose sign tells the halves apart; None where one half is the whole line.
        exponent: t = exp(-exponent); |side| is written as ``side`` and made positive when computed.
        negative, positive: the formula in either half.
        logs: the q of the generators log1p(q), by their symbols, in either half: rational in t, 0 with it, above -1.
        ratios: the same of the generators log1p(q) / q, which are 1 where q is 0.
        centred: whole logarithms with a root at u = 0, where log c, m log t and log1p(q) cancel, by their symbols.
        numbers: irrational numbers, by the symbols that stand for them.
    """

    name: str
    side: sp.Expr | None
    exponent: sp.Expr
    negative: sp.Expr
    positive: sp.Expr
    logs: Mapping[sp.Symbol, Halves]
    numbers: Mapping[sp.Symbol, sp.Expr]
    ratios: Mapping[sp.Symbol, Halves] = field(default_factory=dict)
    centred: Mapping[sp.Symbol, tuple[Logarithm, Logarithm]] = field(default_factory=dict)

    @property
    def has_tail(self) -> bool:
        """Whether the tail is one of the generators."""
        parts = (self.negative, self.positive, *(q for halves in self.logs.values() for q in halves))
        return any(part.has(tail, log_tail) for part in parts)

    @property
    def with_ratios(self) -> Generators | None:
        """The same formula with every logarithm as a power of t times a ratio; None where there is no logarithm.

        Then a power of t that all terms share stands outside, where it can be multiplied in without underflow: near
        -88 in float32, log1p(t) is 0 where x**2 log1p(t) is not.
        """
        if not self.logs:
            return None
        ratios = {sp.Symbol(f"r{symbol}", positive=True): q for symbol, q in self.logs.items()}
        halves = [
            half.xreplace({symbol: q[i] * r for (symbol, q), r in zip(self.logs.items(), ratios, strict=True)})
            for i, half in enumerate((self.negative, self.positive))
        ]
        name = f"{self.name}, logarithms over t"
        return replace(self, name=name, negative=halves[0], positive=halves[1], logs={}, ratios=ratios)

    def on(self, side: int) -> Generators:
        """What one half is, for both; the whole where the side is 0."""
        if side == 0:
            return self
        half = self.positive if side > 0 else self.negative
        logs, ratios, centred = (
            {symbol: (one[side > 0], one[side > 0]) for symbol, one in each.items()}
            for each in (self.logs, self.ratios, self.centred)
        )
        return replace(self, negative=half, positive=half, logs=logs, ratios=ratios, centred=centred)


def generators_of(expression: sp.Expr, x: sp.Symbol) -> Generators | None:
    """The generators of an expression without ``Piecewise``, or None where it is not rational in one exponential."""
    return _gaussian(expression, x) or _exponential(expression, x)


def centred_generators_of(expression: sp.Expr, x: sp.Symbol) -> Generators | None:
    """The same with logarithms that have a root at u = 0 as a whole; None where there is no such logarithm."""
    found = _exponential(expression, x, is_centred=True) if expression.has(sp.log, log1p, softplus) else None
    return found if found is not None and found.centred else None


def _gaussian(expression: sp.Expr, x: sp.Symbol) -> Generators | None:
    """erf, erfc and exp(-k z^2) over one z, linear in x."""
    body = expression.replace(sp.erf, lambda v: 1 - erfc(v)).replace(log1p, lambda v: sp.log(1 + v))
    tails = {e.args[0] for e in body.atoms(erfc)}
    exponents = {e.args[0] for e in body.atoms(sp.exp)}
    if not tails and not exponents:
        return None
    if tails:
        z = next(iter(sorted(tails, key=sp.default_sort_key)))
        z = -z if z.could_extract_minus_sign() else z
        if (
            not z.is_polynomial(x)
            or sp.degree(z, x) != 1
            or any(sp.expand(v - z) != 0 != sp.expand(v + z) for v in tails)
        ):
            return None
        square = sp.expand(z**2)
    else:
        z = None
        square = _common(exponents)
        if square is None:
            return None
        square = -square if square.could_extract_minus_sign() else square
        if not square.is_nonnegative or not square.is_polynomial(x):
            return None
    multiples = {e: sp.cancel(-e / square) for e in exponents}
    if not all(isinstance(k, sp.Integer) and 0 < k <= _LARGEST_EXPONENT for k in multiples.values()):
        return None
    body = body.xreplace({sp.exp(e): t ** int(k) for e, k in multiples.items()})
    values: list[dict[sp.Basic, sp.Expr]] = [{}, {}]
    for side, value in zip((-1, 1), values, strict=True):
        for v in tails:
            is_far = (sp.expand(v - z) == 0) == (side > 0)
            value[erfc(v)] = t * tail if is_far else 2 - t * tail
    logs: dict[sp.Symbol, Halves] = {}
    for logarithm in sorted(body.atoms(sp.log), key=sp.default_sort_key):
        if logarithm.has(t, erfc):
            below, above = (_logarithm_of_tail(logarithm.args[0].xreplace(value), -square) for value in values)
            if below is None or above is None:
                return None
            symbol = _generator((below[1], above[1]), logs)
            for value, half in zip(values, (below, above), strict=True):
                value[logarithm] = half[0] + (symbol if half[1] != 0 else 0)
    numbers: dict[sp.Symbol, sp.Expr] = {}
    negative, positive = (_named_numbers(body.xreplace(value), numbers) for value in values)
    return _checked(Generators("Gaussian normal form", z, square, negative, positive, logs, numbers))


def _generator(q: Halves, logs: dict[sp.Symbol, Halves]) -> sp.Expr:
    """The symbol of log1p(q), which is noted; 0 where q is."""
    if q == (0, 0):
        return sp.Integer(0)
    known = next((symbol for symbol, other in logs.items() if other == q), None)
    if known is None:
        known = _symbol_of_logarithm(q, len(logs))
        logs[known] = q
    return known


def _logarithm_of_tail(inside: sp.Expr, log_t: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """Log R as a sum, and the q of a further log1p(q): of c t^m tail^n, or of c (1 + q) where q is 0 with t.

    Args:
        inside: R, over ``t`` and ``tail``.
        log_t: the logarithm of t.

    Returns:
        None where R is neither.
    """
    whole = sp.cancel(sp.together(inside))
    if whole.free_symbols - {t, tail} or not whole.is_rational_function(t, tail):
        return None
    c, powers = whole.as_coeff_Mul()
    powers = powers.as_powers_dict()
    if set(powers) <= {t, tail}:
        return (sp.log(c) + powers[t] * log_t + powers[tail] * log_tail, sp.Integer(0)) if c.is_positive else None
    c = whole.xreplace({t: sp.Integer(0)})
    return (sp.log(c), sp.factor(whole / c - 1)) if c.is_positive else None


def _exponential(expression: sp.Expr, x: sp.Symbol, is_centred: bool = False) -> Generators | None:
    """Everything rational in one exp(u), u a polynomial in x, and logarithms of what is rational in exp(u)."""
    body = _to_exponentials(expression)
    exponents = {e.args[0] for e in body.atoms(sp.exp)}
    numbers: dict[sp.Symbol, sp.Expr] = {}
    u, apart = _common(exponents) if exponents else None, {e: (e, sp.Integer(1)) for e in exponents}
    if u is None and exponents:
        apart = _without_shifts(exponents, x, numbers)
        if any(not number.is_number for number in numbers.values()):
            return None  # exp(4 p) overflows from p = 23 on, where no sigmoid(x - p) does, and no setting would tell
        moving = {e for e, _ in apart.values() if e != 0}
        u = _common(moving) if moving else None
    if u is None or not u.is_polynomial(x) or not u.has(x):
        return None
    if sp.Poly(u, x).LC().could_extract_minus_sign():
        u = sp.expand(-u)
    multiples = {e: int(sp.cancel(moving / u)) for e, (moving, _) in apart.items()}
    if max(map(abs, multiples.values())) > _LARGEST_EXPONENT:
        return None
    body = body.xreplace({sp.exp(e): _T**k * apart[e][1] for e, k in multiples.items()})
    logs: dict[sp.Symbol, Halves] = {}
    centred: dict[sp.Symbol, tuple[Logarithm, Logarithm]] = {}
    values: list[dict[sp.Basic, sp.Expr]] = [{}, {}]
    for logarithm in sorted(body.atoms(sp.log), key=sp.default_sort_key):
        if not logarithm.has(_T, x):
            continue
        below, above = (_logarithm(logarithm.args[0], power) for power in (t, 1 / t))
        if below is None or above is None:
            return None
        if is_centred and below.centred is not None:
            symbol = sp.Symbol(f"whole{len(centred)}", real=True)
            centred[symbol] = (below, above)
            values[0][logarithm] = values[1][logarithm] = symbol
            continue
        generator = _generator((below.q, above.q), logs)
        for value, half, log_t in zip(values, (below, above), (u, -u), strict=True):
            value[logarithm] = sp.log(half.c) + half.m * log_t + half.n * generator
    negative, positive = (
        _named_numbers(body.xreplace(value).xreplace({_T: power}), numbers)
        for value, power in zip(values, (t, 1 / t), strict=True)
    )
    named_u = _named_numbers(u, numbers)
    name = "exponential normal form" + (", logarithms whole" if centred else "")
    return _checked(Generators(name, named_u, named_u, negative, positive, logs, numbers, centred=centred))


def _logarithm(inside: sp.Expr, power: sp.Expr) -> Logarithm | None:
    """The logarithm of R(T) in one half; None where R is not rational in T over Q, or not positive for all T > 0.

    Args:
        inside: R, over ``_T``.
        power: what T is in this half: t or 1 / t.
    """
    if inside.free_symbols != {_T}:
        return None
    whole = sp.cancel(sp.together(inside.xreplace({_T: power})))
    if not whole.is_rational_function(t):
        return None
    top, bottom = (sp.Poly(part, t) for part in sp.fraction(whole))
    if not all(coefficient.is_Rational for coefficient in (*top.coeffs(), *bottom.coeffs())):
        return None
    if any(part.count_roots(0) > int(part.eval(0) == 0) for part in (top, bottom)):
        return None
    (above, c), (below, d) = (part.terms()[-1] for part in (top, bottom))
    if not (c / d).is_positive:
        return None
    n = -1 if len(top.terms()) == 1 else 1
    q = sp.factor(sp.cancel((top.as_expr() * d * t ** below[0] / (bottom.as_expr() * c * t ** above[0])) ** n) - 1)
    centred = sp.factor(whole - 1) if top.eval(1) == bottom.eval(1) else None
    return Logarithm(c / d, above[0] - below[0], n, q, centred)


def _symbol_of_logarithm(halves: Halves, number: int) -> sp.Symbol:
    """A symbol with the sign of log1p(q), where the signs of coefficients show it."""
    base, exponent = halves[0].as_base_exp()
    name = f"l{exponent}" if base == t and halves[0] == halves[1] else f"log{number}"
    signs = set()
    for q in halves:
        parts = [{bool(c.is_negative) for c in sp.Poly(part, t, tail).coeffs()} for part in sp.fraction(q)]
        signs.add(parts[0] == parts[1] if len(parts[0]) == len(parts[1]) == 1 else None)
    if signs == {True}:
        return sp.Symbol(name, nonnegative=True)
    return sp.Symbol(name, nonpositive=True) if signs == {False} else sp.Symbol(name, real=True)


def _checked(generators: Generators) -> Generators | None:
    halves = (generators.negative, generators.positive)
    return generators if all(half.is_rational_function(*half.free_symbols) for half in halves) else None


def _common(exponents: set[sp.Expr]) -> sp.Expr | None:
    """The largest u of which every exponent is an integer multiple, or None."""
    first, *others = sorted(exponents, key=sp.default_sort_key)
    ratios = [sp.cancel(e / first) for e in (first, *others)]
    if not all(isinstance(ratio, sp.Rational) and ratio != 0 for ratio in ratios):
        return None
    common = sp.Rational(reduce(gcd, (abs(int(r.p)) for r in ratios)), reduce(lcm, (int(r.q) for r in ratios)))
    return sp.expand(first * common)


def _without_shifts(
    exponents: set[sp.Expr], x: sp.Symbol, numbers: dict[sp.Symbol, sp.Expr]
) -> dict[sp.Expr, tuple[sp.Expr, sp.Expr]]:
    """Each exponent without the terms that do not read x, and the exponential of those by symbols, which are noted.

    Those of exp(x + 1) and exp(x - 2) are powers of one number.
    """
    terms = {e: sp.expand(e).as_independent(x, as_Add=True) for e in exponents}
    shifts = {shift for shift, _ in terms.values() if shift != 0}
    factors: dict[sp.Expr, sp.Expr] = {sp.Integer(0): sp.Integer(1)}
    while shifts:
        first = min(shifts, key=sp.default_sort_key)
        alike = {shift for shift in shifts if isinstance(sp.cancel(shift / first), sp.Rational)}
        unit = _common(alike)
        assert unit is not None  # all are rational multiples of one
        unit = -unit if unit.could_extract_minus_sign() else unit
        symbol = sp.Symbol(f"shift{len(numbers)}", positive=True)
        numbers[symbol] = sp.exp(unit)
        factors |= {shift: symbol ** sp.cancel(shift / unit) for shift in alike}
        shifts -= alike
    return {e: (moving, factors[shift]) for e, (shift, moving) in terms.items()}


def _to_exponentials(expression: sp.Expr) -> sp.Expr:
    """Every primitive that is rational in an exponential, written out."""
    return (
        expression.replace(log1p, lambda v: sp.log(1 + v))
        .replace(softplus, lambda v: sp.log(1 + sp.exp(v)))
        .replace(expm1, lambda v: sp.exp(v) - 1)
        .replace(sigmoid, lambda v: 1 / (1 + sp.exp(-v)))
        .replace(sech, lambda v: 2 * sp.exp(v) / (1 + sp.exp(2 * v)))
        .replace(tanh, lambda v: (sp.exp(2 * v) - 1) / (sp.exp(2 * v) + 1))
        .replace(sp.sinh, lambda v: (sp.exp(v) - sp.exp(-v)) / 2)
        .replace(sp.cosh, lambda v: (sp.exp(v) + sp.exp(-v)) / 2)
    )


def _named_numbers(expression: sp.Expr, numbers: dict[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Irrational numbers as symbols: polynomial arithmetic over Q is fast, over Q(sqrt(2/pi)) it is not."""
    if isinstance(expression, sp.Mul | sp.Add):
        number, rest = expression.as_independent(*expression.free_symbols, as_Add=isinstance(expression, sp.Add))
        parts = [_named_numbers(arg, numbers) for arg in type(expression).make_args(rest)] if rest.args else [rest]
        if number.is_Rational:
            return expression.func(number, *parts)
        rational, irrational = number.as_coeff_Mul() if isinstance(expression, sp.Mul) else (0, number)
        symbol = next((s for s, n in numbers.items() if n == irrational), None)
        if symbol is None:
            symbol = sp.Symbol(f"number{len(numbers)}", positive=True if irrational.is_positive else None, real=True)
            numbers[symbol] = irrational
        named = rational * symbol if isinstance(expression, sp.Mul) else symbol
        return expression.func(named, *parts)
    if isinstance(expression, sp.Pow) and isinstance(expression.exp, sp.Integer):
        return _named_numbers(expression.base, numbers) ** expression.exp
    return expression
