"""Cutting the floats into pieces on each of which a formula is a short polynomial, with a proof of its error.

The floats of one sign are a range of binades. Where the formula is a power of x up to what is negligible, one piece
covers them all; around 0, one Taylor series with its leading power of x outside; what is left is cut down to binades,
and the binades into halves, until a polynomial is good enough. Kinks, and what oscillates too fast, are marked to be
asked of the oracle float by float.
"""

from __future__ import annotations

import math

import sympy as sp
from flint import ctx

from actgen.numerics.fitting import PRECISION, Fitter
from actgen.numerics.tables import Format, Piece

_MOST_IN_BINADE = 1_200
_FINEST = 9  # halvings of a binade that oscillates; a kink may take all
_COARSE = 6  # halvings for which only the form that served last is tried, on pieces longer than _SHORT
_SHORT = 0.5
_PROBES = (0.1459, 0.5, 0.8541)
_FURTHEST_AROUND_0 = (0, -1, -2, -3, -5, -8, -16)


class Cutter:
    """Cuts the floats of one sign.

    Args:
        expression: in x alone.
        x: the variable.
        format: the float type.
        sign: of the floats.
    """

    def __init__(self, expression: sp.Expr, x: sp.Symbol, format: Format, sign: int) -> None:  # noqa: A002
        self._format = format
        self._fitter = Fitter(expression, x, format, sign)
        self._attempts = 0
        self._left = 0
        self._pieces: list[Piece] = []
        self._binades: list[int] = []

    def pieces(self) -> list[Piece]:
        """All pieces, in no order."""
        before = ctx.prec
        ctx.prec = PRECISION
        try:
            self._cut_range(self._format.lowest, self._format.highest)
            # The binades around 1 first, so that what is beyond reach takes nothing away from them.
            for binade in sorted(self._binades, key=abs):
                self._cut_binade(binade)
        finally:
            ctx.prec = before
        ends = (0.0, math.ldexp(1.0, self._format.highest) if self._format.highest < 1024 else math.inf)
        return [*self._pieces, *(Piece(end, is_direct=True) for end in ends)]

    def _cut_range(self, low: int, high: int) -> None:
        """Find one piece for the binades from 2^low to 2^high, or cut them."""
        piece = self._fitter.over_binades(low, high)
        if piece is None and low == self._format.lowest and high in _FURTHEST_AROUND_0:
            piece = self._fitter.around_0(high)
        if piece is not None:
            self._pieces.append(piece)
        elif high - low == 1:
            self._binades.append(low)
        else:
            middle = self._middle(low, high)
            self._cut_range(low, middle)
            self._cut_range(middle, high)

    def _middle(self, low: int, high: int) -> int:
        if low < 0 < high:
            return 0
        nearer = [k for k in _FURTHEST_AROUND_0 if low < k < high]
        if low == self._format.lowest and nearer:
            return nearer[0]
        return high - max(1, (high - low) // 2) if high <= 0 else low + max(1, (high - low) // 2)

    def _cut_binade(self, binade: int) -> None:
        start = math.ldexp(1.0, binade)
        half = start / 2
        piece = self._fit(start, half, False)
        if piece is not None:
            self._pieces.append(piece)
            return
        finest = half * 2.0**-_FINEST
        spacing = math.ldexp(1.0, max(binade + 1 - self._format.digits, self._format.lowest) + self._format.few)
        if finest > spacing and start + half > start:
            places = [start + math.floor(place * 2**_FINEST) * 2 * finest for place in _PROBES]
            if not any(self._fit(place, finest, True) for place in places):
                self._pieces.append(Piece(start, is_direct=True))
                return
        self._left = min(_MOST_IN_BINADE, self._format.attempts - self._attempts)
        self._cut(start, half, 0, spacing)

    def _cut(self, start: float, half: float, depth: int, spacing: float) -> None:
        """Cut [start, start + 2 half) into halves until each is a polynomial or a single float."""
        for begin in (start, start + half):
            if half <= spacing or half / 2 < spacing / 2 or self._left <= 0 or begin + half / 2 == begin:
                self._pieces.append(Piece(begin, is_direct=True))
                continue
            self._left -= 1
            piece = self._fit(begin, half / 2, depth >= _COARSE or (depth > 1 and half < _SHORT))
            if piece is not None:
                self._pieces.append(piece)
            else:
                self._cut(begin, half / 2, depth + 1, spacing)

    def _fit(self, start: float, half: float, thorough: bool) -> Piece | None:
        self._attempts += 1
        return self._fitter.on_interval(start, half, thorough)
