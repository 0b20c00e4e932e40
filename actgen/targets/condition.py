"""A parameter's domain as a comparison in emitted code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

if TYPE_CHECKING:
    from actgen.spec.activation import Parameter


def condition(parameter: Parameter) -> str:
    """Return what holds for the numbers of a domain: "alpha > 0", "0 <= alpha < 1"; empty for all reals.

    Written so that NaN fails it.
    """
    domain, name = parameter.domain, parameter.name
    has_lower, has_upper = domain.lower != -sympy.oo, domain.upper != sympy.oo
    if has_lower and has_upper:
        first = f"{_number(domain.lower)} {'<' if domain.lower_open else '<='} {name}"
        return f"{first} {'<' if domain.upper_open else '<='} {_number(domain.upper)}"
    if has_lower:
        return f"{name} {'>' if domain.lower_open else '>='} {_number(domain.lower)}"
    if has_upper:
        return f"{name} {'<' if domain.upper_open else '<='} {_number(domain.upper)}"
    return ""


def _number(bound: sympy.Rational) -> str:
    return str(int(bound)) if bound.is_integer else repr(float(bound))
