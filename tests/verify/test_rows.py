"""Axis-wise functions are verified on rows, element by element, and a wrong one is found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from actgen.spec import SpecError, load_spec
from actgen.verify.builtin import find_native
from actgen.verify.rows import RowSubject, measure_rows

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="module")
def subject() -> RowSubject:
    return RowSubject(load_spec(SPECS / "softmax.toml"))


def test_a_right_function_is_measured_beside_the_builtin_which_loses_saturated_rows(subject: RowSubject) -> None:
    def exact(x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x.double(), -1).to(x.dtype)

    builtin = find_native(subject.activation, "torch", SPECS / "softmax.toml")
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


def test_an_error_of_the_oracle_is_not_told_of_the_generated_code(
    subject: RowSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails on our side of the comparison ends the run; recorded, it would be blamed on the function."""

    def no_truth(*_: object) -> None:
        raise ZeroDivisionError("the oracle's own")

    monkeypatch.setattr(RowSubject, "truth", no_truth)
    with pytest.raises(ZeroDivisionError, match="the oracle's own"):
        measure_rows("torch", subject, torch.nn.Softmax(-1), None, "eager", "float32", (0,))


def test_a_builtin_that_does_not_run_is_an_error_of_the_spec(subject: RowSubject, tmp_path: Path) -> None:
    text = (SPECS / "softmax.toml").read_text(encoding="utf-8")
    wrong = tmp_path / "softmax.toml"
    wrong.write_text(
        text.replace("torch.nn.functional.softmax", "torch.nn.functional.cosine_similarity"), encoding="utf-8"
    )
    builtin = find_native(load_spec(wrong), "torch", wrong)
    with pytest.raises(SpecError, match="cosine_similarity does not run in eager mode"):
        measure_rows("torch", subject, torch.nn.Softmax(-1), builtin, "eager", "float32", (0,))
