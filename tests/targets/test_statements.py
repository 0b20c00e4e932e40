"""The printer: what is printed computes what the kernel says, with names a person would give."""

from __future__ import annotations

import math
from typing import Any

import pytest

from actgen.numerics.kernel import Constant, Kernel, Node
from actgen.targets.forms import ARITHMETIC, call
from actgen.targets.statements import ConstantPool, Printer, UnknownOperationError
from tests.targets.standins import ONE, TWO, ZERO, X, add, apply, div, mul, parameter, sub

FORMS = {**ARITHMETIC, "exp": call("exp"), "tanh": call("tanh"), "square": call("square"), "select": call("where", 3)}
A = parameter("a")


def printed(result: Node, **names: Node) -> tuple[str, ...]:
    kernel = Kernel(result, {node: name for name, node in names.items()})
    return Printer(FORMS, "lib").print(kernel).lines


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (add(X, A, ONE), "x + a + 1.0"),
        (add(X, add(A, ONE)), "x + (a + 1.0)"),  # another order of rounding
        (sub(X, sub(A, ONE)), "x - (a - 1.0)"),
        (mul(add(X, A), X), "(x + a) * x"),
        (div(X, mul(A, X)), "x / (a * x)"),
        (mul(div(X, A), X), "x / a * x"),
        (apply("negate", add(X, A)), "-(x + a)"),
        (mul(apply("negate", X), A), "-x * a"),
        (add(X, apply("negate", A)), "x - a"),
        (sub(X, apply("negate", mul(A, X))), "x + a * x"),
        (add(X, Constant(-2.5)), "x - 2.5"),
        (mul(X, Constant(-2.5)), "x * -2.5"),
        (apply("less", ZERO, X), "x > 0.0"),
        (apply("both", apply("less", X, A), apply("less_equal", A, ONE)), "(x < a) & (a <= 1.0)"),
        (apply("select", apply("greater", X, ZERO), X, ZERO), "where(x > 0.0, x, 0.0)"),
        (mul(X, Constant(math.inf)), "x * lib.inf"),
        (add(X, Constant(-math.inf)), "x - lib.inf"),
        (mul(X, Constant(math.nan)), "x * lib.nan"),
        (mul(X, Constant(2.0**100)), "x * 2.0**100"),
    ],
)
def test_parentheses_are_exactly_those_that_change_nothing(node: Node, text: str) -> None:
    assert printed(node) == (f"return {text}",)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2.0**-1022, -(2.0**70), 0.044715])
def test_literals_read_back_as_the_same_float(value: float) -> None:
    literal = Printer(FORMS, "lib").literal(value)
    assert eval(literal) == value  # read as Python reads emitted code


def test_what_is_read_twice_gets_one_name() -> None:
    e = apply("exp", X)
    assert printed(div(e, add(e, ONE))) == ("exp_x = exp(x)", "return exp_x / (exp_x + 1.0)")
    assert printed(div(e, add(e, ONE)), t=e) == ("t = exp(x)", "return t / (t + 1.0)")


def test_negated_variables_are_not_worth_a_name() -> None:
    minus = apply("negate", X)
    assert printed(mul(minus, apply("exp", minus))) == ("return -x * exp(-x)",)


def test_names_never_collide_with_inputs_or_each_other() -> None:
    clash = parameter("t")
    t = apply("exp", X)
    lines = printed(add(mul(t, t), mul(clash, apply("exp", clash))), t=t)
    assert lines[0] == "t_2 = exp(x)"


def test_long_expressions_become_steps_that_fit_and_compute_the_same() -> None:
    p: Node = Constant(0.123456789)
    for index in range(40):
        p = add(mul(p, X), Constant(1 / (3.0 + index)))
    lines = printed(div(p, add(p, ONE)))
    assert all(len(line) <= 96 for line in lines)
    scope: dict[str, Any] = {}
    body = "\n    ".join(lines)
    exec(f"def f(x):\n    {body}", scope)  # the emitted lines, run as they are

    value, x = 0.123456789, 0.75
    for index in range(40):
        value = value * x + 1 / (3.0 + index)
    assert scope["f"](x) == value / (value + 1.0)


def test_constants_with_a_meaning_are_named_and_explained_once() -> None:
    pool, printer = ConstantPool(), Printer(FORMS, "lib")
    c = Constant(math.sqrt(2 / math.pi), "sqrt(2/pi)")
    assert printer.print(Kernel(mul(c, X)), pool).result == "_SQRT_2_OVER_PI * x"
    assert printer.print(Kernel(add(c, X)), pool).result == "_SQRT_2_OVER_PI + x"
    assert pool.lines(printer) == (f"_SQRT_2_OVER_PI = {c.value!r}  # sqrt(2/pi)",)
    other = Constant(1.5, "sqrt(2)/pi")
    assert printer.print(Kernel(mul(other, X)), pool).result != "_SQRT_2_OVER_PI * x"


def test_the_name_of_a_constant_tells_its_sign_and_its_factorial() -> None:
    assert ConstantPool().name(Constant(1 / 15, "1/15")) == "_1_OVER_15"
    assert ConstantPool().name(Constant(1 / math.factorial(15), "1/15!")) == "_1_OVER_15_FACTORIAL"
    assert ConstantPool().name(Constant(-1 / math.factorial(15), "-1/15!")) == "_MINUS_1_OVER_15_FACTORIAL"
    assert ConstantPool().name(Constant(1 / 216, "1/(9 * 4!)")) == "_1_OVER_9_4_FACTORIAL"


def test_a_meaning_cannot_leave_its_comment() -> None:
    pool, printer = ConstantPool(), Printer(FORMS, "lib")
    printer.print(Kernel(mul(Constant(1.5, "1\nimport os"), X)), pool)
    assert "\n" not in pool.lines(printer)[0]


@pytest.mark.parametrize(
    ("operand", "text"),
    [
        (apply("exp", apply("negate", apply("absolute", X))), "near(exp(-abs(x)))"),
        (apply("exp", apply("negate", X)), "log1p(exp(-x))"),
        (apply("clamp", X, Constant(-0.5), ONE), "near(clamp(x, -0.5, 1.0))"),
        (apply("clamp", X, Constant(-0.6), ONE), "log1p(clamp(x, -0.6, 1.0))"),
        (apply("clamp", X, ZERO, Constant(1.1)), "log1p(clamp(x, 0.0, 1.1))"),
    ],
)
def test_what_is_known_to_be_near_0_is_computed_the_cheaper_way(operand: Node, text: str) -> None:
    forms = {**FORMS, "log1p": call("log1p"), "clamp": call("clamp", 3)}
    forms |= {"absolute": call("abs"), "log1p_near": call("near")}
    assert Printer(forms, "lib").print(Kernel(apply("log1p", operand))).lines == (f"return {text}",)


def test_a_bare_number_says_so() -> None:
    listing = Printer(FORMS, "lib").print(Kernel(TWO))
    assert listing.is_number
    assert listing.reads == ()


def test_an_operation_without_a_row_is_refused_by_name() -> None:
    with pytest.raises(UnknownOperationError, match="'erfc'"):
        printed(apply("erfc", X))
