"""How a trainable parameter stays in its domain, whatever an optimizer does.

PyTorch, Flax and Equinox let an optimizer move a raw parameter, of which the value is made:

| domain                       | value                                  | raw                                      |
|------------------------------|----------------------------------------|------------------------------------------|
| all reals                    | the parameter itself                   |                                          |
| (l, inf)                     | l + softplus(raw)                      | log(expm1(value - l))                    |
| (-inf, u)                    | u - softplus(raw)                      | log(expm1(u - value))                    |
| (l, u)                       | l + (u - l) sigmoid(raw)               | log((value - l) / (u - value))           |
| [l, inf), (-inf, u], [l, u]  | the number in the domain nearest raw   | value                                    |
| (l, u], [l, u)               | the nearest in it to l + softplus(raw), u - softplus(raw)     | as above          |

An open end is never reached, not even by rounding: the nearest float32 inside bounds it. A closed end is, and the
gradient passes there as if it had not been: a value can leave the end it was held at.

Keras has constraints, which project the value after each update; see :func:`projection`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sympy

if TYPE_CHECKING:
    from actgen.spec.activation import Parameter

_MARGIN = 1e-7


@dataclass(frozen=True)
class Confinement:
    """The value of a parameter made from the raw one, and back, as expressions of Python.

    Attributes:
        value: in {raw}, with the functions {softplus} and {sigmoid}.
        raw: in `value`, with the functions {inverse_softplus} and {log}.
        lowest: the least value; None without a lower end.
        highest: the greatest value; None without an upper end.
        condition: what holds for arrays named `value` in the domain: "(value >= 0) & (value < 1)".
        words: how the value is made, for a docstring: "softplus(raw_alpha)".
    """

    value: str
    raw: str
    lowest: str | None
    highest: str | None
    condition: str
    words: str

    @property
    def bounds(self) -> str:
        """The arguments after the first of a function that clips."""
        return f"{self.lowest}, {self.highest}"


def confine(parameter: Parameter) -> Confinement | None:
    """Return how a trainable parameter is confined; None if all reals are allowed."""
    domain, raw_name = parameter.domain, f"raw_{parameter.name}"
    lower = None if domain.lower == -sympy.oo else domain.lower
    upper = None if domain.upper == sympy.oo else domain.upper
    if lower is None and upper is None:
        return None
    lowest = None if lower is None else _end(lower, domain.lower_open, 1)
    highest = None if upper is None else _end(upper, domain.upper_open, -1)
    value, raw = _mapping(lower, upper, domain.lower_open, domain.upper_open)
    words = value.format(raw=raw_name, softplus="softplus", sigmoid="sigmoid")
    ends = []
    if lower is not None:
        ends.append(f"value {'>' if domain.lower_open else '>='} {_spell(lower)}")
    if upper is not None:
        ends.append(f"value {'<' if domain.upper_open else '<='} {_spell(upper)}")
    condition = ends[0] if len(ends) == 1 else " & ".join(f"({end})" for end in ends)
    is_clipped = (lower is not None and not domain.lower_open) or (upper is not None and not domain.upper_open)
    if is_clipped:
        words = f"the number {_words(parameter)} that is nearest to {words}"
    return Confinement(value, raw, lowest, highest, condition, words)


def projection(parameter: Parameter) -> tuple[str, str] | None:
    """Return the ends that a value is clipped to after an update; None if all reals are allowed.

    A closed end is itself. From an open one a step of 1e-7 is kept, or half the way to the default where that is
    less: next to it formulas divide by nearly nothing.
    """
    domain, default = parameter.domain, parameter.default
    ends = []
    for end, is_open, inwards in ((domain.lower, domain.lower_open, 1), (domain.upper, domain.upper_open, -1)):
        if end.is_infinite:
            ends.append("None")
            continue
        step = min(_MARGIN * max(1.0, abs(float(end))), abs(float(default - end)) / 2) if is_open else 0.0
        ends.append(_spell(end) if not is_open else repr(float(f"{float(end) + inwards * step:.9g}")))
    return None if ends == ["None", "None"] else (ends[0], ends[1])


def _mapping(
    lower: sympy.Rational | None, upper: sympy.Rational | None, lower_open: bool, upper_open: bool
) -> tuple[str, str]:
    """Return the smooth part: what the value is made of before it is clipped, and the way back."""
    if lower is not None and upper is not None and lower_open and upper_open:
        low, high, width = _spell(lower), _spell(upper), _spell(upper - lower)
        scaled = "{sigmoid}({raw})" if width == "1" else f"{width} * {{sigmoid}}({{raw}})"
        return (scaled if low == "0" else f"{low} + {scaled}"), f"{{log}}({_minus('value', low)} / ({high} - value))"
    if lower is not None and lower_open:
        low = _spell(lower)
        made = "{softplus}({raw})"
        return (made if low == "0" else f"{low} + {made}"), f"{{inverse_softplus}}({_minus('value', low, False)})"
    if upper is not None and upper_open:
        high = _spell(upper)
        made = "-{softplus}({raw})" if high == "0" else f"{high} - {{softplus}}({{raw}})"
        return made, f"{{inverse_softplus}}({'-value' if high == '0' else f'{high} - value'})"
    return "{raw}", "value"


def _minus(name: str, number: str, parenthesised: bool = True) -> str:
    """Return "(name - number)", read well: nothing is subtracted if it is 0, a negative number is added."""
    if number == "0":
        return name
    text = f"{name} + {number[1:]}" if number.startswith("-") else f"{name} - {number}"
    return f"({text})" if parenthesised else text


def _end(bound: sympy.Rational, is_open: bool, inwards: int) -> str:
    """Return the end of what float32 can hold of a domain."""
    if not is_open:
        return _spell(bound)
    nearest = np.float32(float(bound))
    if nearest == 0:
        return repr(inwards * float(np.finfo(np.float32).tiny))  # XLA takes what is smaller for zero
    return repr(float(np.nextafter(nearest, np.float32(inwards * np.inf))))


def _words(parameter: Parameter) -> str:
    domain = parameter.domain
    low = "" if domain.lower == -sympy.oo else f"at least {_spell(domain.lower)}"
    high = "" if domain.upper == sympy.oo else f"at most {_spell(domain.upper)}"
    if low and high:
        opening, closing = "(" if domain.lower_open else "[", ")" if domain.upper_open else "]"
        return f"in {opening}{_spell(domain.lower)}, {_spell(domain.upper)}{closing}"
    return low or high


def _spell(bound: sympy.Rational) -> str:
    return str(int(bound)) if bound.is_integer else repr(float(bound))
