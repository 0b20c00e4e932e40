"""Formulas that have no real value somewhere are refused or warned of, and those that have one are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from actgen.build import packaged_specs
from actgen.spec import SpecError, load_spec, load_specs
from actgen.symbolic.examination import examine, examine_all

HEAD = 'title = "Mine"\nsummary = "A sentence."\nfolklore = true\n'


def write(folder: Path, expression: str, more: str = "", name: str = "mine", **domains: tuple[str, str]) -> Path:
    """Make a spec, its parameters with a default and a domain each."""
    text = f'{HEAD}{more}expression = "{expression}"\n'
    for parameter, (default, domain) in domains.items():
        text += f'[parameters.{parameter}]\ndefault = "{default}"\ndescription = "P."\ndomain = "{domain}"\n'
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def cautions(path: Path) -> list[str]:
    return [str(caution) for caution in examine(load_spec(path))]


def error(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        examine(load_spec(path))
    return str(caught.value)


def test_the_specs_that_come_with_actgen_give_no_warning() -> None:
    activations = load_specs(packaged_specs())
    assert len(activations) > 150
    assert examine_all(activations) == []


@pytest.mark.parametrize(
    ("expression", "at", "why"),
    [
        ("log(x) * x", "x = -1", "log(x) is no real number at x = -1 and beside it: x is negative there"),
        ("sqrt(x)", "x = -1", "sqrt(x) is no real number"),
        ("x**1.5", "x = -1", "x**(3/2) is no real number"),
        ("log1p(x)", "x = -2", "x + 1 is negative there, -1"),
        ("sqrt(1 - x**2)", "x = -2", "1 - x**2 is negative there, -3"),
        ("Max(0, log(x))", "x = -1", "log(x) is no real number"),
        ("Piecewise((log(x), x < 1), (0, True))", "x = -1", "log(x) is no real number"),
        ("Piecewise((0, log(x) > 0), (x, True))", "x = -1", "log(x) is no real number"),
        ("x**x", "x = -1", "x**x is no real number"),
        # Below 0 between two points of the grid only.
        ("sqrt((x - 3.0001)**2 - 1e-9)", "x = 3.0001", "is no real number"),
    ],
)
def test_a_formula_without_a_real_value_on_a_stretch_is_refused(
    tmp_path: Path, expression: str, at: str, why: str
) -> None:
    found = error(write(tmp_path, expression))
    assert at in found
    assert why in found
    assert "define the formula there with Piecewise" in found


def test_the_default_of_a_parameter_decides_whether_a_formula_is_refused(tmp_path: Path) -> None:
    assert "x**p is no real number at x = -1" in error(write(tmp_path, "x**p", p=("1.5", "positive")))
    (caution,) = cautions(write(tmp_path, "x**p", p=("2", "positive")))
    assert "with p = 1/2, which is in its domain positive, the formula has no real value at x = -1" in caution


def test_the_caret_is_under_what_has_no_value(tmp_path: Path) -> None:
    path = write(tmp_path, "x + 2 * log( x )")
    assert error(path).splitlines()[1:] == ['  expression = "x + 2 * log( x )"', f"  {' ' * 22}^^^^^^^^"]
    (caution,) = cautions(write(tmp_path, "x / (1 - x)"))
    assert caution.splitlines()[1:] == ['  expression = "x / (1 - x)"', f"  {' ' * 19}^^^^^"]


def test_all_that_is_wrong_in_all_specs_is_told_at_once(tmp_path: Path) -> None:
    paths = [write(tmp_path, "log(x)", name="one"), write(tmp_path, "sqrt(x)", name="two")]
    with pytest.raises(SpecError) as caught:
        examine_all(load_spec(path) for path in paths)
    assert [Path(problem.path).stem for problem in caught.value.problems] == ["one", "two"]


def test_a_surrogate_is_looked_at_too(tmp_path: Path) -> None:
    path = write(tmp_path, "Heaviside(x)")
    path.write_text(path.read_text() + '[surrogate]\nderivative = "sqrt(x)"\n')
    assert f'derivative = "sqrt(x)"\n  {" " * 14}^^^^^^^' in error(path)


@pytest.mark.parametrize("expression", ["log(a) * b", "b * sqrt(a)"])
def test_the_factors_of_a_gated_unit_are_looked_at(tmp_path: Path, expression: str) -> None:
    assert "is no real number at a = -1" in error(write(tmp_path, expression, 'kind = "gated"\n'))


def test_of_an_axiswise_activation_what_is_done_to_elements_is_looked_at(tmp_path: Path) -> None:
    axiswise = 'kind = "axiswise"\n'
    assert "log(x) is no real number" in error(write(tmp_path, "Sum(log(x))", axiswise))
    assert cautions(write(tmp_path, "x / sqrt(Sum(x**2))", axiswise)) == []
    (caution,) = cautions(write(tmp_path, "exp(x / tau) / Sum(exp(x / tau))", axiswise, tau=("1", "real")))
    assert "with tau = 0, which is in its domain real, the formula has no real value: tau is 0" in caution
    assert 'write domain = "positive"' in caution


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("x / (1 - x)", "x = 1, where 1 - x is 0"),
        ("1 / (x**2 - 1)", "x = -1, 1, where x**2 - 1 is 0"),
        ("1 / (x**2 - 2)", "x = -1.41421, 1.41421, where x**2 - 2 is 0"),
        ("1 / x**2", "x = 0, where x is 0"),
        ("log(Abs(x))", "x = 0, where Abs(x) is 0"),
        ("1 / (1 + exp(1 / x))", "x = 0, where x is 0"),  # jumps from 1 to 0
        ("Piecewise((1 / x, x <= 0), (0, True))", "x = 0, where x is 0"),
    ],
)
def test_a_pole_is_warned_of(tmp_path: Path, expression: str, places: str) -> None:
    (caution,) = cautions(write(tmp_path, expression))
    assert f"warning: the formula has no value at {places}; if that is not meant, define the formula there" in caution


def test_each_place_where_tan_is_infinite_is_a_pole(tmp_path: Path) -> None:
    (caution,) = cautions(write(tmp_path, "tan(x)"))
    assert "x = -1.5708, 1.5708, -4.71239, 4.71239, ..., where cos(x) is 0" in caution


@pytest.mark.parametrize(
    ("expression", "default", "domain", "value", "narrower"),
    [
        ("log(1 + a * x**2)", "1", "real", "a = -1", "nonnegative"),
        ("exp(-x**2 / a)", "1", "real", "a = 0", "positive"),
        ("exp(-x**2 / a)", "-1", "[-2, 0]", "a = 0", "negative"),
        ("x / (1 + a * x**2)", "1", "real", "a = -1", "nonnegative"),
        ("relu(x) / a", "1/2", "[0, 1]", "a = 0", "positive"),
        ("relu(x)**a", "1", "real", "a = -1", "nonnegative"),
    ],
)
def test_a_domain_that_is_too_wide_is_warned_of(
    tmp_path: Path, expression: str, default: str, domain: str, value: str, narrower: str
) -> None:
    (caution,) = cautions(write(tmp_path, expression, a=(default, domain)))
    assert f"warning: with {value}, which is in its domain {domain}, the formula has no real value" in caution
    assert f'write domain = "{narrower}"' in caution


@pytest.mark.parametrize(
    "expression",
    [
        "tanh(x) / x",  # a hole, which is filled in
        "sin(x - pi) / (x - pi)",
        "Piecewise((1, x == 0), (sin(x) / x, True))",
        "x * log(Abs(x))",
        "exp(-1 / x**2)",
        "Piecewise((log(x), x > 1), (0, True))",
        "Piecewise((exp(1 - 1 / (1 - x**2)), Abs(x) < 1), (0, True))",
        "Piecewise((sqrt(x), x >= 0), (-sqrt(-x), True))",
        "sqrt(Abs(x))",
        "sign(x) * Abs(x)**(1/3)",
        "sqrt(relu(x))",
        "tan(clip(x, -1, 1))",
        "log((exp(x) + exp(-x)) / 2)",
        "log(2 - exp(-exp(x)))",
        "x / (1 - x * exp(-(x + exp(x))))",
        "sqrt(x**2 - 2*x + 1)",
        "2**x",
    ],
)
def test_what_has_a_value_everywhere_gives_no_warning(tmp_path: Path, expression: str) -> None:
    assert cautions(write(tmp_path, expression)) == []


def test_a_drawn_parameter_is_tried_within_its_distribution(tmp_path: Path) -> None:
    path = write(tmp_path, "x / a")
    path.write_text(path.read_text() + '[parameters.a]\ndescription = "P."\ndistribution = {uniform = [0.5, 1]}\n')
    assert cautions(path) == []
    path.write_text(path.read_text().replace("0.5", "0"))
    assert "with a = 0" in cautions(path)[0]
