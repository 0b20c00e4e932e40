"""Strangers' axis-wise formulas become modules whose generated tests pass, and fail on what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from actgen.build import axiswise
from actgen.numerics import rowwise
from actgen.numerics.kernel import Constant
from actgen.spec import load_spec
from actgen.targets import Context, Entry, Target
from actgen.targets.jax import target as jax
from actgen.targets.keras import target as keras
from actgen.targets.suite import emit_neighbours
from actgen.targets.torch import axiswise as torch_axiswise
from actgen.targets.torch import target as torch

SPEC = """\
title = "Probe"
summary = "A function along an axis."
kind = "axiswise"
expression = "{expression}"
folklore = true
grouped = {grouped}

[parameters.eps]
default = 0.5
description = "Where it bends."
domain = "positive"
"""


def emit(folder: Path, expression: str, grouped: bool = False, targets: Sequence[Target] = (torch,)) -> None:
    spec = folder / "probe.toml"
    spec.write_text(SPEC.format(expression=expression, grouped=str(grouped).lower()), encoding="utf-8")
    context = Context(targets=tuple(target.name for target in targets))
    _, files = axiswise.emit(load_spec(spec), "probe.toml", targets, context)
    files |= emit_neighbours(targets, context)
    for target in targets:
        files |= target.emit_package([Entry("probe", "Probe", (), "")], context)
    for path, text in files.items():
        place = folder / "activations" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def run(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "activations/tests"]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("expression", "grouped"),
    [
        ("(x - Mean(x)) * exp(x / eps) / (2 + Sum(exp(x / eps)))", False),
        ("Max(0, Max(x)) + eps * log(Mean(exp(x / eps)))", True),
    ],
)
def test_the_generated_test_of_a_strangers_formula_passes(tmp_path: Path, expression: str, grouped: bool) -> None:
    emit(tmp_path, expression, grouped)
    assert not any("actgen" in path.read_text() for path in tmp_path.rglob("*.py"))
    code, output = run(tmp_path)
    assert code == 0, output


def test_a_choice_between_numbers_for_the_whole_row_leaves_one_value(tmp_path: Path) -> None:
    emit(tmp_path, "Piecewise((1, Max(x) > 0), (2, True)) * Sum(x) + eps", targets=(jax,))
    code, output = run(tmp_path, "-k", "contract")
    assert code == 0, output


def test_a_kernel_that_does_not_hold_the_heavy_element_apart_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowwise, "HALF", Constant(2.0))
    emit(tmp_path, "eps * x - eps * log(Sum(exp(x)))")
    code, output = run(tmp_path, "-k", "contract")
    assert code == 1
    assert "jvp of probe" in output


def test_a_wrong_row_of_the_printer_fails_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = dict(torch_axiswise.ROW_FORMS)
    forms["sum"] = forms["mean"]
    monkeypatch.setattr(torch_axiswise, "ROW_FORMS", forms)
    emit(tmp_path, "eps * exp(x) / Sum(exp(x))")
    code, output = run(tmp_path, "-k", "contract")
    assert code == 1
    assert "value of probe" in output


def test_a_shift_by_an_end_that_stands_in_the_formula_and_passes_no_slope_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expression, targets = "(x - Min(x)) / (Max(x) - Min(x) + eps)", (torch, keras, jax)
    emit(tmp_path, expression)  # one framework is enough to show that it passes otherwise
    code, output = run(tmp_path, "-k", "second_derivatives")
    assert code == 0, output
    assert "1 passed" in output
    monkeypatch.setattr(rowwise, "_bears_slope", lambda expression, part: False)
    emit(tmp_path, expression, targets=targets)
    code, output = run(tmp_path, "-k", "second_derivatives")
    assert code == 1
    assert "3 failed" in output
    assert all(f"{target.name}: bend of probe" in output for target in targets)
