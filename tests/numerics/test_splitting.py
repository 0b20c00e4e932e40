"""Splitting at a default: formulas that cancel at the default of a parameter, and no form with the parameter serves."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from actgen.numerics.choice import choose_kernel
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Variable
from actgen.numerics.splitting import split
from tests.symbolic.reading import formula, x

p, q = sp.Symbol("p", real=True), sp.Symbol("q", real=True)
KNOWN = {x: Variable("x"), p: Variable("p", is_parameter=True), q: Variable("q", is_parameter=True)}


def judge(text: str, *symbols: sp.Symbol) -> Judge:
    defaults = {symbol.name: Fraction(1) for symbol in symbols}
    others = [{**defaults, symbol.name: Fraction(n)} for symbol in symbols for n in (-1, 3)]
    return Judge(formula(text, *symbols), x, symbols, [defaults, *others])


@pytest.mark.parametrize("text", ["x - p*tanh(x)", "Piecewise((x - p*log(1 + x), x > 0), (0, True))"])
def test_what_cancels_at_a_default_keeps_the_contract(text: str) -> None:
    """No other form does: the polynomial that mends x - tanh(x) has no parameter in it."""
    kernel, judgement = choose_kernel(judge(text, p), KNOWN)
    assert judgement.is_within_contract
    assert "p less its default" in kernel.form


def test_only_parameters_that_a_formula_is_linear_in_split_it() -> None:
    def names(text: str) -> list[str]:
        found = split(judge(text, p, q), KNOWN, lambda part, known: Kernel(KNOWN[x], form=str(part.expression)))
        return [candidate.form for candidate in found]

    assert names("p*sin(x) + tanh(q*x)") == ["sin(x) + tanh(q*x), and p less its default times sin(x)"]
    assert names("Piecewise((x, x < p), (p*x**2, True)) + q") == []
    assert names("Abs(p)*x") == []


def test_the_judge_of_a_part_has_a_parameter_less() -> None:
    part = judge("x*p + q", p, q).without(p, formula("x + q", q))
    assert part.parameters == (q,)
    assert part.exact_settings == ({"q": Fraction(1)}, {"q": Fraction(-1)}, {"q": Fraction(3)})
