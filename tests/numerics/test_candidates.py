"""Every form of a formula equals it, in ball arithmetic: there rounding neither hides a bug nor feigns one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import sympy as sp
from flint import arb, fmpq
from hypothesis import HealthCheck, example, given, settings

from actgen.numerics import emulation
from actgen.numerics.candidates import Candidate, Source, signs, stages
from actgen.numerics.fraction import one_fraction
from actgen.numerics.kernel import Call, Constant, Kernel, Node
from actgen.numerics.lowering import variables
from actgen.numerics.rules import rewrite
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.derivatives import differentiate
from tests.numerics.exact_kernels import Place, approximates, disagreement, evaluate, places
from tests.numerics.grammar import PARAMETERS, SETTINGS, parsed, texts
from tests.symbolic.reading import exact, formula, precision, x

KNOWN = variables((x, *PARAMETERS), (x,))
NAMES = tuple(symbol.name for symbol in PARAMETERS)
SIZES = (0.0, 1e-9, 0.3, 1.0, 2.7, 30.1, 1e4)


def sure_places(expression: sp.Expr) -> list[Place]:
    """Of a formula in x and the two parameters."""
    return places(expression, x, PARAMETERS, SETTINGS, [sign * size for size in SIZES for sign in (1, -1)])


@settings(max_examples=70, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=texts(4, NAMES))
@example(text="x*tanh(log(1 + exp(alpha*x)))")
@example(text="x*(1 + erf(x/sqrt(2)))/2")
@example(text="(x + sqrt(x**2 + alpha))/2")
@example(text="log((1 + exp(alpha*x))/(1 + exp(alpha*(x - 1))))/alpha")
@example(text="x**2*exp(-x**2/2)/(1 + exp(beta*x))")
@example(text="x/softplus(x)")  # once crashed, as the next one
@example(text="Piecewise((x*Max(beta, alpha), x < 1), (x**2, True))")
def test_rewriting_and_every_form_keep_the_value_of_any_formula(text: str) -> None:
    expression = parsed(text)
    if expression is None:
        return
    sure = sure_places(expression)
    rewritten, applied = rewrite(expression)
    if applied:
        assert disagreement_of(rewritten, sure) is None, applied
    for candidate in forms(expression):
        assert disagreement(candidate.kernel, sure) is None, candidate.form


def forms(expression: sp.Expr) -> list[Candidate]:
    """Of all stages."""
    return [candidate for stage in stages([Source(expression, x, KNOWN)]) for candidate in stage]


def disagreement_of(expression: sp.Expr, sure: Sequence[Place]) -> str | None:
    """Where an expression certainly has another value, or None."""
    function = BallFunction(expression, (x, *PARAMETERS))
    for values, expected in sure:
        with precision(1000):
            found = function(*(arb(value) for value in values.values()))
        if found is not None and found.is_finite() and not found.overlaps(expected):
            return f"{found} != {expected} at {values}"
    return None


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(text=texts(3, NAMES))
def test_every_form_of_a_derivative_is_equal_to_it(text: str) -> None:
    expression = parsed(text)
    if expression is None:
        return
    for variable in (x, *PARAMETERS):
        slope = differentiate(expression, variable)
        sure = sure_places(slope)
        for candidate in forms(slope):
            assert disagreement(candidate.kernel, sure) is None, (variable, candidate.form)


@pytest.mark.parametrize(
    "text",
    [
        "x*tanh(softplus(x))",
        "(x + sqrt(x**2 + alpha))/2",
        "log1p(exp(beta*x))*sigmoid(x)",
        "Piecewise((alpha*(exp(x) - 1), x < 0), (sin(beta*x), True))",
    ],
)
def test_one_wrong_operation_in_any_form_is_caught(text: str) -> None:
    """An addition for a subtraction and the like, one at a time, wherever it changes what floats give."""
    sure = sure_places(formula(text, *PARAMETERS))
    tried = 0
    for candidate in forms(formula(text, *PARAMETERS)):
        for mutant in mutants(candidate.kernel):
            if not np.allclose(in_floats(mutant, sure), in_floats(candidate.kernel, sure), rtol=1e-6, equal_nan=True):
                tried += 1
                assert disagreement(mutant, sure) is not None, candidate.form
    assert tried >= 5


def in_floats(kernel: Kernel, sure: Sequence[Place]) -> emulation.Array:
    """What a kernel gives at those places in float64."""
    names = sure[0][0]
    columns = {name: np.array([float(values[name].p) / float(values[name].q) for values, _ in sure]) for name in names}
    return emulation.run(kernel, columns, "float64")


WRONG = {"add": "subtract", "subtract": "add", "multiply": "add", "divide": "multiply", "exp": "expm1"}
"""What each operation is changed into."""


def mutants(kernel: Kernel) -> Iterator[Kernel]:
    """The kernel with one operation changed."""
    for node in kernel.nodes:
        if isinstance(node, Call) and node.operation in WRONG:
            yield Kernel(_with(kernel.result, node, Call(WRONG[node.operation], node.arguments)))


def _with(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return new
    if not isinstance(node, Call):
        return node
    return Call(node.operation, tuple(_with(argument, old, new) for argument in node.arguments))


def test_constants_are_taken_for_what_they_stand_for() -> None:
    """A third is a third and not its nearest float; a coefficient that says nothing is known to a rounding only."""
    third = evaluate(Kernel(Constant(1 / 3, "1/3")), {})
    with precision(400):
        assert third.contains(arb(fmpq(1, 3)))
        assert not third.contains(exact(1 / 3))
    assert approximates(Kernel(Constant(0.12345678901234567)))
    assert not approximates(Kernel(Constant(0.044715)))
    assert not approximates(Kernel(Constant(0.7978845608028654, "sqrt(2)/sqrt(pi)")))


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ((x > 0, sp.true), (1, -1)),
        ((x >= 0, sp.true), (1, -1)),
        ((x < 0, sp.true), (-1, 1)),
        ((sp.Lt(0, x), sp.true), (1, -1)),
        ((x > 2, sp.true), (1, 0)),
        ((x > -2, sp.true), (0, -1)),
        ((x < 3, sp.true), (0, 1)),
        ((x > 2, x < -2, sp.true), (1, -1, 0)),
        ((x > 0, x > -3, sp.true), (1, -1, -1)),
        ((x < -1, x < 1, x < 4, sp.true), (-1, 0, 1, 1)),
        (((x > 0) & (x < 2), sp.true), (1, 0)),
        (((x > -1) & (x < 2), sp.true), (0, 0)),
        (((x < -1) | (x > 1), sp.true), (0, 0)),
        ((sp.Eq(x, 0), sp.true), (0, 0)),
        ((sp.Eq(x, 0), x > 0, sp.true), (0, 1, -1)),
        ((x > sp.Symbol("c", real=True), sp.true), (0, 0)),
        ((x > sp.Symbol("c", positive=True), sp.true), (1, 0)),
        ((2 * x > 0, sp.true), (0, 0)),
        ((sp.Symbol("c", real=True) > 0, sp.true), (0, 0)),
        ((sp.true,), (0,)),
    ],
    ids=str,
)
def test_a_piece_knows_the_sign_of_its_x(conditions: tuple[sp.Basic, ...], found: tuple[int, ...]) -> None:
    """A sign where x has both would make the form of one half that of all: worse than none, 0."""
    assert signs(conditions, x) == found


@pytest.mark.parametrize(
    "conditions",
    [
        (x > 0, x > -3, sp.true),
        (x < -1, x < 1, x < 4, sp.true),
        ((x > 0) & (x < 2), x < -1, sp.true),
        (sp.Eq(x, 0), x >= 1, (x < 0) | (x > 7), sp.true),
        (x >= -1, x <= 1, sp.true),
    ],
    ids=str,
)
def test_no_piece_is_taken_at_an_x_of_another_sign_than_it_is_told(conditions: tuple[sp.Basic, ...]) -> None:
    for point in [sp.Rational(k, 2) for k in range(-16, 17)]:
        owner = next(i for i, condition in enumerate(conditions) if condition.subs(x, point) == sp.true)
        assert signs(conditions, x)[owner] * point >= 0


def test_no_form_is_offered_twice() -> None:
    """Judging one takes half a second."""
    for text in ("x*sigmoid(x)", "Max(0, x)*sigmoid(x)", "x**2*exp(-x**2) - erf(x)/2"):
        results = [candidate.kernel.result for candidate in forms(formula(text))]
        assert len(results) == len({*results})


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("exp(x)/sqrt(1 + exp(2*x)) - exp(3*x)/(1 + exp(2*x))**(3/2)", "exp(x)/(1 + exp(2*x))**(3/2)"),
        ("1/sqrt(1 + x**2) - x**2/(1 + x**2)**(3/2)", "(1 + x**2)**(-3/2)"),
        ("(x**2 + 1)**(1/3) - x**2/(x**2 + 1)**(2/3)", "(x**2 + 1)**(-2/3)"),
        ("(sin(x)/(x - 2) - sin(x)/(x + 2))*3", "12*sin(x)/((x - 2)*(x + 2))"),
        ("exp(x) - exp(2*x)", "exp(x)*(1 - exp(x))"),
    ],
)
def test_one_fraction_finds_what_roots_and_exponentials_have_in_common(text: str, fraction: str) -> None:
    """Each loses every digit somewhere as a sum; with a root taken for a variable without relation, it stays one."""
    found = one_fraction(formula(text))
    assert found is not None
    assert sp.simplify(found - formula(fraction)) == 0
    # The sum under a root, and one in a denominator, are all that is left.
    top, _ = sp.fraction(found)
    assert not isinstance(top, sp.Add)


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        (
            "n*(n - 1)*((1 + x)/2)**(n - 2)*(1 + n*(1 - x)/2)/4 - n**2*((1 + x)/2)**(n - 1)/2",
            "-n*(n + 1)*((1 + x)/2)**(n - 2)*(n*x - n + 2)/8",
        ),
        ("(x**2 + 1)**n - (x**2 + 1)**(n - 1)", "x**2*(x**2 + 1)**(n - 1)"),
        ("(x**2 + 1)**(2*n - 2) - (x**2 + 1)**(2*n - 3)", "x**2*(x**2 + 1)**(2*n - 3)"),
        ("1/(1 - x**n) - 2/(1 - x**(2*n))", "-1/(1 + x**n)"),
    ],
)
def test_one_fraction_finds_what_powers_with_a_parameter_have_in_common(text: str, fraction: str) -> None:
    """The first has a root at 0 for n = 2, where the terms cancel; as one product it has all its digits there."""
    n = sp.Symbol("n", positive=True)
    found = one_fraction(formula(text, n))
    assert found is not None
    assert not isinstance(sp.fraction(found)[0], sp.Add)
    for values in ({x: sp.Rational(3, 7), n: sp.Rational(9, 4)}, {x: sp.Rational(5, 2), n: sp.Integer(3)}):
        assert sp.N(found.subs(values) - formula(fraction, n).subs(values), 60).round(50) == 0
