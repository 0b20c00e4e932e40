"""Exact numbers: the rational that a decimal literal writes, never the float nearest to it."""

from __future__ import annotations

import re
from fractions import Fraction

import sympy

LARGEST_BITS = 1100
"""Bits that the numerator or the denominator of an exact number may have: a little more than float64 reaches."""

_DIGITS = 330  # decimal digits of a literal
_EXPONENT = 330  # largest power of ten
_DECIMAL = r"(?P<{0}whole>\d+)?(?:\.(?P<{0}part>\d*))?(?:[eE](?P<{0}exponent>[+-]?\d+))?"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)\s*{_DECIMAL.format('n')}(?:\s*/\s*{_DECIMAL.format('d')})?",
    re.ASCII,
)


class NumberError(ValueError):
    """A text that writes no usable number; the message says why."""


def exact(text: str) -> sympy.Rational:
    """Return the rational number that `text` writes: "0.044715" is 44715/1000000, "1/6" is a sixth.

    Raises `NumberError` for anything else and for numbers that float64 cannot hold.
    """
    found = _NUMBER.fullmatch(text.strip(" "))
    if found is None:
        raise NumberError('a number is written like 3, 0.25, 1e-3 or "1/6"')
    top = _decimal(found, "n")
    if "/" in text:
        bottom = _decimal(found, "d")
        if bottom == 0:
            raise NumberError("division by zero")
        top /= bottom
    value = sympy.Rational(top.numerator, top.denominator)
    if not fits(value):
        raise NumberError("the number lies outside the range of float64")
    return -value if found["sign"] == "-" else value


def fits(value: sympy.Rational) -> bool:
    """Whether float64 can hold the number (rounded) and its exact form is of bounded size."""
    top, bottom = abs(int(value.p)).bit_length(), int(value.q).bit_length()
    return max(top, bottom) <= LARGEST_BITS and -1074 <= top - bottom <= 1023


def _decimal(found: re.Match[str], side: str) -> Fraction:
    whole, part, exponent = (found[side + name] or "" for name in ("whole", "part", "exponent"))
    if not whole and not part:
        raise NumberError('a number is written like 3, 0.25, 1e-3 or "1/6"')
    if len(whole) + len(part) > _DIGITS:
        raise NumberError(f"the number has more than {_DIGITS} digits")
    # Checked before any arithmetic: 1e999999999 is short to write and does not fit into memory.
    if len(exponent) > 5 or abs(int(exponent or 0)) > _EXPONENT:
        raise NumberError("the number lies outside the range of float64")
    return Fraction(int(whole + part)) * Fraction(10) ** (int(exponent or 0) - len(part))
