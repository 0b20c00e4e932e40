"""The two sides of a rewrite rule: compared in ball arithmetic over the floats of its domain, and proved equal.

The comparison takes the wildcard u as the variable itself and asks it at floats of all binades, at both ends of the
domain, and around the points where the primitives bend, cancel or oscillate. Balls are proofs: where two do not
overlap, the sides differ; where they overlap and are tight, the sides agree to that many bits.

The proof writes every primitive out by its definition, in exponentials, and lets SymPy find that nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import sympy as sp
from flint import arb

from actgen.numerics.rules import Rule, u
from actgen.symbolic.balls import BallFunction
from tests.symbolic.reading import exact, precision

SURE_BITS = 200
_V = sp.Symbol("v", real=True)
EXPONENTS: Mapping[str, tuple[sp.Expr, ...]] = {
    "n": (sp.Integer(1), sp.Integer(2), sp.Integer(5)),
    "p": (sp.Rational(1, 2), sp.Rational(-3, 2), sp.Rational(1, 3)),
    "v": (1 - _V / 2,),
    "q": (1 - _V / 2,),
}
"""What stands in for the other wildcards: n for a positive whole number, p for any other, v, q for another argument."""
_PRECISIONS = (320, 1600)
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Comparison:
    """Of two sides over many points.

    Attributes:
        counterexample: where they certainly differ, or None.
        sure: the points where both are known to 200 bits and agree to as many.
    """

    counterexample: str | None
    sure: tuple[float, ...]


def compare(rule: Rule) -> Comparison:
    """Both sides at every point of the domain that floats reach, for several powers where the rule has one."""
    sure: list[float] = []
    exponents = sorted(rule.before.atoms(sp.Wild) - {u}, key=str)
    for powers in product(*(EXPONENTS[wild.name] for wild in exponents)):
        known = {u: _V, **dict(zip(exponents, powers, strict=True))}
        before, after = (BallFunction(side.xreplace(known), (_V,)) for side in (rule.before, rule.after))
        for point in points():
            if not _is_inside(point, rule.domain):
                continue
            verdict = _agreement(before, after, point)
            if verdict is False:
                return Comparison(f"{rule.before} != {rule.after} at u = {point!r}, exponents {powers}", tuple(sure))
            if verdict:
                sure.append(point)
    return Comparison(None, tuple(sure))


def _is_inside(point: float, domain: sp.Interval) -> bool:
    """SymPy's own answer takes milliseconds."""
    low, high = (float(end) for end in (domain.inf, domain.sup))
    return low < point < high or (point == low and not domain.left_open) or (point == high and not domain.right_open)


def _agreement(before: BallFunction, after: BallFunction, point: float) -> bool | None:
    """Whether two sides agree to 200 bits at a point; None where a side is not known to as many."""
    for bits in _PRECISIONS:
        with precision(bits):
            left, right = before(exact(point)), after(exact(point))
            if left is None or right is None or not (left.is_finite() and right.is_finite()):
                return None
            if not left.overlaps(right):
                return False
            if _is_tight(left) and _is_tight(right):
                return True
    return None


def _is_tight(value: arb) -> bool:
    return bool(value.is_zero()) or int(value.rel_accuracy_bits()) >= SURE_BITS


@cache
def points() -> tuple[float, ...]:
    """Floats of every binade, denser where primitives bend, and those next to where something happens."""
    near = {sign * size for size in _sizes() for sign in (-1.0, 1.0)}
    far = {(-1.0) ** k * float(np.ldexp(1 + k * _GOLDEN % 1, k)) for k in range(-1074, 1024)}
    ends = {sign * size for size in (5e-324, 2.2250738585072014e-308, 1.7976931348623157e308) for sign in (-1.0, 1.0)}
    return tuple(sorted(near | far | ends))


def _sizes() -> Iterator[float]:
    yield 0.0
    for k in range(-64, 64):
        for i in range(12 if -8 <= k < 8 else 1):
            yield float(np.ldexp(1 + (i + k * _GOLDEN) * _GOLDEN % 1, k))
    # Multiples of pi/4, where the angles' rules have roots and turns; 1, where logarithms end; where exp overflows.
    landmarks = [k * np.pi / 4 for k in (*range(1, 9), 1001)] + [1.0, 2.0, 88.72284, 104.0, 709.782712893384, 745.2]
    for landmark, step in product(landmarks, (0, 1, 2, 2**26, 2**48)):
        spacing = float(np.spacing(landmark))
        yield from (landmark - step * spacing, landmark + step * spacing)


DEFINITIONS: Mapping[str, Callable[[sp.Expr], sp.Expr]] = {
    "expm1": lambda v: sp.exp(v) - 1,
    "log1p": lambda v: sp.log(1 + v),
    "softplus": lambda v: sp.log(1 + sp.exp(v)),
    "sigmoid": lambda v: 1 / (1 + sp.exp(-v)),
    "tanh": lambda v: (sp.exp(v) - sp.exp(-v)) / (sp.exp(v) + sp.exp(-v)),
    "sech": lambda v: 2 / (sp.exp(v) + sp.exp(-v)),
    "cosh": lambda v: (sp.exp(v) + sp.exp(-v)) / 2,
    "sinh": lambda v: (sp.exp(v) - sp.exp(-v)) / 2,
    "asinh": lambda v: sp.log(v + sp.sqrt(v**2 + 1)),
    "sin": lambda v: (sp.exp(sp.I * v) - sp.exp(-sp.I * v)) / (2 * sp.I),
    "cos": lambda v: (sp.exp(sp.I * v) + sp.exp(-sp.I * v)) / 2,
    "arccot": lambda v: sp.pi / 2 - sp.atan(v),
    "erfc": lambda v: 1 - sp.erf(v),
}
"""Every primitive that a rule speaks of, by what it is and not by how it is computed."""


def is_proved(rule: Rule) -> bool:
    """Whether SymPy finds the sides equal, for u below, at and above 0 and every positive whole power.

    Sides that are logarithms are compared by their exponentials, which tell real numbers apart. Of a choice every
    branch has to be equal everywhere.
    """
    signs = (sp.Symbol("v", positive=True), -sp.Symbol("v", positive=True), sp.Integer(0))
    after = sp.piecewise_fold(rule.after)
    branches = [value for value, _ in after.args] if isinstance(after, sp.Piecewise) else [after]
    return all(
        _is_zero(*(_written_out(side, sign) for side in (rule.before, branch))) for sign in signs for branch in branches
    )


def _written_out(side: sp.Expr, argument: sp.Expr) -> sp.Expr:
    exponents = {
        "n": sp.Symbol("n", integer=True, positive=True),
        "p": sp.Symbol("p", real=True),
        "v": sp.Symbol("w", real=True),
        "q": sp.Symbol("q", real=True),
    }
    wilds = side.atoms(sp.Wild) - {u}
    body = side.xreplace({u: argument, **{wild: exponents[wild.name] for wild in wilds}})
    for name, definition in DEFINITIONS.items():
        body = body.replace(
            lambda node, name=name: isinstance(node, sp.Function) and node.func.__name__ == name,
            lambda node, definition=definition: definition(node.args[0]),
        )
    return body.replace(sp.exp, lambda v: sp.exp(v).rewrite(sp.Pow))  # exp(p log(a)) is a**p


def _is_zero(before: sp.Expr, after: sp.Expr) -> bool:
    if before.has(sp.log) or after.has(sp.log):
        before, after = sp.exp(before), sp.exp(after)
    # One name for the exponential makes both sides rational functions, of which equality is decidable.
    base = sp.Symbol("e", positive=True)
    difference = sp.expand_power_exp(sp.expand_func(before - after))
    return bool(sp.simplify(difference.replace(sp.exp, lambda v: base**v)) == 0)
