"""Strangers' axis-wise formulas become modules whose generated tests pass, and fail on what is wrong."""

from __future__ import annotations

import os
import re
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


# Plugins of others' packages take a second to import, and do nothing here.
ENVIRONMENT = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def emit(
    folder: Path,
    expression: str,
    grouped: bool = False,
    targets: Sequence[Target] = (torch,),
    package: str = "activations",
) -> None:
    spec = folder / "probe.toml"
    spec.write_text(SPEC.format(expression=expression, grouped=str(grouped).lower()), encoding="utf-8")
    context = Context(targets=tuple(target.name for target in targets))
    _, files = axiswise.emit(load_spec(spec), "probe.toml", targets, context)
    files |= emit_neighbours(targets, context)
    for target in targets:
        files |= target.emit_package([Entry("probe", "Probe", (), "")], context)
    for path, text in files.items():
        place = folder / package / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def run(folder: Path, *options: str) -> tuple[int, str]:
    """Test packages in one process: a framework takes longer to import than one of them to test."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *options], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    return done.returncode, done.stdout


def report(output: str, package: str) -> str:
    """What is said of the tests of a package that failed."""
    sections = re.split("^___", output.partition("short test summary")[0], flags=re.MULTILINE)
    return "".join(section for section in sections if f"{package}/tests/" in section)


def test_the_generated_tests_of_a_strangers_formulas_pass(tmp_path: Path) -> None:
    emit(tmp_path, "(x - Mean(x)) * exp(x / eps) / (2 + Sum(exp(x / eps)))", package="whole")
    emit(tmp_path, "Max(0, Max(x)) + eps * log(Mean(exp(x / eps)))", grouped=True, package="grouped")
    assert not any("actgen" in path.read_text() for path in tmp_path.rglob("*.py"))
    code, output = run(tmp_path, "whole/tests", "grouped/tests")
    assert code == 0, output


def test_a_choice_between_numbers_for_the_whole_row_leaves_one_value(tmp_path: Path) -> None:
    emit(tmp_path, "Piecewise((1, Max(x) > 0), (2, True)) * Sum(x) + eps", targets=(jax,))
    code, output = run(tmp_path, "activations/tests", "-k", "contract")
    assert code == 0, output


def test_a_wrong_kernel_and_a_wrong_row_of_the_printer_fail_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # the heavy element is not held apart
        patch.setattr(rowwise, "HALF", Constant(2.0))
        emit(tmp_path, "eps * x - eps * log(Sum(exp(x)))", package="kernel")
    with monkeypatch.context() as patch:
        patch.setitem(torch_axiswise.ROW_FORMS, "sum", torch_axiswise.ROW_FORMS["mean"])
        emit(tmp_path, "eps * exp(x) / Sum(exp(x))", package="row")
    code, output = run(tmp_path, "kernel/tests", "row/tests", "-k", "contract")
    assert code == 1
    assert "jvp of probe" in report(output, "kernel"), output
    assert "value of probe" in report(output, "row"), output


def test_a_shift_by_an_end_that_stands_in_the_formula_and_passes_no_slope_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expression, targets = "(x - Min(x)) / (Max(x) - Min(x) + eps)", (torch, keras, jax)
    emit(tmp_path, expression, package="right")  # one framework is enough to show that it passes otherwise
    monkeypatch.setattr(rowwise, "_bears_slope", lambda expression, part: False)
    emit(tmp_path, expression, targets=targets, package="wrong")
    code, output = run(tmp_path, "right/tests", "wrong/tests", "-k", "second_derivatives")
    assert code == 1
    assert "3 failed, 1 passed" in output
    assert all(f"{target.name}: bend of probe" in report(output, "wrong") for target in targets)
