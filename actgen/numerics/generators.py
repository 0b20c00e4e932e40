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

_T = sp.Symbol("T", positive=True)  # exp(u)
_LARGEST_EXPONENT = 12


@dataclass(frozen=True)
class Generators:
    """A formula over x and the generators, separately for either sign of ``side``.

    Attributes:
        name: of the normal form.
        side: the expression whose sign tells the halves apart; None where one half is the whole line.
        exponent: t = exp(-exponent); |side| is written as ``side`` and made positive when computed.
        negative, positive: the formula in either half.
        logs: generators log1p(t**k), by their symbols.
        ratios: generators log1p(t**k) / t**k, which lie in (log 2, 1], by their symbols.
        numbers: irrational numbers, by the symbols that stand for them.
    """

    name: str
    side: sp.Expr | None
    exponent: sp.Expr
    negative: sp.Expr
    positive: sp.Expr
    logs: Mapping[sp.Symbol, int]
    numbers: Mapping[sp.Symbol, sp.Expr]
    ratios: Mapping[sp.Symbol, int] = field(default_factory=dict)

    @property
    def with_ratios(self) -> Generators | None:
        """The same formula with every logarithm as a power of t times a ratio; None where there is no logarithm.

        Then a power of t that all terms share stands outside, where it can be multiplied in without underflow: near
        -88 in float32, log1p(t) is 0 where x**2 log1p(t) is not.
        """
        if not self.logs:
            return None
        ratios = {sp.Symbol(f"r{k}", positive=True): k for k in self.logs.values()}
        products = {symbol: t**k * ratio for (symbol, k), ratio in zip(self.logs.items(), ratios, strict=True)}
        halves = [half.xreplace(products) for half in (self.negative, self.positive)]
        name = f"{self.name}, logarithms over t"
        return replace(self, name=name, negative=halves[0], positive=halves[1], logs={}, ratios=ratios)


def generators_of(expression: sp.Expr, x: sp.Symbol) -> Generators | None:
    """The generators of an expression without ``Piecewise``, or None where it is not rational in one exponential."""
    return _gaussian(expression, x) or _exponential(expression, x)


def _gaussian(expression: sp.Expr, x: sp.Symbol) -> Generators | None:
    """erf, erfc and exp(-k z^2) over one z, linear in x."""
    body = expression.replace(sp.erf, lambda v: 1 - erfc(v))
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
    halves = []
    for sign in (-1, 1):
        values = {}
        for v in tails:
            is_far = (sp.expand(v - z) == 0) == (sign > 0)
            values[erfc(v)] = t * tail if is_far else 2 - t * tail
        halves.append(body.xreplace(values))
    numbers: dict[sp.Symbol, sp.Expr] = {}
    negative, positive = (_named_numbers(half, numbers) for half in halves)
    return _checked(Generators("Gaussian normal form", z, square, negative, positive, {}, numbers))


def _exponential(expression: sp.Expr, x: sp.Symbol) -> Generators | None:
    """Everything rational in one exp(u), u a polynomial in x, and log(1 + exp(k u))."""
    body = _to_exponentials(expression)
    exponents = {e.args[0] for e in body.atoms(sp.exp)}
    u = _common(exponents) if exponents else None
    if u is None or not u.is_polynomial(x) or not u.has(x):
        return None
    if sp.Poly(u, x).LC().could_extract_minus_sign():
        u = sp.expand(-u)
    multiples = {e: int(sp.cancel(e / u)) for e in exponents}
    if max(map(abs, multiples.values())) > _LARGEST_EXPONENT:
        return None
    body = body.xreplace({sp.exp(e): _T**k for e, k in multiples.items()})
    logs: dict[sp.Symbol, int] = {}
    for logarithm in body.atoms(sp.log):
        k = _log_power(logarithm)
        if k is None:
            if logarithm.has(_T) or logarithm.has(x):
                return None
            continue
        symbol = sp.Symbol(f"l{abs(k)}", nonnegative=True)
        logs[symbol] = abs(k)
        # log(1 + _T**-k) = log(1 + _T**k) - k u, so one generator serves both signs.
        body = body.xreplace({logarithm: symbol if k > 0 else symbol + k * u})
    numbers: dict[sp.Symbol, sp.Expr] = {}
    body = _named_numbers(body, numbers)
    named_u = _named_numbers(u, numbers)
    positive = body.xreplace({symbol: symbol + k * named_u for symbol, k in logs.items()}).xreplace({_T: 1 / t})
    return _checked(
        Generators("exponential normal form", named_u, named_u, body.xreplace({_T: t}), positive, logs, numbers)
    )


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


def _log_power(logarithm: sp.log) -> int | None:
    """K where the logarithm is log(1 + _T**k), else None."""
    rest = logarithm.args[0] - 1
    base, exponent = rest.as_base_exp()
    if rest == _T:
        return 1
    return int(exponent) if base == _T and isinstance(exponent, sp.Integer) else None


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
