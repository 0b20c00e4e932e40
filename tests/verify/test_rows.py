"""Axis-wise functions are verified on rows, element by element, and a wrong one is found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from actgen.spec import load_spec
from actgen.verify.rows import RowSubject, find_row_native, measure_rows

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="module")
def subject() -> RowSubject:
    return RowSubject(load_spec(SPECS / "softmax.toml"))


def test_a_right_function_is_measured_beside_the_builtin_which_loses_saturated_rows(subject: RowSubject) -> None:
    def exact(x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x.double(), -1).to(x.dtype)

    builtin = find_row_native(subject.activation, "torch")
    entry = measure_rows("torch", subject, exact, builtin, "eager", "float32", (0, 1))
    assert not entry.failure
    assert set(entry.cells) == {("value", ""), ("J t", ""), ("g J", "")}
    value, slope = entry.cells["value", ""], entry.cells["g J", ""]
    assert value.ours.units < 1
    assert slope.builtin is not None
    assert slope.builtin.units > 1e3
    assert "saturated" in slope.builtin.setting or "outlier" in slope.builtin.setting


def test_a_wrong_element_an_overflow_and_an_error_are_found_out(subject: RowSubject) -> None:
    def first_is_off(x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x, -1) * torch.where(torch.arange(x.shape[-1]) == 0, 1 + 1e-5, 1.0)

    def naive(x: torch.Tensor) -> torch.Tensor:
        return x.exp() / x.exp().sum(-1, keepdim=True)

    def broken(x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no")

    off = measure_rows("torch", subject, first_is_off, None, "eager", "float32", (0,)).cells["value", ""]
    assert off.ours.units > 10
    overflow = measure_rows("torch", subject, naive, None, "eager", "float32", (0,)).cells["value", ""]
    assert overflow.ours.spurious > 0
    assert np.isinf(overflow.ours.units)
    assert "no" in measure_rows("torch", subject, broken, None, "eager", "float32", (0,)).failure
