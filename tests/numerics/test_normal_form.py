"""The normal forms: equal to what was declared, one exponential, and a certificate that is never claimed in vain."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
import sympy as sp

from actgen.numerics import emulation
from actgen.numerics.generators import generators_of
from actgen.numerics.kernel import Kernel, Variable
from actgen.numerics.normal_form import NormalForm, normal_forms
from actgen.numerics.rules import rewrite
from tests.numerics.judging import KNOWN, errors, run
from tests.symbolic.reading import formula, x

INF = math.inf
POINTS = [sign * size for size in (1e-6, 0.03, 0.4, 0.97, 1.6, 3.1, 7.7, 12.5, 30.0, 80.0) for sign in (1.0, -1.0)]

# Each formula, and its limits at -inf and inf; None where a form is not asked for one (0 inf without a bound on x).
EXPONENTIAL = {
    "tanh(x)": (-1.0, 1.0),
    "sigmoid(x)": (0.0, 1.0),
    "softplus(x)": (0.0, INF),
    "sech(x)": (0.0, 0.0),
    "x*tanh(softplus(x))": (0.0, INF),
    "x*sigmoid(x)": (0.0, INF),
    "x*sigmoid(3*x/2)": (0.0, INF),
    "x*sigmoid(1702*x/1000)": (0.0, INF),
    "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))": (0.0, INF),
    "x*log(1 + sigmoid(x))": (0.0, INF),
    "log(exp(x) + exp(-x))": (INF, INF),
    "log(2 + exp(x))": None,
    "log(1 + exp(x) + exp(2*x)/2)": (0.0, INF),
    "log(1 - exp(x) + exp(2*x))": (0.0, INF),
    "log((1 + exp(x))/(1 + exp(2*x)))": (0.0, -INF),
    "x*log(1 + sech(x))": (0.0, 0.0),
    "log(1 + exp(-2*x)) - log(1 + exp(2*x))/2 + log(1 + tanh(x))": None,
    "(x**2 + 1)*sigmoid(x) - x**2*tanh(x)": None,
    "softplus(x) - x*sigmoid(x)": (0.0, 0.0),
    "tanh(x)*sigmoid(-x) + softplus(2*x)/2": None,
    "sinh(x)/cosh(2*x)": (0.0, 0.0),
    "x*(exp(x) - 1)/(exp(x) + 1)": (INF, INF),
    "exp(x)/(1 + exp(x))**2*(x + 2)": (0.0, 0.0),
    "x*sigmoid(x)*(1 + x*sigmoid(-x))": (0.0, INF),
    "sigmoid(x + 1) - sigmoid(x - 2)": (0.0, 0.0),
    "x*(tanh(x + 3) + tanh(x - 1/3))": (INF, INF),
}
GAUSSIAN = {
    "x*normal_cdf(x)": (0.0, INF),
    "normal_cdf(x)": (0.0, 1.0),
    "normal_cdf(x) + x*normal_pdf(x)": (0.0, 1.0),
    "erf(x)": (-1.0, 1.0),
    "x*erf(x)": (INF, INF),
    "x*erfc(x)": (-INF, 0.0),
    "exp(-x**2)": (0.0, 0.0),
    "x**3*exp(-x**2/2)": (0.0, 0.0),
    "(2 - x**2)*normal_pdf(x)": (0.0, 0.0),
    "x*exp(-x**2)*(1 + erf(x))": (0.0, 0.0),
    "-log(erfc(x)/2)": (0.0, INF),
    "log(normal_cdf(x))": (-INF, 0.0),
    "exp(-x**2)*log(3 + 2*exp(-x**2))": (0.0, 0.0),
    "log(5 + exp(-2*x**2) + exp(-x**2))*x": (-INF, INF),
    "log(normal_cdf(x)) - log(normal_cdf(-x))": (-INF, INF),
    "normal_pdf(x)/normal_cdf(x) - x*log(2 - normal_cdf(x))": None,
}


@cache
def forms(text: str) -> tuple[NormalForm, ...]:
    return tuple(normal_forms(rewrite(formula(text))[0], x, KNOWN))


@pytest.mark.parametrize("text", [*EXPONENTIAL, *GAUSSIAN])
def test_every_variant_equals_the_declared_formula(text: str) -> None:
    """In float64, to a millionth of the size of the terms: a wrong sign, half or power is off by all of it."""
    expression = formula(text)
    found = forms(text)
    assert found
    for form in found:
        result = errors(Kernel(form.result), expression, POINTS, "float64")
        assert len(result.points) == len(POINTS)
        assert result.worst_ulps < 1e7, (form.name, result.worst_at, result.worst_ulps)


@pytest.mark.parametrize(("text", "limits"), (EXPONENTIAL | GAUSSIAN).items())
def test_the_infinities_give_the_limits(text: str, limits: tuple[float, float] | None) -> None:
    if limits is None:
        return
    for form in forms(text):
        for dtype in ("float32", "float64"):
            assert run(Kernel(form.result), [-INF, INF], dtype).tolist() == list(limits), (form.name, dtype)


@pytest.mark.parametrize("text", [*EXPONENTIAL, *GAUSSIAN])
def test_nan_comes_out_as_nan(text: str) -> None:
    for form in forms(text):
        assert np.isnan(run(Kernel(form.result), [math.nan])).all(), form.name


@pytest.mark.parametrize("text", [*EXPONENTIAL, *GAUSSIAN])
def test_a_certified_form_is_accurate_in_float32_at_every_moderate_point(text: str) -> None:
    """The certificate says that nothing cancels; then a dozen roundings are all that can go wrong."""
    expression = formula(text)
    grid = np.linspace(-12.7, 12.9, 257)
    for form in forms(text):
        if form.is_certified:
            assert errors(Kernel(form.result), expression, grid).worst < 14, form.name


def test_the_famous_ones_are_certified_and_need_one_call() -> None:
    for text in ("tanh(x)", "sigmoid(x)", "x*tanh(softplus(x))", "x*sigmoid(x)", "sech(x)"):
        assert all(form.is_certified for form in forms(text)[:1]), text
    for text in ("x*tanh(softplus(x))", "x*sigmoid(x)", "x*normal_cdf(x)", "x**3*exp(-x**2/2)"):
        assert forms(text)
        assert Kernel(forms(text)[0].result).cost.transcendentals == 1, text


@pytest.mark.parametrize(
    "text",
    [
        "(x - 1)*sigmoid(x)",  # root at 1
        "sigmoid(x) - 1/3",  # root at -log(2)
        "exp(x) - 1 - x",  # double root at 0
        "x - tanh(x)",  # triple root at 0
        "tanh(x) - x/2",
        "(1 - x**2)*exp(-x**2/2)",
        "exp(-x**2) - 1/2",
        "exp(-2*x**2) - exp(-x**2)/2",
        "sigmoid(x)*(1 + x*sigmoid(-x))",  # root at -1.278
        "x*sigmoid(x) + 1/4",
        "softplus(x) - x/2 - log(2)",
        "softplus(x) - 1",
        "sinh(x) - x",
        "3*sigmoid(x) - 2*sigmoid(2*x)",
        "exp(-x**2)*(x**2 - x)",
    ],
)
def test_no_form_of_a_formula_with_a_root_away_from_its_factors_is_certified(text: str) -> None:
    """Where there is a root that no factor x or 1 - t explains, something cancels there: coefficients of both signs."""
    for form in forms(text):
        assert not form.is_certified, form.name


@pytest.mark.parametrize("text", ["tanh(x)", "x*(exp(x) - 1)/(exp(x) + 1)", "erf(x)", "x*erf(x)", "sech(x)", "sinh(x)"])
def test_odd_and_even_formulas_are_exactly_odd_and_even(text: str) -> None:
    points = [1e-20, 1e-3, 0.7, 1.9, 11.0]
    sign = -1 if formula(text).subs(x, -x).equals(-formula(text)) or text in ("tanh(x)", "erf(x)", "sinh(x)") else 1
    for form in forms(text):
        right, left = run(Kernel(form.result), points), run(Kernel(form.result), [-point for point in points])
        assert (left == sign * right).all(), form.name


def test_a_root_at_0_of_one_minus_t_is_computed_without_cancelling() -> None:
    for form in forms("tanh(x)"):
        assert errors(Kernel(form.result), formula("tanh(x)"), [1e-7, -3e-5, 1e-30]).worst < 3
    for form in forms("x*(exp(x) - 1)/(exp(x) + 1)"):
        assert errors(Kernel(form.result), formula("x*tanh(x/2)"), [1e-7, -3e-5]).worst < 4


def test_the_halved_variant_reaches_where_t_alone_underflows() -> None:
    """At x = -88, exp(-88) is subnormal in float32; x sigmoid(x) = -5.3e-37 is not."""
    expression = formula("x*sigmoid(x)")
    for form in forms("x*sigmoid(x)"):
        worst = errors(Kernel(form.result), expression, [-88.0]).worst
        assert worst < 4 if "halved" in form.name else worst > 1e5, form.name


def test_with_a_parameter_in_the_exponent_a_variant_is_right_where_that_is_0_and_x_large() -> None:
    """Where b = 0, t is 1 for every x, and x held at 2**50 is wrong; 2 x / 4 overflows where x / 2 does not."""
    b = sp.Symbol("b", real=True)
    known = {**KNOWN, b: Variable("b", is_parameter=True)}
    found = list(normal_forms(formula("x*sigmoid(b*x)*(1 + b*x*sigmoid(-b*x))", b), x, known))
    far = [form for form in found if form.is_for_far]
    assert 0 < len(far) == len(found) / 2
    points = np.array([1e10, -1e20, 3e38])
    for form in far:
        assert (
            emulation.run(Kernel(form.result), {"x": points, "b": 0.0}, "float32").tolist()
            == (np.float32(points) / 2).tolist()
        ), form.name
    held = [emulation.run(Kernel(form.result), {"x": points, "b": 0.0}, "float32") for form in found if form not in far]
    assert not any(np.array_equal(result, np.float32(points) / 2) for result in held)


@pytest.mark.parametrize(
    "text",
    [
        "sin(x)",
        "x*atan(x)",
        "exp(exp(x))",
        "log(2 + x + exp(x))",
        "log(1 - exp(-x**2))",  # 0 at 0
        "log(Abs(tanh(x)))",
        "log(sqrt(2) + exp(x))",
        "log(1 - 3*exp(x) + exp(2*x))",  # of a negative number between its roots
        "log((exp(x) - 2)**2)",  # -inf at log(2)
        "exp(x) + exp(pi*x)",
        "exp(x)*exp(-x**2)*erf(x)",
        "erf(x)*erf(2*x)",
        "sigmoid(sqrt(x**2 + 1))",
        "tanh(x)/atan(x)",
        "exp(x**2)*erfc(x)*0 + erf(x**2)",
        "exp(20*x) + exp(x)",
        "x**2 + 1",
        "tanh(sin(x))",
    ],
)
def test_what_is_not_rational_in_one_exponential_has_no_normal_form(text: str) -> None:
    assert generators_of(rewrite(formula(text))[0], x) is None or not forms(text)
    assert forms(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "log((exp(x) + exp(-x))/2)",
        "log(cosh(2*x))",
        "log(1 + tanh(x))",
        "x*log(1 + tanh(x)**2)",
        "log(2*sigmoid(x))*tanh(x)",
        "log((2 + exp(-x))/3)",
        "log((2 + exp(-x))/(1 + exp(x) + exp(3*x)))",
    ],
)
def test_a_logarithm_with_a_root_at_0_is_accurate_next_to_it(text: str) -> None:
    """|x| - log(2) + log1p(exp(-2 |x|)) has no digits left near 0, where log cosh(x) is x^2 / 2."""
    expression = formula(text)
    (whole,) = {form.name: form for form in forms(text) if form.name.endswith("logarithms whole")}.values()
    points = [sign * 10.0**k for k in range(-7, 3) for sign in (1, -1)]
    assert errors(Kernel(whole.result), expression, points, "float32").worst < 4
    plain = next(form for form in forms(text) if form.name == "exponential normal form")
    assert errors(Kernel(plain.result), expression, points, "float32").worst > 100


@pytest.mark.parametrize("text", ["x*p + x/p - log(normal_cdf(x/2))", "cosh(x*p + x/p)"])
def test_a_parameter_may_stand_above_and_below_a_line(text: str) -> None:
    """SymPy's Horner scheme takes p and 1 / p for two variables, and refuses."""
    p = sp.Symbol("p", positive=True)
    expression = rewrite(formula(text, p))[0]
    found = list(normal_forms(expression, x, {**KNOWN, p: Variable("p", is_parameter=True)}))
    assert found
    for form in found:
        got = emulation.run(Kernel(form.result), {"x": np.array([-1.5, 0.25]), "p": 2.0}, "float64")
        exact = [float(expression.subs({x: point, p: 2}).evalf(30)) for point in (-1.5, 0.25)]
        assert got == pytest.approx(exact, rel=1e-12), form.name


def test_exponentials_of_parameters_are_no_generators() -> None:
    """Their powers overflow: at p = 30 slopes of a window of two sigmoids would be NaN in float32."""
    p = sp.Symbol("p", positive=True)
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    assert not list(normal_forms(formula("sigmoid(x + p) - sigmoid(x - p)", p), x, known))


def test_a_logarithm_is_one_call_whatever_it_is_of() -> None:
    """What stands in it differs by the sign of x: t/2 or 2 t for log(2 + exp(x))."""
    assert Kernel(forms("log(2 + exp(x))")[0].result).cost.transcendentals == 2
    assert Kernel(forms("log(1 + exp(x) + exp(2*x)/2)")[0].result).cost.transcendentals == 2


ONE_SIDED = ["x*sigmoid(x)", "x*tanh(softplus(x))", "softplus(x) - x*sigmoid(x)", "x*normal_cdf(x)", "x*sigmoid(-2*x)"]


@pytest.mark.parametrize("text", [*ONE_SIDED, "tanh(x)", "exp(-x**2)*x", "sinh(x)/cosh(2*x)"])
def test_a_form_for_one_side_is_the_formula_there_and_costs_no_more(text: str) -> None:
    """In a branch for x < 0 nobody asks for the other half; were the two confused it would be off by all of it."""
    expression = rewrite(formula(text))[0]
    least = min(Kernel(form.result).cost.key[:2] for form in forms(text))
    for sign in (1, -1):
        found = list(normal_forms(expression, x, KNOWN, sign))
        assert min(Kernel(form.result).cost.key[:2] for form in found) <= least
        for form in found:
            points = [point for point in POINTS if point * sign > 0]
            assert errors(Kernel(form.result), formula(text), [*points, 0.0], "float64").worst_ulps < 1e7, (
                sign,
                form.name,
            )
            assert math.isnan(run(Kernel(form.result), [math.nan])[0])


@pytest.mark.parametrize("text", ONE_SIDED)
def test_a_form_for_one_side_selects_nothing(text: str) -> None:
    for sign in (1, -1):
        for form in normal_forms(rewrite(formula(text))[0], x, KNOWN, sign):
            if "tail" not in form.name and "over t" not in form.name:
                assert not any(node.operation == "select" for node in Kernel(form.result).calls()), form.name


def test_where_the_sign_of_the_exponent_is_unknown_both_halves_are_kept() -> None:
    """gamma x has either sign for x > 0: a form for one side of x must hold for both signs of gamma."""
    gamma = sp.Symbol("gamma", real=True)
    known = {**KNOWN, gamma: Variable("gamma", is_parameter=True)}
    expression = formula("x*sigmoid(gamma*x)", gamma)
    for sign in (1, -1):
        found = list(normal_forms(expression, x, known, sign))
        assert found
        for form, value in product(found, (1.5, -1.5)):
            points = np.array([sign * size for size in (0.01, 0.4, 1.6, 7.7)])
            expected = points / (1 + np.exp(-value * points))
            result = emulation.run(Kernel(form.result), {"x": points, "gamma": value}, "float64")
            assert np.allclose(result, expected, rtol=1e-12), (sign, value, form.name)


def test_a_positive_parameter_in_the_exponent_keeps_the_sign_of_x_and_a_negative_number_turns_it() -> None:
    beta = sp.Symbol("beta", positive=True)
    known = {**KNOWN, beta: Variable("beta", is_parameter=True)}
    for text, factor in (("x*sigmoid(beta*x)", 0.5), ("x*sigmoid(-3*beta*x)", -1.5)):
        for sign in (1, -1):
            for form in normal_forms(formula(text, beta), x, known, sign):
                points = np.array([sign * size for size in (0.01, 0.4, 1.6, 7.7)])
                result = emulation.run(Kernel(form.result), {"x": points, "beta": 0.5}, "float64")
                assert np.allclose(result, points / (1 + np.exp(-factor * points)), rtol=1e-12), (sign, form.name)


@pytest.mark.parametrize("text", ["x**2*softplus(x)", "x*softplus(-x)"])
def test_logarithms_over_t_reach_where_t_and_its_logarithm_are_flushed(text: str) -> None:
    """At -88 in float32, log1p(t) is 0 where x**2 log1p(t) = 4.7e-35 is not; the halved ratio form keeps it."""
    point = 88.0 if "-x" in text else -88.0
    found = [form for form in forms(text) if "logarithms over t" in form.name]
    assert found
    for form in found:
        worst = errors(Kernel(form.result), formula(text), [point, point / 1.3, -point / 4]).worst
        assert worst < 6 or "halved" not in form.name, (form.name, worst)
    plain = [form for form in forms(text) if "logarithms over t" not in form.name]
    assert any(errors(Kernel(form.result), formula(text), [point]).worst > 1e4 for form in plain)


def test_an_expanded_denominator_rounds_once_where_a_power_rounds_three_times() -> None:
    """(1 + t)**3 against 1 + t (3 + t (3 + t)): both variants are there, and the second is the more accurate."""
    text = "x*sigmoid(x)*sigmoid(-x)**2"
    grid = np.linspace(-6.3, 6.1, 301)
    worst = {
        ", expanded" in form.name: errors(Kernel(form.result), formula(text), grid).worst
        for form in forms(text)
        if "powers of x" not in form.name and "halved" not in form.name
    }
    assert set(worst) == {True, False}
    assert worst[True] < worst[False]


def test_a_piecewise_and_a_constant_have_none() -> None:
    assert not list(normal_forms(formula("Max(sigmoid(x), x)"), x, KNOWN))
    assert not list(normal_forms(sp.exp(2), x, KNOWN))


def test_the_names_a_reader_should_recognise_are_given() -> None:
    for form in forms("x*tanh(softplus(x))"):
        assert "t" in form.names.values()
        assert set(form.names) <= set(Kernel(form.result).nodes) | {
            node for node, name in form.names.items() if name == "t"
        }
    assert "tail" in forms("x*normal_cdf(x)")[0].names.values()
