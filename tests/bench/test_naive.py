"""The formula as typed is the formula, in every framework, and calls nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import sympy as sp
import torch
from jax import numpy as jnp

from actgen.bench.naive import NAME, write_naive
from actgen.numerics.oracle import Oracle
from actgen.spec import load_spec
from actgen.symbolic import Formula
from actgen.verify.measuring import load_module

SPECS = Path(__file__).resolve().parents[2] / "specs"
FORMULAS = [path for path in sorted(SPECS.glob("*.toml")) if "axiswise" not in path.read_text(encoding="utf-8")]
POINTS = np.array([-3.25, -1.125, -0.375, 0.25, 0.875, 2.25, 5.0])
TENSORS: dict[str, Any] = {
    "torch": lambda points: torch.from_numpy(points.astype("float32")),
    "keras": lambda points: keras.ops.convert_to_tensor(points, "float32"),
    "jax": lambda points: jnp.asarray(points, "float32"),
}


@pytest.mark.parametrize("framework", TENSORS)
@pytest.mark.parametrize("path", FORMULAS[::4], ids=lambda path: path.stem)
def test_it_is_the_formula_at_the_default_parameters(framework: str, path: Path, tmp_path: Path) -> None:
    activation = load_spec(path)
    written = write_naive(activation, framework, tmp_path)
    assert "def _" not in written.read_text()
    formula = Formula.of(activation)
    defaults = {p.symbol: p.default for p in activation.variables}
    others = dict.fromkeys(formula.inputs[1:], sp.Rational(3, 4))
    tensors = [
        TENSORS[framework](POINTS),
        *(TENSORS[framework](np.full_like(POINTS, float(v))) for v in others.values()),
    ]
    result = np.asarray(getattr(load_module(written), NAME)(*tensors))
    exact = Oracle(formula.value.xreplace({**defaults, **others}), formula.inputs[0])(POINTS, {}).high
    np.testing.assert_allclose(result, exact, rtol=3e-4, atol=1e-5)
