"""Built-ins beside ours: what is found of either when it is wrong."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from actgen.build import InputError
from actgen.frameworks.comparing import Comparison, Kink, Task, compare
from actgen.spec import SpecError

SPEC = """\
title = "Ramp"
summary = "One that PyTorch has."
expression = "{expression}"
folklore = true

[builtins]
torch = {builtin}
"""
LEAKY = "Piecewise((x, x > 0), (x / 4, True))"
OURS = "import torch\n\ndef ramp(x):\n    return {body}\n"
# The slope at NaN is NaN, and no infinity is multiplied by 0.
RIGHT = "torch.where(x != x, torch.where(x != x, x, 0.0) * float('nan'), torch.where(x > 0, x, x / 4))"


def compared(
    folder: Path,
    expression: str = LEAKY,
    builtin: str = '{name = "torch.nn.functional.leaky_relu", arguments = {negative_slope = 0.25}}',
    body: str = RIGHT,
) -> Comparison:
    """What is found of one activation in PyTorch."""
    spec = folder / "ramp.toml"
    spec.write_text(SPEC.format(expression=expression, builtin=builtin))
    (folder / "torch").mkdir()
    (folder / "torch" / "ramp.py").write_text(OURS.format(body=body))
    (found,) = compare(Task("torch", (spec,), folder, {}))
    return found


def test_what_is_equal_has_no_difference_but_at_nan(tmp_path: Path) -> None:
    found = compared(tmp_path)
    assert found.differences == ()
    assert [(end.quantity, str(end.x), end.theirs) for end in found.ends] == [("slope", "nan", 0.25)]
    assert found.ends[0].is_ours_right
    assert not found.ends[0].is_theirs_right
    assert found.kinks == (Kink(0.0, 0.25, 0.25),)
    assert found.arguments == {"negative_slope": "0.25"}
    assert found.defaults == {"negative_slope": "0.01"}


def test_another_slope_at_a_kink_is_a_kink_and_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, "Piecewise((x, x >= 0), (x / 4, True))")
    assert found.kinks == (Kink(0.0, 1.0, 0.25),)
    assert found.differences == ()


def test_another_value_is_a_difference_and_the_spec_is_right(tmp_path: Path) -> None:
    found = compared(tmp_path, builtin='{name = "torch.nn.functional.leaky_relu", arguments = {negative_slope = 0.2}}')
    value, slope = found.differences
    assert (value.quantity, value.right, slope.quantity, slope.right) == ("value", "ours", "slope", "ours")
    assert value.theirs == pytest.approx(value.x / 5)
    assert (value.exact, value.ours) == (value.x / 4, value.x / 4)
    assert value.units > 1e6
    assert slope.exact == 0.25
    assert slope.theirs == pytest.approx(0.2)


def test_where_ours_is_wrong_the_built_in_is_right(tmp_path: Path) -> None:
    found = compared(tmp_path, body="torch.where(x > 0, x, x / 5)")
    assert {difference.right for difference in found.differences} == {"theirs"}
    value, _ = found.differences
    assert value.theirs == value.x / 4
    assert value.ours == pytest.approx(value.x / 5)


def test_where_both_are_wrong_neither_is_right(tmp_path: Path) -> None:
    found = compared(tmp_path, "Piecewise((x, x > 0), (x / 3, True))", body="torch.where(x > 0, x, x / 5)")
    assert {difference.right for difference in found.differences} == {"neither"}


def test_a_built_in_that_loses_all_digits_in_the_tail_is_found_with_the_exact_value(tmp_path: Path) -> None:
    found = compared(tmp_path, "1 / (1 + exp(-x))", '"torch.sigmoid"', "torch.sigmoid(x)")
    (slope,) = found.differences
    assert slope.quantity == "slope"
    assert slope.right == "neither"
    # math.exp(-x) is exact enough: sigmoid'(x) = e^-x / (1 + e^-x)^2
    t = math.exp(-slope.x)
    assert slope.exact == pytest.approx(t / (1 + t) ** 2, rel=1e-12)
    assert slope.units > 1e5


def test_a_built_in_that_does_not_exist_is_pointed_out_in_the_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"ramp\.toml:7:9: torch\.nn\.functional has no lrelu"):
        compared(tmp_path, builtin='"torch.nn.functional.lrelu"')


def test_what_is_not_built_is_asked_for(tmp_path: Path) -> None:
    spec = tmp_path / "ramp.toml"
    spec.write_text(SPEC.format(expression=LEAKY, builtin='"torch.nn.functional.relu"'))
    with pytest.raises(InputError, match=r"torch/ramp\.py: there is no such file; run `actgen build`"):
        compare(Task("torch", (spec,), tmp_path, {}))


def test_ours_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ramp in torch does not run: NameError"):
        compared(tmp_path, body="no_such_name")


def test_where_an_error_is_known_to_be_large_is_compared_too(tmp_path: Path) -> None:
    spec = tmp_path / "ramp.toml"
    spec.write_text(SPEC.format(expression="x", builtin='"torch.nn.functional.relu6"'))
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "ramp.py").write_text(OURS.format(body="torch.where(x == 1.2345678806304932, x + 1, x * 1)"))

    def judged(worst: dict[str, tuple[float, ...]]) -> set[str]:
        (found,) = compare(Task("torch", (spec,), tmp_path, worst))
        return {difference.right for difference in found.differences if difference.quantity == "value"}

    assert judged({}) == {"ours"}
    assert judged({"ramp": (1.2345678806304932,)}) == {"neither"}


def test_the_last_numbers_of_an_array_are_computed_otherwise_in_pytorch_and_judged(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        "Piecewise((x, x > 0), (exp(x) - 1, True))",
        '"torch.nn.functional.celu"',
        "torch.nn.functional.elu(x)",
    )
    assert ("slope", "nan", 1.0) in [(end.quantity, str(end.x), end.theirs) for end in found.ends]
