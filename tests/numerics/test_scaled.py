"""Scaled arithmetic: what is large and what is small stay exponents until they meet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
import sympy as sp

from actgen.numerics.kernel import Call, Constant, Kernel, Node
from actgen.numerics.lowering import variables
from actgen.numerics.rules import rewrite
from actgen.numerics.scaled import NotScalableError, scaled_form
from tests.numerics.exact_kernels import Place, disagreement, places
from tests.numerics.judging import KNOWN, errors, kernel_of, run
from tests.symbolic.reading import formula, x

INF = math.inf
WAYS = tuple(product((False, True), ("", "halved", "halved in the tail")))

SIZES = (1e-30, 1e-6, 0.3, 1.0, 3.7, 20.0, 64.0, 87.5, 88.9, 103.0, 1e4, 1e13, 1e30, 2e38)
"""Where float32 flushes an exponential is 87.3, and where it overflows 88.7; 1e13 cubed and 1e30 squared overflow."""
POINTS = {
    "float32": [0.0, *SIZES, *(-size for size in SIZES)],
    "float64": [
        0.0,
        *(sign * size for size in (*SIZES, 700.0, 709.0, 745.0, 1e100, 1e200, 1.7e308) for sign in (1, -1)),
    ],
}

# With powers and halved exponentials, these keep the contract at every point, the infinities included.
ROBUST = [
    "1 + x**2",
    "x/(1 + x**2)",
    "sqrt(1 + x**2)",
    "sqrt(1 + x**4)/x**2*x",
    "x**3/(1 + x**2)",
    "(1 + x**2)**(-3/2)*x**2",
    "log1p(x**2)",
    "log1p(x**2/10**10)",
    "log1p(x**4)",
    "log(1 + x**2)/2",
    "x*sigmoid(x)",
    "x*sigmoid(-2*x)",
    "x**3*exp(-x)",
    "x**4*exp(-x**2)",
    "x*exp(-Abs(x))",
    "x*exp(-exp(-x))",
    "x*softplus(x)",
    "x**2*softplus(-x)",
    "x**3*sech(x)",
    "x*erfc(x)",
    "x**2*erfc(-x)",
    "Abs(x)*exp(-x**2/2)",
    "x*sign(x**3 - x)",
    "x*sqrt(sigmoid(x))",
    "x*exp(-softplus(x)/3)",
    "tanh(x*sigmoid(x))",
    "tanh(x**3*sigmoid(x))",
    "log1p(x*sigmoid(x))",
    "x*tanh(exp(-x**2))",
    "x*atan(exp(-x**2))",
    "x*erf(exp(-x**2))",
    "erf(x*exp(-x**2))",
    "x*sin(exp(-x**2))",
    "x*log1p(sech(x))",
    "expm1(-x*exp(-x**2))",
    "asinh(x*sech(x))",
    "softplus(x**3)",
    "sigmoid(x**3 - x)",
    "sinh(x)*sech(x)",
    "x*tanh(exp(x))",
    "x*expm1(-exp(x))",
    "expm1(x)*x",
    "expm1(x - 1)/(4 + x**2)",
    "expm1(x)*exp(-x)",
    "log1p(3*exp(-2*x))",
    "log1p(x**2*exp(x))",
    "log1p(expm1(x)/2 + 1)",
    "50/(1 + x**2)**(3/2)",
    "2/sqrt(1 + x**2)",
]


@cache
def forms(text: str) -> tuple[tuple[bool, str, Kernel], ...]:
    """The kernel of every way."""
    expression = rewrite(formula(text))[0]
    return tuple((p, h, scaled_form(expression, x, KNOWN, powers=p, halved=h)) for p, h in WAYS)


@pytest.mark.parametrize("text", ROBUST)
def test_powers_and_halved_exponentials_hold_over_all_floats(text: str) -> None:
    """Also at 2e38, where a power that is held against inf * 0 must not be held, and at both infinities."""
    for powers, halved, kernel in forms(text):
        if not (powers and halved):
            continue
        for dtype, points in POINTS.items():
            found = errors(kernel, formula(text), [*points, INF, -INF], dtype)
            assert found.worst <= 5, (halved, dtype, found.worst_at, found.worst)


@pytest.mark.parametrize("text", ROBUST)
def test_every_way_keeps_the_value_at_moderate_points_and_gives_nan_for_nan(text: str) -> None:
    for powers, halved, kernel in forms(text):
        found = errors(kernel, formula(text), [0.0, 0.3, -0.3, 2.9, -2.9, 11.0, -11.0], "float64")
        assert found.worst <= 5, (powers, halved, found.worst_at)
        assert math.isnan(run(kernel, [math.nan])[0]), (powers, halved)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("x**3*exp(-x)", 87.5),
        ("x*sigmoid(x)", -87.5),
        ("x*softplus(x)", -88.5),
        ("x**3*sech(x)", -88.9),
        ("erf(x*exp(x))", -87.5),
        ("x*exp(-Abs(x))", 88.5),
    ],
)
def test_a_halved_exponential_reaches_where_a_whole_one_is_flushed(text: str, point: float) -> None:
    """x**3 exp(-87.5) = 7e-33 is normal in float32, exp(-87.5) is not; in float64 the same happens at -709."""
    for _, halved, kernel in forms(text):
        worst = errors(kernel, formula(text), [point]).worst
        assert worst <= 4 if halved else worst > 1e4, halved
    for powers, halved, kernel in forms("x*sigmoid(x)"):
        worst = errors(kernel, formula("x*sigmoid(x)"), [-709.0], "float64").worst
        assert worst <= 4 if halved else worst > 1e4, (powers, halved)


def test_powers_scaled_reach_where_powers_overflow() -> None:
    """(1 + x**2)/x at 1e30 is inf/1e30 without, 1e30 with; the plain formula at 1e13 gives inf for x**3."""
    for text in ("(1 + x**2)/x", "sqrt(1 + x**4)/x", "x**3/(1 + x**2)"):
        for powers, _, kernel in forms(text):
            worst = errors(kernel, formula(text), [1e30, -1e30]).worst
            assert worst <= 4 if powers else worst > 1e4, (text, powers)


def test_no_number_gives_nan_even_where_a_power_overflows_and_its_exponential_is_0() -> None:
    """Nor is anything but 0 or the limit made of it: x exp(-exp(-x)) is x again at 1e35."""
    for text in (
        "x**7*exp(-x)",
        "x**9*exp(-x**2)",
        "x**5*sigmoid(x)",
        "tanh(x**5*exp(-Abs(x)/1000))",
        "x*exp(-exp(-x))",
    ):
        for powers, _, kernel in forms(text):
            if powers:
                for dtype in ("float32", "float64"):
                    assert not np.isnan(run(kernel, [*POINTS[dtype], INF, -INF], dtype)).any(), (text, dtype)
    for _, _, kernel in forms("x*exp(-exp(-x))"):
        assert run(kernel, [1e35, 3e38]).tolist() == np.array([1e35, 3e38], dtype=np.float32).tolist()


def test_a_logarithm_near_a_zero_of_its_argument_keeps_its_1_however_large_x_is() -> None:
    """log1p(v) is log(v) only where v is large, which a large x does not make it: v = x**2 sin(x)**2 near 2**30 pi."""
    near = [float(np.float32(k * math.pi)) for k in (10**8, 3 * 10**8, 10**9 + 7, 2 * 10**9 + 1)]
    text = "log1p(x**2*sin(x)**2/10**20)"
    for powers, _, kernel in forms(text):
        if powers:
            assert errors(kernel, formula(text), near, "float64").worst <= 5


CONTEXTS = ["{}*x**2", "x/(1 + {})", "{} + x**3", "log1p({})", "tanh(x*{})", "exp(-{})*x"]
PARTS = ["sigmoid(x)", "exp(-x**2)", "softplus(2*x)", "sech(x)", "erfc(x)", "cosh(x)", "sqrt(1 + x**2)", "atan(x)**2"]


@pytest.mark.parametrize("part", PARTS)
def test_every_way_is_the_formula_in_ball_arithmetic(part: str) -> None:
    """There rounding neither hides a wrong scale nor feigns one: a scale with the wrong power is off by all of it."""
    for context in CONTEXTS:
        expression = formula(context.format(part))
        sure = exact_places(expression)
        assert len(sure) > 15
        for powers, halved in WAYS:
            kernel = scaled_form(expression, x, KNOWN, powers=powers, halved=halved)
            assert disagreement(kernel, sure) is None, (context, powers, halved)


def exact_places(expression: sp.Expr) -> list[Place]:
    sizes = (1e-9, 0.01, 0.3, 1.0, 1.137, 2.7, 30.1, 300.7, 1e4)
    return places(expression, x, (), [{}], [0.0, *sizes, *(-size for size in sizes)])


def mutants(kernel: Kernel) -> Iterator[Kernel]:
    """The kernel with one operation changed: a scale left out, or taken twice."""
    for node in kernel.calls():
        if node.operation in ("multiply", "divide", "square"):
            yield Kernel(_with(kernel.result, node, node.arguments[0]))
        if node.operation == "exp":
            yield Kernel(_with(kernel.result, node, Call("square", (node,))))
        if node.operation == "select":
            yield Kernel(_with(kernel.result, node, Call("select", (node.arguments[0], *node.arguments[:0:-1]))))


def _with(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return new
    if not isinstance(node, Call):
        return node
    return Call(node.operation, tuple(_with(argument, old, new) for argument in node.arguments))


@pytest.mark.parametrize("text", ["x**3*sigmoid(x)/(1 + x**2)", "x*tanh(x*exp(-x**2))", "log1p(x**4)"])
def test_one_wrong_scale_is_caught(text: str) -> None:
    """Whichever step is left out or doubled, some float shows it, or it changes nothing that a float can show."""
    points = [p for p in POINTS["float32"] if abs(p) < 1e31]
    tried = 0
    for _, _, kernel in forms(text)[-2:]:
        right = run(kernel, points)
        for mutant in mutants(kernel):
            found = run(mutant, points)
            if not np.allclose(found, right, rtol=1e-4, atol=0, equal_nan=True):
                tried += 1
                assert errors(mutant, formula(text), points).worst > 5
    assert tried >= 5


beta = sp.Symbol("beta", positive=True)
gamma = sp.Symbol("gamma", real=True)


@pytest.mark.parametrize(
    "text",
    [
        "x*sigmoid(beta*x)",
        "softplus(beta*x)/beta",
        "x**2*exp(-gamma*x)",
        "sqrt(beta + x**2)*gamma",
        "Abs(x)**beta*exp(-beta*x**2)",
        "x*(1 + exp(gamma*x))**(-gamma)",
        "log1p(beta*x**2)",
    ],
)
def test_parameters_of_either_sign_are_scaled_as_well(text: str) -> None:
    expression = formula(text, beta, gamma)
    known = variables((x, beta, gamma), (x,))
    settings = [{"beta": Fraction(2), "gamma": g} for g in (Fraction(3, 2), Fraction(-1, 4))]
    points = [0.0, 0.3, -0.3, 2.7, -2.7, 30.1, -30.1]
    sure = places(expression, x, (beta, gamma), settings, points)
    for powers, halved in WAYS:
        kernel = scaled_form(expression, x, known, powers=powers, halved=halved)
        assert disagreement(kernel, sure) is None, (powers, halved)


def test_an_input_that_is_never_negative_is_held_from_above_only() -> None:
    """A branch for x > 0 has such an input; its mantissa needs no lower bound."""
    a = sp.Symbol("a", positive=True)
    kernel = scaled_form(a**3 / (1 + a**2), a, {a: KNOWN[x]}, powers=True, halved="")
    assert not any(node.operation == "clamp" for node in kernel.calls())
    assert errors(kernel, formula("x**3/(1 + x**2)"), [1e-9, 0.3, 7.0, 1e13, 1e30, INF]).worst <= 4


def test_what_scaled_arithmetic_has_no_rule_for_is_refused_by_name() -> None:
    for inside in (sp.Piecewise((x, x > 0), (-x, True)), sp.Max(x, 0)):
        with pytest.raises(NotScalableError, match=type(inside).__name__):
            scaled_form(x * sp.exp(inside), x, KNOWN, powers=True, halved="")


def test_a_polynomial_of_the_first_degree_is_left_as_it_stands_inside_a_function() -> None:
    """Nothing in it can overflow; scaling would cost three operations for nothing."""
    for powers, halved in WAYS:
        kernel = scaled_form(sp.sin(2 * x + 1), x, KNOWN, powers=powers, halved=halved)
        assert kernel.result == kernel_of(sp.sin(2 * x + 1)).result


def test_a_number_and_a_lone_exponential_stay_what_they_are() -> None:
    for powers in (False, True):
        assert scaled_form(sp.Integer(3), x, KNOWN, powers=powers, halved="").result == Constant(3.0)
        assert scaled_form(sp.exp(x), x, KNOWN, powers=powers, halved="").result == kernel_of(sp.exp(x)).result


def test_the_names_are_those_of_nodes_that_are_computed_and_one_exponential_is_shared() -> None:
    for _, halved, kernel in forms("x*sigmoid(x)"):
        names = {name for node, name in kernel.names.items() if node in kernel.nodes}
        assert "t" in names
        if halved != "halved in the tail":
            assert [node.operation for node in kernel.calls()].count("exp") == 1
    assert {"scale", "inverse_scale", "held"} <= set(forms("x/(1 + x**2)")[3][2].names.values())
