"""A threshold learns: where a surrogate stands for the slope of a step, the step moves by the chain rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import sympy as sp

from actgen.spec import SpecError, load_spec
from actgen.symbolic.examination import examine
from actgen.symbolic.formula import Formula
from tests.symbolic.reading import agree, value

HEAD = 'title = "Mine"\nsummary = "A sentence."\nfolklore = true\n'
LAPLACE = "exp(-Abs(x - theta)/tau)/tau"


def write(folder: Path, expression: str, surrogate: str, *, trained: str = "", **parameters: str) -> Path:
    """Make a spec with a surrogate, of parameters with a domain each; those that are trained are in one string."""
    text = f'{HEAD}expression = "{expression}"\n[surrogate]\nderivative = "{surrogate}"\n'
    for name, domain in parameters.items():
        text += f'[parameters.{name}]\ndefault = 0.5\ndescription = "P."\ndomain = "{domain}"\n'
        text += "trainable = true\n" if name in trained.split() else ""
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def formula(folder: Path, expression: str, surrogate: str, **parameters: str) -> Formula:
    return Formula.of(load_spec(write(folder, expression, surrogate, **parameters)))


def assert_same(found: sp.Expr, expected: str, of: Formula) -> None:
    """Compare two formulas at a few inputs beside kinks, the parameters at different values."""
    values = {p: sp.Rational(number, 7) for p, number in zip(of.parameters, (5, 3, 8), strict=False)}
    other = sp.sympify(expected, locals={symbol.name: symbol for symbol in of.variables}).subs(values)
    for point in ("-3.1", "-0.3", "0.6", "0.9", "2.3"):
        assert agree(value(found.subs(values), point), value(other, point)), (found, expected, point)


@pytest.mark.parametrize(
    ("expression", "surrogate", "expected"),
    [
        ("Heaviside(x - theta)", LAPLACE, {"theta": f"-{LAPLACE}", "tau": "0"}),
        ("Piecewise((1, x > theta), (0, True))", LAPLACE, {"theta": f"-{LAPLACE}"}),
        ("Piecewise((1, theta < x), (-1, True))", LAPLACE, {"theta": f"-{LAPLACE}"}),
        ("sign(x - theta)", LAPLACE, {"theta": f"-{LAPLACE}"}),
        ("tau*Heaviside(theta*x - 1)", "tau*exp(-Abs(theta*x - 1))", {"theta": "tau*exp(-Abs(theta*x - 1))*x/theta"}),
        # A factor without steps has its ordinary derivative, also beside one that is in the step.
        (
            "tau*Heaviside(x - theta)",
            f"tau*{LAPLACE}",
            {"tau": "Piecewise((1, x > theta), (0, True))", "theta": f"-tau*{LAPLACE}"},
        ),
        # All steps move alike.
        ("Heaviside(x - theta) + sign(2*theta - 2*x)", LAPLACE, {"theta": f"-{LAPLACE}"}),
        # x (H + delta): the steps' share of the derivative is what the ordinary one lacks.
        (
            "x*Heaviside(x - theta)",
            f"Heaviside(x - theta) + x*{LAPLACE}",
            {"theta": f"-x*{LAPLACE}"},
        ),
        # The common factor x cancels.
        ("Heaviside(x**2 - theta)", "2*x*exp(-Abs(x**2 - theta))/tau", {"theta": "-exp(-Abs(x**2 - theta))/tau"}),
        # So does the slope of Abs.
        (
            "Heaviside(theta - Abs(x))",
            "-sign(x)*exp(-Abs(Abs(x) - theta))/tau",
            {"theta": "exp(-Abs(Abs(x) - theta))/tau"},
        ),
        ("Heaviside(theta*tau*x - 1)", "exp(-Abs(theta*x))", {"tau": "exp(-Abs(theta*x))*x/tau"}),
    ],
)
def test_a_parameter_that_moves_steps_has_the_derivative_that_the_surrogate_implies(
    tmp_path: Path, expression: str, surrogate: str, expected: Mapping[str, str]
) -> None:
    found = formula(tmp_path, expression, surrogate, theta="positive", tau="positive")
    for name, partial in expected.items():
        assert_same(found.partials.get((name,), sp.Integer(0)), partial, found)


def test_a_scale_and_a_threshold_of_one_step_each_have_their_own(tmp_path: Path) -> None:
    found = formula(tmp_path, "Heaviside(k*(x - theta))", "exp(-Abs(x - theta))", k="positive", theta="real")
    assert_same(found.partials["k",], "exp(-Abs(x - theta))*(x - theta)/k", found)
    assert_same(found.partials["theta",], "-exp(-Abs(x - theta))", found)


def test_the_step_size_of_a_quantizer_learns_as_in_lsq(tmp_path: Path) -> None:
    """Esser et al., Learned Step Size Quantization, 2020: round(x/s) - x/s inside, the bound outside."""
    inside = "Piecewise((1, Abs(x/s) < 3), (0, True))"
    found = formula(tmp_path, "s*clip(floor(x/s + 0.5), -3, 3)", inside, s="positive")
    expected = "Piecewise((floor(x/s + 1/2) - x/s, Abs(x/s) < 3), (3*sign(x), True))"
    assert_same(found.partials["s",], expected, found)
    # Where the quantizer is held to be x, and 3 s beyond, there is nothing of the second order.
    assert [order for order in found.partials if len(order) == 2] == []


def test_the_zero_point_of_a_quantizer_learns_beyond_its_range(tmp_path: Path) -> None:
    """Bhalgat et al., LSQ+, 2020: -s where x is clipped, 0 elsewhere."""
    inside = "Piecewise((1, (x > -s*z) & (x < (3 - z)*s)), (0, True))"
    found = formula(tmp_path, "s*(clip(floor(x/s + z), 0, 3) - z)", inside, s="positive", z="real")
    # And 1, for nothing is compared with 0 but 0 itself.
    assert_same(found.partials["z",] + 1, "Piecewise((1, (x > -s*z) & (x < (3 - z)*s)), (1 - s, True))", found)
    assert_same(found.partials["s", "z"] + 1, "Piecewise((1, (x > -s*z) & (x < (3 - z)*s)), (0, True))", found)


def test_the_second_derivatives_are_those_of_the_surrogate_whatever_the_order_of_parameters(tmp_path: Path) -> None:
    one = formula(tmp_path, "Heaviside(x - theta)", LAPLACE, theta="real", tau="positive")
    other = formula(tmp_path, "Heaviside(x - theta)", LAPLACE, tau="positive", theta="real")
    theta, tau = one.parameters
    x = one.inputs[0]
    slope = one.partials["x",]
    values = {theta: sp.Rational(1, 3), tau: sp.Rational(3, 4)}
    expected = {
        ("x", "theta"): slope.diff(theta),
        ("theta", "theta"): -slope.diff(theta),
        ("x", "tau"): slope.diff(tau),
        ("theta", "tau"): -slope.diff(tau),
    }
    assert ("tau",) not in one.partials
    assert ("tau", "tau") not in one.partials
    for order, partial in expected.items():
        for found in (one.partials[order], other.partials.get(order, other.partials.get(order[::-1]))):
            for point in ("-0.5", "0.5", "2"):
                assert agree(value(found.subs(values), point), value(partial.subs(values).doit(), point)), order
    assert agree(value(one.partials["x", "theta"].subs(values), "2"), value(-slope.diff(x).subs(values).doit(), "2"))


def test_a_factor_of_a_step_and_its_threshold_have_the_surrogate_for_second_derivative(tmp_path: Path) -> None:
    for names in ({"a": "real", "theta": "real"}, {"theta": "real", "a": "real"}):
        found = formula(tmp_path, "a*Heaviside(x - theta)", "a*exp(-Abs(x - theta))", **names)
        order = tuple(names)
        assert_same(found.partials[order], "-exp(-Abs(x - theta))", found)


def error(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        examine(load_spec(path))
    return str(caught.value)


def cautions(path: Path) -> list[str]:
    return [str(caution) for caution in examine(load_spec(path))]


TERNARY = "Piecewise((1, x > theta), (-1, x < -theta), (0, True))"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (TERNARY, "the steps of -theta + x and of theta + x do not move alike with theta"),
        ("Heaviside(x) + Heaviside(x - theta)", "the steps of x and of -theta + x do not move alike with theta"),
        ("Heaviside(x)*Heaviside(theta - 1)", "theta - 1, of which there is a step, depends on theta and has no slope"),
        ("Heaviside(floor(x) - theta)", "depends on theta and has no slope by x"),
    ],
)
def test_a_trained_threshold_whose_gradient_nobody_can_tell_is_refused(
    tmp_path: Path, expression: str, why: str
) -> None:
    told = error(write(tmp_path, expression, "exp(-Abs(x))", trained="theta", theta="positive"))
    assert why in told
    assert "mine.toml:11:1: theta is trained" in told
    assert "write trainable = false" in told


def test_such_a_threshold_may_be_fixed(tmp_path: Path) -> None:
    path = write(tmp_path, TERNARY, "exp(-Abs(x))", theta="positive")
    assert cautions(path) == []
    assert list(Formula.of(load_spec(path)).partials) == [(), ("x",), ("x", "x")]


def test_a_trained_threshold_of_one_step_is_not_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, "Heaviside(x - theta)", LAPLACE, trained="theta", theta="real", tau="positive")
    assert cautions(path) == []


def test_a_parameter_that_stands_in_the_surrogate_only_and_is_trained_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, "Heaviside(x - theta)", LAPLACE, trained="tau", theta="real", tau="positive")
    (caution,) = cautions(path)
    assert "mine.toml:15:1: warning: tau is trained, but its gradient is 0 everywhere" in caution
    assert "it shapes the surrogate only; write trainable = false" in caution


def test_a_trained_threshold_without_a_surrogate_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, "Heaviside(x - theta)", "1", trained="theta", theta="real")
    path.write_text(path.read_text().replace('[surrogate]\nderivative = "1"\n', ""))
    (caution,) = cautions(path)
    assert "theta is trained, but its gradient is 0 everywhere" in caution
    assert "[surrogate]" in caution


def test_a_gradient_that_is_infinite_where_the_step_stands_still_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, "Heaviside(x**2 - theta)", "exp(-Abs(x**2 - theta))", trained="theta", theta="real")
    (caution,) = cautions(path)
    assert "the derivative by theta, which the surrogate implies, has no value at x = 0" in caution
    vanishing = "2*x*exp(-Abs(x**2 - theta))"
    assert cautions(write(tmp_path, "Heaviside(x**2 - theta)", vanishing, trained="theta", theta="real")) == []


def test_a_scale_of_a_step_that_may_be_0_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, "Heaviside(k*x - 1)", "exp(-Abs(x))", trained="k", k="real")
    assert any("with k = 0, which is in its domain real" in caution for caution in cautions(path))
    assert cautions(write(tmp_path, "Heaviside(k*x - 1)", "exp(-Abs(x))", trained="k", k="positive")) == []
