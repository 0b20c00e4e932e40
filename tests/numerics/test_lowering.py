"""The order in which things are computed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
import sympy as sp
from flint import arb

from actgen.numerics import emulation
from actgen.numerics.kernel import OPERATIONS, Call, Constant, Kernel, Node, Variable
from actgen.numerics.lowering import DIRECT, EXPANSIONS, ORDERS, Order, call, choose, constant, lower, power
from actgen.numerics.scaled import scaled_form
from actgen.symbolic.balls import BallFunction
from actgen.symbolic.primitives import DERIVATIVES, arccot, sech, sigmoid, softplus
from tests.numerics.judging import KNOWN, X, errors, kernel_of, run
from tests.symbolic.reading import formula, precision, x

NAN = math.nan


def operations(node: Node) -> list[str]:
    return [one.operation for one in Kernel(node).calls()]


def same(found: Iterable[float], expected: Iterable[float]) -> bool:
    return bool(np.array_equal(list(found), list(expected), equal_nan=True))


def test_every_primitive_is_computed_by_an_operation_or_an_expansion_and_never_by_both() -> None:
    assert set(DIRECT) | set(EXPANSIONS) == set(DERIVATIVES)
    assert not set(DIRECT) & set(EXPANSIONS)
    assert set(DIRECT.values()) <= set(OPERATIONS)


@pytest.mark.parametrize("function", DERIVATIVES, ids=lambda f: f.__name__)
def test_each_primitive_is_computed_as_itself(function: type[sp.Function]) -> None:
    """A row of DIRECT that names the wrong operation is off by far more than 2 ULP."""
    found = errors(kernel_of(function(x)), function(x), [0.2, 0.7, 1.9, 5.3], "float64")
    assert len(found.points) == 4
    assert found.worst_ulps < 3


@pytest.mark.parametrize("expression", [softplus(x), sech(x), arccot(x), arccot(-x)], ids=str)
def test_an_expansion_neither_overflows_nor_cancels(expression: sp.Expr) -> None:
    points = [-1e30, -200.0, -80.0, -1.0, 0.0, 1e-5, 0.999, 1.0, 1.001, 3.0, 80.0, 200.0, 1e30, math.inf, -math.inf]
    for dtype in ("float32", "float64"):
        assert errors(kernel_of(expression), expression, points, dtype).worst < 3
    assert math.isnan(run(kernel_of(expression), [math.nan])[0])


def test_a_sum_adds_first_and_subtracts_what_is_negative() -> None:
    assert operations(lower(formula("1 - x"), KNOWN)) == ["subtract"]
    assert operations(lower(formula("x**2 - x - 1"), KNOWN)).count("negate") == 0
    assert operations(lower(formula("-x - 1"), KNOWN)) == ["add", "negate"]


def test_a_product_has_one_constant_and_one_division() -> None:
    node = lower(2 * sp.sqrt(2) * x / (sp.pi * sp.cosh(x) * (1 + x**2)), KNOWN)
    numbers = [one for one in Kernel(node).nodes if isinstance(one, Constant) and one.meaning]
    assert [number.value for number in numbers] == [pytest.approx(2 * math.sqrt(2) / math.pi, rel=1e-16)]
    assert operations(node).count("divide") == 1
    assert operations(lower(-x / 2, KNOWN)) == ["multiply"]
    assert operations(lower(-x, KNOWN)) == ["negate"]


def test_the_numeric_factor_comes_last_where_asked_so_that_it_cannot_underflow_first() -> None:
    """X/6 is subnormal and flushed at 3e-38, x (x + 3)/6 is not."""
    expression = x * (x + 3) / 6
    first, last = (Kernel(lower(expression, KNOWN, order)) for order in (Order(), Order(number_last=True)))
    assert run(first, [3e-38])[0] == 0.0
    assert run(last, [3e-38])[0] == pytest.approx(1.5e-38, rel=1e-6)


def test_dividing_one_by_one_keeps_a_product_of_denominators_from_overflowing() -> None:
    expression = formula("x/((1 + x**2)*(3 + x**2))*x**2")
    once, each = (Kernel(lower(expression, KNOWN, order)) for order in (Order(), Order(one_by_one=True)))
    assert run(once, [1e10])[0] == 0.0
    assert run(each, [1e10])[0] == pytest.approx(1e-10, rel=1e-6)


def test_powers_of_the_input_and_a_parameter_are_powers_of_what_they_come_to() -> None:
    """X^2 overflows at 1e30, and is flushed at 1e-30, where p x and x / p are 1e-4."""
    p = sp.Symbol("p", positive=True)
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    for text, value, point, expected in (
        ("p**2*x**2", 1e-34, 1e30, 1e-8),
        ("1 + p**2*x**2*sigmoid(x)", 0.0, 1e30, 1.0),
        ("x**3/p**3", 1e-26, 1e-30, 1e-12),
        ("1/(p**2*x**2*(1 + p))", 1e-28, 1e30, 1e-4),
        ("p**2/x**2", 1e-33, 1e-30, 1e-6),
    ):
        expression = formula(text, p)
        for kernel in (
            Kernel(lower(expression, known)),
            scaled_form(expression, x, known, powers=False, halved="halved"),
        ):
            result = emulation.run(kernel, {"x": np.array([point]), "p": value}, "float32")
            assert result[0] == pytest.approx(expected, rel=1e-6), text
            assert operations(kernel.result).count("divide") <= 2


def test_a_power_that_is_flushed_is_multiplied_in_as_two_roots() -> None:
    """(2e-13)^3 is subnormal, and flushed; log(2e-13) times that is not."""
    s = sp.Symbol("s", positive=True)
    known = {**KNOWN, s: Variable("s", is_parameter=True)}
    whole, roots = (
        emulation.run(Kernel(lower(x**s * sp.log(x), known, order)), {"x": np.array([2e-13]), "s": 3.0}, "float32")
        for order in (Order(), Order(roots_of_powers=True))
    )
    assert whole[0] == 0.0
    assert roots[0] == pytest.approx(8e-39 * math.log(2e-13), rel=1e-5)


def test_so_is_a_square() -> None:
    """(1e-19)^2 is subnormal; 3 (1e-19)^2 is not, nor is 3e19^2 / 4 infinite though the square is."""
    for text, point in (("x**2*(3 + x)", 1e-19), ("x**2*sigmoid(x)/4", 3e19), ("x**4*(3 + x)", 3e-10)):
        whole, roots = (
            emulation.run(Kernel(lower(formula(text), KNOWN, order)), {"x": np.array([point])}, "float32")[0]
            for order in (Order(), Order(roots_of_powers=True))
        )
        assert whole in (0.0, math.inf)
        assert roots == pytest.approx(float(formula(text).subs(x, point)), rel=1e-5), text


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_every_order_computes_the_same_formula(order: Order) -> None:
    for text in ("-3*x*sigmoid(x)/(1 + x**2)", "x/7", "-1/(x**2*cosh(x))", "2*x**3*exp(-x)/(3*(x + 5)*(x**2 + 2))"):
        expression = formula(text)
        found = errors(Kernel(lower(expression, KNOWN, order)), expression, [-2.0, -0.5, 0.3, 4.0], "float64")
        assert found.worst_ulps < 8, text


@pytest.mark.parametrize(
    ("number", "value", "meaning"),
    [
        (sp.Rational(1, 2), 0.5, ""),
        (sp.Rational(44715, 1000000), 0.044715, ""),
        (sp.Rational(1, 3), 1 / 3, "1/3"),
        (sp.pi, math.pi, "pi"),
        (sp.sqrt(2 / sp.pi), 0.7978845608028654, "sqrt(2)/sqrt(pi)"),
        (sp.E, math.e, "E"),
        (sp.log(2), math.log(2), "log(2)"),
        (softplus(sp.Integer(1)), 1.3132616875182228, "softplus(1)"),
        (sigmoid(sp.Integer(2)), 0.8807970779778824, "sigmoid(2)"),
        (sp.Integer(10) ** 25 + 1, 1e25, "10000000000000000000000001"),
    ],
)
def test_a_constant_is_the_nearest_float64_and_says_what_it_stands_for(
    number: sp.Expr, value: float, meaning: str
) -> None:
    found = constant(number)
    assert (found.value, found.meaning) == (value, meaning)
    with precision(200):
        exact = BallFunction(number, ())()
        assert exact is not None
        assert abs(exact - value - found.lacking) <= abs(arb(found.lacking)) * arb(2) ** -50


def test_a_constant_that_is_no_real_number_is_nan() -> None:
    assert math.isnan(constant(sp.log(-1)).value)
    assert math.isnan(constant(sp.zoo).value)


def test_integer_powers_square_and_multiply() -> None:
    assert operations(power(X, 2)) == ["square"]
    assert operations(power(X, 8)) == ["square"] * 3
    assert operations(power(X, 7)) == ["square", "multiply", "square", "multiply"]
    assert power(X, 0) == Constant(1.0)
    for k in range(1, 20):
        assert run(Kernel(power(X, k)), [-3.0], "float64")[0] == (-3.0) ** k


def test_half_integer_powers_take_one_root() -> None:
    assert operations(lower(sp.sqrt(x), KNOWN)) == ["sqrt"]
    assert operations(lower(x ** sp.Rational(3, 2), KNOWN)) == ["sqrt", "multiply"]
    assert operations(lower((1 + x**2) ** sp.Rational(-1, 2), KNOWN))[-2:] == ["sqrt", "divide"]


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("Max(0, x)", "maximum"),
        ("Max(x, 0)", "maximum"),
        ("Min(x, 1)", "minimum"),
        ("Piecewise((x, x > 0), (0, True))", "maximum"),
        ("Piecewise((x, x < 0), (0, True))", "minimum"),
        ("Piecewise((0, x > 0), (x, True))", "minimum"),
        ("Piecewise((0, x <= 0), (x, True))", "maximum"),
        ("Piecewise((exp(x), exp(x) >= cos(x)), (cos(x), True))", "maximum"),
    ],
)
def test_a_choice_between_what_is_compared_is_an_extreme(text: str, operation: str) -> None:
    node = lower(formula(text), KNOWN)
    assert isinstance(node, Call)
    assert node.operation == operation
    found = errors(Kernel(node), formula(text), [-2.5, -1.0, 0.0, 1.0, 2.5])
    assert found.worst < 1
    assert np.isnan(run(Kernel(node), [NAN])).all()


def test_a_choice_between_other_things_is_no_extreme() -> None:
    assert operations(lower(formula("Piecewise((x, x > 1), (0, True))"), KNOWN)) == ["less_equal", "select"]
    assert operations(lower(formula("Piecewise((2*x, x > 0), (0, True))"), KNOWN))[-1] == "select"
    # == has no larger side.
    assert operations(lower(formula("Piecewise((x, x == 3), (3, True))"), KNOWN)) == ["not_equal", "select"]


@pytest.mark.parametrize(
    "text",
    [
        "Piecewise((x, x > 1), (0, True))",
        "Piecewise((x**2, x > 1), (0, True))",
        "Piecewise((x, (x > 1) | (x < -1)), (0, True))",
        "Piecewise((x, (x > 1) & (x < 5)), (0, True))",
        "Piecewise((0, x <= 0), (1, x >= 1), (x, True))",
        "Piecewise((0, x <= 0), (x, x < 1), (1, True))",
    ],
)
def test_nan_reaches_a_branch_that_reads_the_input(text: str) -> None:
    kernel = kernel_of(formula(text))
    assert np.isnan(run(kernel, [NAN])).all()
    # and turning the condition round changes no other value
    points = [-7.0, -1.0, 0.0, 0.5, 1.0, 1.5, 5.0, 9.0]
    assert errors(kernel, formula(text), points).worst_ulps == 0


def test_branches_are_tried_in_order() -> None:
    kernel = kernel_of(formula("Piecewise((1, x < 0), (2, x < 1), (3, x < 2), (x + 10, True))"))
    assert same(run(kernel, [-1.0, 0.0, 1.0, 2.0]), [1, 2, 3, 12])


def test_choosing_among_nodes_keeps_the_first_whose_condition_holds() -> None:
    node = choose([X, Constant(5.0)], [x > 2, sp.true], KNOWN)
    assert same(run(Kernel(node), [1.0, 2.0, 3.0, NAN]), [5, 5, 3, NAN])


@pytest.mark.parametrize("text", ["(x > 0) & (x < 2)", "(x < 0) | (x >= 2)", "x == 1", "x != 1", "(x <= 1) & (x != 0)"])
def test_conditions_mean_what_python_means_by_them(text: str) -> None:
    kernel = kernel_of(formula(f"Piecewise((x + 1, {text}), (x - 1, True))"))
    for point in (-1.0, 0.0, 0.5, 1.0, 2.0, 3.0):
        holds = eval(text, {"x": point})
        assert run(kernel, [point])[0] == (point + 1 if holds else point - 1), point


def test_a_shared_subexpression_is_one_node() -> None:
    node = lower(formula("sigmoid(x)*(1 + x*sigmoid(-x)) + sigmoid(x)"), KNOWN)
    assert operations(node).count("sigmoid") == 2
    assert Kernel(node).cost.transcendentals == 2


def test_what_parameters_and_numbers_come_to_is_added_first() -> None:
    """1 - p + p x^2 at p = 1 is x^2: next to 1, added one after the other, 2^-60 would be gone."""
    p = sp.Symbol("p", real=True)
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    kernel = Kernel(lower(formula("1 + p*x**2 - p", p), known))
    found = emulation.run(kernel, {"x": np.array([2.0**-30, 3.0, 0.5]), "p": np.array([1.0, 1.0, 0.25])}, "float64")
    assert same(found, [2.0**-60, 9.0, 0.8125])
    # Of an input and one number only the order does not matter, and stays what it was.
    assert operations(lower(formula("x**2 + 1 - x"), KNOWN)) == ["square", "add", "subtract"]


def test_lowering_is_repeatable() -> None:
    """Nothing depends on the order of a set: the graph is equal, node for node, also from a rebuilt expression."""
    text = "x*tanh(softplus(x)) + sin(x)*cos(x)/(1 + x**2) - exp(-x**2)*erf(x)"
    once, again = lower(formula(text), KNOWN), lower(sp.expand(formula(text)).func(*formula(text).args), KNOWN)
    assert once == again
    assert Kernel(once).nodes == Kernel(again).nodes


def test_what_no_operation_computes_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="gamma"):
        lower(sp.gamma(x), KNOWN)


def test_a_call_with_too_few_operands_is_refused() -> None:
    with pytest.raises(ValueError, match="add takes 2 operands, got 1"):
        call("add", X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", ["floor(x + 1/2)", "floor((x + 1)/2)", "floor(1/4 - x)", "floor(x - 3)"])
def test_the_floor_of_a_sum_is_that_of_the_exact_sum(text: str, dtype: str) -> None:
    """The float below 1/2, and 1/2 are rounded up to 1; from 2^22 on in float32 every second sum is rounded up."""
    expression = formula(text)
    kernel = Kernel(lower(expression, KNOWN))
    scalar = np.dtype(dtype).type
    digits = np.finfo(dtype).nmant
    ends = [scalar(k) / 4 for k in range(-20, 21)] + [
        scalar(2.0**k + n) for k in (digits - 1, digits) for n in range(4)
    ]
    points = [float(np.nextafter(end, scalar(way))) for end in ends for way in (-np.inf, np.inf)] + list(
        map(float, ends)
    )
    for point in points:
        if 0 < abs(point) < np.finfo(dtype).tiny:  # may be flushed
            continue
        exact = expression.subs(x, sp.Rational(*point.as_integer_ratio()))
        assert run(kernel, [point], dtype).tolist() == [float(scalar(float(exact)))], point
