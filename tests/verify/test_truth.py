"""Exact values and slopes: the same from either source, and those of the formula."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from actgen.numerics.oracle import Oracle
from actgen.numerics.rules import rewrite
from actgen.verify.truth import is_few, truth

X, ALPHA = sp.Symbol("x", real=True), sp.Symbol("alpha", real=True)
POINTS = np.array([-20.0, -3.25, -0.5, 2.0**-40, 0.75, 6.0, 30.0])
FEW, MANY = 10, 2**20


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACTGEN_CACHE_DIR", str(tmp_path))


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_truth_is_the_formula_and_the_size_of_its_slope_at_the_parameters_given(count: int) -> None:
    known = truth(1 / (1 + sp.exp(ALPHA * X)), X, {ALPHA: Fraction(3)}, "float64", count)
    right = 1 / (1 + np.exp(3 * POINTS))
    exact = known(POINTS)
    assert exact.decided.all()
    np.testing.assert_allclose(exact.high, right, rtol=1e-14)
    np.testing.assert_allclose(known.slope(POINTS), 3 * right / (1 + np.exp(-3 * POINTS)), rtol=1e-5, atol=1e-20)


@pytest.mark.parametrize("wide", ["float32", "float64"])
def test_few_and_many_points_have_the_same_exact_values(wide: str) -> None:
    few, many = (truth(X * sp.exp(X), X, {}, wide, count) for count in (FEW, MANY))
    one, other = few(POINTS), many(POINTS)
    difference = np.abs((one.high - other.high) + (one.low - other.low))
    assert (difference <= 2.0**-9 * np.spacing(np.abs(one.high).astype(wide))).all()
    np.testing.assert_allclose(few.slope(POINTS), many.slope(POINTS), rtol=1e-5)


def test_a_derivative_that_vanishes_is_known_everywhere() -> None:
    known = truth(sp.Integer(0), X, {}, "float32", MANY)
    assert known(POINTS).decided.all()
    assert not known(POINTS).high.any()
    assert not known.slope(POINTS).any()


def test_many_points_are_not_evaluated_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_few(FEW)
    assert not is_few(MANY)

    def never(*_: object) -> Callable[..., object]:
        raise AssertionError("a ball for each of a million points")

    monkeypatch.setattr("actgen.verify.truth._Balls.__call__", never)
    assert truth(X * sp.exp(X), X, {}, "float32", MANY)(POINTS).decided.all()


def test_the_values_at_few_points_are_computed_for_the_first_framework_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And found again for the same formula, parameters and points only, in a file that is whole."""
    expression, values = sp.exp(ALPHA * X), {ALPHA: Fraction(3)}
    first = truth(expression, X, values, "float64", FEW)(POINTS)
    (file,) = (tmp_path / "values").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(Oracle, "__call__", lambda *_: pytest.fail("asked again"))
        again = truth(expression, X, values, "float64", FEW)(POINTS)
        for name in ("high", "low", "decided"):
            np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
        others = [(2 * expression, values, POINTS), (expression, {ALPHA: Fraction(2)}, POINTS)]
        for formula, setting, points in [*others, (expression, values, POINTS[1:])]:
            with pytest.raises(pytest.fail.Exception, match="asked again"):
                truth(formula, X, setting, "float64", FEW)(points)
    file.write_bytes(file.read_bytes()[:-1])
    np.testing.assert_array_equal(truth(expression, X, values, "float64", FEW)(POINTS).high, first.high)


def test_a_formula_is_rewritten_only_where_the_oracle_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewriting a third derivative may take minutes, and is asked for at a few points or none."""
    asked: list[sp.Expr] = []

    def counted(expression: sp.Expr) -> tuple[sp.Expr, tuple[str, ...]]:
        asked.append(expression)
        return rewrite(expression)

    monkeypatch.setattr("actgen.verify.truth.rewrite", counted)
    plain = truth(X * sp.exp(X), X, {}, "float64", FEW)
    plain.slope(POINTS)
    assert plain(POINTS).decided.all()
    assert not asked
    # exp(exp(1e25)) is too large for any ball; the sigmoid of exp(1e25) is 1.
    points = np.append(POINTS, 1e25)
    formula = sp.exp(sp.exp(X)) / (1 + sp.exp(sp.exp(X)))
    assert list(np.flatnonzero(~Oracle(formula, X)(points, {}).decided)) == [len(POINTS)]
    exact = truth(formula, X, {}, "float64", FEW)(points)
    assert exact.decided.all()
    assert exact.high[-1] == 1.0
    assert len(asked) == 1
