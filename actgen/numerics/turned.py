"""Fractions in powers with a parameter for exponent, turned where the power is large.

x / (1 + |x|^a) is x / inf = 0 from 4e25 on in float32 for a = 3/2, where it is 1e-13; divided by the power above and
below, it is x |x|^-a / (|x|^-a + 1), in which nothing overflows. So are powers and logarithms of such sums:
(1 + |x|^a)^(1/a) is |x| (|x|^-a + 1)^(1/a), and log(1 + |x|^a) is a log|x| + log(|x|^-a + 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp

from actgen.symbolic.primitives import log1p


def turned(expression: sp.Expr, x: sp.Symbol) -> Iterator[tuple[str, sp.Expr]]:
    """The expression, for bases of at least 1 divided above and below by its largest power; none where it has none.

    In two spellings, by name: with x |x|^-a, which is inf 0 at infinity, and with |x|^(1 - a), where 1 - a is rounded.

    Args:
        expression: over the primitives; all powers with symbols in their exponents are of one base, of which the other
            functions read nothing but its logarithm, and the exponents are n p + c with one p. Or they are powers and
            logarithms of sums of such powers, with numbers above 0 for coefficients.
        x: the input.
    """
    powers = [e for e in expression.atoms(sp.Pow) if e.exp.free_symbols and not e.exp.has(x) and e.base.has(x)]
    bases = {e.base for e in powers}
    inner = {base for base in bases if not any(power.base in bases for power in base.atoms(sp.Pow))}
    if len(inner) != 1:
        return
    (base,) = inner
    outer = {e for e in powers if e.base != base}
    powers = [e for e in powers if e.base == base]
    exponents = {e: _line(e.exp) for e in powers}
    units = {unit for unit, _, _ in exponents.values()}
    if len(units) != 1:
        return
    (unit,) = units
    large, size, side, logarithm = (sp.Dummy(name, positive=name != "side") for name in ("P", "A", "side", "L"))
    small = sp.Dummy("R", positive=True)
    known = {large: base**unit, small: base**-unit, size: base, side: sp.sign(x), logarithm: sp.log(base)}
    sums = _Sums.of(expression, outer, {e: large**n for e, (_, n, c) in exponents.items() if c == 0}, large)
    if sums is None:
        return
    bodies = []
    for values in (sums.plain(known), sums.turned(known, small, size, unit, logarithm)):
        body = expression.xreplace(values)
        body = body.xreplace({e: large**n * size**c for e, (_, n, c) in exponents.items()})
        body = body.xreplace({sp.log(base): logarithm})
        if base == sp.Abs(x):
            body = body.xreplace({base: size, sp.sign(x): side}).xreplace({x: side * size})
        else:
            body = body.xreplace({base: size})
        if not body.is_rational_function(large):
            return
        bodies.append([sp.Poly(part, large) for part in sp.fraction(sp.together(body))])
    (top, bottom), over = bodies
    if bottom.degree() < 1 and not sums.found:
        return
    degree = max(part.degree() for part in over)
    over = [sp.Add(*(c * small ** (degree - n) for (n,), c in part.terms())) for part in over]
    below, above = (
        _Fraction.of(sp.factor(sp.cancel(parts[0] / parts[1])), size, power, side)
        for parts, power in (((top.as_expr(), bottom.as_expr()), large), (over, small))
    )
    spellings = {"turned where powers are large": (below, above)}
    if above.rest.has(side) and above.size > 0:
        spread = below.times(x, side) if below.rest.has(side) else below
        spellings["turned where powers are large, times x"] = (spread, above.times(x, side))
    for name, (small_base, large_base) in spellings.items():
        small_base_merged = small_base.merged(base, known).subs(sp.Abs(x) * sp.sign(x), x)
        pieces = ((small_base_merged, base < 1), (large_base.merged(base, known), True))
        yield name, sp.Piecewise(*pieces)


@dataclass(frozen=True)
class _Sums:
    """Powers Q^e and logarithms of sums Q of powers, each Q a polynomial in the large power.

    Attributes:
        large: the power.
        found: Q by the power or logarithm it stands in.
    """

    large: sp.Symbol
    found: Mapping[sp.Expr, sp.Poly]

    @classmethod
    def of(
        cls, expression: sp.Expr, outer: set[sp.Pow], powers: Mapping[sp.Pow, sp.Expr], large: sp.Symbol
    ) -> _Sums | None:
        """None where a base is no polynomial in the power with positive numbers for coefficients."""
        logarithms = {e for e in expression.atoms(sp.log, log1p) if e.atoms(sp.Pow) & set(powers)}
        found = {}
        for e in sorted(outer | logarithms, key=sp.default_sort_key):
            inside = e.base if isinstance(e, sp.Pow) else e.args[0] + int(isinstance(e, log1p))
            inside = inside.xreplace(powers)
            if inside.free_symbols != {large} or not inside.is_polynomial(large):
                return None
            found[e] = sp.Poly(inside, large)
            if not all(coefficient.is_positive for coefficient in found[e].coeffs()):
                return None
        return cls(large, found)

    def plain(self, known: dict[sp.Symbol, sp.Expr]) -> dict[sp.Expr, sp.Expr]:
        """A symbol for each, which is noted."""
        values: dict[sp.Expr, sp.Expr] = {}
        for e in self.found:
            values[e] = sp.Dummy("Q", real=True)
            known[values[e]] = e
        return values

    def turned(
        self, known: dict[sp.Symbol, sp.Expr], small: sp.Symbol, size: sp.Symbol, unit: sp.Expr, logarithm: sp.Symbol
    ) -> dict[sp.Expr, sp.Expr]:
        """The same with the largest power of each Q outside it; a symbol stands for what is left of the power."""
        values: dict[sp.Expr, sp.Expr] = {}
        for e, q in self.found.items():
            rest = sp.Add(*(c * small ** (q.degree() - n) for (n,), c in q.terms())).xreplace(known)
            symbol = sp.Dummy("Q", real=True)
            if isinstance(e, sp.Pow):
                known[symbol] = rest**e.exp
                m, c = _multiple(sp.expand(unit * q.degree() * e.exp), unit)
                values[e] = symbol * self.large**m * size**c
            else:
                known[symbol] = log1p(rest - 1) if rest.as_coeff_Add()[0] == 1 else sp.log(rest)
                values[e] = symbol + q.degree() * unit * logarithm
        return values


def _multiple(exponent: sp.Expr, unit: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """An exponent as m times the unit plus c, m a whole number where it can be."""
    m = exponent.coeff(unit)
    return m, exponent - m * unit


@dataclass(frozen=True)
class _Fraction:
    """A fraction as powers of the base and of its power with a parameter, times the rest."""

    rest: sp.Expr
    size: int
    power: int
    symbols: tuple[sp.Symbol, sp.Symbol]

    @classmethod
    def of(cls, fraction: sp.Expr, size: sp.Symbol, power: sp.Symbol, side: sp.Symbol) -> _Fraction:
        """Take a fraction apart; an even power of a sign is 1 where the base is not 0."""
        fraction = fraction.replace(
            lambda e: e.is_Pow and e.base == side and e.exp.is_Integer, lambda e: side ** (e.exp % 2)
        )
        m, n = (_degree(fraction, symbol) for symbol in (size, power))
        return cls(fraction / (size**m * power**n), m, n, (size, power))

    def times(self, x: sp.Symbol, side: sp.Symbol) -> _Fraction:
        """The same with x for its sign times its size."""
        return _Fraction(self.rest.subs(side, x), self.size - 1, self.power, self.symbols)

    def merged(self, base: sp.Expr, known: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
        """The expression, the powers of the base as one: SymPy multiplies no powers of what may be 0."""
        unit = known[self.symbols[1]].exp
        return self.rest.xreplace(known) * base ** (self.size + unit * self.power)


def _line(exponent: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """An exponent n p + c as p, n and c; p of the sign in which SymPy writes it."""
    c, rest = exponent.as_coeff_Add(rational=True)
    n, unit = rest.as_coeff_Mul(rational=True)
    return unit, n, c


def _degree(fraction: sp.Expr, size: sp.Symbol) -> int:
    """The power of a symbol that is a factor of a fraction."""
    return int(next((e.as_base_exp()[1] for e in sp.Mul.make_args(fraction) if e.as_base_exp()[0] == size), 0))
