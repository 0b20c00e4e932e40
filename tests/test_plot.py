"""Pictures: the curves are those of the formula, broken where it jumps."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from actgen import plot as plots
from actgen.build import InputError, packaged_specs
from actgen.plot import parse_family, plot
from actgen.spec import load_spec


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **options: figures.append(self))
    return figures


def points_of(line: Line2D) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(line.get_xydata())]


def test_a_family_has_a_curve_for_each_value_in_both_panels(drawn: list[Figure]) -> None:
    swish = load_spec(packaged_specs() / "swish.toml")
    family = {"beta": (Fraction(1, 2), Fraction(1), Fraction(2))}
    plot(swish, Path("swish.png"), family=family, interval=(-1.0, 1.0))
    value, derivative = drawn[0].axes
    for axes, expected in ((value, _swish), (derivative, _swish_derivative)):
        curves = [points for points in map(points_of, axes.lines) if len(points) > 2]
        assert len(curves) == 3
        for curve, beta in zip(curves, (0.5, 1, 2), strict=True):
            for x, y in curve:
                assert y == pytest.approx(expected(x, beta), rel=1e-12, abs=1e-12)
    legend = value.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [r"$\beta$ = 0.5", r"$\beta$ = 1", r"$\beta$ = 2"]


def test_a_curve_is_broken_where_the_function_jumps_and_only_there(drawn: list[Figure]) -> None:
    plot(load_spec(packaged_specs() / "hard_shrink.toml"), Path("a.png"))
    plot(load_spec(packaged_specs() / "tanh.toml"), Path("a.png"), interval=(-1000.0, 1000.0))
    for figure, breaks in ((drawn[0], [-0.5, 0.5]), (drawn[1], [])):
        for axes in figure.axes:
            curve = max(map(points_of, axes.lines), key=len)
            found = [x for x, y in curve if math.isnan(y)]
            assert found == pytest.approx(breaks, abs=1e-6)


def test_a_surrogate_is_called_one(drawn: list[Figure]) -> None:
    plot(load_spec(packaged_specs() / "step.toml"), Path("a.png"))
    assert drawn[0].axes[1].get_title() == "derivative (surrogate)"


def test_the_same_picture_twice_is_the_same_file(tmp_path: Path) -> None:
    relu = load_spec(packaged_specs() / "relu.toml")
    for name in ("a.svg", "b.svg"):
        plot(relu, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_values_are_read_exactly() -> None:
    assert parse_family(["beta=0.1, 2", "alpha=1/3"]) == {
        "beta": (Fraction(1, 10), Fraction(2)),
        "alpha": (Fraction(1, 3),),
    }
    for text in ("beta", "beta=", "=1", "beta=1,,2", "beta=1/0", "beta=inf"):
        with pytest.raises(InputError):
            parse_family([text])


def test_two_parameters_give_every_combination(drawn: list[Figure]) -> None:
    hard_tanh = load_spec(packaged_specs() / "hard_tanh.toml")
    low, high = (Fraction(-1), Fraction(-2)), (Fraction(1), Fraction(2))
    plot(hard_tanh, Path("a.png"), family={"min_val": low, "max_val": high})
    legend = drawn[0].axes[0].get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == 4
    with pytest.raises(InputError, match="curves are more than one can tell apart"):
        plot(hard_tanh, Path("a.png"), family={"min_val": low * 2, "max_val": high})


def test_there_is_a_colour_for_every_curve() -> None:
    assert len(set(plots.COLOURS)) == plots.MOST_CURVES


def _swish(x: float, beta: float) -> float:
    return x / (1 + math.exp(-beta * x))


def _swish_derivative(x: float, beta: float) -> float:
    gate = 1 / (1 + math.exp(-beta * x))
    return gate + beta * x * gate * (1 - gate)
