"""Comparisons solved for the input: equal to what was declared at every number, ties included, and as short as said."""

from __future__ import annotations

from itertools import product

import pytest
import sympy as sp
from sympy.logic.boolalg import Boolean

from actgen.spec import Domain
from actgen.symbolic.comparisons import solve_comparisons
from actgen.symbolic.primitives import sigmoid, tanh

x = sp.Symbol("x", real=True)
y = sp.Symbol("y", real=True)
p = sp.Symbol("p", nonnegative=True)
q = sp.Symbol("q", positive=True)
DOMAINS = {p: Domain.parse("[0, 1)"), q: Domain.parse("positive")}
NUMBERS = [sp.Rational(n, 4) for n in range(-12, 13)]


def solved(condition: Boolean) -> Boolean:
    choice = sp.Piecewise((sp.Integer(1), condition), (sp.Integer(0), True))
    found = solve_comparisons(choice, (x, y), DOMAINS)
    return found.args[0][1] if isinstance(found, sp.Piecewise) else sp.true if found == 1 else sp.false


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (p * (x + q) - q >= x, x <= -q),  # 1 - p is positive, which only the domain says
        (p * (x - q) + q <= x, x >= q),
        (p * (x - q) + q > x, x < q),
        (3 - 2 * x > 0, x < sp.Rational(3, 2)),
        (q * x - x > 0, x * sp.sign(q - 1) > 0),  # of no known sign; x (q - 1) may be flushed
        (q * x < p, q * x < p),
        (p * x + q < 0, p * x < -q),
        (p * (x - q) + q <= p * (x + q) - q, sp.false),
        (p * (x + q) + q >= p * x, sp.true),
        (x * q**2 > 2 * q**2, x > 2),
        (x > y, x > y),
        (2 * x > 2 * y, x > y),
        (x**2 > 1, x**2 > 1),  # not linear
        ((p - sp.Rational(1, 2)) ** 2 * x > 0, (p - sp.Rational(1, 2)) ** 2 * x > 0),  # 0 at p = 1/2
        (sp.exp(x) > x, sp.exp(x) > x),
        (x > sp.exp(q), x > sp.exp(q)),
        (sp.Eq(q * x, 1), sp.Eq(q * x, 1)),
        (x * sigmoid(q * x) >= x, x <= 0),  # sigmoid is below 1
        (x / (1 + sp.exp(-q * x)) < x, x > 0),
        (x > x * tanh(sp.exp(x)), x > 0),
        (x * sp.exp(-x) > 2 * sp.exp(-x), x > 2),
        (x * sp.sin(x) > x, x * sp.sin(x) > x),  # sin is 1 where they agree
        (x * sp.sin(x) > 2 * x, x < 0),
        (x < 2 * x * sigmoid(x), x < 2 * x * sigmoid(x)),  # of either sign
    ],
)
def test_a_comparison_is_solved_and_means_the_same(declared: Boolean, expected: Boolean) -> None:
    """A sign taken for the other, or a strict relation for one that is not, differs at the tie or on one side of it."""
    found = solved(declared)
    assert found.canonical == sp.sympify(expected).canonical
    for point, other in product(NUMBERS, NUMBERS[::6]):
        for values in ({p: sp.Integer(0), q: sp.Rational(1, 4)}, {p: sp.Rational(3, 5), q: sp.Integer(2)}):
            where = {x: point, y: other, **values}
            assert bool(found.subs(where)) == bool(sp.sympify(declared).subs(where)), where


def test_an_end_that_belongs_to_the_domain_tells_no_sign() -> None:
    """At p = 1 the comparison is 0 >= 0 everywhere; solved as if 1 - p were positive it would be x <= -q."""
    condition = p * (x + q) - q >= x
    choice = sp.Piecewise((sp.Integer(1), condition), (sp.Integer(0), True))
    found = solve_comparisons(choice, (x,), {p: Domain.parse("[0, 1]"), q: DOMAINS[q]})
    assert found.subs({p: 1, q: 1, x: 5}) == 1
    assert found.subs({p: 0, q: 1, x: 5}) == 0
