"""The choice: deterministic, the cheapest within the margin, and honest about what it misses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from actgen.numerics import choice, emulation
from actgen.numerics.candidates import Candidate, candidates
from actgen.numerics.choice import CONTRACT, Judgement, choose_kernel
from actgen.numerics.emulation import IDEAL
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Constant, Kernel, Variable
from actgen.numerics.lowering import call
from tests.numerics.judging import KNOWN, X, chosen, errors, kernel_of, run
from tests.symbolic.reading import formula, x

# Points the judge does not use: other mantissas than its golden ones.
FRESH = [sign * 1.2345678 * 2.0**k for k in range(-60, 60, 3) for sign in (1.0, -1.0)]


@pytest.mark.parametrize("text", ["x*tanh(softplus(x))", "x - sin(x)", "x*normal_cdf(x)", "Min(Max(x, 0), 6)"])
def test_two_runs_choose_the_same_kernel_for_the_same_reasons(text: str) -> None:
    _, kernel, judgement = chosen(text)
    again, verdict = choose_kernel(Judge(formula(text), x, (), [{}]), KNOWN)
    assert again.result == kernel.result
    assert again.nodes == kernel.nodes
    assert list(again.names.values()) == list(kernel.names.values())
    assert (verdict.units, verdict.ulps, verdict.candidates) == (judgement.units, judgement.ulps, judgement.candidates)


@pytest.mark.parametrize(
    ("text", "calls", "divisions"),
    [
        ("x*tanh(log(1 + exp(x)))", 1, 1),
        ("x*(1 + erf(x/sqrt(2)))/2", 1, 1),
        ("x/(1 + exp(-x))", 1, 1),
        ("log(1 + exp(x))", 2, 0),
        ("1 - tanh(x)**2", 1, 1),
        ("Max(-1, Min(1, x))", 0, 0),
        ("x/(1 + Abs(x))", 0, 1),
        ("sqrt(x**2 + 1) - x", 0, 2),
    ],
)
def test_published_formulas_keep_the_contract_at_this_cost(text: str, calls: int, divisions: int) -> None:
    _, kernel, judgement = chosen(text)
    assert judgement.is_within_contract
    assert judgement.units <= IDEAL.margin
    assert (kernel.cost.transcendentals, kernel.cost.divisions) <= (calls, divisions)
    for dtype in ("float32", "float64"):
        assert errors(kernel, formula(text), FRESH, dtype).worst <= CONTRACT


@pytest.mark.parametrize(
    "text", ["x - sin(x)", "x - tanh(x)", "exp(x) - 1 - x", "1 - cosh(2*x)**2 + 4*x**2", "x - erf(x)", "x - atan(x)"]
)
def test_a_formula_that_cancels_around_0_gets_its_series_there(text: str) -> None:
    """Also where the same form needs a guard at the ends: without both together it is off by 1e15."""
    _, kernel, judgement = chosen(text)
    assert "polynomial" in kernel.form
    assert judgement.is_within_contract
    points = [*FRESH, 1e-30, -1e-12, 3e-4]
    for dtype in ("float32", "float64"):
        assert errors(kernel, formula(text), points, dtype).worst <= CONTRACT


def test_the_cheapest_of_those_within_the_margin_wins() -> None:
    for text in ("x*tanh(softplus(x))", "x*sigmoid(x)", "x - tanh(x)", "softplus(x)*tanh(x)"):
        _, kernel, judgement = chosen(text)
        good = [trial for trial in judgement.candidates if trial.units <= IDEAL.margin]
        if good:
            assert kernel.cost.key == min(trial.cost.key for trial in good), text
            assert "cheapest" in judgement.reason
        else:
            close_up = Judge(formula(text), x, (), [{}]).errors_close_up(kernel)
            assert max(close_up.worst, min(trial.units for trial in judgement.candidates)) <= judgement.units, text
            assert judgement.units <= CONTRACT, text
            assert "more floats" in judgement.reason


def test_what_was_tried_is_recorded_with_the_chosen_one_among_it() -> None:
    for text in ("x*tanh(softplus(x))", "x - sin(x)", "1 + erf(x)"):
        _, kernel, judgement = chosen(text)
        mine = [trial for trial in judgement.candidates if trial.form == kernel.form]
        assert [(trial.cost.key, trial.units) for trial in mine] == [(kernel.cost.key, judgement.units)], text


def test_the_judgement_is_what_the_judge_measures() -> None:
    judge, kernel, judgement = chosen("x*tanh(softplus(x))")
    found = judge.errors(kernel)
    assert (judgement.units, judgement.at, judgement.ulps) == (found.worst, found.worst_at, found.worst_ulps)


def offer(monkeypatch: pytest.MonkeyPatch, kernels: Sequence[Kernel]) -> None:
    found = [Candidate(kernel.form, kernel) for kernel in kernels]
    monkeypatch.setattr(choice, "stages", lambda _: iter([found]))


def test_a_wrong_form_never_wins_however_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """x/2 costs one multiplication and agrees with x sigmoid(x) at 0."""
    right = kernel_of(formula("x*sigmoid(x)"))
    wrong = Kernel(call("multiply", X, Constant(0.5)), {}, "wrong")
    offer(monkeypatch, [wrong, right])
    kernel, judgement = choose_kernel(Judge(formula("x*sigmoid(x)"), x, (), [{}]), KNOWN)
    assert "wrong" not in kernel.form
    assert {trial.form for trial in judgement.candidates} >= {"wrong", "as declared"}


def test_where_nothing_keeps_the_contract_the_closest_is_taken_and_the_miss_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, worse = (
        Kernel(call("multiply", call("exp", X), Constant(1 + error)), {}, f"off by {error}") for error in (1e-5, 1e-2)
    )
    offer(monkeypatch, [worse, bad])
    kernel, judgement = choose_kernel(Judge(formula("exp(x)"), x, (), [{}]), KNOWN)
    assert kernel.form.startswith("off by 1e-05")
    assert not judgement.is_within_contract
    assert judgement.units > 1e3


def test_two_forms_that_fail_on_different_sides_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """By |x| or by x, whichever they differ by; NaN still comes out as NaN."""
    expression = formula("x + atan(x)")
    right = kernel_of(expression).result
    for variable, small in ((call("absolute", X), 3.0), (X, -3.0)):
        below = call("select", call("less", variable, Constant(small + 1.5)), right, Constant(7.0))
        above = call("select", call("less", variable, Constant(small)), Constant(7.0), right)
        offer(monkeypatch, [Kernel(below, {}, "good below"), Kernel(above, {}, "good above")])
        kernel, judgement = choose_kernel(Judge(expression, x, (), [{}]), KNOWN)
        assert "good below for" in kernel.form
        assert ", else good above" in kernel.form
        assert judgement.is_within_contract
        assert errors(kernel, expression, [*FRESH, small, small + 1.5, -small]).worst <= CONTRACT
        assert math.isnan(run(kernel, [math.nan])[0])


@pytest.mark.parametrize(
    ("text", "at_zero"),
    [
        ("sin(x)/x", 1.0),
        ("x/(exp(x) - 1)", 1.0),
        ("(1 - cos(x))/x", 0.0),
        ("log1p(x**2)/x", 0.0),
        ("tanh(x)/x - sech(x)", 0.0),
        ("Piecewise((1 - x/2, x > 0), (x/(exp(x) - 1), True))", 1.0),
        ("Piecewise((x/(exp(x) - 1), x >= 0), (1 - x/2, True))", 1.0),
        ("Piecewise((sin(x)/x, x > 0), (x, True))", 0.0),
        ("Piecewise((2, x == 0), (sin(x)/x, True))", 2.0),
    ],
)
def test_a_hole_at_0_is_filled_by_continuity_and_a_jump_there_is_kept(text: str, at_zero: float) -> None:
    """0/0 is NaN in every form; what a spec says of 0 itself, by a piece of its own, stands."""
    _, kernel, judgement = chosen(text)
    assert judgement.is_within_contract
    for dtype in ("float32", "float64"):
        assert run(kernel, [0.0, -0.0], dtype).tolist() == [at_zero, at_zero]
        assert errors(kernel, formula(text), [*FRESH, 1e-30, -1e-30], dtype).worst <= CONTRACT


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("x*(atan(x)/pi + 1/2)", [-1e3, -1e13, -3e38, 3e38]),
        ("x*(pi/2 - atan(x))", [1e3, 1e13, 2e38, -3e38]),
        ("x*exp(-exp(-x))", [-4.4, 1e35, 3e38]),
        ("log1p(x*sigmoid(x))", [-87.5, 2e38]),
        ("x**3*exp(-Abs(x))", [87.5, -88.5, 1e13, -1e30]),
        ("x**2*softplus(-x)", [88.5, 1e30]),
        ("asinh(x)/(1 + x**2)", [1e13, -1e30]),
        ("sqrt(1 + x**2) - 1", [1e-6, 1e13, 3e38]),
    ],
)
def test_formulas_that_nobody_tuned_for_keep_the_contract_far_out(text: str, points: list[float]) -> None:
    _, kernel, judgement = chosen(text)
    assert judgement.is_within_contract, (kernel.form, judgement.at)
    assert errors(kernel, formula(text), [*points, *FRESH]).worst <= CONTRACT
    assert math.isnan(run(kernel, [math.nan])[0])


def test_a_constant_is_not_judged() -> None:
    kernel, judgement = choose_kernel(Judge(formula("x").subs(x, 3), x, (), [{}]), KNOWN)
    assert kernel.result == Constant(3.0)
    assert judgement.units == 0.0
    assert judgement.is_certified


def test_every_candidate_of_a_formula_equals_it_where_it_is_tame() -> None:
    """Whatever their accuracy at the ends: a candidate that is another function would be a bug in its form."""
    points = [-2.7, -1.3, -0.6, 0.8, 1.6, 2.9]
    for text in (
        "x*tanh(softplus(x))",
        "x*sigmoid(x) + tanh(x)/3",
        "(x + sqrt(x**2 + 4))/2",
        "Piecewise((x*exp(x), x < 1), (E*x, True))*sigmoid(x)",
        "x**2*exp(-x**2) - erf(x)/2",
        "1 - sin(2*x)/2 + cos(x)*sin(x)*x",
    ):
        found = list(candidates(formula(text), x, KNOWN))
        assert len(found) >= 2
        assert len({candidate.kernel.result for candidate in found}) == len(found)
        for candidate in found:
            assert errors(candidate.kernel, formula(text), points, "float64").worst_ulps < 1e6, candidate.form


def test_parameters_are_judged_at_other_values_than_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that holds for beta = 1 only, tanh(x), must not win for tanh(beta x)."""
    beta = sp.Symbol("beta", real=True)
    known = {**KNOWN, beta: Variable("beta", is_parameter=True)}
    expression = formula("tanh(beta*x)", beta)
    judge = Judge(expression, x, (beta,), [{"beta": Fraction(1)}, {"beta": Fraction(3)}])
    honest = Candidate("honest", Kernel(call("tanh", call("multiply", known[beta], X))))
    cheat = Candidate("cheat", Kernel(call("tanh", X), {}, "cheat"))
    monkeypatch.setattr(choice, "stages", lambda _: iter([[cheat, honest]]))
    kernel, _ = choose_kernel(judge, known)
    assert known[beta] in kernel.nodes


@pytest.mark.parametrize(
    ("text", "faint"),
    [("p*x + x*(1 - p)*sigmoid(x*(1 - p))", 0), ("x*(p + tanh(x))", 1), ("x*sech(x)**2 + p + tanh(x)", 1)],
)
def test_what_vanishes_for_one_value_of_a_parameter_only_is_not_lost(text: str, faint: int) -> None:
    """There it is x times a t that is subnormal, and flushed, where x t is not; a normal form would add to t first."""
    p = sp.Symbol("p", real=True)
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    settings = [{"p": Fraction(value)} for value in (faint, 3, Fraction(1, 4), -1)]
    kernel, judgement = choose_kernel(Judge(formula(text, p), x, (p,), settings), known)
    assert judgement.units < 4, judgement
    assert "term by term" in kernel.form


@pytest.mark.parametrize("text", ["x**2*sigmoid(-p*x)*sigmoid(p*x)", "x*sech(p*x)"])
def test_what_vanishes_far_out_is_right_where_a_parameter_keeps_it_from_vanishing(text: str) -> None:
    """At p = 0 these are x^2 / 4 and x: right to the largest float that has a finite value, where x^2 has none."""
    p = sp.Symbol("p", real=True)
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    settings = [{"p": Fraction(value)} for value in (1, 3, Fraction(1, 4), 0)]
    _, judgement = choose_kernel(Judge(formula(text, p), x, (p,), settings), known)
    assert judgement.units < 4, judgement


REMOTE = (1, 3, Fraction(1, 4), Fraction(1, 1024))


def judged(text: str, values: Sequence[int | Fraction]) -> tuple[Kernel, Judgement]:
    """The kernel for a formula with a parameter p, at values of which the first is its default."""
    p = sp.Symbol("p", positive=True)
    settings = [{"p": Fraction(value)} for value in values]
    known = {**KNOWN, p: Variable("p", is_parameter=True)}
    return choose_kernel(Judge(formula(text, p), x, (p,), settings), known)


@pytest.mark.parametrize("text", ["log(p*Max(0, x) + 1)"])
def test_a_form_that_fails_at_a_remote_parameter_alone_gives_way_to_another(text: str) -> None:
    """Joined at an x that is right for p near 1, two forms have lost two digits at p = 1/1024."""
    assert judged(text, REMOTE)[1].units < 4


def test_a_form_that_overflows_far_above_a_default_gives_way_to_another() -> None:
    """The cheapest squares p x + 1 and p apart: at p = 32 the one overflows long before the quotient is 0."""
    text, near = "p**2/(p*Max(0, x) + 1)**2", (1, 3, Fraction(1, 4))
    assert judged(text, near)[0].form != judged(text, (*near, 32))[0].form
    assert judged(text, (*near, 32))[1].units < 4


def test_of_what_is_mended_what_holds_at_a_remote_parameter_too_is_taken() -> None:
    """The cheapest that will do at the others loses ten digits there."""
    values = (Fraction(1, 2), Fraction(3, 2), Fraction(1, 8), Fraction(1, 2048))
    kernel, told = judged("x*(1 + p*x/sqrt(1 + (p*x)**2))/2", values)
    assert "polynomial" in kernel.form
    assert told.units < 4


@pytest.mark.parametrize("text", ["x*(1 + p*x**2)/(1 + x**2/2)", "sqrt(x**2 + p**2) - p"])
def test_where_a_parameter_of_0_makes_it_another_formula_that_has_a_form_of_its_own(text: str) -> None:
    """The first grows like 2 p x, but at p = 0 it falls like 2 / x; the second is |x| there, and x^2 / 2 p else."""
    kernel, told = judged(text, (1, 3, Fraction(1, 4), 0))
    assert "for p = 0" in kernel.form
    assert told.units < 4


def test_nan_comes_through_where_a_parameter_of_0_makes_it_a_constant() -> None:
    """p / sqrt(x^2 + p^2) - 1 is -1 at p = 0."""
    kernel, _ = judged("p/sqrt(x**2 + p**2) - 1", (1, 3, Fraction(1, 4), 0))
    assert "for p = 0" in kernel.form
    assert emulation.run(kernel, {"x": np.array([2.0, math.nan]), "p": 0.0}, "float32")[0] == -1
    assert math.isnan(emulation.run(kernel, {"x": np.array([2.0, math.nan]), "p": 0.0}, "float32")[1])


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("x + exp(-x**2/2)*sin(p*x)", "linear next to 0"),
        ("log((exp(p*x) + exp(-p*x))/2)/p", "first term next to 0"),
    ],
)
def test_what_is_flushed_at_a_remote_parameter_only_is_guarded(text: str, guard: str) -> None:
    """At p = 1/1024, p x is subnormal where x + p x is not, and so is (p x)^2 where p x^2 is not."""
    kernel, told = judged(text, REMOTE)
    assert guard in kernel.form
    assert told.units < 4


def test_nothing_is_mended_for_a_remote_parameter_and_what_is_lost_there_is_told() -> None:
    """exp(x) - 1 - x + p x next to 0 is p x: what rounding leaves of the rest is little of it unless p is little."""
    (kernel, told), (nearby, kept) = (judged("exp(x) - 1 - x + p*x", values) for values in (REMOTE, REMOTE[:-1]))
    assert kernel.cost == nearby.cost
    assert kept.units < 4 < told.units


def test_the_emulated_result_is_not_nan_at_any_number() -> None:
    for text in ("x*tanh(softplus(x))", "x - sin(x)", "x*exp(-x**2)", "x*sin(x)*sigmoid(x)"):
        _, kernel, _ = chosen(text)
        points = np.array([*FRESH, 3.4e38, -3.4e38, 1e-45, 0.0])
        assert not np.isnan(run(kernel, points)).any(), text
        assert math.isnan(run(kernel, [math.nan])[0]), text


def test_a_miss_that_is_little_at_the_default_only_is_mended() -> None:
    """exp(-|theta - x| / tau) / tau is off by 5.5 units at one value, and by 14 where races do not look."""
    theta, tau = sp.Symbol("theta", real=True), sp.Symbol("tau", positive=True)
    expression = formula("exp(-Abs(theta - x)/tau)/tau", theta, tau)
    settings = [
        {"theta": Fraction(theta_value), "tau": Fraction(tau_value)}
        for theta_value, tau_value in ((1, "1/4"), (3, "1/4"), (1, "1/16"))
    ]
    known = {**KNOWN, theta: Variable("theta", is_parameter=True), tau: Variable("tau", is_parameter=True)}
    judge = Judge(expression, x, (theta, tau), settings)
    kernel, judgement = choose_kernel(judge, known)
    assert judgement.is_within_contract
    assert judge.errors(kernel, give_up=np.inf).worst < 4
