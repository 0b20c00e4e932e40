"""Fractions in powers with a parameter for exponent, turned where the power is large.

x / (1 + |x|^a) is x / inf = 0 from 4e25 on in float32 for a = 3/2, where it is 1e-13; divided by the power above and
below, it is x |x|^-a / (|x|^-a + 1), in which nothing overflows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp


def turned(expression: sp.Expr, x: sp.Symbol) -> Iterator[tuple[str, sp.Expr]]:
    """The expression, for bases of at least 1 divided above and below by its largest power; none where it has none.

    In two spellings, by name: with x |x|^-a, which is inf 0 at infinity, and with |x|^(1 - a), where 1 - a is rounded.

    Args:
        expression: over the primitives; all powers with symbols in their exponents are of one base, of which the other
            functions read nothing but its logarithm, and the exponents are n p + c with one p.
        x: the input.
    """
    powers = [e for e in expression.atoms(sp.Pow) if e.exp.free_symbols and not e.exp.has(x) and e.base.has(x)]
    bases = {e.base for e in powers}
    if len(bases) != 1:
        return
    (base,) = bases
    exponents = {e: _line(e.exp) for e in powers}
    units = {unit for unit, _, _ in exponents.values()}
    if len(units) != 1:
        return
    (unit,) = units
    large, size, side, logarithm = (sp.Dummy(name, positive=name != "side") for name in ("P", "A", "side", "L"))
    body = expression.xreplace({e: large**n * size**c for e, (_, n, c) in exponents.items()})
    body = body.xreplace({sp.log(base): logarithm})
    if base == sp.Abs(x):
        body = body.xreplace({base: size, sp.sign(x): side}).xreplace({x: side * size})
    else:
        body = body.xreplace({base: size})
    if not body.is_rational_function(large):
        return
    top, bottom = (sp.Poly(part, large) for part in sp.fraction(sp.together(body)))
    if bottom.degree() < 1:
        return
    degree = max(top.degree(), bottom.degree())
    small = sp.Dummy("R", positive=True)
    over = [sp.Add(*(c * small ** (degree - n) for (n,), c in part.terms())) for part in (top, bottom)]
    known = {large: base**unit, small: base**-unit, size: base, side: sp.sign(x), logarithm: sp.log(base)}
    below, above = (
        _Fraction.of(sp.factor(sp.cancel(parts[0] / parts[1])), size, power, side)
        for parts, power in (((top.as_expr(), bottom.as_expr()), large), (over, small))
    )
    spellings = {"turned where powers are large": (below, above)}
    if above.rest.has(side) and above.size > 0:
        spread = below.times(x, side) if below.rest.has(side) else below
        spellings["turned where powers are large, times x"] = (spread, above.times(x, side))
    for name, (small_base, large_base) in spellings.items():
        pieces = ((small_base.merged(base, known), base < 1), (large_base.merged(base, known), True))
        yield name, sp.Piecewise(*pieces)


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
