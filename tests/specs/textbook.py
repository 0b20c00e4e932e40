"""Formulas as a textbook reads them: what a spec declares, evaluated with 50 digits and nothing of the generator's.

Only the parser is shared with it. A name means what SymPy means by it, a slope is SymPy's derivative, a kink has the
slope of the branch that owns it because SymPy differentiates a Piecewise branch by branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy.core.function import AppliedUndef

from actgen.spec import Activation, load_specs

mpmath: Any = import_module("mpmath")  # comes with SymPy; has no types

SPECS = Path(__file__).resolve().parents[2] / "specs"

MEANINGS: Mapping[str, Callable[..., sympy.Expr]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tanh": sympy.tanh,
    "sech": sympy.sech,
    "asinh": sympy.asinh,
    "atan": sympy.atan,
    "erf": sympy.erf,
    "normal_cdf": lambda u: (1 + sympy.erf(u / sympy.sqrt(2))) / 2,
    "Abs": sympy.Abs,
    "sign": lambda u: sympy.Piecewise((1, u > 0), (-1, u < 0), (0, True)),
    "Max": sympy.Max,
    "Min": sympy.Min,
    "relu": lambda u: sympy.Piecewise((u, u > 0), (0, True)),
    "clip": lambda u, low, high: sympy.Min(sympy.Max(u, low), high),
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
}


@dataclass(frozen=True)
class Formula:
    """The declared formula of an activation, at its default parameters unless others are given."""

    activation: Activation

    @cached_property
    def expression(self) -> sympy.Expr:
        return self.activation.expression.replace(
            lambda node: isinstance(node, AppliedUndef), lambda node: MEANINGS[node.func.__name__](*node.args)
        )

    def value(self, points: Iterable[float], **parameters: float) -> NDArray[np.float64]:
        return self._at(self.expression, points, parameters)

    def slope(self, points: Iterable[float], **parameters: float) -> NDArray[np.float64]:
        return self._at(self.expression.diff(self.activation.inputs[0]), points, parameters)

    def _at(
        self, expression: sympy.Expr, points: Iterable[float], parameters: Mapping[str, float]
    ) -> NDArray[np.float64]:
        known = {parameter.name: parameter for parameter in self.activation.variables}
        assert set(parameters) <= set(known)
        settings = {known[name].symbol: parameters.get(name, known[name].default) for name in known}
        modules = [{"exp": _exp}, "mpmath"]
        evaluate: Any = sympy.lambdify(self.activation.inputs, expression.subs(settings), modules)
        with mpmath.workdps(50):
            return np.array([float(evaluate(mpmath.mpf(float(point)))) for point in points])


def _exp(u: Any) -> Any:
    """The exponential; 0 and infinity far beyond all floats, where mpmath takes hours over exp(-exp(1e9))."""
    if mpmath.isfinite(u) and abs(u) > 1e6:
        return mpmath.inf if u > 0 else mpmath.mpf(0)
    return mpmath.exp(u)


FORMULAS: Mapping[str, Formula] = {
    activation.name: Formula(activation) for activation in load_specs(SPECS) if activation.kind == "elementwise"
}
