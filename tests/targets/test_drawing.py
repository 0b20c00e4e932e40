"""Tests of what is drawn look where the value depends on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actgen.build import packaged_specs
from actgen.numerics import Derivation, derive, reference_table
from actgen.spec import load_spec
from actgen.targets.drawing import probe
from tests.targets.test_suite import emit, run

HEAD = 'title = "Mine"\nsummary = "A sentence."\nfolklore = true\n'


def derived(folder: Path, expression: str, distribution: str) -> Derivation:
    path = folder / "mine.toml"
    drawn = f'[parameters.k]\ndescription = "P."\ndistribution = {distribution}\n'
    path.write_text(f'{HEAD}expression = "{expression}"\n{drawn}')
    return derive(load_spec(path))


@pytest.mark.parametrize(
    ("expression", "distribution", "point"),
    [
        ("Max(0, k * x)", "{normal = [1, 0.2]}", 0.1),
        ("Piecewise((x, x > 0), (k * x, True))", "{uniform = [0.1, 0.3]}", -0.1),
        ("Piecewise((k * x, x > 5), (x, True))", "{uniform = [0.1, 0.3]}", 6.0),
        ("Piecewise((k * x, x < -50), (x, True))", "{normal = [0, 1]}", -100.0),
        ("Max(0, x + k)", "{normal = [0, 1]}", -0.1),
        ("x + floor(k)", "{uniform = [0, 2]}", -0.1),  # two values everywhere
    ],
)
def test_a_point_is_found_where_the_value_depends_on_what_is_drawn(
    tmp_path: Path, expression: str, distribution: str, point: float
) -> None:
    assert probe(derived(tmp_path, expression, distribution)) == point


@pytest.mark.parametrize("name", ["rrelu", "noisy_relu"])
def test_the_specs_that_draw_are_tried_below_0(name: str) -> None:
    assert probe(derive(load_spec(packaged_specs() / f"{name}.toml"))) == -0.1


@pytest.mark.parametrize("expression", ["Max(0, k * x)", "Piecewise((k * x, x > 5), (x, True))"])
def test_the_emitted_tests_of_what_is_drawn_pass_where_it_is_no_matter_on_one_side(
    tmp_path: Path, expression: str
) -> None:
    derivation = derived(tmp_path, expression, "{normal = [1, 0.2]}")
    emit(tmp_path, derivation, reference_table(derivation, "float32"))
    code, output = run(tmp_path, "-k", "draw")
    assert code == 0, output
    assert "3 passed" in output
    shutil.rmtree(tmp_path / "activations")
