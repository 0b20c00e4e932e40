"""Pruning: a correction stays if it is needed, and only then."""

from __future__ import annotations

import pytest
import sympy as sp

from actgen.numerics.choice import choose_kernel
from actgen.numerics.compensation import compensated
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel
from actgen.numerics.pruning import Pruning
from tests.numerics.judging import KNOWN, errors, kernel_of
from tests.symbolic.reading import formula, x

POINTS = [sign * 1.01**k for k in range(-400, 200) for sign in (-1, 1)]

# A sum that cancels, and two steps that do not matter.
CANCELS = "(sqrt(x**2 + x + 1) - 1 - x/2)*tanh(x)*exp(-x**2/100)"


def is_within(units: float, expression: sp.Expr, kernel: Kernel) -> bool:
    return errors(kernel, expression, POINTS).worst <= units


def test_what_needs_no_correction_gets_none() -> None:
    plain = kernel_of(formula("x*tanh(x)"))
    assert Pruning(plain, True).pruned(lambda kernel: True).result == plain.result


def test_what_needs_every_correction_keeps_every_one() -> None:
    pruning = Pruning(kernel_of(formula(CANCELS)), True)
    assert pruning.pruned(lambda kernel: False) is pruning.whole


@pytest.mark.parametrize("precisely", [False, True])
def test_what_cancels_stays_corrected_and_costs_less_than_the_whole(precisely: bool) -> None:
    """Broken where a run of steps that is needed is left out, or one that was put back stays out."""
    expression = formula(CANCELS)
    plain = kernel_of(expression)
    pruning = Pruning(plain, precisely)
    kept = pruning.pruned(lambda kernel: is_within(3, expression, kernel))
    assert not is_within(100, expression, plain)
    assert is_within(3, expression, kept)
    assert kept.cost.passes < 0.7 * pruning.whole.cost.passes
    assert kept.form.endswith("in part")


def test_a_function_may_stay_rough_while_its_arguments_are_corrected() -> None:
    """Of exp(-x^2/2) the argument is what matters: half an ULP of 50 is a hundred of the result."""
    plain = kernel_of(formula("exp(-x**2/2)*cos(5*x)"))
    (exponential,) = (call for call in plain.functions if call.operation == "exp")
    whole, rough = (compensated(plain, True, rough=nodes) for nodes in ((), (exponential,)))
    assert is_within(2.5, formula("exp(-x**2/2)*cos(5*x)"), rough)
    assert rough.cost.passes < whole.cost.passes - 20


def test_a_plain_step_takes_its_operands_rounded_and_not_without_their_corrections() -> None:
    """A sum that cancels is corrected, and what it gives is multiplied plainly."""
    expression = formula("(sqrt(x**2 + x + 1) - 1 - x/2)*tanh(x)")
    plain = kernel_of(expression)
    assert not is_within(100, expression, plain)
    assert is_within(3, expression, compensated(plain, plain=(plain.result,)))


def test_a_chosen_kernel_is_the_cheapest_that_was_left() -> None:
    """The tanh of cos(pi x) exp(-x^2) tanh(x) needs no correction."""
    judge = Judge(formula("cos(pi*x)*exp(-x**2)*tanh(x)"), x, (), [{}])
    kernel, judgement = choose_kernel(judge, KNOWN)
    whole = [trial for trial in judgement.candidates if trial.form == kernel.form.removesuffix(" in part")]
    assert kernel.form.endswith("in part")
    assert judgement.is_within_contract
    assert whole
    assert kernel.cost.passes < whole[0].cost.passes
