"""Functions to more digits than a float has: what a framework's exp, tanh, erf, ... is off by.

A machine's functions are off by 1 to 7 ULP, and a form may make much of that. Here each result is put right from what
is exact: the arithmetic of :mod:`twofold` and short polynomials. All of them rest on one function: for E = exp(a) as
the machine gives it,

    exp(a) / E - 1 = ((1 - t) + r + (exp(r) - 1 - r)) / t,    t = E / 2^k,  r = a - k log(2),

in which 1 - t and r are exact (k is read off E itself) and the last term, at most 0.09, is a polynomial. The logarithm
is put right by the exponential of its result (Newton), and so are the other inverse functions by theirs; tanh, sinh,
cosh and sigmoid are written in exponentials; sine and cosine are polynomials of the angle less a multiple of pi/2.

Where a correction is not a number, or no longer small, as at the ends of the range, it is left out.

Source: W. J. Cody and W. Waite, Software manual for the elementary functions, 1980, for the reductions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy as sp

from actgen.numerics.kernel import Constant, Node
from actgen.numerics.lowering import HALF, ONE, ZERO, call, constant
from actgen.numerics.scaled_erfc import LARGEST, scaled_erfc
from actgen.numerics.twofold import (
    Twofold,
    add,
    divide,
    leaf,
    lost_in_product,
    multiply,
    negated,
    plus,
    renewed,
    select,
    sqrt,
    square,
    subtract,
    times,
)

_LARGEST_PART = 2.0**-8
"""A correction that is a larger part of the result is none: there something overflowed or was flushed."""

_SMALL = 0.25
_TINY = 2.0**-32

_SQUARABLE = 2.0**30
"""From here on a^2 + 1 is a^2 to all digits that are kept."""

_LARGEST_ANGLE = 1000.0
"""Up to here pi/2 times the number of quarter turns, in three parts, is exact enough."""

_TAYLOR = 14
"""Terms of the polynomials for exp, sin and cos: up to 0.41, or pi/4 with every other power, to 1e-17."""

_ERF_TERMS = 20
"""Terms of the series of erf, which on [0, 1] is then exact to 1e-18."""

_ONE, _TWO, _HALF = Twofold(ONE), Twofold(Constant(2.0)), Twofold(HALF)


def exp(a: Twofold) -> Twofold:
    """The exponential, corrected as a part of the whole."""
    plain = call("exp", a.node)
    size = call("binade", call("multiply", plain, Constant(4 / 3, "4/3")))
    is_normal = call("both", call("greater", size, ZERO), call("less", size, Constant(math.inf)))
    size = call("select", is_normal, size, ONE)
    t = call("divide", plain, size)
    count = _nearest_integer(call("multiply", call("log", size), constant(1 / sp.log(2))))
    reduced = _reduced(a.node, count, sp.log(2))
    gap = call("add", call("subtract", ONE, t), reduced.node)
    part = call("divide", call("add", gap, plus(_bend(reduced.node), reduced.rest) or ZERO), t)
    # Near 0 the machine's result hides how little it differs from 1.
    is_small = Twofold(call("less", call("absolute", a.node), Constant(_SMALL)))
    is_far = call("greater_equal", call("absolute", a.node), Constant(_SMALL))
    near = add(_ONE, Twofold(a.node, _bend(a.node)))
    part = call("select", call("both", is_normal, is_far), part, ZERO)
    return replace(select(is_small, near, Twofold(plain)), part=plus(part, a.rest))


def _bend(r: Node) -> Node:
    """exp(r) - 1 - r."""
    return call("multiply", call("square", r), _polynomial(r, _BEYOND_LINE))


def sigmoid(a: Twofold) -> Twofold:
    """1 / (1 + exp(-a)) by exp(-|a|), which does not overflow."""
    is_left = Twofold(call("less", a.node, ZERO))
    turned = select(is_left, a, negated(a))
    t = exp(turned)
    return divide(select(is_left, t, _ONE), add(t.gathered, _ONE))


def _nearest_integer(a: Node) -> Node:
    return call("floor", call("add", a, HALF))


def _reduced(a: Node, count: Node, period: sp.Expr) -> Twofold:
    """A less some periods; the first two parts of a period have so few digits that their multiples are exact."""
    first, second, third = (call("multiply", count, part) for part in _three_parts(period))
    return add(Twofold(call("subtract", a, first)), Twofold(call("negate", second), call("negate", third)))


def _three_parts(number: sp.Expr) -> tuple[Constant, Constant, Constant]:
    """A number below 2 as a sum: twelve digits, twelve more, and the rest."""
    exact = sp.Rational(sp.N(number, 60))
    first = sp.floor(exact * 2**12) / sp.Integer(2**12)
    second = sp.floor((exact - first) * 2**24) / sp.Integer(2**24)
    rest = exact - first - second
    return (
        Constant(float(first), f"the first digits of {number}"),
        Constant(float(second), f"more digits of {number}"),
        Constant(float(rest), f"the other digits of {number}"),
    )


def _polynomial(z: Node, coefficients: tuple[Constant, ...]) -> Node:
    """A polynomial from its coefficients, the constant term first, by Horner's rule."""
    total: Node = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = call("add", call("multiply", total, z), coefficient)
    return total


def _inverse_factorials(first: int, step: int, sign: int = 1) -> tuple[Constant, ...]:
    """1/first!, sign/(first + step)!, 1/(first + 2 step)!, ..."""
    numbers = [(sign**k, first + step * k) for k in range(_TAYLOR // step)]
    return tuple(Constant(s / math.factorial(n), f"{'-' * (s < 0)}1/{n}!") for s, n in numbers)


_BEYOND_LINE = _inverse_factorials(2, 1)
"""(exp(r) - 1 - r) / r^2."""

_OF_SINE = tuple(c.opposite for c in _inverse_factorials(3, 2, -1))
"""(sin(r) / r - 1) / r^2 in r^2."""

_OF_COSINE = _inverse_factorials(4, 2, -1)
"""(cos(r) - 1 + r^2/2) / r^4 in r^2."""

_OF_ERF = tuple(
    Constant((-1) ** n / (math.factorial(n) * (2 * n + 1)), f"{'-' * (n % 2)}1/({2 * n + 1} * {n}!)")
    for n in range(1, _ERF_TERMS)
)
"""(sqrt(pi)/2 erf(a) / a - 1) / a^2 in a^2."""


def sine_and_cosine(a: Node) -> tuple[Twofold, Twofold]:
    """The sine and the cosine of an angle of at most 1000."""
    quarters = _nearest_integer(call("multiply", a, constant(2 / sp.pi)))
    angle = _reduced(a, quarters, sp.pi / 2)
    r, rest = angle.node, angle.rest or ZERO
    z = call("square", r)
    half = call("multiply", HALF, z)
    bend = call("multiply", call("multiply", r, z), _polynomial(z, _OF_SINE))
    sine = renewed(r, plus(bend, call("multiply", rest, call("subtract", ONE, half))))
    lost = call("multiply", HALF, lost_in_product(r, r, z) or ZERO)
    bend = call("multiply", call("square", z), _polynomial(z, _OF_COSINE))
    change = call("subtract", bend, call("add", lost, call("multiply", r, rest)))
    cosine = add(_ONE, Twofold(call("negate", half), change))
    quadrant = call("subtract", quarters, call("multiply", Constant(4.0), call("floor", _quarter(quarters))))
    is_turned = _either(call("equal", quadrant, ONE), call("equal", quadrant, Constant(3.0)))
    is_lower = Twofold(call("greater", quadrant, Constant(1.5)))
    is_left = Twofold(_either(call("equal", quadrant, ONE), call("equal", quadrant, Constant(2.0))))
    first, second = select(Twofold(is_turned), cosine, sine), select(Twofold(is_turned), sine, cosine)
    return select(is_lower, negated(first), first), select(is_left, negated(second), second)


def _quarter(a: Node) -> Node:
    return call("multiply", Constant(0.25), a)


def _either(p: Node, q: Node) -> Node:
    return call("either", p, q)


def _growth(a: Node) -> Twofold:
    """exp(a) - 1; near 0 the exponential is 1 and all of the result is in its correction."""
    return subtract(exp(Twofold(a)).gathered, _ONE)


def _with_sign_of(a: Node, value: Twofold) -> Twofold:
    return multiply(Twofold(call("sign", a)), value)


def _tanh(a: Node) -> Twofold:
    growth = _growth(call("multiply", Constant(-2.0), call("absolute", a)))
    return _with_sign_of(a, divide(negated(growth), add(growth, _TWO)))


def _sinh(a: Node) -> Twofold:
    growth = _growth(call("absolute", a))
    return _with_sign_of(a, multiply(_HALF, add(growth, divide(growth, add(growth, _ONE)))))


def _cosh(a: Node) -> Twofold:
    power = exp(Twofold(call("absolute", a))).gathered
    return multiply(_HALF, add(power, divide(_ONE, power)))


def _logarithm_of(value: Twofold, found: Node, factor: float = 1.0) -> Node:
    """What the logarithm of a value times a factor is more than ``found``: the product with exp(-found), less 1.

    By halves, since exp(-found) may be next to overflow, and a tiny value scaled up, whose last digits would be
    flushed.
    """
    is_tiny = call("less", value.node, Constant(_TINY))
    up, down = (call("select", is_tiny, Constant(power), ONE) for power in (_TINY**-2, _TINY))
    root = _scaled(exp(Twofold(call("multiply", Constant(-0.5), found))).gathered, down)
    other = root if factor == 1.0 else _scaled(root, Constant(factor))
    change = _told(subtract(multiply(multiply(_scaled(value, up), root), other), _ONE))
    return call("select", call("less", call("absolute", change), Constant(_LARGEST_PART)), change, ZERO)


def _scaled(value: Twofold, power: Node) -> Twofold:
    """A value times a power of two."""
    return Twofold(call("multiply", value.node, power), times(value.rest, power))


def _told(value: Twofold) -> Node:
    return call("add", value.node, value.rest) if value.rest is not None else value.node


def _log(a: Node, found: Node) -> Node:
    return _logarithm_of(Twofold(a), found)


def power(a: Twofold, b: Twofold) -> Twofold:
    """A power by its logarithm, for which that has to have more digits than a float."""
    found = call("power", a.node, b.node)
    logarithm = call("log", a.node)
    relative = None if a.rest is None else call("divide", a.rest, a.node)
    precise = renewed(logarithm, plus(_log(a.node, logarithm), relative))
    value = exp(multiply(b, precise))
    return select(_is_told(value, found), value, Twofold(found))


def _log1p(a: Node, found: Node) -> Node:
    return _logarithm_of(add(Twofold(a), _ONE), found)


def _asinh(a: Node, found: Node) -> Node:
    """By the logarithm of |a| + sqrt(a^2 + 1), which is 2 |a| far out."""
    size = Twofold(call("absolute", a))
    is_far = Twofold(call("greater", size.node, Constant(_SQUARABLE)))
    held = Twofold(call("minimum", size.node, Constant(_SQUARABLE)))
    half = multiply(_HALF, add(held, sqrt(add(square(held), _ONE))))
    return call(
        "multiply", call("sign", a), _logarithm_of(select(is_far, size, half), call("absolute", found), factor=2.0)
    )


def _atan(a: Node, found: Node) -> Node:
    """tan(d) = (a - tan(y)) / (1 + a tan(y)) for a result y that is off by d."""
    sine, cosine = sine_and_cosine(found)
    of_a = Twofold(a)
    off = subtract(multiply(of_a, cosine), sine)
    return call("divide", _told(off), call("add", cosine.node, call("multiply", a, sine.node)))


def _plus(change: Callable[[Node, Node], Node]) -> Callable[[Node, Node], Twofold]:
    """The machine's result and what it lacks."""
    return lambda a, found: renewed(found, change(a, found))


def _anew(precise: Callable[[Node], Twofold]) -> Callable[[Node, Node], Twofold]:
    """A result of more digits instead of the machine's: a difference of the two would have only those of a float."""
    return lambda a, found: precise(a)


def _near(precise: Callable[[Node], Twofold]) -> Callable[[Node, Node], Twofold]:
    """The same for angles that are not too large."""

    def apply(a: Node, found: Node) -> Twofold:
        is_near = Twofold(call("less", call("absolute", a), Constant(_LARGEST_ANGLE)))
        return select(is_near, precise(a), Twofold(found))

    return apply


def _sin(a: Node) -> Twofold:
    return sine_and_cosine(a)[0]


def _cos(a: Node) -> Twofold:
    return sine_and_cosine(a)[1]


def _tan(a: Node) -> Twofold:
    return divide(*sine_and_cosine(a))


def erf(a: Node) -> Twofold:
    """The error function, by its series on [-1, 1]."""
    size = call("absolute", a)
    far = _with_sign_of(a, subtract(_ONE, _far_erfc(size).gathered))
    return select(Twofold(call("less", size, ONE)), _near_erf(a), far)


def erfc(a: Node) -> Twofold:
    """1 - erf(a), corrected as a part of the whole in its tail."""
    size = call("absolute", a)
    far = _far_erfc(size)
    far = select(Twofold(call("less", a, ZERO)), subtract(_TWO, far.gathered), far)
    return select(Twofold(call("less", size, HALF)), subtract(_ONE, _near_erf(a)), far)


def _near_erf(a: Node) -> Twofold:
    z = call("square", a)
    series = add(_ONE, Twofold(call("multiply", z, _polynomial(z, _OF_ERF))))
    slope = multiply(leaf(constant(2 / sp.sqrt(sp.pi))), series)
    return multiply(renewed(slope.node, slope.rest), Twofold(a))


def _far_erfc(a: Node) -> Twofold:
    """Erfc for a >= 0.5."""
    held = call("minimum", a, Constant(LARGEST))
    return multiply(exp(negated(square(Twofold(held)))), Twofold(scaled_erfc(held)))


_CORRECTED: Mapping[str, Callable[[Node, Node], Twofold]] = {
    "expm1": _anew(_growth),
    "log": _plus(_log),
    "log1p": _plus(_log1p),
    "tanh": _anew(_tanh),
    "sinh": _anew(_sinh),
    "cosh": _anew(_cosh),
    "asinh": _plus(_asinh),
    "atan": _plus(_atan),
    "sin": _near(_sin),
    "cos": _near(_cos),
    "tan": _near(_tan),
}


def corrected(operation: str, a: Node, found: Node) -> Twofold:
    """What a function's result is to more digits.

    Args:
        operation: the function.
        a: its argument, taken as exact.
        found: the machine's result.

    Returns:
        The value; ``found`` itself where it cannot be told, and for a function that is not known here.
    """
    if operation not in _CORRECTED:
        return Twofold(found)
    value = _CORRECTED[operation](a, found)
    return select(_is_told(value, found), value, Twofold(found))


def _is_told(value: Twofold, found: Node) -> Twofold:
    """Whether a value is so close to the machine's that nothing overflowed or was flushed on the way to it."""
    change = call("absolute", call("add", call("subtract", value.node, found), value.rest or ZERO))
    bound = call("multiply", Constant(_LARGEST_PART), call("absolute", found))
    return Twofold(call("less_equal", change, bound))
