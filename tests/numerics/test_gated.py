"""Gated units: products of factors, judged on pairs."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from actgen.numerics import derive
from actgen.numerics.contract import FORMATS
from actgen.numerics.derivation import Derivation, settings_of
from actgen.numerics.emulation import IDEAL
from actgen.numerics.gated import Factor, factorise, reference_pairs, terms
from actgen.numerics.kernel import Kernel
from actgen.numerics.lowering import call, lower, variables
from actgen.numerics.pairs import PairJudge, PairTruth, pairs, units_of
from actgen.spec import Activation, load_spec
from actgen.symbolic import Formula
from actgen.symbolic.primitives import sigmoid

SPEC = """\
title = "Probe"
summary = "A gate to try things on."
kind = "gated"
expression = "EXPRESSION"
folklore = true
[parameters.beta]
default = 1.5
description = "Slope."
"""


def declared(folder: Path, expression: str) -> Activation:
    path = folder / "probe.toml"
    path.write_text(SPEC.replace("EXPRESSION", expression))
    return load_spec(path)


def factored(folder: Path, expression: str) -> tuple[Formula, tuple[Factor, ...]]:
    activation = declared(folder, expression)
    return Formula.of(activation), factorise(activation, tuple(settings_of(activation)))


@cache
def derived(folder: Path, expression: str) -> Derivation:
    return derive(declared(folder, expression))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("specs")


@pytest.mark.parametrize("expression", ["a * sigmoid(beta * b)", "a * sigmoid(beta * a) * b"])
def test_every_partial_of_a_product_is_there_and_within_the_contract(folder: Path, expression: str) -> None:
    derivation = derived(folder, expression)
    a, b = derivation.formula.inputs
    (beta,) = derivation.formula.parameters
    value = derivation.formula.value
    for first in (a, b, beta):
        assert ((first.name,) in derivation.kernels) == (sp.diff(value, first) != 0)
    expected = {
        order
        for order in [(p, q) for i, p in enumerate("abB") for q in "abB"[i:]]
        if sp.simplify(sp.diff(value, *({"a": a, "b": b, "B": beta}[name] for name in order))) != 0
    }
    found = {
        tuple("B" if name == "beta" else name for name in order) for order in derivation.kernels if len(order) == 2
    }
    assert found == expected
    assert not derivation.missed


def test_a_parameter_of_both_factors_gives_a_sum_of_products(folder: Path) -> None:
    formula, factors = factored(folder, "tanh(beta * a) * sigmoid(beta * b)")
    assert set(terms(factors, ("beta",))) == {(("beta",), ()), ((), ("beta",))}
    assert len(list(terms(factors, ("beta", "beta")))) == 4
    a, b = (symbol for symbol in formula.inputs)
    truth = PairTruth(factors, list(terms(factors, ("beta",))))
    points = [np.array([0.5, -2.0]), np.array([1.25, 0.75])]
    values = truth(points, {"beta": 1.5}, FORMATS["float64"])
    slope = sp.diff(formula.value.rewrite(sp.exp), formula.parameters[0])
    for i, exact in enumerate(values.exact):
        at = {a: Fraction(points[0][i]), b: Fraction(points[1][i]), formula.parameters[0]: Fraction(3, 2)}
        by_hand = _number(slope, at)
        assert abs(float(exact) - by_hand) < 1e-14 * abs(by_hand)


def _number(expression: sp.Expr, at: dict[sp.Symbol, Fraction]) -> float:
    """An expression of our primitives at numbers, by a difference quotient-free route: SymPy's own functions."""
    plain = expression.replace(
        lambda node: node.func.__name__ in ("sigmoid", "tanh"),
        lambda node: 1 / (1 + sp.exp(-node.args[0])) if node.func.__name__ == "sigmoid" else sp.tanh(node.args[0]),
    )
    return float(
        plain.doit().evalf(30, subs={symbol: sp.Rational(x.numerator, x.denominator) for symbol, x in at.items()})
    )


@pytest.mark.parametrize("wrong", ["swapped", "scaled", "sign"])
def test_a_wrong_kernel_is_caught_on_pairs(folder: Path, wrong: str) -> None:
    derivation = derived(folder, "a * sigmoid(beta * b)")
    _, factors = factored(folder, "a * sigmoid(beta * b)")
    judge = PairJudge(factors, [((), ())])
    right = derivation.kernels[()]
    assert judge.judge(right, IDEAL, []).is_within_contract
    known = variables(derivation.formula.variables, derivation.formula.inputs)
    a, b = derivation.formula.inputs
    (beta,) = derivation.formula.parameters
    result = {
        "swapped": lower(b * sigmoid(beta * a), known),
        "scaled": call("multiply", right.result, lower(1 + sp.Rational(1, 10**5), known)),
        "sign": call("negate", right.result),
    }[wrong]
    assert not judge.judge(Kernel(result), IDEAL, []).is_within_contract


def test_pairs_hold_all_binades_of_either_input_against_each_other() -> None:
    first, second = pairs("float32", [(), ()], 4)
    for column in (first, second):
        assert {0.0, 1.0, -1.0, float(np.finfo("float32").max)} <= set(column.tolist())
        exponents = np.frexp(column[column != 0])[1]
        assert set(range(-125, 129)) <= set(exponents.tolist())
    opposite = (np.abs(first) > 1e20) & (np.abs(second) < 1e-20) | (np.abs(first) < 1e-20) & (np.abs(second) > 1e20)
    assert np.count_nonzero(opposite) > 50
    assert ((first > 1e30) & (second < -80) & (second > -110)).any()


def test_what_a_factor_loses_next_to_underflow_is_free_and_no_more(folder: Path) -> None:
    _, factors = factored(folder, "a * sigmoid(beta * b)")
    truth = PairTruth(factors, [((), ())])
    form = FORMATS["float32"]
    points = [np.array([2.0**100, 2.0**100, 1.0]), np.array([-60.0, -40.0, -60.0])]  # beta is 1.5: exp(-90), exp(-60)
    values = truth(points, {"beta": 1.5}, form)
    assert values.free.tolist() == [2.0**-26, 0.0, 2 * 2.0**-126]
    flushed = np.array([0.0, float(values.exact[1]), 0.0], dtype=np.float32)
    assert units_of(flushed, values, form).max() < 1
    off = flushed.copy()
    off[1] *= np.float32(1.0001)
    assert units_of(off, values, form)[1] > 4


def test_reference_values_are_correctly_rounded_products(folder: Path) -> None:
    formula, factors = factored(folder, "a * sigmoid(beta * b)")
    table = reference_pairs(formula, factors)
    assert table.parameters == {"beta": 1.5}
    assert len(set(table.points)) == len(table.points) > 60
    checked = 0
    for (a, b), value, moved in zip(table.points, table.values[()], table.moved[()], strict=True):
        if np.isnan(value):
            continue
        exact = sp.Float(a, 60) / (1 + sp.exp(-sp.Float(1.5, 60) * sp.Float(b, 60)))
        assert value == pytest.approx(float(exact), rel=2.0**-52)
        inner = sp.Float(1.5, 60) * sp.Float(b, 60)
        excused = abs(exact) * (1 + abs(inner) / (1 + sp.exp(inner)))
        assert moved == pytest.approx(float(excused), rel=1e-5)
        checked += 1
    assert checked > 50
