"""What a spec of a gated unit says, and what it may not say."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
import sympy

from actgen.spec import Activation
from actgen.spec.factors import separate

Load = Callable[..., Activation]
Refuse = Callable[..., str]

GATED = """\
title = "Probe"
summary = "A gate to try things on."
expression = "a * sigmoid(b)"
kind = "gated"
folklore = true
"""

a, b, p = sympy.symbols("a b p", real=True)
sigmoid, tanh = sympy.Function("sigmoid"), sympy.Function("tanh")


@pytest.mark.parametrize("inputs", ["", 'inputs = ["a", "b"]\n'])
def test_the_two_inputs_are_a_and_b(load: Load, inputs: str) -> None:
    gate = load(inputs + GATED)
    assert (gate.kind, gate.inputs, gate.expression) == ("gated", (a, b), a * sigmoid(b))


def test_the_inputs_may_have_other_names(load: Load) -> None:
    gate = load(GATED.replace("a * sigmoid(b)", "content * tanh(gate)") + 'inputs = ["content", "gate"]\n')
    assert [symbol.name for symbol in gate.inputs] == ["content", "gate"]


CASES = {
    "no product": (
        GATED.replace("a * sigmoid(b)", "a + sigmoid(b)"),
        """\
        probe.toml:3:14: a gated unit is a product, and this expression is none; \
write it as something in a alone times something in b alone, such as a * sigmoid(b)
          expression = "a + sigmoid(b)"
                       ^^^^^^^^^^^^^^^^""",
    ),
    "one input only": (
        GATED.replace("a * sigmoid(b)", "a * sigmoid(a)"),
        """\
        probe.toml:3:14: the expression does not depend on b; an activation is a function of its inputs a and b
          expression = "a * sigmoid(a)"
                       ^^^^^^^^^^^^^^^^""",
    ),
    "x": (
        GATED.replace("a * sigmoid(b)", "x * sigmoid(b)"),
        """\
        probe.toml:3:15: unknown name 'x'; the inputs of a gated unit are a and b
          expression = "x * sigmoid(b)"
                        ^""",
    ),
    "an input with the name of a parameter": (
        GATED + 'inputs = ["a", "p"]\n[parameters.p]\ndefault = 1\ndescription = "P."\n',
        """\
        probe.toml:6:16: the input 'p' has the name of something else; choose another name
          inputs = ["a", "p"]
                         ^^^""",
    ),
    "an input with a name of the emitted code": (
        GATED + 'inputs = ["a", "dim"]\n',
        """\
        probe.toml:6:16: 'dim' cannot name an input: it is used by the emitted code or its framework; \
choose another name
          inputs = ["a", "dim"]
                         ^^^^^""",
    ),
    "a surrogate": (
        GATED + '[surrogate]\nderivative = "a"\n',
        """\
        probe.toml:6:2: a gated unit has no surrogate derivative; write it into an elementwise activation
          [surrogate]
           ^^^^^^^^^""",
    ),
    "a parameter of each channel": (
        GATED.replace("(b)", "(p * b)")
        + '[parameters.p]\ndefault = 1\ndescription = "P."\ntrainable = true\nshape = "channel"\n',
        """\
        probe.toml:10:1: a parameter of a gated unit is one number; remove shape
          shape = "channel"
          ^^^^^""",
    ),
}


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_is_shown_where_it_is_with_what_to_do(refuse: Refuse, mistake: str) -> None:
    text, message = CASES[mistake]
    assert dedent(message) in refuse(text)


def test_three_inputs_are_refused(refuse: Refuse) -> None:
    assert "inputs" in refuse(GATED + 'inputs = ["a", "b", "c"]\n')


@pytest.mark.parametrize(
    ("expression", "factors"),
    [
        (a * sigmoid(b), (a, sigmoid(b))),
        (a * (1 + tanh(b)) / 2, (a, (1 + tanh(b)) / 2)),
        (a * b / 2, (a, b / 2)),
        (p * a * tanh(a) * b, (p * a * tanh(a), b)),
        (a * b + b, (a + 1, b)),
        ((a * b) ** 3, (a**3, b**3)),
    ],
)
def test_a_product_is_taken_apart_and_numbers_go_with_what_is_gated_with(
    expression: sympy.Expr, factors: tuple[sympy.Expr, ...]
) -> None:
    found = separate(expression, (a, b))
    assert found == factors
    assert sympy.expand(sympy.Mul(*found) - expression) == 0


@pytest.mark.parametrize("expression", [a + b, sigmoid(a * b), a * b + 1, sympy.Piecewise((a, b > 0), (0, True))])
def test_what_is_no_product_is_told(expression: sympy.Expr) -> None:
    assert separate(expression, (a, b)) is None
