"""Domains of parameters: which numbers are allowed, and what that tells the algebra."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

import sympy

from actgen.spec.number import NumberError, exact
from actgen.spec.text import quoted

NAMED = {
    "real": "(-inf, inf)",
    "positive": "(0, inf)",
    "nonnegative": "[0, inf)",
    "negative": "(-inf, 0)",
    "nonpositive": "(-inf, 0]",
}

_INTERVAL = re.compile(r"\s*([\[(])\s*([^\s,]+)\s*,\s*([^\s,]+)\s*([\])])\s*", re.ASCII)


class DomainError(ValueError):
    """A text that names no domain; the message says why and what to write."""


@dataclass(frozen=True)
class Domain:
    """An interval of the real line, open or closed at either end."""

    text: str
    lower: sympy.Rational
    upper: sympy.Rational
    lower_open: bool
    upper_open: bool

    @classmethod
    def parse(cls, text: str) -> Domain:
        """Read "real", "positive", "nonnegative", "negative", "nonpositive", or an interval such as "[0, 1)".

        Raises `DomainError` for anything else.
        """
        spoken = text.strip()
        found = _INTERVAL.fullmatch(NAMED.get(spoken, spoken))
        if found is None:
            words = ", ".join(NAMED)
            raise DomainError(f'{quoted(text)} is not a domain; write one of {words}, or an interval such as "[0, 1)"')
        opening, low, high, closing = found.groups()
        lower, upper = _bound(low), _bound(high)
        lower_open, upper_open = opening == "(", closing == ")"
        if (lower.is_infinite and not lower_open) or (upper.is_infinite and not upper_open):
            raise DomainError(f"infinity belongs to no domain; open the interval {quoted(spoken)} at its infinite end")
        if not lower < upper:
            raise DomainError(f"the interval {quoted(spoken)} holds no range of numbers; put the lower bound first")
        canonical = spoken if spoken in NAMED else f"{opening}{_spell(lower)}, {_spell(upper)}{closing}"
        return cls(canonical, lower, upper, lower_open, upper_open)

    def __str__(self) -> str:
        return self.text

    def __contains__(self, value: object) -> bool:
        if isinstance(value, sympy.Rational):
            number = value
        elif isinstance(value, (int, float, Fraction)) and math.isfinite(value):
            number = sympy.Rational(*value.as_integer_ratio())
        else:
            return False
        above = number > self.lower if self.lower_open else number >= self.lower
        below = number < self.upper if self.upper_open else number <= self.upper
        return bool(above) and bool(below)

    @property
    def assumptions(self) -> dict[str, bool]:
        """What SymPy may assume about a symbol that stays in the domain: `{"real": True, "positive": True}`."""
        known = {"real": True}
        if self.lower > 0 or (self.lower == 0 and self.lower_open):
            known["positive"] = True
        elif self.lower == 0:
            known["nonnegative"] = True
        if self.upper < 0 or (self.upper == 0 and self.upper_open):
            known["negative"] = True
        elif self.upper == 0:
            known["nonpositive"] = True
        return known


def _bound(text: str) -> sympy.Rational:
    if text in ("inf", "+inf"):
        return sympy.oo
    if text == "-inf":
        return -sympy.oo
    try:
        return exact(text)
    except NumberError as error:
        raise DomainError(f"{quoted(text)} is no bound of an interval: {error}") from None


def _spell(bound: sympy.Rational) -> str:
    return {sympy.oo: "inf", -sympy.oo: "-inf"}.get(bound, str(bound))
