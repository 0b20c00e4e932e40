"""The race: what is found of a form stands, forms are ranked by what is known everywhere, cost decides at the end."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from actgen.numerics import compensation, derive
from actgen.numerics.candidates import Candidate
from actgen.numerics.compensation import compensated
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Call, Constant, Kernel, Variable
from actgen.numerics.lowering import call, lower
from actgen.numerics.race import Race
from actgen.numerics.shape import Joint, joints_of, shape_of
from actgen.spec import load_spec
from actgen.targets.keras.arithmetic import ARITHMETIC as KERAS
from tests.symbolic.reading import formula, x

ROOT = Path(__file__).parents[2]
BETA = sp.Symbol("beta", real=True)
KNOWN = {x: Variable("x"), BETA: Variable("beta", is_parameter=True)}


def candidate(text: str, form: str) -> Candidate:
    return Candidate(form, Kernel(lower(formula(text, BETA), KNOWN), form=form))


def test_a_form_that_is_judged_again_keeps_what_was_found_at_more_floats() -> None:
    race = Race(Judge(formula("tanh(x)"), x, (), [{}]))
    form = candidate("tanh(x)", "as declared")
    found = race.run(form)
    worse = replace(found, units=np.append(found.units[1:], 99.0))
    race._runs[0] = (form, worse)
    assert race.run(form) is worse
    assert len(race._runs) == 1


def test_what_is_made_of_a_forms_errors_is_made_anew_when_it_is_judged_anew() -> None:
    """Kept by its place alone, a form that failed at other parameters would go on to be ranked and joined as good."""
    race = Race(Judge(formula("tanh(x)"), x, (), [{}]))
    form, thresholds = candidate("tanh(x)", "as declared"), np.array([0.5, 2.0])
    found = race.run(form)
    assert race.best_units == found.worst < 4
    assert not np.any(race._lost_on_either_side(0, 0, True, thresholds, 0.0, 4.0))
    race._runs[0] = (form, replace(found, units=np.where(found.points == 1.0, 99.0, found.units)))
    assert race.best_units == 99.0
    below, above = race._lost_on_either_side(0, 0, True, thresholds, 0.0, 4.0)
    assert (below[0], above[1]) == (0.0, 0.0)
    assert below[1] == above[0] > 1


def test_what_fails_at_the_default_is_judged_elsewhere_before_it_is_joined_to_something() -> None:
    """log(1 + beta x) has no digits near 0, and overflows for beta = 4: where it was not looked at it seemed right."""
    judge = Judge(formula("log(1 + beta*Abs(x))", BETA), x, (BETA,), [{"beta": Fraction(1)}, {"beta": Fraction(4)}])
    race = Race(judge)
    spelled = candidate("log(1 + beta*Abs(x))", "as declared")
    race.run(spelled)
    assert not np.isinf(race._runs[0][1].units[np.abs(race._runs[0][1].points) > 1]).any()
    assert race.closest(1, beyond=1.0)[0] is spelled
    assert np.isinf(race._runs[0][1].units[np.abs(race._runs[0][1].points) > 1]).any()


def test_near_the_limit_the_cheapest_wins_of_those_that_were_looked_at_closely() -> None:
    """What was not looked at more closely may lie beyond the limit, however cheap it is."""
    race = Race(Judge(formula("x*tanh(x)"), x, (), [{}]))
    race.margin = 0.0  # so that none is within it
    cheap = candidate("x*tanh(x)", "cheap")
    dear = Candidate("dear", Kernel(Call("maximum", (cheap.kernel.result, cheap.kernel.result)), form="dear"))
    race.run_closely(dear)
    race.run(cheap)
    assert race.verdict()[0] is dear
    race.run_closely(cheap)
    assert race.verdict()[0] is cheap


@pytest.mark.parametrize("looks", [1, 16])
def test_what_was_not_judged_at_all_parameters_is_not_joined(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forms without beta seem right at the default, 1, and are cheaper; one look tells no more of the others."""
    monkeypatch.setattr("actgen.numerics.race._MOST_LOOKS", looks)
    declared = formula("beta*log(1 + Abs(x))", BETA)
    judge = Judge(declared, x, (BETA,), [{"beta": Fraction(1)}, {"beta": Fraction(4)}])
    race = Race(judge, joints=[Joint("x", KNOWN[x])])
    forms = [candidate(text, text) for text in ("log(1 + Abs(x))", "Abs(x)", "beta*log(1 + Abs(x))", "beta*Abs(x)")]
    for form in forms:
        race.run(form)
        assert judge.lost(race._runs[-1][1])[0], "fails at the default, and is not judged at 4"
    joined = []
    for pair in race.spliced():
        race.run(pair)
        joined.append(pair)
    judged = {run.kernel.result for run, found in race._runs if not judge.lost(found)[0]}
    assert joined
    for pair in joined:
        assert {*pair.kernel.result.operands[1:]} <= judged, pair.form


def test_what_was_given_up_at_one_value_is_judged_at_the_others_where_that_is_asked_for() -> None:
    """One form fails at few points at 4 and at all others at 0, where it was not judged: it was given up at 4."""
    declared = formula("beta*tanh(x)", BETA)
    judge = Judge(declared, x, (BETA,), [{"beta": Fraction(n)} for n in (1, 4, 0)])
    beta = KNOWN[BETA]
    held = call("minimum", call("maximum", beta, Constant(0.5)), Constant(2.0))
    tanh = call("tanh", KNOWN[x])
    is_far = call("less", Constant(8.0), call("absolute", KNOWN[x]))
    wrong = call("multiply", call("select", is_far, held, call("maximum", beta, Constant(0.5))), tanh)
    far = call("multiply", call("select", is_far, beta, Constant(3.0)), tanh)
    for wholly in (False, True):
        race = Race(judge, joints=[Joint("x", KNOWN[x])])
        race.run(Candidate("wrong", Kernel(wrong)))
        race.run(Candidate("far", Kernel(far)))
        assert not judge.is_whole(race._runs[0][1])
        joined = list(race.spliced(wholly=wholly))
        assert all(judge.is_whole(found) for _, found in race._runs) == wholly
        assert joined or wholly


def test_forms_are_joined_by_the_variable_of_the_shape() -> None:
    """beta x < 1 is right for every beta; any |x| < c is right for the values of beta that were tried, at best.

    One form is made wrong beyond |beta x| = 8, the other below 2.
    """
    values = [{"beta": Fraction(1)}, {"beta": Fraction(64)}, {"beta": Fraction(1, 64)}]
    expression = formula("tanh(beta*x)", BETA)
    judge = Judge(expression, x, (BETA,), values)
    shape = shape_of(expression, x, (BETA,), KNOWN)
    assert shape is not None
    size = call("absolute", shape.node)
    good, bad = lower(expression, KNOWN), Constant(3.0)
    inner = call("select", call("less", size, Constant(8.0)), good, bad)
    outer = call("select", call("less", size, Constant(2.0)), bad, good)
    race = Race(judge, shape, [Joint(shape.name, shape.node)])
    for form in (inner, outer):
        race.run(Candidate("one", Kernel(form)))
    joined = next(race.spliced())
    assert joined.form == "one for |beta*x| < 2, else one"
    assert race.run(joined).worst < 4
    assert judge.errors(joined.kernel).worst < 4


def test_of_several_joints_the_one_is_taken_at_which_one_threshold_serves_all_parameters() -> None:
    """One form is made wrong beyond |beta x| = 8, the other below 2; by x no threshold is right for 1 and 1/64."""
    values = [{"beta": Fraction(1)}, {"beta": Fraction(64)}, {"beta": Fraction(1, 64)}]
    expression = formula("x**2 + tanh(beta*x)", BETA)
    judge = Judge(expression, x, (BETA,), values)
    joints = joints_of(expression, x, (BETA,), KNOWN)
    assert [joint.name for joint in joints] == ["x", "beta*x"]
    size = call("absolute", joints[1].node)
    good, bad = lower(expression, KNOWN), Constant(3.0)
    race = Race(judge, joints=joints)
    race.run(Candidate("inner", Kernel(call("select", call("less", size, Constant(8.0)), good, bad))))
    race.run(Candidate("outer", Kernel(call("select", call("less", size, Constant(2.0)), bad, good))))
    joined = next(race.spliced())
    assert joined.form == "inner for |beta*x| < 2, else outer"
    assert judge.errors(joined.kernel).worst < 4


def test_a_few_operations_that_miss_by_little_in_emulation_are_not_compensated() -> None:
    """selu is 5 operations. Under Keras its expm1 may be 4.1 ULP off; compensated it would be 145."""
    selu = load_spec(ROOT / "specs" / "selu.toml")
    kernel = derive(selu, KERAS).kernels[()]
    assert kernel.cost.passes < 10


def test_a_compensated_kernel_costs_what_the_rule_against_it_is_made_for() -> None:
    kernel = compensated(Kernel(lower(formula("x*tanh(x)"), KNOWN)), precisely=True)
    assert kernel.cost.passes > 100
    assert all(isinstance(node, Call) for node in kernel.functions)
    assert {node.operation for node in kernel.functions} <= {"exp", "log", "tanh"}
    assert compensation.compensated(kernel).form.endswith("compensated precisely, compensated")
